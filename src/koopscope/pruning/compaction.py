"""Networks made smaller without a change of what they answer, and what a step of them costs.

A hidden unit (or channel) whose outgoing weights are all pruned does nothing. One whose incoming
weights are all pruned is a constant, relu(bias), which goes into the biases of the next layer.
Both are taken out of the matrices, so that a step costs less. That asks for a chain of layers with
ReLU between them; max pooling and flattening may follow it, since they keep constants.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.layers import recorded_shapes
from koopscope.recording.weights import Place, by_layer, check_model, shape_of

PASSING = (nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Identity)
Layer = nn.Linear | nn.Conv2d
Masks = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Compacted:
    """A network without its dead units.

    Attributes
    ----------
    model
        Answers the same as the one before, up to rounding.
    masks
        Of its layers.
    kept
        By layer, which units of the one before stay; bool, shape (unit,).
    """

    model: nn.Module
    masks: Masks
    kept: dict[str, torch.Tensor]


def fully_connected(sizes: tuple[int, ...], seed: int) -> nn.Sequential:
    """Linear layers with bias and ReLU between them, drawn as PyTorch draws them.

    The global random state is left alone.

    Parameters
    ----------
    sizes
        Inputs, hidden widths, outputs.
    seed
        Draws the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            parts += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*parts[:-1])


def chain_of(model: nn.Module) -> tuple[str, ...]:
    """Names of the layers with weights, in the order in which the data pass.

    Raises
    ------
    InputError
        If the model is no chain of linear and unpadded convolution layers with ReLU between them,
        each with a weight of its own that is a plain parameter.
    """
    if isinstance(model, nn.Sequential):
        names = [n for n, m in model._modules.items() if not isinstance(m, PASSING)]
        children = list(model)
        for here, following in zip(children, children[1:], strict=False):
            if not isinstance(here, PASSING) and not isinstance(following, nn.ReLU):
                raise InputError("model: a layer is not followed by ReLU; give a chain with ReLU")
    elif hasattr(model, "chain"):
        names = list(cast(Iterable[str], model.chain))
    else:
        raise InputError(
            f"model: {type(model).__name__} is no known chain of layers; give a Sequential, or "
            "name its layers in an attribute 'chain'"
        )
    for name in names:
        layer = model.get_submodule(name)
        plain = isinstance(layer, nn.Linear) or (
            isinstance(layer, nn.Conv2d) and layer.groups == 1 and not any(layer.padding)
        )
        if not plain:
            raise InputError(f"{name}: is no linear or unpadded convolution layer; cannot compact")
        # Masks of PyTorch's own, and norms of weights, make a layer's weight anew each time.
        if "weight" not in layer._parameters:
            raise InputError(
                f"{name}: its weight is made of others in each forward pass; take the mask or norm "
                "off before, as by torch.nn.utils.prune.remove"
            )
        shape_of(f"{name}.weight", Place(layer, "weight"))
    own = {id(model.get_submodule(name).weight): name for name in names}
    if len(own) < len(names):
        shared = next(name for name in names if name not in own.values())
        raise InputError(f"{shared}: shares its weight with another layer; cannot compact")
    return tuple(names)


def layer_of(model: nn.Module, name: str) -> Layer:
    """Layer of a chain, by its name."""
    return cast(Layer, model.get_submodule(name))


def layer_masks(mask: xr.DataArray | None, model: nn.Module) -> Masks:
    """Masks by layer, of the weights' shapes, on the processor; all true for None.

    Raises
    ------
    InputError
        If the mask is for another architecture, or leaves out a layer.
    """
    names = chain_of(model)
    if mask is None:
        return {n: torch.ones(layer_of(model, n).weight.shape, dtype=torch.bool) for n in names}
    check_model(mask, model)
    recorded = recorded_shapes(mask)
    missing = [name for name in names if f"{name}.weight" not in recorded]
    if missing:
        raise InputError(f"{missing[0]}: the mask has none for it; give a mask of all layers")
    return {name.removesuffix(".weight"): m.bool() for name, m in by_layer(mask).items()}


