"""Which runs will generalise? Rules that never saw a run's setting, and areas under the curve.

A rule is a logistic regression that learned on the other settings alone. At a horizon only runs
count whose test accuracy has not begun to rise: what is seen of the others is no prediction.
"""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from koopscope.artefacts.texts import texts
from koopscope.compare.areas import weighted_auc
from koopscope.compare.intervals import bounds, multiplicities
from koopscope.config.fit import FitSpec
from koopscope.experiments.grokking.chance import chance
from koopscope.experiments.grokking.features import LEARNED, of_runs, of_settings
from koopscope.experiments.grokking.names import (
    CONFIGURATION,
    FEWEST_RUNS,
    FEWEST_SETTINGS,
    PAIRS,
    PREDICTORS,
    SPECTRUM,
)
from koopscope.experiments.grokking.outcomes import at_risk, outcomes

if TYPE_CHECKING:
    from koopscope.config.models import ModelSetup

RESAMPLES = 1000
BOUNDS = ("mean", "low", "high")


def seen(runs: xr.Dataset, horizons: tuple[int, ...], spec: FitSpec, risen: float) -> xr.Dataset:
    """Outcomes of the runs of one setting, and what is seen of them up to each horizon.

    Parameters
    ----------
    runs
        As :func:`koopscope.experiments.grokking.following.follow` gives them.
    horizons
        Steps.
    spec
        Of the fits.
    risen
        Test accuracy above which a run is not at risk any more.

    Returns
    -------
    xarray.Dataset
        Dim ``run``: of :func:`~koopscope.experiments.grokking.outcomes.outcomes`; ``at_risk``
        (run, horizon); by predictor its features (run, horizon, ``predictor feature``).
    """
    by_horizon = [of_runs(runs, horizon, spec) for horizon in horizons]
    found = outcomes(runs["train_accuracy"], runs["test_accuracy"]).rename(seed="run")
    for name in by_horizon[0]:
        values = np.stack([features[name] for features in by_horizon], axis=1)
        found[name] = ("run", "horizon", f"{name} feature"), values
    risk = [at_risk(runs["test_accuracy"], horizon, risen) for horizon in horizons]
    found["at_risk"] = ("run", "horizon"), np.stack(risk, axis=1)
    return found.assign_coords(horizon=list(horizons))


def predicted(settings: Mapping[str, xr.Dataset], setups: "Mapping[str, ModelSetup]") -> xr.Dataset:
    """How well each predictor tells which runs will generalise, by horizon.

    Parameters
    ----------
    settings
        Of :func:`seen`, by setting.
    setups
        Of the same settings.

    Returns
    -------
    xarray.Dataset
        Dims (setting, run): ``setting_memorised_at``, ``setting_generalised_at``,
        ``setting_groks``. Dims (setting, run, horizon): ``at_risk``; with ``predictor``, ``score``.
        Dims (horizon, predictor, bound): ``auc``, and ``auc_within``, in which runs are compared
        with runs of their own setting alone; (horizon, pair, bound): ``gain`` and ``gain_within``.
        Bounds are 95 % over resampled settings. (horizon): ``runs_at_risk``, ``will_generalise``
        of them, ``settings_at_risk``, ``settings_mixed`` (with both ends among those at risk).
        ``chance`` and ``chance_within`` of :func:`~koopscope.experiments.grokking.chance.chance`,
        with as many numbers as the spectrum has.
    """
    risk = np.stack([found["at_risk"].values for found in settings.values()])
    ends = np.stack([found["generalises"].values for found in settings.values()])
    written = of_settings(setups)
    count, runs, horizons = risk.shape
    scores = np.full((*risk.shape, len(PREDICTORS)), np.nan)
    place = np.repeat(np.arange(count), runs)
    for j in range(horizons):
        for k, name in enumerate(PREDICTORS):
            if name == CONFIGURATION:
                features = np.stack([np.tile(written[s], (runs, 1)) for s in settings])
            else:
                features = np.stack([found[name].values[:, j] for found in settings.values()])
            features = features.reshape(count * runs, -1)
            usable = risk[:, :, j].ravel() & np.isfinite(features).all(axis=1)
            flat = np.full(count * runs, np.nan)
            if name in LEARNED:
                held_out(features, ends.ravel(), place, usable, flat)
            else:
                flat[usable] = features[usable, 0]
            scores[:, :, j, k] = flat.reshape(count, runs)
    first = next(iter(settings.values()))
    found = xr.Dataset(
        {
            **{
                f"setting_{name}": (
                    ("setting", "run"),
                    np.stack([one[name].values for one in settings.values()]),
                )
                for name in ("memorised_at", "generalised_at", "groks")
            },
            "at_risk": (("setting", "run", "horizon"), risk),
            "score": (("setting", "run", "horizon", "predictor"), scores),
        },
        coords={
            "setting": texts(settings),
            "horizon": first["horizon"].values,
            "predictor": texts(PREDICTORS),
        },
    )
    width = first[SPECTRUM].shape[-1]
    return found.merge(areas(scores, risk, ends)).merge(chance(risk, ends, width))


