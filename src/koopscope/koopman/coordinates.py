"""Coordinates of the weights in which a spectrum is estimated.

The Koopman spectrum of a map does not depend on the coordinates of its states; an estimate from
finitely many linear observables does. Each change below is fitted on the very trajectories that are
fitted then, pooled over runs and steps, and takes away what a class of changes of the weights could
have added:

=================  =================================================  =============================
coordinates        what becomes of a weight                           no difference makes then
=================  =================================================  =============================
``standardised``   mean 0, standard deviation 1                       a scale and an origin for each
``per_step``       its value ÷ the root mean square of its    a scale for each
                   steps
``normal_scores``  the normal quantile of its rank                    a monotone map for each
``whitened:k``     k principal components, each of variance 1         an invertible linear mixing,
                                                                      if k is the rank of the data
=================  =================================================  =============================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from scipy.special import ndtri

from koopscope.config.coordinates import WHITENED, steps_of
from koopscope.errors import InputError
from koopscope.koopman.embedding import DelayEmbedding, to_numpy

# Weights in work at once.
BLOCK = 4096
# Numbers ranked at once.
SORTED = 50_000
# Numbers of the states up to which they are decomposed themselves, and not their inner products.
DENSE = 20_000_000


def embedded(trajectories: Any, delays: int, coordinates: str) -> DelayEmbedding:
    """Delay embedding of trajectories in other coordinates.

    Parameters
    ----------
    trajectories, delays
        As :class:`koopscope.koopman.embedding.DelayEmbedding` takes them.
    coordinates
        As :func:`koopscope.config.coordinates.steps_of` reads them. Those of single weights are
        taken as blocks of weights are read; principal components need all at once, and are few.

    Raises
    ------
    InputError
        As the embedding does, and if there are fewer directions than components asked for.
    """
    found: Any = trajectories
    waiting: list[str] = []
    for name, components in steps_of(coordinates):
        if name == WHITENED:
            found = whitened(DelayEmbedding(found, 0, _joined(waiting)), components)
            waiting.clear()
        else:
            waiting.append(name)
    return DelayEmbedding(found, delays, _joined(waiting))


def standardised(states: np.ndarray, resolution: float, lengths: Sequence[int]) -> np.ndarray:
    """Weights with mean 0 and standard deviation 1; 0 where one never changes.

    Parameters
    ----------
    states
        Shape (all steps, weight).
    resolution
        Of the numbers as they are stored: what is no more than their rounding is no change.
    lengths
        Steps of each run, one after another in the states.
    """
    states = _of_order_one(states)
    centred = states - states.mean(axis=0)
    return np.divide(
        centred, centred.std(axis=0), out=np.zeros_like(centred), where=_moves(states, resolution)
    )


def per_step(states: np.ndarray, resolution: float, lengths: Sequence[int]) -> np.ndarray:
    """Weights in units of the root mean square of their own steps; 0 where one never changes.

    [ours] A weight that hardly does more than jitter is small then, one that goes far is large.
    Parameters as those of :func:`standardised`; the steps are those within runs.
    """
    states = _of_order_one(states)
    runs = np.split(states, np.cumsum(lengths)[:-1])
    squares = sum(np.square(run[1:] - run[:-1]).sum(axis=0) for run in runs)
    size = np.sqrt(squares / (len(states) - len(runs)))
    moves = _moves(states, resolution) & (size > 0)
    return np.divide(states, size, out=np.zeros_like(states), where=moves)


def normal_scores(states: np.ndarray, resolution: float, lengths: Sequence[int]) -> np.ndarray:
    """Standard normal quantile of each weight's rank, (r − ½) / n; the mean rank for equal ones.

    Parameters as those of :func:`standardised`.
    """
    count = len(states)
    # Of every rank and every mean of two ranks, since a quantile takes longer than to look it up.
    scores = ndtri((np.arange(2 * count - 1) / 2 + 0.5) / count)
    out = np.empty((states.shape[1], count))
    step = max(1, SORTED // count)
    for low in range(0, len(out), step):
        weights = np.ascontiguousarray(states[:, low : low + step].T)
        order = weights.argsort(axis=1)
        weights = np.take_along_axis(weights, order, axis=1)
        ranked = np.tile(scores[::2], (len(weights), 1))
        _share(ranked, weights[:, 1:] == weights[:, :-1], scores)
        np.put_along_axis(out[low : low + step], order, ranked, axis=1)
    out[~_moves(states, resolution)] = 0
    return out.T


def _share(ranked: np.ndarray, same: np.ndarray, scores: np.ndarray) -> None:
    """Give equal ones, of which each is the ``same`` as the next, the score of their mean rank."""
    row, place = np.nonzero(same)
    if not len(row):
        return
    follows = np.zeros(len(row), bool)
    follows[1:] = (row[1:] == row[:-1]) & (place[1:] == place[:-1] + 1)
    begins = np.flatnonzero(~follows)
    ends = np.append(begins[1:], len(row)) - 1
    # Scores of the ranks r and s lie 2 r and 2 s along: that of their mean between them.
    shared = scores[place[begins] + place[ends] + 1]
    found = np.repeat(shared, ends - begins + 1)
    ranked[row, place] = found
    ranked[row, place + 1] = found


def whitened(embedding: DelayEmbedding, components: int) -> list[np.ndarray]:
    """First principal components of the states, each with variance 1, run by run.

    Parameters
    ----------
    embedding
        Of the trajectories, without delays.
    components
        How many.

    Returns
    -------
    list of numpy.ndarray
        Of each run, shape (step, component).

    Raises
    ------
    InputError
        If the states have fewer directions.
    """
    steps = sum(embedding.lengths)
    if steps * embedding.weights <= DENSE:
        states = to_numpy(embedding.loaded())
        left, values, _ = scipy.linalg.svd(
            states - states.mean(axis=0), full_matrices=False, check_finite=False
        )
        tolerance = max(states.shape) * _resolution(embedding.dtype)
    else:
        inner = np.zeros((steps, steps))
        for _, block in embedding.blocks(BLOCK):
            centred = to_numpy(block) - to_numpy(block).mean(axis=0)
            inner += centred @ centred.T
        if not np.isfinite(inner).all():
            raise InputError("coordinates: the weights are too large to be squared; scale them")
        squares, left = np.linalg.eigh(inner)
        left, values = left[:, ::-1], np.sqrt(np.clip(squares[::-1], 0, None))
        # Inner products lose half of the digits.
        tolerance = np.sqrt(steps * np.finfo(float).eps)
    rank = int(np.sum(values > tolerance * values[0]))
    if rank < components:
        raise InputError(
            f"coordinates: {WHITENED}:{components} of data with {rank} directions; "
            f"give at most {WHITENED}:{rank}"
        )
    scores = left[:, :components] * np.sqrt(steps)
    return np.split(scores, np.cumsum(embedding.lengths)[:-1])


@dataclass(frozen=True)
class Change:
    """Changes of single weights one after the other, by their names: a value, so it can travel."""

    names: tuple[str, ...]

    def __call__(self, states: Any, dtype: np.dtype, lengths: Sequence[int]) -> np.ndarray:
        """Change all snapshots of some weights, shape (all steps, weight)."""
        changed = to_numpy(states)
        for name in self.names:
            changed = COLUMNWISE[name](changed, _resolution(dtype), lengths)
        return changed


def constant_weights(embedding: DelayEmbedding) -> int:
    """Number of weights that never change: other coordinates than the raw ones leave them out."""
    resolution = _resolution(embedding.dtype)
    return sum(
        int(np.sum(~_moves(to_numpy(block), resolution))) for _, block in embedding.blocks(BLOCK)
    )


COLUMNWISE: dict[str, Callable[[np.ndarray, float, Sequence[int]], np.ndarray]] = {
    "standardised": standardised,
    "per_step": per_step,
    "normal_scores": normal_scores,
}


def _of_order_one(states: np.ndarray) -> np.ndarray:
    """By powers of two, without rounding: numbers of any size can be squared then."""
    return np.ldexp(states, -np.frexp(_extents(states)[1])[1])


def _moves(states: np.ndarray, resolution: float) -> np.ndarray:
    spread, largest = _extents(states)
    return spread > 2 * resolution * largest


def _extents(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each weight: largest less least number, and largest size."""
    low, high = states.min(axis=0), states.max(axis=0)
    return high - low, np.maximum(-low, high)


def _resolution(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(float).eps)


def _joined(names: list[str]) -> Change | None:
    return Change(tuple(names)) if names else None
