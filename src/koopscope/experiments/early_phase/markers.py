"""Plain numbers of a run, snapshot by snapshot, that its spectra are set beside."""

from collections.abc import Sequence

import numpy as np

from koopscope.compare.intervals import finite_mean
from koopscope.experiments.early_phase.names import ANGLE, DISTANCE, GRADIENT, LOSS


def markers(
    weights: np.ndarray, losses: np.ndarray, gradients: np.ndarray
) -> dict[str, np.ndarray]:
    """Markers by name, shape (run, snapshot) each.

    Parameters
    ----------
    weights
        Numbers recorded of each run, shape (run, snapshot, weight).
    losses, gradients
        Batch loss and length of the gradient, shape (run, snapshot).

    Returns
    -------
    dict of numpy.ndarray
        Those two; the distance from the first snapshot; the angle in degrees between the
        displacement to a snapshot and the one before it, NaN for the first two snapshots and where
        nothing moved.

    Examples
    --------
    A run that goes on, turns by a right angle and goes back:

    >>> import numpy as np
    >>> from koopscope.experiments.early_phase.markers import markers
    >>> run = np.array([[[0.0, 0], [1, 0], [2, 0], [2, 1], [2, 0]]])
    >>> found = markers(run, np.zeros((1, 5)), np.zeros((1, 5)))
    >>> found["angle"].tolist()
    [[nan, nan, 0.0, 90.0, 180.0]]
    >>> found["distance from the start"].round(3).tolist()
    [[0.0, 1.0, 2.0, 2.236, 2.0]]
    """
    weights = weights.astype(float)
    moved = np.diff(weights, axis=1)
    lengths = np.linalg.norm(moved, axis=2)
    inner = np.einsum("rsw,rsw->rs", moved[:, 1:], moved[:, :-1])
    product = lengths[:, 1:] * lengths[:, :-1]
    cosine = np.divide(inner, product, out=np.full(inner.shape, np.nan), where=product > 0)
    angles = np.full(losses.shape, np.nan)
    angles[:, 2:] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return {
        LOSS: losses.astype(float),
        GRADIENT: gradients.astype(float),
        DISTANCE: np.linalg.norm(weights - weights[:, :1], axis=2),
        ANGLE: angles,
    }


def window_means(series: np.ndarray, windows: Sequence[slice]) -> np.ndarray:
    """Mean over each window, shape (window, run); NaN where a window holds what is not known.

    Parameters
    ----------
    series
        Shape (run, snapshot).
    windows
        Snapshots of each, all of them, whatever the stride of the fits.
    """
    return np.stack([finite_mean(series[:, window], axis=1) for window in windows])
