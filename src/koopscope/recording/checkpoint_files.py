"""Checkpoints on disk: which belong to a run, in which order, and the tensors in each.

A file is only ever read as tensors: what would run code is refused by PyTorch's restricted reader.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from koopscope.errors import InputError
from koopscope.faces import needed
from koopscope.recording.naming import listed, matches, natural, nothing_found
from koopscope.recording.values import unwrapped

if TYPE_CHECKING:
    import torch

PICKLED = (".pt", ".pth", ".ckpt", ".bin")
SUFFIXES = (*PICKLED, ".safetensors")
# What a checkpoint's folder of Hugging Face calls its weights: whole, or the list of their parts.
WHOLE = ("model.safetensors", "pytorch_model.bin")
SHARDED = tuple(f"{name}.index.json" for name in WHOLE)
# Where a checkpoint of a trainer keeps the weights.
BELOW = ("state_dict", "model_state_dict", "model")
# Of a trainer's own state, beside the weights.
OTHERS = ("optimizer", "scheduler", "rng_state", "training_args", "scaler")


def is_checkpoint(path: Path) -> bool:
    """Whether a path is one checkpoint."""
    if path.is_dir():
        return any((path / name).is_file() for name in (*WHOLE, *SHARDED))
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(OTHERS)


def checkpoints_in(folder: Path) -> list[Path]:
    """Checkpoints that lie in a folder, in no order; those with parts are folders themselves."""
    inside = [path for path in folder.iterdir() if path.name[0] != "." and is_checkpoint(path)]
    parts = [path for path in inside if path.is_dir()]
    # Beside them the folder may hold the model that a trainer saves at the end.
    return parts or inside


def numbered(path: str | Path | Iterable[str | Path]) -> dict[int, Path]:
    """Checkpoints of a run by the number in their name, in its order.

    Raises
    ------
    InputError
        If there are none, or one has no number, or two have the same.
    """
    if isinstance(path, str | Path):
        found = matches(path)
        if not found:
            raise nothing_found(path)
        if len(found) == 1 and found[0].is_dir() and not is_checkpoint(found[0]):
            found = checkpoints_in(found[0])
    else:
        found = [Path(each).expanduser() for each in path]
    if not found:
        raise InputError(f"checkpoints: {path} holds none; give {', '.join(SUFFIXES)} files")
    steps: dict[int, Path] = {}
    for file in sorted(found, key=lambda each: natural(each.name)):
        if not file.exists():
            raise nothing_found(file)
        step = number_of(file)
        if step in steps:
            raise InputError(
                f"checkpoints: {steps[step].name} and {file.name} have the number {step} both; "
                "give a list, or a pattern that takes one of them"
            )
        steps[step] = file
    return dict(sorted(steps.items()))


def number_of(file: Path) -> int:
    """Number of a checkpoint: after ``step`` where the name says so, else its last."""
    name = file.name if file.is_dir() else file.stem
    # Lightning's mark of a second file of one name.
    name = re.sub(r"-v[0-9]+$", "", name)
    found = re.findall(r"(?<![0-9])step[=_-]?([0-9]+)", name) or re.findall(r"[0-9.]*[0-9]", name)
    if not found or not found[-1].isdecimal():
        has = f"ends in the fraction {found[-1]}" if found else "has no number"
        raise InputError(
            f"checkpoints: the name of {file} {has}, so that its place is unknown; leave it out by "
            "a pattern such as '*step=*.ckpt' or a list, or rename it"
        )
    return int(found[-1])


def tensors_of(file: Path) -> "dict[str, torch.Tensor]":
    """Tensors of a checkpoint by name, in its order, without what wrappers put before; each once.

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
    safetensors = needed("safetensors", "integrations")
    needed("torch", "torch")
    try:
        with safetensors.safe_open(file, framework="pt") as opened:
            # The file has them by size; the network's order is not kept.
            return {name: opened.get_tensor(name) for name in sorted(opened.keys(), key=natural)}
    except (safetensors.SafetensorError, OSError) as error:
        raise InputError(
            f"{file}: cannot be read ({_line(error)}); it was cut short: leave it out"
        ) from None


def _pickled(file: Path) -> "dict[str, torch.Tensor]":
    torch = needed("torch", "torch")
    try:
        # weights_only, whatever PyTorch's default: nothing in the file is run.
        held = torch.load(
            file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)
        )
    except pickle.UnpicklingError as error:
        named = re.search(r"(?:GLOBAL|Unsupported \w+|function|class):? ([\w.]+\.[\w.]+)", str(error))
        what = f"more than tensors ({named[1]})" if named else "no tensors, or more than tensors"
        raise InputError(
            f"{file}: holds {what}; code in a checkpoint is never run: save its state_dict alone"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file}: cannot be read ({_line(error)}); it was cut short: leave it out"
        ) from None
    if not isinstance(held, Mapping):
        raise InputError(f"{file}: holds a {type(held).__name__}; give a state_dict")
    for key in ("", *BELOW):
        below = held.get(key) if key else held
        tensors = {k: v for k, v in _items(below) if isinstance(v, torch.Tensor)}
        nested = any(isinstance(held.get(key), Mapping) for key in BELOW)
        if tensors and (key or not nested):
            return tensors
    keys = listed(held) or "none"
    raise InputError(f"{file}: no tensors in it (keys: {keys}); give a state_dict, or one below "
                     f"{', '.join(BELOW)}")


def _items(values: Any) -> Iterable[tuple[str, Any]]:
    return ((str(k), v) for k, v in values.items()) if isinstance(values, Mapping) else ()


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:150]
