"""Masks from scores: which weights stay, exactly as many as asked, and masks on disk.

Examples
--------
A mask put on a network, read off it, written and read:

>>> import tempfile
>>> import numpy as np
>>> from torch import nn
>>> from koopscope.pruning import masks, score_weights, select_masks
>>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
>>> scores = score_weights("magnitude", model, None).copy(data=np.arange(20.0))
>>> mask = select_masks(scores, compression=2)
>>> masks.apply(mask, model)
>>> int((model[0].weight == 0).sum()), bool((masks.of_model(model) == mask).all())
(10, True)
>>> with tempfile.TemporaryDirectory() as folder:
...     masks.save(mask, f"{folder}/mask.pt")
...     same = bool((masks.load(f"{folder}/mask.pt", model) == mask).all())
>>> same
True
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.recording.layers import coordinates
from koopscope.recording.weights import (
    Place,
    by_layer,
    check_model,
    distinct,
    joined,
    masks_of,
    modules_of,
    owner,
    refuse_unprunable,
    sharing,
)


class LayerCollapse(UserWarning):
    """A mask leaves no weight of a layer."""


def kept_count(prunable: int, compression: float, unpruned: int = 0) -> int:
    """Number of weights that a compression leaves of those that can be pruned.

    The largest whole number with ``(prunable + unpruned) / (kept + unpruned) ≥ compression``.

    Parameters
    ----------
    prunable
        Number of weights that have a score.
    compression
        All parameters over nonzero ones, at least 1.
    unpruned
        Number of further parameters, which all stay (biases, a kept classifier).

    Raises
    ------
    InputError
        If the compression is below 1, or nothing would be left.
    """
    if not compression >= 1 or not np.isfinite(compression):
        raise InputError(f"compression: {compression:g}; give a number of at least 1")
    whole = prunable + unpruned
    kept = int(np.floor(whole / compression)) - unpruned
    # By the rounding of the division one more may do: 55 / 1.1 is less than 50, yet 55 / 50 is 1.1.
    if whole / (kept + 1 + unpruned) >= compression:
        kept += 1
    if kept < 1:
        most = whole / (1 + unpruned)
        raise InputError(f"compression: {compression:g} leaves no weight; give at most {most:.6g}")
    return kept


def largest(scores: np.ndarray, kept: int) -> np.ndarray:
    """Where the ``kept`` largest scores are, the first of equals; bool, the scores' shape (n,)."""
    mask = np.zeros(len(scores), dtype=bool)
    if kept >= len(scores):
        mask[:] = True
    elif kept > 0:
        # Linear in n; only the ties at the threshold have to be counted off.
        threshold = np.partition(scores, len(scores) - kept)[len(scores) - kept]
        mask = scores > threshold
        mask[np.flatnonzero(scores == threshold)[: kept - int(mask.sum())]] = True
    return mask


def select_masks(scores: xr.DataArray, compression: float, unpruned: int = 0) -> xr.DataArray:
    """Weights that stay: those with the largest scores over all layers.

    Parameters
    ----------
    scores
        Dim ``weight`` (:mod:`koopscope.pruning.scores`).
    compression, unpruned
        See :func:`kept_count`.

    Returns
    -------
    xarray.DataArray
        Bool, dim ``weight``; exactly :func:`kept_count` are true; of equal scores the earlier
        weight stays, so masks of larger compressions lie within those of smaller ones.

    Warns
    -----
    LayerCollapse
        If a layer loses all its weights.

    Raises
    ------
    InputError
        If a score is not finite, or the compression is below 1 or leaves fewer weights than there
        are layers.

    Examples
    --------
    The ten of a network's twenty weights that have the largest scores:

    >>> import numpy as np
    >>> from torch import nn
    >>> from koopscope.pruning import score_weights, select_masks
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> scores = score_weights("magnitude", model, None).copy(data=np.arange(20.0))
    >>> select_masks(scores, compression=2).values.nonzero()[0].tolist()
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
    """
    if not np.isfinite(scores.values).all():
        raise InputError("scores: one is not finite; did the training diverge?")
    kept = kept_count(scores.size, compression, unpruned)
    names = list(scores["layer"].attrs["flag_meanings"])
    if kept < len(names):
        most = (scores.size + unpruned) / (len(names) + unpruned)
        raise InputError(
            f"compression: {compression:g} leaves {kept} weights for {len(names)} layers; "
            f"give at most {most:.6g}"
        )
    mask = scores.copy(data=largest(scores.values, kept))
    left = np.bincount(scores["layer"].values[mask.values], minlength=len(names))
    for name in np.array(names)[left == 0]:
        warnings.warn(
            f"{name}: no weight is left at compression {compression:g} by {scores.name}",
            LayerCollapse,
            stacklevel=2,
        )
    return mask


