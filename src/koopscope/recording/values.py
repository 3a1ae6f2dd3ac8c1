"""What is recorded of a model: its parameters, or the arrays of a mapping, by name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from koopscope.errors import InputError
from koopscope.recording.included import chosen, listed_names

if TYPE_CHECKING:
    import torch


class Source(Protocol):
    """Gives the values that a snapshot is made of."""

    shapes: dict[str, tuple[int, ...]]

    def now(self, values: Mapping[str, Any] | None, step: int = 0) -> Mapping[str, Any]:
        """Return present values by name, in the order of ``shapes``."""


def source_of(
    model: "torch.nn.Module | Mapping[str, Any]", include: Iterable[str] | None, buffers: bool
) -> Source:
    """Values of a module or a mapping; see :class:`koopscope.recording.Recorder`.

    Raises
    ------
    InputError
        If it is neither, has nothing to record, or something that cannot be.
    """
    names = listed_names(include)
    if isinstance(model, Mapping):
        return _Arrays(model, names)
    if hasattr(model, "named_parameters"):
        return _Parameters(model, names, buffers)
    raise InputError(
        f"model: a {type(model).__name__}; give a PyTorch module or a mapping of arrays by name"
    )


def refuse_shape(name: str, now: tuple[int, ...], before: tuple[int, ...], step: int) -> None:
    """Refuse a value of another shape than at the start."""
    if now != before:
        raise InputError(
            f"{name}: shape is {now} at step {step} but was {before}; record the changed model in "
            "a store of its own"
        )


class _Parameters:
    """Parameters of a PyTorch module, and perhaps its buffers."""

    def __init__(self, model: "torch.nn.Module", include: list[str] | None, buffers: bool) -> None:
        from koopscope.recording.weights import chosen_places, shape_of

        self._model = model
        places = chosen_places(model, include, buffers)
        self.shapes = {name: shape_of(name, place) for name, place in places.items()}

    def now(self, values: Mapping[str, Any] | None, step: int = 0) -> "Mapping[str, torch.Tensor]":
        from koopscope.recording.weights import current, owner

        if values is not None:
            raise InputError("snapshot: takes no values here; it reads the model's parameters")
        # By name each time: a layer may be another one by now.
        found = {name: current(owner(self._model, name)) for name in self.shapes}
        for name, shape in self.shapes.items():
            refuse_shape(name, tuple(found[name].shape), shape, step)
        return found


class _Arrays:
    """Arrays of a mapping, perhaps nested."""

    def __init__(self, values: Mapping[str, Any], include: list[str] | None) -> None:
        self._start = dict(flattened(values))
        self._names = chosen(self._start, include)
        if not self._names:
            raise InputError("model: an empty mapping; give one or more arrays by name")
        self.shapes = {n: np.shape(plain(n, self._start[n])) for n in self._names}

    def now(self, values: Mapping[str, Any] | None, step: int = 0) -> Mapping[str, np.ndarray]:
        if values is None:
            if step:
                raise InputError("snapshot: no values; give the arrays by name, as at the start")
            values = self._start
        found = dict(flattened(values))
        if missing := [name for name in self._names if name not in found]:
            raise InputError(f"snapshot: {missing[0]!r} is missing; give the arrays of the start")
        arrays = {name: plain(name, found[name]) for name in self._names}
        for name, shape in self.shapes.items():
            refuse_shape(name, arrays[name].shape, shape, step)
        return arrays


def flattened(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield arrays of a mapping by name, those of nested ones as ``outer.inner``."""
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from flattened(value, f"{name}.")
        else:
            yield name, value


def plain(name: str, value: Any) -> np.ndarray:
    """Value as an array of floating point."""
    given = value.detach().cpu() if hasattr(value, "detach") else value
    if str(getattr(given, "dtype", "")).endswith("bfloat16"):
        given = given.float() if hasattr(given, "float") else given.astype("float32")
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{name}: cannot be read as an array ({reason})") from None
    if array.dtype.kind in "iub":
        array = array.astype(float)
    if array.dtype.kind != "f" or not array.size:
        raise InputError(f"{name}: {array.dtype} of {array.size} numbers; give real numbers")
    return array
