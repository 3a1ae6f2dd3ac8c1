"""What is known of a number over seeds: means, resamples, and 95 % intervals."""

from typing import Literal

import numpy as np
from scipy.stats import norm, t

# Of a 95 % interval.
TAILS = (0.025, 0.975)


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
    half = t.ppf(TAILS[1], freedom) * np.sqrt(squares / freedom / some)
    half = np.where(count > 1, half, np.nan)
    return mean, mean - half, mean + half


def finite_mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean over an axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0).sum(axis=axis, dtype=np.float64)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def multiplicities(counts: tuple[int, ...], resamples: int, *stream: int) -> list[np.ndarray]:
    """How often each member of each group is drawn, with replacement, in each resample.

    Parameters
    ----------
    counts
        Sizes of the groups.
    resamples
        How many.
    *stream
        Random stream.

    Returns
    -------
    list of numpy.ndarray
        Shape (resample, member) for each group.
    """
    rng = np.random.default_rng(stream)
    return [rng.multinomial(n, np.full(n, 1 / n), resamples) for n in counts]


def places(count: int, resamples: int, *stream: int) -> np.ndarray:
    """Members drawn with replacement, shape (1 + resample, member); first each one once."""
    drawn = np.random.default_rng(stream).integers(count, size=(resamples, count))
    return np.concatenate([np.arange(count)[None], drawn])


def half_width(*counts: int) -> float:
    """Half of a 95 % bootstrap interval over so few seeds, in standard deviations of resamples.

    Resamples of n seeds vary as if divided by n and not by n - 1, and as if their spread were
    known; so plain percentiles of few seeds lie too close together. Both are made good by going
    farther out (Hesterberg 2015, The American Statistician 69(4), "expanded percentile").

    Parameters
    ----------
    *counts
        Sizes of the groups that are resampled, each at least 2.
    """
    least, freedom = min(counts), sum(counts) - len(counts)
    return float(np.sqrt(least / (least - 1)) * t.ppf(TAILS[1], freedom))


def expanded_tails(*counts: int) -> tuple[float, float]:
    """Levels of the percentiles that lie :func:`half_width` from the middle of a normal."""
    low = float(norm.cdf(-half_width(*counts)))
    return low, 1 - low


def percentile_interval(
    draws: np.ndarray, *counts: int, method: Literal["linear", "nearest"] = "linear"
) -> tuple[float, float]:
    """95 % interval of resampled numbers (resample,); NaN are left out, NaN if there are no others.

    ``counts`` as for :func:`expanded_tails`; ``method`` as for :func:`numpy.quantile`:
    ``"nearest"`` where numbers may be infinite, or only some values are possible. NaN too where a
    group has fewer than two members, since its resamples are all the same.
    """
    known = draws[~np.isnan(draws)]
    if not known.size or min(counts) < 2:
        return float("nan"), float("nan")
    low, high = np.quantile(known, expanded_tails(*counts), method=method)
    return float(low), float(high)


def bounds(draws: np.ndarray, count: int) -> np.ndarray:
    """First of the draws and the 95 % interval of the others, along the last axis, now 3 long.

    ``count`` is how many seeds or runs are resampled; of one alone there is no interval.
    """
    out = np.full((*draws.shape[:-1], 3), np.nan)
    out[..., 0] = draws[..., 0]
    known = np.isfinite(draws[..., 1:]).any(axis=-1) & (count > 1)
    if known.any():
        tails = expanded_tails(count)
        out[known, 1], out[known, 2] = np.nanquantile(draws[known][..., 1:], tails, axis=-1)
    return out
