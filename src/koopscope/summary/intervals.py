"""Means over seeds with their uncertainty."""

import numpy as np
from scipy.stats import t

CONFIDENCE = 0.95


def mean_interval(values: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of the finite values with the ends of its 95 % interval by Student's t.

    Parameters
    ----------
    values
        Independent draws along ``axis``, such as seeds; of paired differences the interval is the
        paired one.

    Returns
    -------
    tuple of numpy.ndarray
        Mean, lower and upper end; the ends are NaN for fewer than two finite values, the mean for
        none.
    """
    values = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    known = np.isfinite(values)
    count = known.sum(axis=0)
    some = np.maximum(count, 1)
    mean = np.where(count > 0, np.where(known, values, 0).sum(axis=0) / some, np.nan)
    squares = (np.where(known, values - mean, 0) ** 2).sum(axis=0)
    freedom = np.maximum(count - 1, 1)
    half = t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(squares / freedom / some)
    half = np.where(count > 1, half, np.nan)
    return mean, mean - half, mean + half