def layer_shares(mask: xr.DataArray) -> xr.DataArray:
    """Share of each layer's weights that stays; dim ``layer``, named."""
    names = list(mask["layer"].attrs["flag_meanings"])
    layers = mask["layer"].values
    sizes = np.bincount(layers, minlength=len(names))
    left = np.bincount(layers[mask.values], minlength=len(names))
    return xr.DataArray(left / sizes, dims="layer", coords={"layer": names})


def apply(mask: xr.DataArray, model: nn.Module) -> None:
    """Put a mask on a model by ``torch.nn.utils.prune``: it stays on while the model trains.

    Layers that share a weight all wear its mask.

    Raises
    ------
    InputError
        If the mask is for another architecture, or for a weight that takes none.
    """
    check_model(mask, model)
    by_name = by_layer(mask)
    for name in by_name:
        refuse_unprunable(name, owner(model, name))
    for name, values in by_name.items():
        for module, own in sharing(model, name).values():
            prune.custom_from_mask(module, own, values.to(getattr(module, own).device))
    keep_fresh(model)


def keep_fresh(model: nn.Module) -> None:
    """Have masked weights made anew whenever the model is called, not only when their layer is.

    Attention takes the weights of its last layer without calling it, and so do models whose output
    layer is an embedding's weight.

    Parameters
    ----------
    model
        It gets a hook, once.
    """
    if _make_anew not in model._forward_pre_hooks.values():
        model.register_forward_pre_hook(_make_anew)


def _make_anew(model: nn.Module, _: object) -> None:
    for _path, module in modules_of(model):
        for mask in masks_of(module).values():
            mask(module, None)


def of_model(model: nn.Module) -> xr.DataArray:
    """Mask that a model wears by ``torch.nn.utils.prune``; bool, dim ``weight``.

    Raises
    ------
    InputError
        If it wears none.
    """
    places = distinct(
        (joined(path, own), Place(module, own))
        for path, module in modules_of(model)
        for own in masks_of(module)
    )
    found = {name: getattr(at.module, f"{at.own}_mask").bool() for name, at in places.items()}
    if not found:
        raise InputError("model: no weight is pruned by torch.nn.utils.prune")
    return _joined(found)


def save(mask: xr.DataArray, path: Path | str) -> None:
    """Write a mask as a file that ``torch.load(path, weights_only=True)`` reads: bool by name."""
    torch.save({name: values.clone() for name, values in by_layer(mask).items()}, path)


def load(path: Path | str, model: nn.Module | None = None) -> xr.DataArray:
    """Read a mask; bool, dim ``weight``.

    Raises
    ------
    InputError
        If the file holds no masks, or those of another architecture than ``model``.
    """
    found = torch.load(path, weights_only=True, map_location="cpu")
    if not isinstance(found, Mapping) or not all(
        isinstance(values, torch.Tensor) and values.dtype == torch.bool for values in found.values()
    ):
        raise InputError(f"masks: {path} holds no masks; give a file of masks.save")
    mask = _joined(found)
    if model is not None:
        check_model(mask, model)
    return mask


def _joined(by_name: Mapping[str, torch.Tensor]) -> xr.DataArray:
    coords = coordinates({name: tuple(values.shape) for name, values in by_name.items()})
    flat = torch.cat([values.flatten().cpu() for values in by_name.values()])
    return xr.DataArray(flat.numpy(), dims="weight", coords=coords, name="mask")
