"""How the numbers of one snapshot lie in a row: whole, or sketched layer by layer."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError, whole_number
from koopscope.recording.layers import coordinates
from koopscope.recording.sketch import Sketch
from koopscope.recording.writer import VALUES


class Rows:
    """Brings tensors or arrays by name into rows of numbers.

    Parameters
    ----------
    shapes
        Of all of them by name, as they are given.
    seeds
        Of their first axis; None for one run.
    projection, projection_seed
        See :class:`koopscope.recording.Recorder`.

    Raises
    ------
    InputError
        If an array has no axis of so many seeds, or the projection is not possible.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        seeds: Sequence[int] | None = None,
        projection: int | None = None,
        projection_seed: int = 0,
    ) -> None:
        lead: tuple[int, ...] = () if seeds is None else (len(seeds),)
        for name, shape in shapes.items():
            if shape[: len(lead)] != lead:
                raise InputError(
                    f"seeds: {lead[0]}, but {name} has the shape {shape}; its first "
                    "axis must be the seeds"
                )
        self._seeds = lead[0] if lead else 1
        self.shapes = {name: shape[len(lead) :] for name, shape in shapes.items()}
        sizes = {name: int(np.prod(shape)) for name, shape in self.shapes.items()}
        self.projection = None
        self.name = "weights"
        self._sketches: dict[str, Sketch] = {}
        if projection is not None:
            self.name = "sketch"
            projection = whole_number("projection", projection, instead=", or None for all weights")
            projection_seed = whole_number("projection_seed", projection_seed, least=0)
            self.projection = {"size": projection, "seed": projection_seed}
            self._sketches = {
                name: Sketch(size, projection, (projection_seed, i))
                for i, (name, size) in enumerate(sizes.items())
            }
        self._sizes = {n: self._sketches[n].size if projection else s for n, s in sizes.items()}

    @cached_property
    def coordinates(self) -> dict[str, xr.DataArray]:
        """``layer`` and ``index`` of a row's numbers (:mod:`koopscope.recording.layers`)."""
        if not self._sketches:
            return coordinates(self.shapes)
        made = coordinates({name: (size,) for name, size in self._sizes.items()})
        made["layer"].attrs["shapes"] = coordinates(self.shapes)["layer"].attrs["shapes"]
        return {name: value.rename(weight=VALUES["sketch"]) for name, value in made.items()}

    def choices(self, every: int | None, dtype: str, seeds: list[int] | None) -> dict[str, Any]:
        """What was chosen of a recording of such rows, as JSON values."""
        return {
            "weights": {name: list(shape) for name, shape in self.shapes.items()},
            "every": every,
            "projection": self.projection,
            "dtype": dtype,
            "seeds": seeds,
        }

    def write(self, values: Mapping[str, Any], row: np.ndarray) -> None:
        """Write values by name into a row, shape (seed, number), 1 seed for one run."""
        at = 0
        for (name, size), value in zip(self._sizes.items(), values.values(), strict=True):
            into = row[:, at : at + size]
            at += size
            if self._sketches:
                into[...] = self._sketches[name].of_runs(value.reshape(self._seeds, -1))
            elif isinstance(value, np.ndarray):
                into[...] = value.reshape(self._seeds, -1)
            else:
                _copy(value, into)


def _copy(tensor: Any, into: np.ndarray) -> None:
    """Copy a tensor of any device and memory format, row by row."""
    import torch

    # A view where the memory allows it: else PyTorch would copy twice.
    torch.from_numpy(into).view(tensor.shape).copy_(tensor)