def compact(model: nn.Module, masks: Masks) -> Compacted:
    """Take out the hidden units that masks leave without incoming or outgoing weights.

    A layer of which nothing would be left keeps its first unit.

    Parameters
    ----------
    model
        A chain (:func:`chain_of`); it stays as it is.
    masks
        By layer (:func:`layer_masks`); pruned weights count as 0, whatever they are.

    Raises
    ------
    InputError
        If the masks are not those of the model's layers, or a constant cannot go into the next
        layer, which has no bias.
    """
    names = chain_of(model)
    layers = [deepcopy(layer_of(model, name)) for name in names]
    for name, layer in zip(names, layers, strict=True):
        if name not in masks or masks[name].shape != layer.weight.shape:
            raise InputError(f"{name}: the mask is not of this layer; give the model's own masks")
    worn = [masks[name].cpu().clone() for name in names]
    with torch.no_grad():
        for layer, mask in zip(layers, worn, strict=True):
            layer.weight *= mask.to(layer.weight.device)
        constant = []
        for i in range(len(layers) - 1):
            empty = ~worn[i].flatten(1).any(dim=1)
            constant.append(empty)
            _fold(names, layers, worn, i, empty)
        kept = [torch.ones(len(worn[-1]), dtype=torch.bool)]
        for i in reversed(range(len(layers) - 1)):
            used = _by_unit(worn[i + 1][kept[0]], len(worn[i])).any(dim=0).any(dim=1)
            stays = used & ~constant[i]
            if not stays.any():
                stays[0] = True
            kept.insert(0, stays)
    smaller, before = deepcopy(model), None
    for i, (name, layer, stays) in enumerate(zip(names, layers, kept, strict=True)):
        bias = None if layer.bias is None else layer.bias[stays]
        refill(layer_of(smaller, name), sliced(layer.weight, stays, before), bias)
        worn[i] = sliced(worn[i], stays, before)
        before = stays
    by_name = (dict(zip(names, parts, strict=True)) for parts in (worn, kept))
    return Compacted(smaller, *by_name)


def refill(
    layer: Layer, weight: torch.Tensor, bias: torch.Tensor | None
) -> dict[nn.Parameter, nn.Parameter]:
    """Give a layer other weights, perhaps of fewer inputs and outputs; all else of it stays.

    Parameters
    ----------
    layer
        Changed in place; its hooks stay, and what is frozen stays frozen.
    weight, bias
        As for such a layer.

    Returns
    -------
    dict
        New parameters by old ones.
    """
    new: dict[nn.Parameter, nn.Parameter] = {}
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None:
            old = layer.get_parameter(name)
            # Not the same one with other data: graphs that are still held know its shape.
            new[old] = nn.Parameter(values.detach().clone(), old.requires_grad)
            setattr(layer, name, new[old])
    kind = "channels" if isinstance(layer, nn.Conv2d) else "features"
    setattr(layer, f"out_{kind}", len(weight))
    setattr(layer, f"in_{kind}", weight.shape[1])
    return new


