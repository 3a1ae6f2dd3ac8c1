"""Which weights of a network are pruned, and where in it each of them is.

A vector of weights lists the chosen parameters one after another, each row by row, in the order in
which the network names them. Coordinates say which parameter and which entry each weight is; they
go along with windows, scores and masks.
"""

import json
from collections.abc import Iterable, Mapping

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError

KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
Shapes = Mapping[str, tuple[int, ...]]


def prunable(model: nn.Module, include: Iterable[str] | None = None) -> dict[str, torch.Tensor]:
    """Weights of a network by name, such as ``"conv1.weight"``, in the network's order.

    Parameters
    ----------
    model
        Any network. A layer that is pruned by :mod:`torch.nn.utils.prune` gives its masked weight.
    include
        Names of the parameters; by default the weights of all linear and convolution layers.

    Raises
    ------
    InputError
        If a name is not there, or no layer is of these kinds.
    """
    if include is None:
        names = [
            f"{name}.weight" if name else "weight"
            for name, module in model.named_modules()
            if isinstance(module, KINDS)
        ]
        if not names:
            raise InputError("include: the model has no linear or convolution layer; name weights")
    else:
        names = list(include)
        if not names or len(set(names)) < len(names):
            raise InputError(f"include: {names}; give one or more different names of parameters")
    return {name: parameter(model, name) for name in names}


def owner(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    """Module that has a parameter, and what it calls it.

    Raises
    ------
    InputError
        If the model has none of that name.
    """
    path, _, own = name.rpartition(".")
    try:
        module = model.get_submodule(path)
        found = getattr(module, own)
    except AttributeError:
        found = None
    if not isinstance(found, torch.Tensor):
        raise InputError(f"weights: the model has no {name!r}; give the model that was recorded")
    return module, own


def parameter(model: nn.Module, name: str) -> torch.Tensor:
    """Tensor of that name, masked if it is pruned."""
    module, own = owner(model, name)
    return getattr(module, own)


def shapes_of(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes by name."""
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def coordinates(shapes: Shapes) -> dict[str, xr.DataArray]:
    """Coordinates of a vector of weights: ``layer`` (number, with names as flags) and ``index``.

    ``index`` counts the entries of a layer's weight row by row; the attribute ``shapes`` (JSON
    text) of ``layer`` says how to bring them back to its shape.
    """
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    flags = {"flag_values": list(range(len(sizes))), "flag_meanings": list(shapes)}
    layer = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    index = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
    text = json.dumps({name: list(shape) for name, shape in shapes.items()})
    return {
        "layer": xr.DataArray(layer, dims="weight", attrs={**flags, "shapes": text}),
        "index": xr.DataArray(index, dims="weight"),
    }


def recorded_shapes(values: xr.DataArray) -> dict[str, tuple[int, ...]]:
    """Shapes of the layers whose weights these values belong to, by name.

    Raises
    ------
    InputError
        If the values do not say which weights they are.
    """
    try:
        shapes = json.loads(values["layer"].attrs["shapes"])
    except KeyError:
        raise InputError("weights: no coordinate 'layer' with shapes; give recorded ones") from None
    return {name: tuple(shape) for name, shape in shapes.items()}


def check_model(values: xr.DataArray, model: nn.Module) -> None:
    """Refuse values that belong to the weights of another architecture.

    Raises
    ------
    InputError
        If the model lacks a layer or has it in another shape.
    """
    for name, shape in recorded_shapes(values).items():
        found = tuple(parameter(model, name).shape)
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
