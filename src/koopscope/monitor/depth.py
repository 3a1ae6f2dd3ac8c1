"""How many layers does a network need? Spectra of short training against errors of full training.

[ours, after a claim of Manojlović et al. 2020 whose protocol could not be read] Networks of depths
1 … D are trained. The Koopman spectrum of what they answer on a few fixed samples in the first
steps is compared between depths d and d + 1: where the distance falls to what seeds of one depth
differ by, another layer changes the training no more, and d is the depth foretold. The depth
observed is the first one whose error after full training is near the least.

The observable is the probe, loss and answers on fixed samples: as many numbers at every depth, of
the same meaning, and it depends on every layer. A sketch of all layers has a size that grows with
the depth; that of the first layer does not, but sees the others through its gradient alone.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from koopscope.compare.transport import distance_matrix
from koopscope.compare.verdict import adjusted, compare
from koopscope.errors import InputError
from koopscope.hsvr.experiment import predictions
from koopscope.koopman import fit
from koopscope.monitor.depth_plan import Classification, DepthFamily
from koopscope.monitor.regression import points_of, train_regression
from koopscope.training.ensemble import Accuracy, train
from koopscope.training.recording import steps_per_chunk

# What foretells a depth: the spectrum, and what costs no spectrum.
PREDICTORS = ("spectrum", "short_loss", "two_layers")
HSVR_RULES = ("fft", "tapered")
# The short training's loss is the mean over its last steps, as many as one in so many.
LAST = 4
ALPHA = 0.05
RESAMPLES = 1000


def run_family(
    family: DepthFamily,
    data: xr.Dataset,
    progress: Callable[[int], object] = lambda depths: None,
) -> xr.Dataset:
    """Train every depth, fit the spectra of the short training, and say what each rule foretells.

    Parameters
    ----------
    family
        What to train.
    data
        A data set in the common form (:mod:`koopscope.data`) for a classification, a signal
        (:func:`koopscope.data.signals.signal`) for a regression.
    progress
        Called with 1 for each depth that is done.

    Returns
    -------
    xarray.Dataset
        Of :func:`judged`, with ``eigenvalue`` (depth, seed, mode; NaN where there are fewer),
        ``diverged`` (depth, seed; number of runs), ``seconds`` (depth; of the full training) and
        ``fit_seconds`` (depth). For a regression also ``hsvr`` (hsvr_rule): layers of a
        hierarchical SVR that its rules predict for the same training values.

    Raises
    ------
    InputError
        If the data do not fit the task.
    """
    probes, losses, errors, seconds, fit_seconds, spectra = [], [], [], [], [], []
    classifies = isinstance(family.task, Classification)
    points = None if classifies else points_of(data)
    for depth in family.depths:
        start = perf_counter()
        if classifies:
            found = _classified(family, depth, data)
        else:
            found = train_regression(family, depth, points)
        seconds.append(perf_counter() - start)
        start = perf_counter()
        spectra.append([_spectrum(runs, family) for runs in found["probe"]])
        fit_seconds.append(perf_counter() - start)
        probes.append(found["probe"])
        losses.append(found["losses"][:, :, : family.task.short])
        errors.append(found["error"])
        progress(1)
    errors = np.array(errors)
    last = max(1, family.task.short // LAST)
    diverged = np.isnan(errors)
    short = _mean(np.array(losses)[..., -last:].mean(axis=3), diverged)
    out = judged(family, spectra, _mean(errors, diverged), short)
    size = max(len(s) for of_depth in spectra for s in of_depth)
    padded = [[np.pad(s, (0, size - len(s)), constant_values=np.nan) for s in d] for d in spectra]
    out = out.assign(
        eigenvalue=(("depth", "seed", "mode"), np.array(padded).reshape(*short.shape, size)),
        diverged=(("depth", "seed"), diverged.sum(axis=2)),
        seconds=("depth", seconds),
        fit_seconds=("depth", fit_seconds),
    )
    if classifies:
        return out
    with warnings.catch_warnings():
        # Such as that a rule finds no frequency: one layer is what it then says.
        warnings.simplefilter("ignore")
        layers = predictions(data, HSVR_RULES)["predicted"].values
    return out.assign(hsvr=("hsvr_rule", layers)).assign_coords(hsvr_rule=list(HSVR_RULES))


def judged(
    family: DepthFamily,
    spectra: Sequence[Sequence[np.ndarray]],
    errors: np.ndarray,
    short_losses: np.ndarray,
) -> xr.Dataset:
    """Distances between neighbouring depths, the depths foretold, and the one observed.

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
        ``regret`` (predictor): the depth foretold (NaN for none) and by what share its mean error
        is above the least one's (of the deepest where none is foretold); ``observed``,
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
    means = _finite_mean(errors)
    if not np.isfinite(means).any():
        raise InputError("depths: every run diverged; lower the learning rate")
    found = {
        "spectrum": where_it_falls(columns["effect"], depths, family.smallest_effect),
        "short_loss": first_near_best(_finite_mean(short_losses), depths, family.tolerance),
        "two_layers": 2.0,
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
    rng = np.random.default_rng(seed)
    count = errors.shape[1]
    # The depths share no draw, so each is resampled on its own.
    picked = rng.integers(0, count, (RESAMPLES, *errors.shape))
    drawn = np.take_along_axis(errors[None], picked, axis=2)
    found = [first_near_best(_finite_mean(part), depths, tolerance) for part in drawn]
    known = np.array(found)[np.isfinite(found)]
    if not len(known):
        return float("nan"), float("nan")
    return tuple(float(x) for x in np.percentile(known, [2.5, 97.5], method="nearest"))


def _classified(family: DepthFamily, depth: int, data: xr.Dataset) -> dict[str, np.ndarray]:
    """As :func:`koopscope.monitor.regression.train_regression`; the error is that of the test."""
    setup, task = family.network(depth), family.task
    shape = len(setup.seeds), setup.initialisations
    found = {
        "probe": np.full((*shape, task.short, setup.features("probe")), np.nan, np.float32),
        "losses": np.full((*shape, task.steps), np.nan, np.float32),
        "error": np.full(shape, np.nan, np.float32),
    }
    for piece in train(setup, data, min(task.short, steps_per_chunk(setup)), "cpu"):
        if isinstance(piece, Accuracy):
            if piece.step == setup.steps:
                found["error"][piece.seeds] = 1 - piece.values
            continue
        found["losses"][piece.seeds, :, piece.steps] = piece.losses
        seen = slice(piece.steps.start, min(piece.steps.stop, task.short))
        if seen.start < seen.stop:
            count = seen.stop - seen.start
            found["probe"][piece.seeds, :, seen] = piece.probe[:, :, :count]
    return found


def _spectrum(runs: np.ndarray, family: DepthFamily) -> np.ndarray:
    """Eigenvalues of a seed's runs (init, step, response) that stayed finite."""
    runs = runs[np.isfinite(runs).all(axis=(1, 2))]
    if not len(runs):
        return np.empty(0, complex)
    window = xr.DataArray(runs.astype(np.float64), dims=("init", "step", "weight"))
    largest = min(
        (family.delays + 1) * window.sizes["weight"],
        len(runs) * (window.sizes["step"] - family.delays - 1),
    )
    with threadpool_limits(1):
        return fit(window, family.delays, min(family.rank, largest)).eigenvalues


def _mean(values: np.ndarray, diverged: np.ndarray) -> np.ndarray:
    """Mean over the initialisations (depth, seed, init) that did not diverge."""
    return _finite_mean(np.where(diverged, np.nan, values))


def _finite_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    count = finite.sum(axis=-1)
    total = np.where(finite, values, 0).sum(axis=-1, dtype=np.float64)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


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
        (no depth foretold), ``mean_regret``; and ``hsvr_rank`` (hsvr_rule), the rank correlation
        of a hierarchical SVR's predicted layers with the depth observed, over the regressions (NaN
        where all are the same, or of fewer than three).
    """
    from scipy.stats import spearmanr

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
