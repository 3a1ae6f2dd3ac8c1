"""The parameters that a monitor watches, which must stay what they were."""

from collections.abc import Iterable

import torch
from torch import nn

from koopscope.errors import InputError


class Watched:
    """Parameters of a model, by name.

    Parameters
    ----------
    model
        Any network.
    include
        Names of those to watch; by default all that are trained.
    """

    def __init__(self, model: nn.Module, include: Iterable[str] | None) -> None:
        self.model = model
        self._include = None if include is None else frozenset(include)
        if self._include is not None:
            known = dict(model.named_parameters())
            if unknown := sorted(self._include - set(known)):
                raise InputError(f"include: the model has no parameter {unknown[0]!r}")
        self.accept()

    def now(self) -> dict[str, torch.Tensor]:
        """Parameters as they are."""
        named = self.model.named_parameters()
        if self._include is None:
            return {name: tensor for name, tensor in named if tensor.requires_grad}
        return {name: tensor for name, tensor in named if name in self._include}

    def accept(self) -> None:
        """Take the present names and shapes for those that have to stay."""
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self.now().items()}

    @property
    def count(self) -> int:
        """Number of weights."""
        return sum(torch.Size(shape).numel() for shape in self.shapes.values())

    def unchanged(self, snapshot: int) -> dict[str, torch.Tensor]:
        """Parameters as they are at this snapshot, refused if they are others."""
        weights = self.now()
        if len(weights) != len(self.shapes):
            self._refuse(weights, snapshot)
        for (name, tensor), (known, shape) in zip(
            weights.items(), self.shapes.items(), strict=True
        ):
            if name != known or tensor.shape != shape:
                self._refuse(weights, snapshot)
        return weights

    def _refuse(self, weights: dict[str, torch.Tensor], snapshot: int) -> None:
        found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
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


def checked_every(every: int) -> int:
    """Steps from one snapshot to the next, if they can be."""
    if not isinstance(every, int) or every < 1:
        raise InputError(f"every: {every!r}; give a whole number of at least 1")
    return every
