"""A thread that appends snapshots to a store while the training goes on.

A store has ``weights`` (step, weight), or ``sketch`` (step, feature), perhaps with ``seed`` before
them, in chunks of ``STEPS`` × at most ``WEIGHTS``, so that a block of snapshots is written, and a
block of weights read, in whole chunks. Numbers logged beside them are variables (step).
"""

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr
import zarr

from koopscope.artefacts.provenance import canonical
from koopscope.errors import InputError
from koopscope.recording.described import OWN, attributes

STEPS, WEIGHTS = 64, 4096
# What a store calls its snapshots, and the dim of their numbers.
VALUES = {"weights": "weight", "sketch": "feature"}
Scalars = dict[str, np.ndarray]


def rounding(dtype: str) -> float:
    """Largest relative error of a number in this precision, if it is none of the smallest."""
    return float(np.finfo(dtype).eps) / 2


def even_chunk(count: int, most: int) -> int:
    """Size of a chunk: at most ``most``, with hardly any padding in the last one."""
    return max(1, -(-count // max(1, -(-count // most))))


class Writer:
    """Appends blocks of snapshots to arrays; two buffers take turns.

    Parameters
    ----------
    folder
        Of the store: empty, or the whole part of an earlier recording to go on with.
    name
        ``weights`` or ``sketch``.
    coords
        Of its last dim.
    seeds
        Of the runs recorded side by side; None for one run.
    dtype
        Of the stored numbers.
    choices, known
        How and of what the recording is, for the attributes of the store
        (:meth:`koopscope.recording.rows.Rows.choices`,
        :func:`koopscope.recording.described.described`).
    initial
        Fills a row with the values before the first step, shape (seed, weight), 1 for one run;
        None where they are not known.
    block
        Snapshots kept in memory until they are written together, of a chunk by default; twice
        that at most.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        coords: Mapping[str, xr.DataArray],
        seeds: list[int] | None,
        dtype: str,
        choices: Mapping[str, Any],
        known: Mapping[str, Any],
        initial: Callable[[np.ndarray], None] | None,
        block: int | None = None,
    ) -> None:
        self._seeds = seeds
        self._block = block or STEPS
        self._name, self._count = name, coords["layer"].size
        self._group = group = zarr.open_group(folder, mode="a", zarr_format=3)
        # In memory as precisely as they come; half precision is made of blocks.
        kind = "float64" if dtype == "float64" else "float32"
        shape = (self._block, 1 if seeds is None else len(seeds), self._count)
        self._buffers = [np.empty(shape, kind) for _ in range(2)]
        self._largest_error = float(cast(float, group.attrs.get("largest_error", 0.0)))
        if "step" not in group:
            told: dict[str, Any] = {"relative_error": rounding(dtype)}
            told |= {"recording": canonical(choices), **attributes(known)}
            group.attrs.update({**told, "coordinates": "layer index"})
            self._describe(coords)
            if initial is not None:
                initial(self._buffers[0][0])
                if not np.isfinite(self._buffers[0][0]).all():
                    raise InputError("weights: not finite before the first step; start anew")
                self._create("initial", self._lead, kind)[...] = self._row(self._buffers[0][0])
            self._create(name, (0, self._count), dtype)
            self._create("step", (0,), "int64")
        # Each array once: another handle would not see that it grew.
        self._arrays = dict(group.arrays())
        self._array, self._times = self._arrays[name], self._arrays["step"]
        self._steps: list[int] = []
        self._scalars: list[Scalars] = []
        self._error: BaseException | None = None
        # A full buffer waits until the one before is written: memory stays at two.
        self._waiting: queue.Queue = queue.Queue(maxsize=1)
        self._free: queue.Queue = queue.Queue()
        self._free.put(self._buffers.pop())
        self._current = self._buffers.pop()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def add(self, step: int, fill: Callable[[np.ndarray], None]) -> None:
        """Take a snapshot; ``fill`` writes it into a row (seed, weight), 1 seed for one run."""
        self._raise()
        # Not when the block is full, but when the next comes: what is logged after a snapshot
        # still belongs to it.
        if len(self._steps) == self._block:
            self._hand_over()
            self._current = self._free.get()
        fill(self._current[len(self._steps)])
        self._steps.append(step)
        self._scalars.append({})

    def log(self, values: Mapping[str, np.ndarray]) -> None:
        """Set numbers beside the last snapshot, those that it has not yet."""
        if self._scalars:
            self._scalars[-1].update(
                {k: v for k, v in values.items() if k not in self._scalars[-1]}
            )

    def close(self) -> None:
        """Write what is left."""
        if self._thread.is_alive() and self._steps:
            self._hand_over()
        elif not self._thread.is_alive():
            self._raise()
        self._waiting.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._array.dtype == np.float16:
            self._group.attrs["largest_error"] = self._largest_error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
        if not self._thread.is_alive():
            # Threads do not go along into a process that is forked.
            raise InputError(
                "recording: the thread that writes has ended; record in the process that opened it"
            )

    def _hand_over(self) -> None:
        self._waiting.put((self._steps, self._current, self._scalars))
        self._steps, self._scalars = [], []

    def _write(self) -> None:
        while (block := self._waiting.get()) is not None:
            steps, buffer, scalars = block
            if self._error is None:
                try:
                    self._append(steps, buffer[: len(steps)], scalars)
                except OSError as error:
                    self._error = InputError(f"store: cannot be written ({error}); make room")
                except BaseException as error:  # raised in the training's thread
                    self._error = error
            self._free.put(buffer)

    def _append(self, steps: list[int], values: np.ndarray, scalars: list[Scalars]) -> None:
        # A sum is finite unless a value is not, or it overflows: only then look closer.
        with np.errstate(over="ignore", invalid="ignore"):
            kept = len(steps)
            stored = values.astype(self._array.dtype, copy=False)
            if not np.isfinite(stored.sum(dtype=values.dtype)):
                finite = np.isfinite(stored).all(axis=(1, 2))
                kept = kept if finite.all() else int(finite.argmin())
        if stored.dtype == np.float16 and kept:
            error = float(np.abs(stored[:kept] - values[:kept]).max())
            self._largest_error = max(self._largest_error, error)
        if kept:
            first = int(self._times.shape[0])
            # The steps come last: a snapshot is there once its step is.
            self._extend(self._name, first, self._row(np.swapaxes(stored[:kept], 0, 1)))
            for name in dict.fromkeys(name for row in scalars for name in row):
                if name not in self._arrays:
                    self._arrays[name] = self._create(name, (first,), "float64", fill=np.nan)
            for name in self._arrays.keys() - set(OWN):
                column = np.full((kept, *self._lead[:-1]), np.nan)
                for i, row in enumerate(scalars[:kept]):
                    column[i] = row.get(name, np.nan)
                self._extend(name, first, np.moveaxis(column, 0, -1))
            self._extend("step", first, np.asarray(steps[:kept]))
        if kept < len(steps):
            raise InputError(
                f"weights: not finite in {stored.dtype} at step {steps[kept]}; the recording ends "
                "before it, unsealed: lower the learning rate or record float32"
            )

    @property
    def _lead(self) -> tuple[int, ...]:
        return (self._count,) if self._seeds is None else (len(self._seeds), self._count)

    def _row(self, values: np.ndarray) -> np.ndarray:
        """Values (seed, …), without the seed where there is one run."""
        return values[0] if self._seeds is None else values

    def _extend(self, name: str, first: int, values: np.ndarray) -> None:
        array = self._arrays[name]
        axis = 1 if self._seeds is not None and name != "step" else 0
        shape = list(array.shape)
        shape[axis] = first + values.shape[axis]
        array.resize(tuple(shape))
        array[(slice(None),) * axis + (slice(first, None),)] = values

    def _create(self, name: str, shape: tuple[int, ...], dtype: str, fill: float = 0) -> zarr.Array:
        """Array (step, weight), (step,) or (weight,), with seeds before it but for the steps."""
        dims: tuple[str, ...] = ("step", VALUES[self._name])
        chunks: tuple[int, ...] = (STEPS, even_chunk(self._count, WEIGHTS))
        if name == "initial":
            dims, chunks, shape = dims[1:], chunks[1:], shape[-1:]
        elif len(shape) == 1:
            dims, chunks = dims[:1], chunks[:1]
        if self._seeds is not None and name != "step":
            dims, chunks, shape = ("seed", *dims), (1, *chunks), (len(self._seeds), *shape)
        # Weights hardly compress, and the training should have the processor.
        return self._group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dimension_names=dims,
            dtype=dtype,
            fill_value=fill,
            compressors=None,
        )

    def _describe(self, coords: Mapping[str, xr.DataArray]) -> None:
        """Write the coordinates."""
        described = {k: (v.values, VALUES[self._name], v.attrs) for k, v in coords.items()}
        if self._seeds is not None:
            described["seed"] = (np.asarray(self._seeds, "int64"), "seed", {})
        for name, (values, dim, attrs) in described.items():
            array = self._group.create_array(
                name,
                shape=values.shape,
                chunks=(max(1, values.size),),
                dimension_names=(dim,),
                dtype=values.dtype,
            )
            array[...] = values
            array.attrs.update(attrs)


def whole_steps(group: zarr.Group) -> np.ndarray:
    """Steps of the snapshots that a recording has whole, perhaps cut short."""
    # A step is 0 where it was not written, and the weights may be ahead of it.
    steps = np.asarray(group["step"])
    return steps[: int(np.sum(steps > 0))]


def dims_of(array: zarr.Array) -> tuple[str, ...]:
    """Names of an array's dims."""
    return tuple(getattr(array.metadata, "dimension_names", None) or ())


def truncate(group: zarr.Group, snapshots: int) -> None:
    """Keep the first so many snapshots of a recording that was cut short."""
    for _, array in group.arrays():
        shape = [
            snapshots if dim == "step" else length
            for dim, length in zip(dims_of(array), array.shape, strict=True)
        ]
        array.resize(tuple(shape))
