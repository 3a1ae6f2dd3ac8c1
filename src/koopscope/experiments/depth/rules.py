"""What a family of depths comes to: distances between neighbours, depths predicted and observed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from koopscope.compare.intervals import finite_mean, percentile_interval
from koopscope.compare.transport import distance_matrix
from koopscope.compare.verdict import adjusted, compare
from koopscope.errors import InputError
from koopscope.experiments.depth.names import (
    HSVR_RULES,
    PREDICTORS,
    SHORT_LOSS,
    SPECTRUM,
    TWO_LAYERS,
)

if TYPE_CHECKING:
    from koopscope.experiments.depth.plan import DepthFamily

ALPHA = 0.05
RESAMPLES = 1000


def judged(
    family: "DepthFamily",
    spectra: Sequence[Sequence[np.ndarray]],
    errors: np.ndarray,
    short_losses: np.ndarray,
) -> xr.Dataset:
    """Distances between neighbouring depths, the depths predicted, and the one observed.

    Parameters
    ----------
    family
        Depths, seeds, tolerance and smallest effect.
    spectra
        Eigenvalues by depth and seed; none for a seed whose runs all diverged.
    errors, short_losses
        After full training, and at the end of the short one; shape (depth, seed), NaN for such a
        seed.

    Returns
    -------
    xarray.Dataset
        ``error`` and ``short_loss`` (depth, seed); ``between``, ``within``, ``effect``,
        ``effect_low``, ``effect_high``, ``p_value``, ``p_adjusted`` (Holm) and ``verdict`` (pair;
        coordinate ``shallower``, the depth that the next one is compared with); ``predicted`` and
        ``regret`` (predictor): the depth predicted (NaN for none) and by what share its mean error
        is above the least one's (of the deepest where none is predicted); ``observed``,
        ``observed_low``, ``observed_high``: the depth observed, with the 95 % interval over
        resampled seeds.

    Raises
    ------
    InputError
        If no depth has a finite error.
    """
    depths = list(family.depths)
    joined = [s for of_depth in spectra for s in of_depth]
    with threadpool_limits(1):
        matrix = distance_matrix(joined)
    usable = np.array([len(s) > 0 for s in joined]).reshape(len(depths), -1)
    places = np.arange(len(joined)).reshape(usable.shape)
    pairs = []
    for i in range(len(depths) - 1):
        first, second = (places[j][usable[j]] for j in (i, i + 1))
        enough = min(len(first), len(second)) > 0
        pairs.append(compare(matrix, first, second, bootstrap=RESAMPLES) if enough else None)
    names = ("between", "within", "effect", "effect_low", "effect_high", "p_value")
    columns = {n: [np.nan if p is None else getattr(p, n) for p in pairs] for n in names}
    corrected = adjusted(np.array(columns["p_value"]), "holm")
    words = [
        "" if pair is None else pair.verdict(ALPHA, family.smallest_effect, p)
        for pair, p in zip(pairs, corrected, strict=True)
    ]
    means = finite_mean(errors)
    if not np.isfinite(means).any():
        raise InputError("depths: every run diverged; lower the learning rate")
    found = {
        SPECTRUM: where_it_falls(columns["effect"], depths, family.smallest_effect),
        SHORT_LOSS: first_near_best(finite_mean(short_losses), depths, family.tolerance),
        TWO_LAYERS: 2.0,
    }
    regrets = [regret(means, depths, found[name]) for name in PREDICTORS]
    low, high = observed_interval(errors, depths, family.tolerance)
    return xr.Dataset(
        {
            "error": (("depth", "seed"), errors),
            "short_loss": (("depth", "seed"), short_losses),
            **{name: ("pair", np.array(values)) for name, values in columns.items()},
            "p_adjusted": ("pair", corrected),
            "verdict": ("pair", np.array(words, dtype=object)),
            "predicted": ("predictor", [found[name] for name in PREDICTORS]),
            "regret": ("predictor", regrets),
            "observed": first_near_best(means, depths, family.tolerance),
            "observed_low": low,
            "observed_high": high,
        },
        coords={
            "depth": depths,
            "seed": list(family.seeds),
            "shallower": ("pair", depths[:-1]),
            "predictor": list(PREDICTORS),
        },
    )


def where_it_falls(effects: Sequence[float], depths: Sequence[int], smallest: float) -> float:
    """First depth whose distance to the next one is what seeds of one depth differ by.

    Parameters
    ----------
    effects
        Between ÷ within of each depth and the next one, shape (depth - 1,).
    depths
        Ascending, shape (depth,).
    smallest
        The effect below which two depths train alike.

    Returns
    -------
    float
        NaN if every layer that was tried still changes the training.
    """
    below = np.flatnonzero(np.asarray(effects, dtype=float) < smallest)
    return float(depths[below[0]]) if len(below) else float("nan")


def first_near_best(values: np.ndarray, depths: Sequence[int], tolerance: float) -> float:
    """First depth whose value is at most 1 + tolerance times the least; NaN if none is finite.

    Parameters
    ----------
    values
        Errors or losses, none negative, shape (depth,); NaN for a depth that always diverged.
    depths
        Ascending, shape (depth,).
    tolerance
        Above 0.
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).any():
        return float("nan")
    near = np.flatnonzero(values <= (1 + tolerance) * np.nanmin(values))
    return float(depths[near[0]])