def held_out(
    features: np.ndarray,
    ends: np.ndarray,
    place: np.ndarray,
    usable: np.ndarray,
    into: np.ndarray,
) -> None:
    """Chance that each usable run will generalise, by a rule that never saw its setting.

    Parameters
    ----------
    features
        Shape (run, feature).
    ends, place, usable
        Whether each run generalises, its setting, whether it counts; shape (run,).
    into
        Where the chances are written; left alone where the other settings have one end only.
    """
    for setting in np.unique(place):
        held = usable & (place == setting)
        others = usable & (place != setting)
        if held.any() and len(set(ends[others])) == 2:
            rule = make_pipeline(
                StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
            )
            with warnings.catch_warnings():
                # Of a column without spread, which then says nothing.
                warnings.simplefilter("ignore")
                rule.fit(features[others], ends[others])
            into[held] = rule.predict_proba(features[held])[:, 1]


def areas(scores: np.ndarray, risk: np.ndarray, ends: np.ndarray, seed: int = 0) -> xr.Dataset:
    """Areas under the curve over all settings and within them, with what the spectrum gains.

    Parameters
    ----------
    scores
        Shape (setting, run, horizon, predictor).
    risk
        Whether a run is at risk, shape (setting, run, horizon).
    ends
        Whether it generalises, shape (setting, run).
    seed
        Draws the resamples of settings.

    Returns
    -------
    xarray.Dataset
        Those of :func:`predicted`. NaN where fewer than five runs of an end, or three settings,
        are at risk; within settings where fewer than two have both ends.
    """
    count, runs, horizons, predictors = scores.shape
    (drawn,) = multiplicities((count,), RESAMPLES, seed)
    weights = np.concatenate([np.ones((1, count)), drawn.astype(float)])
    place = np.repeat(np.arange(count), runs)
    draws = np.full((2, horizons, predictors, len(weights)), np.nan)
    counted = np.zeros((4, horizons), int)
    for j in range(horizons):
        at = risk[:, :, j]
        mixed = (at & ends).any(axis=1) & (at & ~ends).any(axis=1)
        counted[:, j] = at.sum(), (at & ends).sum(), at.any(axis=1).sum(), mixed.sum()
        least = min((at & ends).sum(), (at & ~ends).sum())
        if least < FEWEST_RUNS or at.any(axis=1).sum() < FEWEST_SETTINGS:
            continue
        chosen = at.ravel()
        for k in range(predictors):
            given = scores[:, :, j, k].ravel()[chosen], ends.ravel()[chosen], place[chosen], weights
            draws[0, j, k] = weighted_auc(*given)
            if mixed.sum() > 1:
                draws[1, j, k] = weighted_auc(*given, within=True)
    of = PREDICTORS.index
    gains = np.stack([draws[:, :, of(one)] - draws[:, :, of(other)] for one, other in PAIRS], 2)
    # As many as can vary: of the areas within settings those with both ends.
    both = counted[3].max(initial=0)
    out = {}
    for name, values, dim in (("auc", draws, "predictor"), ("gain", gains, "pair")):
        dims = ("horizon", dim, "bound")
        out[name] = dims, bounds(values[0], count)
        out[f"{name}_within"] = dims, bounds(values[1], int(both))
    names = ("runs_at_risk", "will_generalise", "settings_at_risk", "settings_mixed")
    return xr.Dataset(
        out | {name: ("horizon", row) for name, row in zip(names, counted, strict=True)},
        coords={
            "bound": texts(BOUNDS),
            "pair": texts(f"{one} − {other}" for one, other in PAIRS),
        },
    )
