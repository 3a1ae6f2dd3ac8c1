"""What a method answers about two groups of runs, and methods that rest on distances of runs.

A method is any callable that takes two groups, each an :class:`xarray.Dataset` with the dims
``(seed, init, step, weight)`` of :mod:`koopscope.training.recording`, and returns an
:class:`Answer`. A seed is one unit of the test.
"""

import math
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from koopscope.compare.groups import known
from koopscope.compare.verdict import compare
from koopscope.errors import InputError


@dataclass(frozen=True)
class Answer:
    """What a method says of two groups of runs.

    Attributes
    ----------
    p_value
        Of the test that both groups are draws of one process; NaN if there is no answer, which
        says nothing for either side.
    effect
        How far apart the groups are, in the method's own unit: between ÷ within of distances for
        :class:`ByDistance`, where 1 is no difference. NaN if it is not known.
    """

    p_value: float
    effect: float


NO_ANSWER = Answer(math.nan, math.nan)
Method = Callable[[xr.Dataset, xr.Dataset], Answer]


@dataclass(frozen=True)
class ByDistance:
    """A method by the distances between single runs: the energy test of two groups of them.

    Attributes
    ----------
    distances
        From runs, n along ``seed``, to their distances, shape (n, n): symmetric, not negative, 0
        on the diagonal, NaN between a run without an answer and every other.
    most_runs
        So many runs of each group are as many as a minute allows; None for any number.
    """

    distances: Callable[[xr.Dataset], np.ndarray]
    most_runs: int | None = None

    def __call__(self, first: xr.Dataset, second: xr.Dataset) -> Answer:
        """Energy test over runs (:func:`koopscope.compare.compare`), without an interval.

        Runs without an answer are left out, with a warning; there is none for the groups where one
        of them has no other run.

        Raises
        ------
        InputError
            If the groups do not lie in one form (:func:`joined`), or what the distances raise.
        """
        distances = self.distances(joined(first, second))
        kept = known(distances)
        if len(kept) == 0:
            return NO_ANSWER
        if len(kept) < len(distances):
            warnings.warn(
                f"{len(distances) - len(kept)} of {len(distances)} runs have no answer, left out",
                stacklevel=2,
            )
        here = int((kept < first.sizes["seed"]).sum())
        if here in (0, len(kept)):
            return NO_ANSWER
        runs = np.arange(len(kept))
        found = compare(distances[np.ix_(kept, kept)], runs[:here], runs[here:], bootstrap=0)
        return Answer(found.p_value, found.effect)


def joined(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    """Runs of two groups along ``seed``, the first group's in front.

    Kept are the variables that both have, and the coordinates in which both agree: those of
    weights name nothing once one side's units are permuted. Where one side has fewer weights, NaN
    stands in the place of what it lacks (:func:`weights_of`).

    Parameters
    ----------
    first, second
        As a :data:`Method` takes them; at least ``weights`` in both.

    Returns
    -------
    xarray.Dataset
        The same variables, without attributes; ``seed`` as given, also where both name one.

    Raises
    ------
    InputError
        If the sides share no variable, or differ in the size of another dim than ``seed``.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.experiments.known_answers.methods.answer import joined
    >>> dims = ("seed", "init", "step", "weight")
    >>> runs = xr.Dataset({"weights": (dims, np.zeros((3, 1, 5, 2)))}, {"seed": [4, 5, 6]})
    >>> joined(runs, runs.isel(seed=[0]))["seed"].values.tolist()
    [4, 5, 6, 4]
    """
    names = [name for name in first.data_vars if name in second.data_vars]
    if not names:
        raise InputError(
            f"groups: {_listed(first)} here and {_listed(second)} there; give weights in both"
        )
    first, second = first[names].drop_attrs(), second[names].drop_attrs()
    widest = max(side.sizes.get("weight", 0) for side in (first, second))
    first, second = (
        side.pad(weight=(0, widest - side.sizes["weight"])) if "weight" in side.dims else side
        for side in (first, second)
    )
    for dim, size in first.sizes.items():
        other = second.sizes.get(dim)
        if dim != "seed" and other != size:
            raise InputError(f"groups: {size} and {other} along {dim}; give runs of one form")
    named = set(first.coords) | set(second.coords)
    agreed = {name for name in named if name == "seed" or _agree(first, second, name)}
    sides = [side.drop_vars(set(side.coords) - agreed) for side in (first, second)]
    return xr.concat(
        sides, dim="seed", data_vars="all", coords="minimal", compat="override", join="override"
    )


def weights_of(run: xr.DataArray) -> np.ndarray:
    """Values of a run, dims (…, weight), without weights that it lacks: those that are all NaN."""
    values = run.values
    there = ~np.isnan(values).reshape(-1, values.shape[-1]).all(axis=0)
    return values if there.all() or not there.any() else values[..., there]


def _agree(first: xr.Dataset, second: xr.Dataset, name: Hashable) -> bool:
    there = name in first.coords and name in second.coords
    return there and "seed" not in first[name].dims and first[name].identical(second[name])


def _listed(runs: xr.Dataset) -> str:
    return ", ".join(map(str, runs.data_vars)) or "nothing"
