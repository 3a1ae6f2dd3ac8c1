"""Snapshots of any network's weights while it trains, on disk.

A store has ``weights`` (step, weight) in chunks of ``STEPS`` × ``WEIGHTS``, so that a block of
snapshots is written, and a block of weights read, in whole chunks. It is written under a name that
begins with ``.partial-`` and gets its own name, with a seal, only when the recording ends well.
After a crash the whole blocks lie there, and reading them has to be asked for.
"""

import queue
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import xarray as xr
import zarr
from torch import nn

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import stamp
from koopscope.errors import InputError
from koopscope.recording.weights import check_model, coordinates, prunable, shapes_of

STEPS, WEIGHTS = 64, 4096
KIND = "snapshots"
DTYPES = ("float32", "float16")


class SnapshotRecorder:
    """Record weights of a network after each step of any training loop.

    A context manager: ``snapshot()`` after each optimiser step, or ``follow(optimizer)`` once.
    Copying is all that the training waits for; a thread writes. The weights before the first step
    are kept too, as ``initial`` (weight).

    Parameters
    ----------
    model
        Any network, on any device.
    store
        Folder to write; must not exist.
    include
        Names of parameters; by default the weights of linear and convolution layers.
    every
        Keep one of so many snapshots: steps ``every``, ``2 · every``, ….
    dtype
        ``"float32"``, or ``"float16"`` at half the size: relative error at most 2⁻¹¹ = 4.9e-4, and
        the attribute ``largest_error`` states the largest absolute error made.
    provenance
        Stamp of the store; by default one of the choices above.

    Raises
    ------
    InputError
        At once, if an argument is not possible; on entry, if the store exists, whole or cut short.
        Later, if a weight is not finite or has changed its shape; what was recorded before stays,
        unsealed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from koopscope.recording import SnapshotRecorder, open_snapshots
    >>> model = torch.nn.Linear(3, 2)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SnapshotRecorder(model, f"{folder}/run.zarr", every=2) as recorder:
    ...         recorder.follow(optimizer)
    ...         for _ in range(6):
    ...             optimizer.zero_grad()
    ...             model(torch.ones(5, 3)).square().mean().backward()
    ...             optimizer.step()
    ...     snapshots = open_snapshots(f"{folder}/run.zarr").load()
    >>> snapshots["step"].values.tolist(), snapshots["weights"].shape
    ([2, 4, 6], (3, 6))
    """

    def __init__(
        self,
        model: nn.Module,
        store: Path | str,
        include: Iterable[str] | None = None,
        every: int = 1,
        dtype: str = "float32",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(every, int) or every < 1:
            raise InputError(f"every: {every!r}; give a whole number of at least 1")
        if dtype not in DTYPES:
            raise InputError(f"dtype: unknown {dtype!r}; give one of {', '.join(DTYPES)}")
        self.model, self.store, self.every, self.dtype = model, Path(store), every, dtype
        self.shapes = shapes_of(prunable(model, include))
        self.steps = 0
        choices = {"weights": {k: list(v) for k, v in self.shapes.items()}, "every": every}
        self._provenance = provenance or stamp(KIND, parameters=choices | {"dtype": dtype})

    def __enter__(self) -> Self:
        """Make the store and start to write."""
        unfinished = _partial(self.store)
        if self.store.exists():
            raise InputError(f"store: {self.store} exists; give another name or delete it")
        if unfinished.exists():
            raise InputError(
                f"store: {unfinished} is an unfinished recording; read it with "
                "open_snapshots(…, unfinished=True), then delete it"
            )
        self._closing = ExitStack()
        folder = self._closing.enter_context(stores.staged(self.store, self._provenance))
        self._writer = _Writer(folder, self.shapes, self.dtype, self._now())
        return self

    def follow(self, optimizer: torch.optim.Optimizer) -> None:
        """Take a snapshot after each step of the optimiser, until the recording ends.

        Its ``step()`` then raises what :meth:`snapshot` does.
        """
        hook = optimizer.register_step_post_hook(lambda *_: self.snapshot())
        self._closing.callback(hook.remove)

    def snapshot(self) -> None:
        """Count a step, and keep the weights if it is the turn of one to be kept.

        Raises
        ------
        InputError
            If a weight has changed its shape, or one of an earlier snapshot was not finite.
        """
        self.steps += 1
        if self.steps % self.every == 0:
            self._writer.add(self.steps, self._now())

    def _now(self) -> list[torch.Tensor]:
        weights = prunable(self.model, self.shapes)
        for name, shape in self.shapes.items():
            if tuple(weights[name].shape) != shape:
                raise InputError(
                    f"{name}: shape is {tuple(weights[name].shape)} at step {self.steps} but was "
                    f"{shape}; record the changed model in a store of its own"
                )
        return list(weights.values())

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        """Write what is left; seal the store if the training ended well."""
        # The folder's own exit gets an error of the last writes too, and then does not seal it.
        try:
            self._writer.close()
        except InputError as late:
            self._closing.__exit__(InputError, late, late.__traceback__)
            if error is None:
                raise
        else:
            self._closing.__exit__(kind, error, trace)


class _Writer:
    """A thread that appends blocks of snapshots to arrays; two buffers take turns."""

    def __init__(
        self, folder: Path, shapes: dict[str, tuple[int, ...]], dtype: str, initial: list
    ) -> None:
        coords = coordinates(shapes)
        count = coords["layer"].size
        width = min(WEIGHTS, count)
        group = zarr.open_group(folder, mode="a", zarr_format=3)
        group.attrs.update({"coordinates": "layer index", "relative_error": _rounding(dtype)})

        def create(name: str, shape: tuple, chunks: tuple, dims: tuple, kind: str) -> zarr.Array:
            # Weights hardly compress, and the training should have the processor.
            return group.create_array(
                name, shape=shape, chunks=chunks, dimension_names=dims, dtype=kind, compressors=None
            )

        for name, values in coords.items():
            array = create(name, (count,), (count,), ("weight",), "int32")
            array[...] = values.values
            array.attrs.update(values.attrs)
        self._buffers = [np.empty((STEPS, count), np.float32) for _ in range(2)]
        self._steps: list[int] = []
        self._copy(initial, self._buffers[0][0])
        create("initial", (count,), (count,), ("weight",), "float32")[...] = self._buffers[0][0]
        self._array = create("weights", (0, count), (STEPS, width), ("step", "weight"), dtype)
        self._times = create("step", (0,), (STEPS,), ("step",), "int64")
        self._group, self._largest_error = group, 0.0
        self._error: Exception | None = None
        # A full buffer waits until the one before is written: memory stays at two.
        self._waiting: queue.Queue = queue.Queue(maxsize=1)
        self._free: queue.Queue = queue.Queue()
        self._free.put(self._buffers.pop())
        self._current = self._buffers.pop()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def add(self, step: int, tensors: list[torch.Tensor]) -> None:
        self._raise()
        self._copy(tensors, self._current[len(self._steps)])
        self._steps.append(step)
        if len(self._steps) == STEPS:
            self._hand_over()
            self._current = self._free.get()

    def close(self) -> None:
        if self._steps:
            self._hand_over()
        self._waiting.put(None)
        self._thread.join()
        self._raise()
        if self._array.dtype == np.float16:
            self._group.attrs["largest_error"] = self._largest_error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _hand_over(self) -> None:
        self._waiting.put((self._steps, self._current))
        self._steps = []

    def _copy(self, tensors: list[torch.Tensor], row: np.ndarray) -> None:
        at = 0
        into = torch.from_numpy(row)
        for tensor in tensors:
            into[at : at + tensor.numel()].view(tensor.shape).copy_(tensor.detach())
            at += tensor.numel()

    def _write(self) -> None:
        while (block := self._waiting.get()) is not None:
            steps, buffer = block
            if self._error is None:
                try:
                    self._append(steps, buffer[: len(steps)])
                except Exception as error:  # of the disk too: raised in the training's thread
                    self._error = error
            self._free.put(buffer)

    def _append(self, steps: list[int], values: np.ndarray) -> None:
        # A sum is finite unless a value is not, or it overflows: only then look closer.
        with np.errstate(over="ignore", invalid="ignore"):
            kept = len(steps)
            stored = values.astype(self._array.dtype, copy=False)
            if not np.isfinite(stored.sum(dtype=np.float32)):
                finite = np.isfinite(stored).all(axis=1)
                kept = kept if finite.all() else int(finite.argmin())
        if stored is not values and kept:
            error = float(np.abs(stored[:kept] - values[:kept]).max())
            self._largest_error = max(self._largest_error, error)
        if kept:
            first = self._array.shape[0]
            # The steps come last: a snapshot is there once its step is.
            self._array.resize((first + kept, values.shape[1]))
            self._array[first:] = stored[:kept]
            self._times.resize((first + kept,))
            self._times[first:] = steps[:kept]
        if kept < len(steps):
            raise InputError(
                f"weights: not finite in {stored.dtype} at step {steps[kept]}; the recording ends "
                "before it, unsealed: lower the learning rate or record float32"
            )


def open_snapshots(
    store: Path | str, model: nn.Module | None = None, unfinished: bool = False
) -> xr.Dataset:
    """Open a recording lazily.

    Parameters
    ----------
    store
        What :class:`SnapshotRecorder` was given.
    model
        If given, refuse the recording of another architecture.
    unfinished
        Also accept a recording that was cut short: its whole blocks of snapshots.

    Returns
    -------
    xarray.Dataset
        ``weights`` (step, weight), ``initial`` (weight); coordinates ``step`` (optimiser steps
        done), ``layer`` and ``index`` (:func:`koopscope.recording.weights.coordinates`); attribute
        ``complete``.

    Raises
    ------
    InputError
        If it is not there, is of another model, or was cut short or changed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from koopscope.recording import SnapshotRecorder, open_snapshots
    >>> model = torch.nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with SnapshotRecorder(model, f"{folder}/run.zarr") as recorder:
    ...         recorder.snapshot()
    ...     snapshots = open_snapshots(f"{folder}/run.zarr", model).load()
    >>> bool((snapshots["initial"] == model.weight.detach().flatten()).all())
    True
    >>> snapshots["layer"].attrs["flag_meanings"], snapshots.attrs["complete"]
    (['weight'], True)
    """
    path, partial = Path(store), _partial(Path(store))
    if path.exists() or not partial.exists():
        found = stores.read(path, KIND).assign_attrs(complete=True)
    elif unfinished:
        found = _whole_part(partial)
    else:
        raise InputError(
            f"store: the recording {path} was cut short; give unfinished=True for what was written"
        )
    if model is not None:
        check_model(found["weights"], model)
    return found


def _whole_part(partial: Path) -> xr.Dataset:
    group = zarr.open_group(partial, mode="r")
    if "step" not in group:
        raise InputError(f"store: {partial} was cut short before its first block; delete it")
    # A step is 0 where it was not written, and the weights may be ahead of it.
    steps = np.asarray(group["step"])
    steps = steps[: int(np.sum(steps > 0))]
    opened = xr.open_dataset(
        partial, engine="zarr", consolidated=False, chunks=None, drop_variables="step"
    )
    whole = opened.isel(step=slice(len(steps)))
    return whole.assign_coords(step=steps).assign_attrs(complete=False)


def _partial(store: Path) -> Path:
    return store.with_name(stores.PARTIAL + store.name)


def _rounding(dtype: str) -> float:
    """Largest relative error of a number in this precision, if it is none of the smallest."""
    return float(np.finfo(dtype).eps) / 2


def window(snapshots: xr.Dataset, last: int | None = None) -> xr.DataArray:
    """Weights of a recording, its ``last`` snapshots or all, dims (step, weight).

    Parameters
    ----------
    snapshots
        As :func:`open_snapshots` gives them, or any with ``weights`` (step, weight).
    last
        Number of snapshots, at least 2 and no more than there are; all by default.

    Returns
    -------
    xarray.DataArray
        As lazy as the recording.

    Raises
    ------
    InputError
        If there are fewer than two, or fewer than asked for.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.recording import window
    >>> snapshots = xr.Dataset({"weights": (("step", "weight"), np.zeros((100, 3)))})
    >>> window(snapshots, last=20).shape
    (20, 3)
    """
    weights = snapshots["weights"]
    chosen = weights if last is None else weights.isel(step=slice(-last, None))
    few = last is not None and not 2 <= last <= weights.sizes["step"]
    if few or chosen.sizes["step"] < 2:
        raise InputError(
            f"window: {chosen.sizes['step'] if last is None else last} of "
            f"{weights.sizes['step']} snapshots; give at least 2, and no more than there are"
        )
    return chosen
