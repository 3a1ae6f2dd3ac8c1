"""Groups drawn from two pools, and what a method answers to each pair of them."""

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
    for k, (a, b) in enumerate(drawn):
        those = np.concatenate([a, first + b])
        # Cut out first: the comparison looks at all that it is given.
        local = matrix[np.ix_(those, those)]
        # A group with a run that has no distance to another gives no answer.
        if len(a) and np.isfinite(local).all():
            found = compare(local, range(len(a)), range(len(a), len(those)), permutations, 0)
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
