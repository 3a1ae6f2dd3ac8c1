"""Which checkpoints belong to a run, and in which order, by their names; nothing numerical."""

import re
from collections.abc import Iterable
from pathlib import Path

from koopscope.errors import InputError
from koopscope.recording.naming import matches, natural, nothing_found

PICKLED = (".pt", ".pth", ".ckpt", ".bin")
SUFFIXES = (*PICKLED, ".safetensors")
# What a checkpoint's folder of Hugging Face calls its weights: whole, or the list of their parts.
WHOLE = ("model.safetensors", "pytorch_model.bin")
SHARDED = tuple(f"{name}.index.json" for name in WHOLE)
# Of a trainer's own state, beside the weights.
OTHERS = ("optimizer", "scheduler", "rng_state", "training_args", "scaler")


def is_checkpoint(path: Path) -> bool:
    """Whether a path is one checkpoint."""
    if path.is_dir():
        # A trainer's folder has checkpoints in it, and beside them perhaps the model of the end.
        return _has_weights(path) and not any(map(_has_weights, path.iterdir()))
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(OTHERS)


def _has_weights(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*WHOLE, *SHARDED))


def checkpoints_in(folder: Path) -> list[Path]:
    """Checkpoints that lie in a folder, in no order; those with parts are folders themselves."""
    inside = [path for path in folder.iterdir() if path.name[0] != "." and is_checkpoint(path)]
    return [path for path in inside if path.is_dir()] or inside


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
