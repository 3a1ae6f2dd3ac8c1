"""Weights of a network by name: which there are, where, and what they are at this moment.

A vector of weights lists the chosen parameters one after another, each row by row, in the order in
which the network names them. Coordinates say which parameter and which entry each weight is; they
go along with windows, scores and masks.

A weight need not be a parameter: masks of :mod:`torch.nn.utils.prune` and norms of weights make it
anew in each forward pass, and what stands in the layer is then a step behind.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from koopscope.errors import InputError
from koopscope.recording.included import WRAPPERS, chosen, listed_names
from koopscope.recording.layers import coordinates, recorded_shapes

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
KINDS = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)


class Place(NamedTuple):
    """Module that has a weight, and what it calls it."""

    module: nn.Module
    own: str


def prunable(model: nn.Module, include: Iterable[str] | None = None) -> dict[str, torch.Tensor]:
    """Weights of a network by name, such as ``"conv1.weight"``, in the network's order.

    Parameters
    ----------
    model
        Any network. A layer that is pruned by :mod:`torch.nn.utils.prune` gives its masked weight.
    include
        Names of the parameters, or patterns; by default the weights of all linear and convolution
        layers, transposed ones too. Shared ones count once.

    Raises
    ------
    InputError
        If a name is not there, no layer is of these kinds, or a weight takes no mask, such as one
        that a weight norm makes.
    """
    if include is None:
        known = {joined(path, "weight"): m for path, m in modules_of(model) if isinstance(m, KINDS)}
        if not known:
            raise InputError("include: the model has no linear or convolution layer; name weights")
        places = distinct((name, Place(module, "weight")) for name, module in known.items())
    else:
        places = chosen_places(model, include)
    for name, place in places.items():
        refuse_unprunable(name, place)
        shape_of(name, place)
    return {name: getattr(*place) for name, place in places.items()}


def chosen_places(
    model: nn.Module, include: Iterable[str] | None = None, buffers: bool = False
) -> dict[str, Place]:
    """Places of the weights that a list of names means.

    Parameters
    ----------
    model
        Any network, also in wrappers such as those of data parallelism or compilation.
    include
        Names or patterns; by default all parameters that are trained. Names, not patterns, may also
        be of weights that are made in the forward pass, and further ones of shared weights.
    buffers
        Also take floating-point buffers, which ``include`` may name in any case.

    Returns
    -------
    dict
        By name without wrappers, in the network's order; a shared weight once, a pruned one by its
        plain name.

    Raises
    ------
    InputError
        If nothing is meant, or a name is not there.
    """
    named = dict(_parameters(model))
    once = distinct(named.items())
    if include is None:
        once = {n: p for n, p in once.items() if getattr(_stored(p), "requires_grad", False)}
        found = once | (_buffers(model) if buffers else {})
        if not found:
            raise InputError("model: no parameter is trained; name what is meant with include")
        return found
    floats = _buffers(model)
    everything = named | floats | {n: p for n, p in _made_names(model) if n not in named}
    by_name_alone = everything.keys() - once.keys() - floats.keys()
    names = chosen(everything, listed_names(include), by_name_alone)
    return distinct((name, everything[name]) for name in names)


def modules_of(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of a network, each before those in it, by name without wrappers."""
    module = inner(module)
    yield path, module
    for name, child in module._modules.items():
        if child is not None:
            yield from modules_of(child, joined(path, name))


def inner(module: nn.Module) -> nn.Module:
    """Module in those that data parallelism, compilation and the like put round it."""
    while len(module._modules) == 1:
        ((name, child),) = module._modules.items()
        # A network's own part may be called so too, beside parameters of its own.
        if name not in WRAPPERS or child is None or any(module._parameters.values()):
            break
        module = child
    return module


def joined(path: str, own: str) -> str:
    """Name of what a module of a path calls its own."""
    return f"{path}.{own}" if path else own


def owner(model: nn.Module, name: str) -> Place:
    """Place of a weight or buffer, by its name without wrappers.

    Raises
    ------
    InputError
        If the model has none of that name.
    """
    path, _, own = name.rpartition(".")
    module: nn.Module | None = inner(model)
    for part in path.split(".") if path else ():
        # Not by truth: empty lists of layers, and compiled layers, have none or are false.
        child = module._modules.get(part) if module is not None else None
        module = inner(child) if child is not None else None
    place = Place(module, own) if module is not None else None
    if place is None or (own not in _made(place.module) and _stored(place) is None):
        raise InputError(f"weights: the model has no {name!r}; give the model that was recorded")
    return place


def current(place: Place) -> torch.Tensor:
    """Values that a weight has now, masked if it is pruned."""
    # What stands in the layer is of the last forward pass, a step behind its own parameters.
    made = _made(place.module).get(place.own)
    with torch.no_grad():
        return (made() if made else getattr(*place)).detach()


def shape_of(name: str, place: Place) -> tuple[int, ...]:
    """Shape of a weight.

    Raises
    ------
    InputError
        If it has none yet, or no real numbers of floating point on this device.
    """
    stored = _stored(place)
    if stored is not None and is_lazy(stored):
        raise InputError(f"{name}: has no shape yet; run the model once before")
    tensor = current(place)
    sharded = hasattr(tensor, "placements")
    if tensor.is_meta or tensor.layout != torch.strided or not tensor.numel() or sharded:
        kind = "meta" if tensor.is_meta else "empty" if not tensor.numel() else tensor.layout
        kind = "sharded" if sharded else kind
        raise InputError(f"{name}: is {kind} here, with no numbers to take; leave it out")
    if not tensor.is_floating_point():
        raise InputError(f"{name}: {tensor.dtype}; only real floating point can be taken")
    return tuple(tensor.shape)


