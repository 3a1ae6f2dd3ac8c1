"""How far two ways to prune agree: on what is kept, and on the order of the weights."""

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from koopscope.errors import InputError
from koopscope.recording.layers import recorded_shapes


def jaccard(first: xr.DataArray, second: xr.DataArray) -> float:
    """Jaccard index |A ∩ B| / |A ∪ B| of two masks' kept sets, 0 to 1.

    Raises
    ------
    InputError
        If the masks are for different architectures.
    """
    _check_alike(first, second)
    either = np.count_nonzero(first.values | second.values)
    return np.count_nonzero(first.values & second.values) / either if either else 1.0


def chance_jaccard(kept_share: float) -> float:
    """Jaccard index of two independent random masks that keep a share f each: f / (2 − f)."""
    return kept_share / (2 - kept_share)


def spearman(first: xr.DataArray, second: xr.DataArray) -> float:
    """Rank correlation of two scores, -1 to 1; 0 by chance; NaN if one is constant.

    Raises
    ------
    InputError
        If the scores are for different architectures.
    """
    _check_alike(first, second)
    if any(np.ptp(scores.values) == 0 for scores in (first, second)):
        return np.nan
    return float(spearmanr(first.values, second.values).statistic)


def _check_alike(first: xr.DataArray, second: xr.DataArray) -> None:
    if first.sizes != second.sizes or recorded_shapes(first) != recorded_shapes(second):
        raise InputError("masks: for different architectures; give two of one model")
