"""Checkpoints that exist already, brought into a store as if the training had been recorded."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
import zarr

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import stamp
from koopscope.errors import InputError, whole_number
from koopscope.faces import needed
from koopscope.recording.checkpoint_files import tensors_of
from koopscope.recording.checkpoint_names import numbered
from koopscope.recording.described import described
from koopscope.recording.included import chosen, listed_names
from koopscope.recording.rows import Rows
from koopscope.recording.saving import check_free
from koopscope.recording.snapshots import KIND, open_snapshots
from koopscope.recording.values import source_of
from koopscope.recording.writer import STEPS, Writer

if TYPE_CHECKING:
    import torch

# Buffers by their names in PyTorch; a state_dict does not tell them from parameters.
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
# Of all snapshots that wait to be written.
MEMORY = 2**29


def from_checkpoints(
    path: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    include: Iterable[str] | None = None,
    buffers: bool = False,
    every: int | None = None,
    projection: int | None = None,
    projection_seed: int = 0,
    model: "torch.nn.Module | None" = None,
    name: str = "",
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Bring the checkpoints of a run into a sealed store, one at a time.

    The store holds what :class:`koopscope.recording.Recorder` would have written, had it taken a
    snapshot at these steps. Checkpoint 0, if there is one, is ``initial``. If weights are not
    finite from some checkpoint on, the store ends before it, and the attribute ``diverged_at`` is
    its step. Code in a checkpoint is never run.

    Parameters
    ----------
    path
        Folder of the checkpoints, or a pattern, or a list of them: PyTorch's (``.pt``, ``.pth``,
        ``.ckpt``, ``.bin``; a state_dict, or one below ``state_dict``, ``model_state_dict`` or
        ``model``), ``.safetensors``, or Hugging Face's folders ``checkpoint-N``, also in parts.
        Their order is that of the number after ``step`` in their names, or else the last number;
        it counts optimiser steps.
    out
        Folder to write; must not exist.
    include
        Names of tensors, or patterns such as ``"encoder.*"``; by default all floating-point ones.
        Tied ones count once. ``module.`` and ``_orig_mod.``, which wrappers put first, are left
        out of the names.
    buffers
        Also take the running means and variances of batch normalisation. Other buffers cannot be
        told from parameters without ``model``.
    every
        Keep the checkpoints whose steps are multiples of this.
    projection, projection_seed
        Keep, in place of each layer's weights, so many sums of them with random signs.
    model
        Of the architecture: its trained parameters are taken, in its order. Without, the order is
        that of the checkpoint; of ``.safetensors``, which do not keep it, that of the names.
    name, seed, settings
        What the run is of, kept as attributes; settings are JSON values.

    Returns
    -------
    xarray.Dataset
        The store, as :func:`koopscope.open_snapshots` gives it: ``weights`` (step, weight) or
        ``sketch`` (step, feature), float32, whatever the checkpoints' precision.

    Raises
    ------
    InputError
        If there is no checkpoint, one has no number, or two have the same; if one is damaged, or
        holds code, or other parameters than the first. Nothing is left at ``out`` then.
    ModuleNotFoundError
        If PyTorch, or for ``.safetensors`` safetensors, is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> import koopscope as ks
    >>> model = torch.nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step in (0, 100, 200):
    ...         torch.save(model.state_dict(), f"{folder}/step-{step}.pt")
    ...     run = ks.from_checkpoints(folder, f"{folder}/run", seed=0).load()
    >>> run["step"].values.tolist(), run["weights"].shape, run["initial"].shape
    ([100, 200], (2, 8), (8,))
    """
    if every is not None:
        every = whole_number("every", every)
    files = {n: f for n, f in numbered(path).items() if n % (every or 1) == 0}
    if not any(files):
        kept = "" if every is None else f" with a step that is a multiple of every={every}"
        raise InputError(f"checkpoints: {path} holds none after step 0{kept}; give more")
    reader = _Reader(next(iter(files.values())), include, buffers, model)
    rows = Rows(reader.shapes, None, projection, projection_seed)
    choices = rows.choices(every, "float32", None)
    known = described(name, seed, settings)
    made_of = {**choices, **known, "checkpoints": {f.name: n for n, f in files.items()}}
    check_free(Path(out))
    with stores.staged(Path(out), stamp(KIND, parameters=made_of)) as folder:
        initial = reader.now(files.pop(0)) if 0 in files else None
        if initial is not None and not _finite(initial):
            raise InputError(f"checkpoints: {path} is not finite at step 0; give a finite run")
        writer = Writer(
            folder,
            rows.name,
            rows.coordinates,
            None,
            "float32",
            choices,
            known,
            None if initial is None else lambda row: rows.write(initial, row),
            block=int(np.clip(MEMORY // (8 * rows.coordinates["layer"].size), 1, STEPS)),
        )
        try:
            diverged = _append(files, reader, rows, writer)
        finally:
            writer.close()
        if diverged is not None:
            if diverged == next(iter(files)):
                raise InputError(
                    f"{files[diverged]}: not finite, and the first; there is nothing to bring in"
                )
            zarr.open_group(folder, mode="a").attrs["diverged_at"] = diverged
    return open_snapshots(out)


def _append(files: Mapping[int, Path], reader: "_Reader", rows: Rows, writer: Writer) -> int | None:
    """Write checkpoint by checkpoint; returns the step of the first that is not finite."""
    for step, file in files.items():
        now = reader.now(file)
        if not _finite(now):
            return step
        writer.add(step, lambda row, now=now: rows.write(now, row))  # type: ignore[misc]
    return None


class _Reader:
    """Takes the same tensors out of each checkpoint of a run."""

    def __init__(
        self,
        first: Path,
        include: Iterable[str] | None,
        buffers: bool,
        model: "torch.nn.Module | None",
    ) -> None:
        names = listed_names(include)
        self._first, self._buffers = first, buffers or names is not None
        found = self._known(first)
        if not found:
            raise InputError(f"{first}: no floating-point tensors in it; give a state_dict")
        self._all = None if names is not None or model is not None else set(found)
        if model is None:
            self.shapes = {n: tuple(found[n].shape) for n in chosen(found, names)}
        else:
            self.shapes = source_of(model, names, buffers).shapes
            # The model may name what the checkpoint has as a buffer of another kind.
            self._buffers = True

    def now(self, file: Path) -> "dict[str, torch.Tensor]":
        """Tensors of a checkpoint, in the order of ``shapes``."""
        found = self._known(file)
        given = f"{self._first.name} has" if self._all is not None else "was asked for"
        for name, shape in self.shapes.items():
            if name not in found:
                raise InputError(f"{file}: no {name!r}, which {given}; give checkpoints of one run")
            if tuple(found[name].shape) != shape:
                raise InputError(
                    f"{file}: {name} has the shape {tuple(found[name].shape)}, not {shape} as at "
                    "first; give checkpoints of one run"
                )
        if self._all is not None and (more := found.keys() - self._all):
            raise InputError(
                f"{file}: has {min(more)!r}, which {self._first.name} lacks; give checkpoints of "
                "one run, or name what to take with include"
            )
        return {name: found[name] for name in self.shapes}

    def _known(self, file: Path) -> "dict[str, torch.Tensor]":
        """Floating-point tensors of a checkpoint, buffers last as in a recording."""
        floats = {n: t for n, t in tensors_of(file).items() if t.is_floating_point()}
        last = {n: t for n, t in floats.items() if n.rpartition(".")[2] in BUFFERS}
        first = {n: t for n, t in floats.items() if n not in last}
        return first | last if self._buffers else first


def _finite(tensors: "Mapping[str, torch.Tensor]") -> bool:
    """Whether all numbers are finite in single precision."""
    torch = needed("torch", "a checkpoint")
    return all(bool(torch.isfinite(tensor.float()).all()) for tensor in tensors.values())