def sliced(weight: torch.Tensor, stays: torch.Tensor, before: torch.Tensor | None) -> torch.Tensor:
    """Rows of the units that stay, and columns of the units that stay in the layer before.

    Parameters
    ----------
    weight
        Shape (unit, input, …); also a mask or a momentum of that shape.
    stays
        Bool, shape (unit,).
    before
        Bool, one for each unit of the layer before, which may stand for several inputs (the places
        of a flattened channel); None for the first layer.
    """
    weight = weight[stays]
    if before is None:
        return weight
    return weight[:, before.repeat_interleave(weight.shape[1] // len(before))]


def unit_sums(scores: Masks, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Score of each hidden unit: the sum of the scores of its incoming weights; shape (unit,)."""
    return {name: scores[name].flatten(1).sum(dim=1) for name in names[:-1]}


def unit_masks(scores: Masks, names: tuple[str, ...], budget: int) -> Masks:
    """Masks that keep whole hidden units, those with the largest sums of scores in their layer.

    Every hidden layer keeps the same share of its units, at least one: sums of layers with other
    numbers of inputs do not compare. The share is the largest with which at most ``budget`` weights
    stay.

    Parameters
    ----------
    scores
        By layer, of the weights' shapes.
    names
        Of the layers, in order.
    budget
        Number of weights that may stay.

    Raises
    ------
    InputError
        If one unit a layer is too many.
    """
    sums = unit_sums(scores, names)
    shares = sorted({(k + 1) / len(s) for s in sums.values() for k in range(len(s))})
    counts, fitting = None, None
    low, high = 0, len(shares)
    while low < high:
        middle = (low + high) // 2
        counts = {n: max(1, int(shares[middle] * len(s) + 1e-9)) for n, s in sums.items()}
        if _weights_of(scores, names, counts) <= budget:
            fitting, low = counts, middle + 1
        else:
            high = middle
    if fitting is None:
        raise InputError(f"compression: leaves {budget} weights, less than one unit a layer has")
    masks, before = {}, None
    for name in names:
        mask = torch.ones_like(scores[name], dtype=torch.bool)
        if before is not None:
            _by_unit(mask, len(before))[:, ~before] = False
        if name in sums:
            order = torch.argsort(sums[name], descending=True, stable=True)
            before = torch.zeros(len(sums[name]), dtype=torch.bool)
            before[order[: fitting[name]]] = True
            mask[~before] = False
        masks[name] = mask
    return masks


def multiply_adds(
    model: nn.Module, image: torch.Tensor, masks: Mapping[str, torch.Tensor] | None = None
) -> dict[str, int]:
    """Multiplications with weights that one sample's forward pass needs, layer by layer.

    Biases, ReLU and pooling do not count.

    Parameters
    ----------
    model
        A chain.
    image
        One sample as the model takes it, with its batch dimension; only its shape matters.
    masks
        If given, pruned weights do not count; else all of a matrix do.
    """
    places, hooks = {}, []
    for name in chain_of(model):
        layer = model.get_submodule(name)

        def note(module: nn.Module, _: tuple, out: torch.Tensor, name: str = name) -> None:
            places[name] = out[0, 0].numel() if isinstance(module, nn.Conv2d) else 1

        hooks.append(layer.register_forward_hook(note))
    with torch.no_grad():
        weight = next(model.parameters())
        model(torch.zeros(image[:1].shape, dtype=weight.dtype, device=weight.device))
    for hook in hooks:
        hook.remove()
    counted = {
        name: layer_of(model, name).weight.numel() if masks is None else int(masks[name].sum())
        for name in places
    }
    return {name: counted[name] * places[name] for name in places}


def training_multiply_adds(forward: Mapping[str, int]) -> int:
    """Multiplications of a training step for one sample: forward, and both ways back.

    Each layer needs as many for the gradient of its weights, and again for that of its inputs, but
    the first one, whose inputs are the data.
    """
    counts = list(forward.values())
    return 3 * sum(counts) - counts[0]


def _by_unit(weight: torch.Tensor, units: int) -> torch.Tensor:
    """View of (out, input, …) as (out, unit of the layer before, what belongs to it)."""
    return weight.view(len(weight), units, -1)


def _fold(
    names: tuple[str, ...],
    layers: list[Layer],
    masks: list[torch.Tensor],
    i: int,
    empty: torch.Tensor,
) -> None:
    """Put the constants of a layer into the biases of the next one, whose weights they leave."""
    bias, following = layers[i].bias, layers[i + 1]
    if not empty.any():
        return
    outgoing = _by_unit(following.weight, len(empty))
    if bias is not None:
        change = outgoing[:, empty].sum(dim=2) @ torch.relu(bias[empty])
        if following.bias is not None:
            following.bias += change
        elif change.any():
            raise InputError(f"{names[i + 1]}: has no bias to take constants; give it one")
    outgoing[:, empty] = 0
    _by_unit(masks[i + 1], len(empty))[:, empty] = False


def _weights_of(scores: Masks, names: tuple[str, ...], counts: Mapping[str, int]) -> int:
    """Weights that stay if each hidden layer keeps so many units."""
    total, share = 0.0, 1.0
    for name in names:
        units = len(scores[name])
        part = counts.get(name, units) / units
        total += scores[name].numel() * part * share
        share = part
    return round(total)
