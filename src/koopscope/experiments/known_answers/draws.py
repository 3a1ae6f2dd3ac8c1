"""Groups drawn from two pools, and what a method answers to each pair of them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from koopscope.compare.verdict import compare

# Of each draw: p-value and effect; NaN where there is no answer.
Answers = tuple[np.ndarray, np.ndarray]


def groups(
    first: int, parts: np.ndarray, size: int, draws: int, stream: Sequence[int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places in the two pools of the members of each pair of groups.

    Parameters
    ----------
    first
        Number of runs in the first pool.
    parts
        Part of each run of the second pool: a group lies in one part, of which all runs went
        through one map.
    size
        Of a group.
    draws
        How many pairs.
    stream
        Random stream, the same for all methods: they are asked the same questions.

    Yields
    ------
    Two arrays of ``size`` places, or two empty ones where a pool has fewer runs.
    """
    rng = np.random.default_rng(stream)
    members = [np.flatnonzero(parts == part) for part in np.unique(parts)]
    for _ in range(draws):
        those = members[rng.integers(len(members))]
        if min(first, len(those)) < size:
            yield np.empty(0, int), np.empty(0, int)
        else:
            yield rng.choice(first, size, replace=False), rng.choice(those, size, replace=False)


def answers_of_matrix(
    matrix: np.ndarray,
    first: int,
    drawn: Sequence[tuple[np.ndarray, np.ndarray]],
    permutations: int,
) -> Answers:
    """Answers to pairs of groups, by the distances between all runs of both pools."""
    p, effect = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    with warnings.catch_warnings():
        # Spectra without eigenvalues are left out: where too few are left, there is no answer.
        warnings.simplefilter("ignore")
        for k, (a, b) in enumerate(drawn):
            if len(a) and _all_known(matrix, np.concatenate([a, first + b])):
                found = compare(matrix, a, first + b, permutations, 0)
                p[k], effect[k] = found.p_value, found.effect
    return p, effect


def answers_of_function(
    function: Callable[[xr.Dataset, xr.Dataset], Any],
    pools: tuple[xr.Dataset, xr.Dataset],
    drawn: Sequence[tuple[np.ndarray, np.ndarray]],
) -> Answers:
    """Answers of a function of two groups, asked anew for each pair."""
    p, effect = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    for k, (a, b) in enumerate(drawn):
        if len(a):
            found = function(pools[0].isel(seed=a), pools[1].isel(seed=b))
            p[k], effect[k] = found.p_value, found.effect
    return p, effect


def _all_known(matrix: np.ndarray, places: np.ndarray) -> bool:
    """Whether every run has a distance to every other: a group that lacks one gives no answer."""
    return bool(np.isfinite(matrix[np.ix_(places, places)]).all())
