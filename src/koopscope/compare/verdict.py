"""Is the difference between two groups of spectra more than the difference between seeds?"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from koopscope.compare.transport import matching, wasserstein
from koopscope.errors import InputError

EXACT = 10_000
TOO_FEW = "too few seeds"


@dataclass(frozen=True)
class Comparison:
    """What the distances between two groups of seeds say.

    Attributes
    ----------
    within, between
        Mean distance between two seeds of one group (both groups pooled), of different groups.
    effect
        between ÷ within; 1 means that the groups differ as seeds do.
    effect_low, effect_high
        Percentile bootstrap interval of the effect, over seeds.
    statistic
        Energy distance of the two groups (Székely and Rizzo 2013).
    p_value
        Share of relabellings of the seeds with at least this statistic, the true one included.
    smallest_p
        The least p that so few seeds can give.
    """

    within: float
    between: float
    effect: float
    effect_low: float
    effect_high: float
    statistic: float
    p_value: float
    smallest_p: float

    def verdict(self, alpha: float) -> str:
        """``"distinguished"``, ``"not distinguished"`` or ``"too few seeds"`` at level alpha."""
        if not self.smallest_p <= alpha:
            return TOO_FEW
        return "distinguished" if self.p_value <= alpha else "not distinguished"


def compare(
    distances: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    permutations: int = 999,
    bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Permutation test over seeds of two groups of spectra, with an effect size.

    Equal spectra are necessary for conjugacy, not sufficient: "not distinguished" is all that a
    large p can say. The same seed in both groups (same initialisation and batches) makes the test
    conservative, since such pairs lie closer together than strangers.

    Parameters
    ----------
    distances
        Between all spectra, shape (n, n).
    first, second
        Indices of the two groups.
    permutations
        Random relabellings; all of them are enumerated instead when that is at most ``EXACT``.
    bootstrap, confidence
        Resamples of the seeds for the interval of the effect, and its level.
    seed
        Of the random relabellings and resamples.

    Returns
    -------
    Comparison
        NaN wherever a group has too few seeds for the number to exist.

    Raises
    ------
    InputError
        If a group is empty, or the groups share a spectrum.
    """
    first, second = np.asarray(first), np.asarray(second)
    if len(first) == 0 or len(second) == 0 or set(first) & set(second):
        raise InputError("first, second: give two groups of spectra, none empty, none shared")
    order = np.concatenate([first, second])
    local = distances[np.ix_(order, order)]
    n, m = len(order), len(first)
    rng = np.random.default_rng(seed)
    labels = np.arange(n) < m
    between, within, effect = _effect(local, labels)
    resamples = []
    if min(m, n - m) >= 2:
        for _ in range(bootstrap):
            a, b = rng.integers(0, m, m), rng.integers(m, n, n - m)
            resamples.append(_effect_of_resample(local, a, b))
    statistics = _energy(local, _relabellings(n, m, permutations, rng))
    statistic = _energy(local, labels[None])[0]
    # Rounding must not decide whether a relabelling ties with the truth.
    ties = statistics >= statistic - 1e-12 * max(1.0, abs(statistic))
    exact = comb(n, m) <= EXACT
    p = ties.mean() if exact else (1 + ties.sum()) / (1 + permutations)
    # Swapping the names of two groups of one size leaves the statistic alone.
    twins = 2 if 2 * m == n else 1
    smallest = twins / comb(n, m) if exact else 1 / (1 + permutations)
    tail = 50 * (1 - confidence)
    known = [effect for effect in resamples if not np.isnan(effect)]
    interval = np.percentile(known, [tail, 100 - tail]) if known else (np.nan, np.nan)
    return Comparison(within, between, effect, *interval, statistic, float(p), smallest)


def swapped_pair_control(a: np.ndarray, b: np.ndarray, shuffles: int = 100, seed: int = 0) -> float:
    """Return the p-value of the paper's control for two spectra of one size.

    Each matched pair of eigenvalues is swapped between the spectra with probability ½, the distance
    recomputed, and p is the share of shuffles with at least the true distance (Redman et al. 2024,
    the authors' scripts). Kept for comparison with the paper only: swapping leaves the old matching
    available, so no shuffle can have a larger distance than the true one, and p says little.

    Raises
    ------
    InputError
        If the spectra differ in size, are empty or not finite.
    """
    a, b = np.asarray(a, complex), np.asarray(b, complex)
    b = b[matching(a, b)]
    truth = wasserstein(a, b)
    rng = np.random.default_rng(seed)
    as_large = 0
    for _ in range(shuffles):
        swap = rng.random(len(a)) < 0.5
        as_large += wasserstein(np.where(swap, b, a), np.where(swap, a, b)) >= truth - 1e-12
    return as_large / shuffles


def _relabellings(n: int, m: int, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Membership of the first group, shape (relabelling, n)."""
    if comb(n, m) <= EXACT:
        rows = np.zeros((comb(n, m), n), dtype=bool)
        for row, members in zip(rows, combinations(range(n), m), strict=True):
            row[list(members)] = True
        return rows
    labels = np.arange(n) < m
    return np.stack([rng.permutation(labels) for _ in range(permutations)])


def _energy(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Energy distance for each row of labels: 2 mean(between) - mean(first) - mean(second)."""
    first = labels / labels.sum(axis=1, keepdims=True)
    second = ~labels / (~labels).sum(axis=1, keepdims=True)
    difference = first - second
    # With D the distances, the three means together are -(a - b)ᵀ D (a - b).
    return -np.einsum("ri,ij,rj->r", difference, distances, difference)


def _effect(distances: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    same = labels[:, None] == labels
    between = float(distances[~same].mean())
    others = same & ~np.eye(len(labels), dtype=bool)
    if not others.any():
        return between, np.nan, np.nan
    within = float(distances[others].mean())
    return between, within, between / within if within > 0 else np.inf if between > 0 else np.nan


def _effect_of_resample(distances: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Effect of resampled groups; pairs of a seed with its own copy do not count as within."""
    between = distances[np.ix_(a, b)].mean()
    inside = np.concatenate([distances[np.ix_(g, g)][g[:, None] != g[None, :]] for g in (a, b)])
    mean = inside.mean() if inside.size else np.nan
    return between / mean if mean > 0 else np.nan
