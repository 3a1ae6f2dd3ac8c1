"""What is recorded of a model: its parameters, or the arrays of a mapping, by name."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from koopscope.errors import InputError

if TYPE_CHECKING:
    import torch

# Put before every name by wrappers that a run may or may not have.
WRAPPERS = ("_orig_mod.", "module.")


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


def listed_names(include: Iterable[str] | None) -> list[str] | None:
    """Names or patterns as a list; a single text is refused, whose letters would be taken."""
    if isinstance(include, str):
        raise InputError(f"include: {include!r} is one text; give a list of names or patterns")
    return None if include is None else list(include)


def chosen(known: Iterable[str], include: list[str] | None) -> list[str]:
    """Names that are included, in the order in which they are known.

    Raises
    ------
    InputError
        If nothing is named, or a name or pattern fits none.
    """
    names = list(known)
    if include is None:
        return names
    if not include or len(set(include)) < len(include):
        raise InputError(f"include: {include}; give one or more different names of parameters")
    for pattern in include:
        if not any(_fits(name, pattern) for name in names):
            shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
            raise InputError(f"include: the model has no {pattern!r}; it has {shown or 'none'}")
    return [name for name in names if any(_fits(name, pattern) for pattern in include)]


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


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
        from koopscope.recording.weights import made_in_forward

        self._model = model
        known: dict[str, torch.Tensor]
        if include is None:
            known = {n: t for n, t in model.named_parameters() if t.requires_grad}
        else:
            # A weight that is made anew in each forward pass goes by its own name too.
            known = dict(model.named_parameters()) | made_in_forward(model)
        if buffers or include is not None:
            floats = {n: t for n, t in model.named_buffers() if t.is_floating_point()}
            known |= {n: t for n, t in floats.items() if n not in known}
        self._names = {unwrapped(n): n for n in known}
        taken = chosen(self._names, include)
        if not taken:
            raise InputError("model: no parameter is trained; name what to record with include")
        self._names = {name: self._names[name] for name in taken}
        self.shapes = {name: _shape(name, known[real]) for name, real in self._names.items()}

    def now(self, values: Mapping[str, Any] | None, step: int = 0) -> "Mapping[str, torch.Tensor]":
        from koopscope.recording.weights import current

        if values is not None:
            raise InputError("snapshot: takes no values here; it reads the model's parameters")
        found = {name: current(self._model, real) for name, real in self._names.items()}
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


def _shape(name: str, tensor: "torch.Tensor") -> tuple[int, ...]:
    """Shape of a parameter that can be recorded."""
    import torch

    if isinstance(tensor, torch.nn.parameter.UninitializedParameter):
        raise InputError(f"{name}: has no shape yet; run the model once before recording")
    if tensor.is_meta or tensor.layout != torch.strided or not tensor.numel():
        kind = "meta" if tensor.is_meta else "empty" if not tensor.numel() else tensor.layout
        raise InputError(f"{name}: is {kind} here, with no numbers to record; leave it out")
    if not tensor.is_floating_point():
        raise InputError(f"{name}: {tensor.dtype}; only real floating point can be recorded")
    return tuple(tensor.shape)


def unwrapped(name: str) -> str:
    """Name without what wrappers put before it."""
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name