def regret(errors: np.ndarray, depths: Sequence[int], predicted: float) -> float:
    """By what share the error at a depth is above the least one; NaN if it is not known there.

    Parameters
    ----------
    errors
        Shape (depth,).
    depths
        Ascending, shape (depth,).
    predicted
        One of the depths, or the nearest one is taken; NaN for none: then the deepest.
    """
    depths = np.asarray(depths)
    at = -1 if np.isnan(predicted) else int(np.argmin(np.abs(depths - predicted)))
    least = np.nanmin(errors)
    if least == 0:
        return 0.0 if errors[at] == 0 else float("inf")
    return float(errors[at] / least - 1)


def observed_interval(
    errors: np.ndarray, depths: Sequence[int], tolerance: float, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of :func:`first_near_best` over resampled seeds of errors (depth, seed)."""
    count = errors.shape[1]
    # The depths share no draw, so each is resampled on its own.
    picked = np.random.default_rng(seed).integers(0, count, (RESAMPLES, *errors.shape))
    drawn = np.take_along_axis(errors[None], picked, axis=2)
    found = [first_near_best(finite_mean(part), depths, tolerance) for part in drawn]
    # Nearest, since a depth is a whole number.
    return percentile_interval(np.array(found), count, method="nearest")


def agreement(families: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """How often each predictor is right over several families.

    Parameters
    ----------
    families
        What :func:`judged` gives, by name.

    Returns
    -------
    xarray.Dataset
        Dim ``predictor``: ``cases`` (with a depth observed), ``right``, ``within_one``, ``none``
        (no depth predicted), ``mean_regret``; and ``hsvr_rank`` (hsvr_rule), the rank correlation
        of a hierarchical SVR's predicted layers with the depth observed, over the regressions (NaN
        where all are the same, or of fewer than three).
    """
    found = list(families.values())
    observed = np.array([float(f["observed"]) for f in found])
    predicted = np.array([f["predicted"].values for f in found])
    miss = predicted - observed[:, None]
    regrets = np.array([f["regret"].values for f in found])
    out = xr.Dataset(
        {
            "cases": ("predictor", np.full(miss.shape[1], len(found))),
            "right": ("predictor", (miss == 0).sum(axis=0)),
            "within_one": ("predictor", (np.abs(miss) <= 1).sum(axis=0)),
            "none": ("predictor", np.isnan(predicted).sum(axis=0)),
            "mean_regret": ("predictor", regrets.mean(axis=0)),
        },
        coords={"predictor": list(PREDICTORS)},
    )
    with_hsvr = [i for i, f in enumerate(found) if "hsvr" in f]
    layers = np.array([found[i]["hsvr"].values for i in with_hsvr])
    ranks = []
    for k in range(len(HSVR_RULES)):
        varied = len(with_hsvr) > 2 and np.ptp(layers[:, k]) > 0 and np.ptp(observed[with_hsvr]) > 0
        rank = spearmanr(layers[:, k], observed[with_hsvr]).statistic if varied else np.nan
        ranks.append(float(rank))
    return out.assign(hsvr_rank=("hsvr_rule", ranks)).assign_coords(hsvr_rule=list(HSVR_RULES))
