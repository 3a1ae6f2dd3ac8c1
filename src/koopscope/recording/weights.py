"""Which weights of a network are pruned, and where in it each of them is.

A vector of weights lists the chosen parameters one after another, each row by row, in the order in
which the network names them. Coordinates say which parameter and which entry each weight is; they
go along with windows, scores and masks.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.layers import coordinates, recorded_shapes

KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


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
    """Tensor of that name; of a pruned layer the masked one of the last forward pass."""
    module, own = owner(model, name)
    return getattr(module, own)


def current(model: nn.Module, name: str) -> torch.Tensor:
    """Values that a weight has now, masked if it is pruned."""
    module, own = owner(model, name)
    if _masked(module, own):
        # What stands there is of the last forward pass, a step behind its own parameter.
        return getattr(module, f"{own}_orig").detach() * getattr(module, f"{own}_mask")
    return getattr(module, own).detach()


def made_in_forward(model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights that are no parameters but made of them: pruned ones, and parametrised ones."""
    found = {}
    for path, module in model.named_modules():
        owned = {name.removesuffix("_orig") for name, _ in module.named_parameters(recurse=False)}
        owned = {own for own in owned if _masked(module, own)}
        owned |= set(getattr(module, "parametrizations", {}))
        for own in sorted(owned):
            name = f"{path}.{own}" if path else own
            found[name] = current(model, name)
    return found


def _masked(module: nn.Module, own: str) -> bool:
    """Whether a weight is pruned by :mod:`torch.nn.utils.prune`."""
    parameters = dict(module.named_parameters(recurse=False))
    return f"{own}_orig" in parameters and f"{own}_mask" in dict(
        module.named_buffers(recurse=False)
    )


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
