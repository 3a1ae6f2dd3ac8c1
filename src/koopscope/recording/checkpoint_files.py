"""The tensors in a checkpoint.

A file is only ever read as tensors: what would run code is refused by PyTorch's restricted reader.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koopscope.errors import InputError
from koopscope.faces import needed
from koopscope.recording.checkpoint_names import SHARDED, WHOLE
from koopscope.recording.included import unwrapped
from koopscope.recording.naming import listed, natural

if TYPE_CHECKING:
    import torch

# Where a checkpoint of a trainer keeps the weights.
BELOW = ("state_dict", "model_state_dict", "model")


def tensors_of(file: Path) -> "dict[str, torch.Tensor]":
    """Tensors of a checkpoint by plain name, in its order, masked if pruned; each once.

    From a mapped file where the format allows it, so that only what is used is read.

    Raises
    ------
    InputError
        If it holds none, or code, or is damaged.
    ModuleNotFoundError
        If PyTorch or safetensors is needed and not installed.
    """
    found = dict(_read(file))
    if not found:
        raise InputError(f"{file}: no tensors in it; give a state_dict, or one below {BELOW[0]!r}")
    return _masked(found)


def _masked(tensors: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The same, with masks of ``torch.nn.utils.prune`` put on, by plain names as in a recording."""
    found = {}
    for name, tensor in tensors.items():
        plain, mask = name.removesuffix("_orig"), tensors.get(f"{name.removesuffix('_orig')}_mask")
        if plain != name and mask is not None and mask.shape == tensor.shape:
            found[plain] = tensor * mask.to(tensor.dtype)
        elif f"{name.removesuffix('_mask')}_orig" not in tensors or not name.endswith("_mask"):
            found[name] = tensor
    return found


def _read(file: Path) -> "Iterator[tuple[str, torch.Tensor]]":
    parts = _parts(file) if file.is_dir() else [file]
    seen: set[tuple[Any, ...]] = set()
    for part in parts:
        if not part.is_file():
            raise InputError(f"{part}: a part of the checkpoint is missing; copy it again")
        if not part.stat().st_size:
            raise InputError(f"{part}: an empty file; the checkpoint was cut short: leave it out")
        safe = part.suffix.lower() == ".safetensors"
        for name, tensor in (_safe if safe else _pickled)(part).items():
            if tensor.is_meta or str(tensor.layout) != "torch.strided":
                raise InputError(
                    f"{part}: {name} is {'meta' if tensor.is_meta else tensor.layout}, with no "
                    "plain numbers to bring in; save dense tensors"
                )
            place = (
                tensor.untyped_storage().data_ptr(),
                tensor.storage_offset(),
                tensor.shape,
                tensor.stride(),
            )
            # Tied tensors are one, under the first of their names.
            if tensor.numel() and place not in seen:
                seen.add(place)
                yield unwrapped(name), tensor


def _parts(folder: Path) -> list[Path]:
    """Files of a checkpoint that is a folder."""
    for name in WHOLE:
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}.index.json"
        if index.is_file():
            try:
                shards = set(json.loads(index.read_text())["weight_map"].values())
            except (ValueError, KeyError, AttributeError):
                raise InputError(f"{index}: damaged; copy the checkpoint again") from None
            return [folder / shard for shard in sorted(shards, key=natural)]
    raise InputError(f"{folder}: no checkpoint; it holds none of {', '.join((*WHOLE, *SHARDED))}")


def _safe(file: Path) -> "dict[str, torch.Tensor]":
    safetensors = needed("safetensors", str(file))
    needed("torch", str(file))
    try:
        with safetensors.safe_open(file, framework="pt") as opened:
            # The file has them by size; the network's order is not kept.
            return {name: opened.get_tensor(name) for name in sorted(opened.keys(), key=natural)}
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(
            f"{file}: cannot be read ({_line(error)}); it was cut short: leave it out"
        ) from None


def _pickled(file: Path) -> "dict[str, torch.Tensor]":
    torch = needed("torch", str(file))
    try:
        # weights_only, whatever PyTorch's default: nothing in the file is run.
        held = torch.load(
            file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)
        )
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"more than tensors ({named[1]})" if named else "more than tensors"
        raise InputError(
            f"{file}: holds {what}; code in a checkpoint is never run: save its state_dict alone"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file}: cannot be read ({_line(error)}); it is no checkpoint, or was cut short: "
            "leave it out"
        ) from None
    if not isinstance(held, Mapping):
        raise InputError(f"{file}: holds a {type(held).__name__}; give a state_dict")
    below = [held[key] for key in BELOW if isinstance(held.get(key), Mapping)]
    for weights in below or [held]:
        tensors = {str(k): v for k, v in weights.items() if isinstance(v, torch.Tensor)}
        if tensors:
            return tensors
    raise InputError(
        f"{file}: no tensors in it (keys: {listed(held) or 'none'}); give a state_dict, or one "
        f"below {', '.join(BELOW)}"
    )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:150]
