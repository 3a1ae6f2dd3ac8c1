"""The parameters that a monitor watches, which must stay what they were."""

from collections.abc import Iterable

import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.included import listed_names
from koopscope.recording.weights import (
    Place,
    chosen_places,
    current,
    masks_of,
    shape_of,
    shapes_of,
)


class Watched:
    """Parameters of a model, by name.

    Parameters
    ----------
    model
        Any network.
    include
        Names of those to watch, or patterns, as for :class:`koopscope.recording.Recorder`; by
        default all that are trained.
    """

    def __init__(self, model: nn.Module, include: Iterable[str] | None) -> None:
        self.model, self._include = model, listed_names(include)
        self.accept()

    def now(self) -> dict[str, Place]:
        """Places of the parameters as they are."""
        return chosen_places(self.model, self._include)

    def accept(self) -> None:
        """Take the present names and shapes for those that have to stay."""
        places = self.now()
        self.shapes = {name: shape_of(name, place) for name, place in places.items()}
        self._masked = _masked(places)

    @property
    def count(self) -> int:
        """Number of weights."""
        return sum(torch.Size(shape).numel() for shape in self.shapes.values())

    def unchanged(self, snapshot: int) -> dict[str, torch.Tensor]:
        """Parameters as they are at this snapshot, refused if they are others."""
        places = self.now()
        # Weights that jump to 0 are no dynamics.
        if changed := sorted(_masked(places) ^ self._masked):
            raise InputError(
                f"{changed[0]}: its mask is new or gone at snapshot {snapshot}; make a new monitor "
                "for the changed model"
            )
        weights = {name: current(place) for name, place in places.items()}
        found = shapes_of(weights)
        if list(found.items()) != list(self.shapes.items()):
            self._refuse(found, snapshot)
        return weights

    def _refuse(self, found: dict[str, tuple[int, ...]], snapshot: int) -> None:
        for name in sorted(found.keys() | self.shapes.keys()):
            now, before = found.get(name), self.shapes.get(name)
            if now != before:
                said = "is gone" if now is None else "is new" if before is None else f"now {now}"
                raise InputError(
                    f"{name}: {said} at snapshot {snapshot}, was "
                    f"{'not there' if before is None else before}; make a new monitor for the "
                    "changed model"
                )
        raise InputError("weights: parameters stand in another order; make a new monitor")


def _masked(places: dict[str, Place]) -> set[str]:
    """Names of those that wear a mask."""
    return {name for name, (module, own) in places.items() if own in masks_of(module)}
