"""Plain baselines: distances between curves of numbers that people log anyway.

None looks at more of the weights than a norm. Curves are smoothed, so that the noise of batches
does not hide what is common to them.
"""

import numpy as np
import xarray as xr
from scipy.spatial.distance import pdist, squareform

from koopscope.experiments.known_answers.methods.answer import ByDistance, weights_of

# A moving mean is over this share of a run, and at least over so many steps.
SHARE, LEAST = 1 / 20, 3


def smoothed(curves: np.ndarray) -> np.ndarray:
    """Moving means over a twentieth of the steps, at least three; the last axis is of steps.

    Only whole windows count, so a curve of n steps keeps n − width + 1 of them.
    """
    width = min(max(LEAST, round(curves.shape[-1] * SHARE)), curves.shape[-1])
    windows = np.lib.stride_tricks.sliding_window_view(curves, width, axis=-1)
    return windows.mean(axis=-1)


def curve_distances(curves: np.ndarray) -> np.ndarray:
    """Root mean square of the difference between curves.

    Parameters
    ----------
    curves
        Shape (run, …, step). A run with a value that is not finite has no answer.

    Returns
    -------
    numpy.ndarray
        Shape (run, run), in the unit of the curves: Euclidean distances over the root of the
        number of values. NaN between a run without an answer and every other.
    """
    flat = curves.reshape(len(curves), -1)
    flat = np.where(np.isfinite(flat).all(axis=1, keepdims=True), flat, np.nan)
    return squareform(pdist(flat) / np.sqrt(flat.shape[1]), checks=False)


def loss_distances(runs: xr.Dataset) -> np.ndarray:
    """Distances of smoothed log loss curves, means over initialisations; weights play no part.

    Parameters
    ----------
    runs
        With ``loss`` (seed, init, step); all NaN without it. A run whose loss is anywhere not
        positive or not finite has no answer.

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed), in units of log loss.
    """
    if "loss" not in runs:
        return no_distances(runs)
    return curve_distances(smoothed(log_loss(runs)))


def norm_distances(runs: xr.Dataset) -> np.ndarray:
    """Distances of the smoothed logs of the norm of all weights, means over initialisations.

    Parameters
    ----------
    runs
        With ``weights`` (seed, init, step, weight).

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed), in units of the log.
    """
    return curve_distances(smoothed(log_motion(runs)[:, 0]))


def scalar_distances(runs: xr.Dataset) -> np.ndarray:
    """Distances of four logged scalars together.

    Log loss, and the logs of the norm of all weights, of their distance from the first snapshot and
    of the size of the last step; smoothed means over initialisations, each standardised over all
    runs and steps, so that none counts more than another.

    Parameters
    ----------
    runs
        With ``weights`` (seed, init, step, weight) and ``loss`` (seed, init, step); without a loss,
        the other three.

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed), in standard deviations.
    """
    scalars = log_motion(runs)
    if "loss" in runs:
        # The first snapshot has neither a distance from itself nor a step that led to it.
        scalars = np.concatenate([log_loss(runs)[:, None, 1:], scalars[..., 1:]], axis=1)
    else:
        scalars = scalars[..., 1:]
    scalars = smoothed(scalars)
    known = scalars[np.isfinite(scalars).all(axis=(1, 2))]
    if not len(known):
        return no_distances(runs)
    mean, spread = (f(known, axis=(0, 2))[:, None] for f in (np.mean, np.std))
    return curve_distances((scalars - mean) / np.where(spread > 0, spread, 1))


def log_loss(runs: xr.Dataset) -> np.ndarray:
    """Log of the loss, mean over initialisations, shape (seed, step); NaN where it is not known."""
    return _log(runs["loss"].transpose("seed", "init", "step").values).mean(axis=1)


def log_motion(runs: xr.Dataset) -> np.ndarray:
    """Logs of the norm of all weights, their distance from the start, and the size of each step.

    Parameters
    ----------
    runs
        With ``weights`` (seed, init, step, weight).

    Returns
    -------
    numpy.ndarray
        Shape (seed, 3, step), means over initialisations. Distance and step are NaN at the first
        step. What the rounding of the weights hides is taken for as large as that rounding: steps
        of a run that has arrived have no logarithm.
    """
    weights = runs["weights"].transpose("seed", "init", "step", "weight")
    found = np.full((weights.sizes["seed"], 3, weights.sizes["step"]), np.nan)
    for i, run in enumerate(weights):
        values = weights_of(run)
        rounding = np.finfo(values.dtype).eps if values.dtype.kind == "f" else 0.0
        values = values.astype(float)
        norm = np.linalg.norm(values, axis=-1)
        least = rounding * norm[:, 1:]
        away = np.linalg.norm(values[:, 1:] - values[:, :1], axis=-1)
        step = np.linalg.norm(np.diff(values, axis=1), axis=-1)
        found[i, 0] = _log(norm).mean(axis=0)
        found[i, 1, 1:] = _log(np.maximum(away, least)).mean(axis=0)
        found[i, 2, 1:] = _log(np.maximum(step, least)).mean(axis=0)
    return found


def no_distances(runs: xr.Dataset) -> np.ndarray:
    """No answer for any run, shape (seed, seed): NaN but for the diagonal."""
    count = runs.sizes["seed"]
    return np.where(np.eye(count, dtype=bool), 0.0, np.nan)


def _log(values: np.ndarray) -> np.ndarray:
    """Natural logarithm; NaN of what is not positive and finite."""
    values = np.asarray(values, dtype=float)
    usable = np.isfinite(values) & (values > 0)
    return np.where(usable, np.log(np.where(usable, values, 1)), np.nan)


METHODS = {
    "loss_curve": ByDistance(loss_distances),
    "weight_norm": ByDistance(norm_distances),
    "logged_scalars": ByDistance(scalar_distances),
}
