"""Pools of runs in the common form of trajectories, each seed drawn by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from koopscope.errors import InputError, whole_number

# Random streams of a seed; see also the streams of training.batches and training.online.
STARTS, NOISE, BATCHES, SPEEDS = 40, 41, 42, 43
# Random stream of what all runs of a side share, as the basis of their weights.
SHARED = 44

Side = Callable[[Sequence[int]], xr.Dataset]


@dataclass(frozen=True)
class Pair:
    """Two ways of training.

    Attributes
    ----------
    first, second
        Take seeds, and give their pool.
    """

    first: Side
    second: Side

    def __call__(
        self, first_seeds: Sequence[int], second_seeds: Sequence[int]
    ) -> tuple[xr.Dataset, xr.Dataset]:
        """Pools of both sides.

        Returns
        -------
        tuple of xarray.Dataset
            ``weights`` (seed, init, step, weight) and ``loss`` (seed, init, step; above 0), in
            double precision, with the coordinate ``seed``. A seed's run is the same, but for
            rounding, whichever others are asked for.

        Raises
        ------
        InputError
            If a side has no seed or one twice, both share one, or one is no whole number of at
            least 0.
        """
        first = _seeds("first_seeds", first_seeds)
        second = _seeds("second_seeds", second_seeds)
        shared = sorted(set(first) & set(second))
        if shared:
            raise InputError(
                f"second_seeds: {shared[0]} is among first_seeds too; give each side its own"
            )
        return self.first(first), self.second(second)


def pool(seeds: Sequence[int], weights: np.ndarray, loss: np.ndarray) -> xr.Dataset:
    """Runs of seeds, the common form.

    Parameters
    ----------
    seeds
        Of the first axis.
    weights
        Shape (seed, init, step, weight), or (seed, step, weight) for one initialisation.
    loss
        Shape as that of the weights, without the last axis.
    """
    if weights.ndim == 3:
        weights, loss = weights[:, None], loss[:, None]
    dims = ("seed", "init", "step", "weight")
    return xr.Dataset(
        {"weights": (dims, weights), "loss": (dims[:3], loss)}, coords={"seed": list(seeds)}
    )


def normal(seeds: Sequence[int], stream: int, *shape: int) -> np.ndarray:
    """Standard normal numbers of each seed, shape (seed, …)."""
    return np.stack([np.random.default_rng([seed, stream]).normal(size=shape) for seed in seeds])


def uniform(seeds: Sequence[int], stream: int, *shape: int) -> np.ndarray:
    """Uniform numbers from 0 to 1 of each seed, shape (seed, …)."""
    return np.stack([np.random.default_rng([seed, stream]).random(shape) for seed in seeds])


def orthogonal(number: int, size: int) -> np.ndarray:
    """Random orthogonal matrix, the same for all runs of a side; another for each number."""
    draw = np.random.default_rng([number, SHARED])
    matrix, upper = np.linalg.qr(draw.normal(size=(size, size)))
    return matrix * np.sign(np.diag(upper))


def _seeds(key: str, given: Sequence[int]) -> list[int]:
    seeds = [whole_number(key, seed, least=0) for seed in given]
    if not seeds:
        raise InputError(f"{key}: none; give at least one seed")
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise InputError(f"{key}: {twice} is given twice; give each seed once")
    return seeds