def sharing(model: nn.Module, name: str) -> dict[str, Place]:
    """All places of a weight that several layers share, by name; of another one its own alone."""
    stored = _stored(owner(model, name))
    return {n: place for n, place in _parameters(model) if _stored(place) is stored}


def masks_of(module: nn.Module) -> dict[str, prune.BasePruningMethod]:
    """What masks a module's weights by :mod:`torch.nn.utils.prune`, by their names."""
    return {
        hook._tensor_name: hook
        for hook in module._forward_pre_hooks.values()
        if isinstance(hook, prune.BasePruningMethod)
    }


def refuse_unprunable(name: str, place: Place) -> None:
    """Refuse a weight that takes no mask, since it is made of others.

    Raises
    ------
    InputError
        With what to do.
    """
    module, own = place
    if own not in masks_of(module) and own in _made(module):
        raise InputError(
            f"{name}: is made in each forward pass, as by a weight norm, and takes no mask; name "
            "the parameters that it is made of in include, or take the norm off before"
        )


def _parameters(model: nn.Module) -> Iterator[tuple[str, Place]]:
    """Yield places of all parameters, pruned ones by their plain names, shared ones each time."""
    for path, module in modules_of(model):
        masked = {f"{own}_orig": own for own in masks_of(module)}
        for stored, parameter in module._parameters.items():
            if parameter is not None:
                own = masked.get(stored, stored)
                yield joined(path, own), Place(module, own)


def _buffers(model: nn.Module) -> dict[str, Place]:
    """Places of floating-point buffers that are no masks."""
    return {
        joined(path, own): Place(module, own)
        for path, module in modules_of(model)
        for own, buffer in module._buffers.items()
        if buffer is not None
        and own.removesuffix("_mask") not in masks_of(module)
        and (is_lazy(buffer) or buffer.is_floating_point())
    }


def _made_names(model: nn.Module) -> Iterator[tuple[str, Place]]:
    """Yield what is made in the forward pass, and what pruned weights are made of."""
    for path, module in modules_of(model):
        owned = [*_made(module), *(f"{own}_orig" for own in masks_of(module))]
        yield from ((joined(path, own), Place(module, own)) for own in owned)


def _made(module: nn.Module) -> dict[str, Callable[[], torch.Tensor]]:
    """Weights that a layer makes anew in its forward pass, each with what makes it now."""
    found: dict[str, Callable[[], torch.Tensor]] = {
        own: partial(hook.apply_mask, module) for own, hook in masks_of(module).items()
    }
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            found[hook.name] = partial(hook.compute_weight, module)
        elif isinstance(hook, SpectralNorm):
            found[hook.name] = partial(hook.compute_weight, module, do_power_iteration=False)
    for own, parts in getattr(module, "parametrizations", {}).items():
        found[own] = partial(_looked_at, parts)
    return found


def _looked_at(parts: nn.Module) -> torch.Tensor:
    """What a parametrisation makes, as in evaluation: looking must not change the training."""
    modes = [(part, part.training) for part in parts.modules()]
    parts.eval()
    try:
        return parts()
    finally:
        for part, mode in modes:
            part.training = mode


def _stored(place: Place) -> torch.Tensor | None:
    """Parameter that is trained, or the buffer; None of what is made of others than its own."""
    module, own = place
    if own in masks_of(module):
        own = f"{own}_orig"
    found = module._parameters.get(own)
    return module._buffers.get(own) if found is None else found


def distinct(places: Iterable[tuple[str, Place]]) -> dict[str, Place]:
    """The same, of shared weights the first alone; under two masks one parameter is two weights."""
    found: dict[str, Place] = {}
    seen: dict[int, list[Place]] = {}
    for name, place in places:
        stored = _stored(place)
        others = seen.setdefault(id(place.module if stored is None else stored), [])
        if stored is None or not any(_same_mask(place, other) for other in others):
            others.append(place)
            found[name] = place
    return found


def _same_mask(one: Place, other: Place) -> bool:
    masks = [
        getattr(module, f"{own}_mask") for module, own in (one, other) if own in masks_of(module)
    ]
    return not masks or (len(masks) == 2 and torch.equal(masks[0], masks[1]))


def shapes_of(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes by name."""
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def check_model(values: xr.DataArray, model: nn.Module) -> None:
    """Refuse values that belong to the weights of another architecture.

    Raises
    ------
    InputError
        If the model lacks a layer or has it in another shape.
    """
    for name, shape in recorded_shapes(values).items():
        found = tuple(current(owner(model, name)).shape)
        if found != shape:
            raise InputError(
                f"{name}: shape is {found} in the model but {shape} in what was recorded; "
                "give what belongs to this model"
            )


def vector(weights: Mapping[str, torch.Tensor]) -> xr.DataArray:
    """Weights by name as one vector, dim ``weight``, single precision, with coordinates."""
    flat = torch.cat([tensor.detach().flatten().cpu().float() for tensor in weights.values()])
    return xr.DataArray(flat.numpy(), dims="weight", coords=coordinates(shapes_of(weights)))


def by_layer(values: xr.DataArray) -> dict[str, torch.Tensor]:
    """Values of a vector (weight,) by layer, in the layers' shapes."""
    shapes = recorded_shapes(values)
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    parts = np.split(values.values, np.cumsum(sizes)[:-1])
    return {
        name: torch.as_tensor(np.ascontiguousarray(part)).reshape(shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }
