"""What an area under the curve is worth: areas of fingerprints that know nothing.

With few settings an area is far from one half by chance alone, and, since a rule that learned on
the others leans the other way, below it more often than above.
"""

import numpy as np
import xarray as xr

from koopscope.experiments.grokking.names import FEWEST_RUNS, FEWEST_SETTINGS

DRAWS = 500
# Median, and what lies above 5 % and 95 % of the draws.
QUANTILES = (0.5, 0.05, 0.95)
ITERATIONS, SETTLED = 100, 1e-8


def chance(risk: np.ndarray, ends: np.ndarray, width: int, seed: int = 0) -> xr.Dataset:
    """Areas under the curve of random fingerprints, over all settings and within them.

    Held out, every setting has a fingerprint that all its runs share: standard normal numbers, by
    which rules learn and predict as by any others. Within settings each run has a number of its
    own.

    Parameters
    ----------
    risk
        Whether a run is at risk, shape (setting, run, horizon).
    ends
        Whether it generalises, shape (setting, run).
    width
        Numbers of a fingerprint.
    seed
        Of the draws.

    Returns
    -------
    xarray.Dataset
        ``chance`` and ``chance_within``, dims (horizon, quantile); NaN where
        :func:`~koopscope.experiments.grokking.predicting.areas` gives no area.
    """
    found = np.full((2, risk.shape[2], len(QUANTILES)), np.nan)
    for j in range(risk.shape[2]):
        at = risk[:, :, j]
        positive, negative = (at & ends).sum(axis=1), (at & ~ends).sum(axis=1)
        rng = np.random.default_rng(seed)
        few = min(positive.sum(), negative.sum()) < FEWEST_RUNS
        if few or at.any(axis=1).sum() < FEWEST_SETTINGS:
            continue
        found[0, j] = np.quantile(of_settings(positive, negative, width, rng), QUANTILES)
        if ((positive > 0) & (negative > 0)).sum() > 1:
            found[1, j] = np.quantile(of_runs(positive, negative, rng), QUANTILES)
    dims = "horizon", "quantile"
    return xr.Dataset(
        {"chance": (dims, found[0]), "chance_within": (dims, found[1])},
        coords={"quantile": list(QUANTILES)},
    )


def of_settings(
    positive: np.ndarray, negative: np.ndarray, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Areas of rules that learned fingerprints of the other settings, shape (draw,).

    Parameters
    ----------
    positive, negative
        Runs at risk that generalise and that do not, shape (setting,).
    width
        Numbers of a fingerprint.
    rng
        Draws them.
    """
    present = positive + negative > 0
    positive, negative = positive[present], negative[present]
    drawn = rng.standard_normal((DRAWS, len(positive), width))
    scores = np.full(drawn.shape[:2], np.nan)
    for k in range(len(positive)):
        others = np.arange(len(positive)) != k
        if min(positive[others].sum(), negative[others].sum()) == 0:
            continue
        counts = (positive + negative)[others]
        known = drawn[:, others]
        middle = np.average(known, axis=1, weights=counts)[:, None]
        spread = np.sqrt(np.average((known - middle) ** 2, axis=1, weights=counts))[:, None]
        rule = logistic((known - middle) / spread, positive[others], negative[others])
        asked = (drawn[:, k] - middle[:, 0]) / spread[:, 0]
        scores[:, k] = rule[:, 0] + (rule[:, 1:] * asked).sum(axis=1)
    higher = scores[:, :, None] - scores[:, None]
    wins = (higher > 0) + 0.5 * (higher == 0) + np.where(np.isfinite(higher), 0, np.nan)
    return positive @ (wins @ negative).T / (positive.sum() * negative.sum())


def of_runs(positive: np.ndarray, negative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Areas within settings of one random number a run, shape (draw,)."""
    won = np.zeros(DRAWS)
    for ups, downs in zip(positive, negative, strict=True):
        numbers = rng.standard_normal((DRAWS, ups + downs))
        won += (numbers[:, :ups, None] > numbers[:, None, ups:]).sum(axis=(1, 2))
    return won / (positive * negative).sum()


def logistic(features: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Logistic regressions of many draws at once, by Newton's method.

    The same as scikit-learn's of balanced classes and C = 1 for runs that share their setting's
    features, but for the place at which it stops.

    Parameters
    ----------
    features
        Shape (draw, setting, feature).
    positive, negative
        Runs of each end, shape (setting,).

    Returns
    -------
    numpy.ndarray
        Intercept and coefficients, shape (draw, 1 + feature).
    """
    runs = positive.sum() + negative.sum()
    up, down = (runs * side / (2 * side.sum()) for side in (positive, negative))
    rows = np.concatenate([np.ones((*features.shape[:2], 1)), features], axis=2)
    penalty = np.diag([0.0] + [1.0] * features.shape[2])
    rule = np.zeros((len(features), rows.shape[2]))
    for _ in range(ITERATIONS):
        chances = 1 / (1 + np.exp(-(rows @ rule[:, :, None])[:, :, 0]))
        slope = ((up + down) * chances - up)[:, None] @ rows
        curve = (rows * ((up + down) * chances * (1 - chances))[:, :, None]).mT @ rows + penalty
        step = np.linalg.solve(curve, (slope[:, 0] + rule @ penalty)[:, :, None])[:, :, 0]
        # Never further than one unit at once: far from its end Newton's step may be too long.
        step /= np.maximum(1, np.abs(step).max(axis=1, keepdims=True))
        rule -= step
        if np.abs(step).max() < SETTLED:
            break
    return rule
