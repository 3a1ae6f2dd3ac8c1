"""Delay embedding of several trajectories as a matrix that is never built.

With snapshots x_t of d weights and q delays, a delayed state is (x_t, x_{t+1}, …, x_{t+q}). The
matrices X and Y hold the delayed states that have a successor, and the successors, as columns, one
trajectory after another: pairs never cross trajectories. Every solver needs only products with X
and Y, and those are sums over shifted slices of the snapshots.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace, is_torch_namespace
from scipy.fft import next_fast_len

from koopscope.errors import InputError
from koopscope.koopman.inputs import Array, trajectories_of

CONSTANT = (
    "trajectories: no weight ever changes, so there are no dynamics to fit; "
    "check the learning rate and the observable"
)
# Work space of a product with the delayed matrix.
GROUP_BYTES = 16 * 2**20
# From so many shifted runs on, each once a delay, FFTs are faster, while what they give is small.
FFT_SHIFTS = 100
FFT_BYTES = 256 * 2**20
# Blocks of weights in work at once where Dask computes.
AT_ONCE = 8
# Numbers within this power of two, either way, may be raised to the fourth power.
SAFE = 200


class DelayEmbedding:
    """Snapshots of one or more trajectories with products of their delayed matrices.

    Parameters
    ----------
    trajectories
        A DataArray with dims ``(init, step, weight)`` in any order, a single run also without
        ``init``, or a sequence of arrays
        ``(step, weight)`` of possibly unequal length (NumPy, PyTorch on any device, …). A lazily
        opened DataArray is read in blocks of weights where the solver allows it.
    delays
        Number q of delays; 0 means the snapshots as they are.
    change
        Of coordinates, weight by weight: called with all snapshots of some weights, shape
        (all steps, weight), and the type that they are stored in
        (:mod:`koopscope.koopman.coordinates`).

    Raises
    ------
    InputError
        If there is nothing to fit: no trajectory, fewer states than the delays need, different
        numbers of weights, complex or non-finite values, or weights that never change.
    """

    def __init__(
        self,
        trajectories: xr.DataArray | Sequence[Array],
        delays: int = 0,
        change: Callable[[Array, np.dtype, list[int]], Array] | None = None,
    ) -> None:
        if delays < 0:
            raise InputError(f"delays: {delays} is negative; give 0 or more")
        self.delays = delays
        self._change = change
        # All runs have been divided by this power of two.
        self.exponent = 0
        self.source, self._arrays = trajectories_of(trajectories)
        if self.source is not None:
            length, self.weights = self.source.shape[-2:]
            self.lengths = [length] * self.source.sizes.get("init", 1)
            self.dtype = np.dtype(self.source.dtype)
        else:
            self.lengths = [run.shape[0] for run in self._arrays]
            self.weights = self._arrays[0].shape[1]
            dtypes = [np.dtype(str(a.dtype).removeprefix("torch.")) for a in self._arrays]
            # The first that is no floating point, to be refused below, or the first.
            self.dtype = next((t for t in dtypes if t.kind != "f"), dtypes[0])
        if self.dtype.kind != "f":
            raise InputError(f"trajectories: values are {self.dtype}; give real floating point")
        if self.weights == 0 or not self.lengths:
            raise InputError("trajectories: empty; give at least one run and one weight")
        for i, length in enumerate(self.lengths):
            if length < delays + 2:
                raise InputError(
                    f"trajectories: run {i} has {length} steps, but {delays} delays need at least "
                    f"{delays + 2}; give longer runs or fewer delays"
                )
        self._loaded: Array | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without what is made again when it is asked for."""
        return {name: kept for name, kept in vars(self).items() if name != "_transform"}

    @property
    def xp(self) -> Any:
        """Library of the arrays. A module cannot be pickled, so it is asked for anew."""
        return array_namespace(self._arrays[0] if self._arrays else np.empty(0))

    @property
    def pairs(self) -> list[int]:
        """Number of columns of X that each trajectory gives."""
        return [length - self.delays - 1 for length in self.lengths]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (delayed state) and columns (pairs) of X and Y."""
        return (self.delays + 1) * self.weights, sum(self.pairs)

    @property
    def starts(self) -> np.ndarray:
        """Column of X that is the first delayed state of each trajectory, shape (init,)."""
        return np.concatenate([[0], np.cumsum(self.pairs)[:-1]]).astype(int)

    def loaded(self) -> Array:
        """Return all snapshots in double precision, run after run: shape (all steps, weight)."""
        if self._loaded is None:
            snapshots = self.block(slice(0, self.weights))
            if not self.moves(snapshots):
                raise InputError(CONSTANT)
            exponent = self.excess(snapshots)
            self.exponent += exponent
            self._loaded = divided(snapshots, exponent)
        return self._loaded

    def excess(self, snapshots: Array) -> int:
        """Power of two by which snapshots are too large or too small to be squared; mostly 0."""
        largest = float(self.xp.max(self.xp.abs(snapshots)))
        exponent = math.frexp(largest)[1]
        return exponent if abs(exponent) > SAFE else 0

    def blocks(self, width: int) -> Iterator[tuple[slice, Array]]:
        """Yield ``(slice of weights, snapshots)`` over at most ``width`` weights at a time."""
        for low in range(0, self.weights, width):
            part = slice(low, min(low + width, self.weights))
            yield part, self.block(part)

    def mapped(
        self, function: Callable[["DelayEmbedding", Array], Any], width: int
    ) -> Iterator[tuple[slice, Any]]:
        """Yield ``(slice of weights, function(self, snapshots))`` over blocks, in their order.

        A block is as many whole chunks of the store as ``width`` weights hold, so that none is read
        twice. Of a Dask-backed DataArray a few blocks are in work at once, wherever Dask computes;
        the results are the same.
        """
        chunk = self._weights_per_chunk
        width -= width % chunk if width > chunk else 0
        if self._loaded is not None or self.source is None or self.source.chunks is None:
            for part, snapshots in self.blocks(width):
                yield part, function(self, snapshots)
            return
        import dask  # only here: all else does without

        # Without the data, so that each task carries no more than its own block.
        alone = copy(self)
        alone.source = None
        parts = [slice(a, min(a + width, self.weights)) for a in range(0, self.weights, width)]
        task = dask.delayed(lambda values: function(alone, alone._checked(values)))
        for low in range(0, len(parts), AT_ONCE):
            some = parts[low : low + AT_ONCE]
            blocks = [self.source.isel(weight=part).data for part in some]
            yield from zip(some, dask.compute(*map(task, blocks)), strict=True)

    def block(self, part: slice) -> Array:
        """Return the weights ``part`` of all snapshots in double precision, run after run."""
        if self._loaded is not None:
            return self._loaded[:, part]
        if self.source is not None:
            return self._checked(self.source.isel(weight=part).values)
        return self._checked(self.xp.concat([a[:, part] for a in self._arrays], axis=0))

    def _checked(self, values: Array) -> Array:
        """Return values (…, weight) in double precision, run after run, if they are finite."""
        snapshots = self.xp.reshape(values, (-1, values.shape[-1]))
        snapshots = self.xp.astype(snapshots, self.xp.float64)
        if not bool(self.xp.all(self.xp.isfinite(snapshots))):
            bad = int(np.argmin(np.isfinite(to_numpy(snapshots)).all(axis=1)))
            run = int(np.searchsorted(self._ends, bad, side="right"))
            step = bad - (self._ends[run] - self.lengths[run])
            raise InputError(
                f"trajectories: run {run} is not finite at step {step}; "
                "leave that run out or cut it before that step"
            )
        if self._change is not None:
            snapshots = self.asarray(self._change(snapshots, self.dtype, self.lengths))
        return divided(snapshots, self.exponent)

    @property
    def _weights_per_chunk(self) -> int:
        if self.source is None:
            return 1
        if self.source.chunks is not None:
            return max(self.source.chunksizes["weight"])
        return self.source.encoding.get("preferred_chunks", {}).get("weight", 1)

    def moves(self, snapshots: Array) -> bool:
        """Whether any weight of any run changes from one step to the next."""
        return any(bool(self.xp.any(run[1:] != run[:-1])) for run in self.runs(snapshots))

    def runs(self, snapshots: Array) -> Iterator[Array]:
        """Yield the snapshots of one run after another, each a view (step, …)."""
        for end, length in zip(self._ends, self.lengths, strict=True):
            yield snapshots[end - length : end]

    def times(self, coefficients: Array, shift: int = 0, snapshots: Array | None = None) -> Array:
        """Product X C (``shift=0``) or Y C (``shift=1``).

        Parameters
        ----------
        coefficients
            Shape (pairs, k).
        snapshots
            All snapshots or a block of their weights, shape (all steps, weight); all by default.

        Returns
        -------
        Array
            Shape ((delays + 1) · weights, k).
        """
        xp, k = self.xp, coefficients.shape[1]
        delays = self.delays + 1
        if snapshots is None:
            if self.by_fft:
                return self._times_by_fft(coefficients, shift)
            snapshots = self.loaded()
        # Time runs along memory, so that each shift copies whole stretches of it.
        series = _contiguous(coefficients.T, xp)
        total = 0
        # The coefficients, shifted once for each delay and set one below the other: a large product
        # for a group of runs instead of a small one for each run and delay.
        for rows, columns, group in self._groups(8 * delays * k):
            shifted = xp.zeros((delays, k, rows.stop - rows.start), **self._like(coefficients))
            at, column = 0, columns.start
            for length in group:
                pairs = length - self.delays - 1
                part = series[:, column : column + pairs]
                for delay in range(delays):
                    first = at + shift + delay
                    shifted[delay, :, first : first + pairs] = part
                at, column = at + length, column + pairs
            total = total + xp.reshape(shifted, (delays * k, -1)) @ snapshots[rows]
        product = xp.permute_dims(xp.reshape(total, (delays, k, -1)), (0, 2, 1))
        return xp.reshape(product, (-1, k))

    def transposed_times(self, vectors: Array) -> Array:
        """Product Xᵀ Q for Q of shape ((delays + 1) · weights, k); shape (pairs, k)."""
        if self.by_fft:
            return self._transposed_times_by_fft(vectors)
        xp, d, k = self.xp, self.weights, vectors.shape[1]
        delays = self.delays + 1
        wide = xp.permute_dims(xp.reshape(vectors, (delays, d, k)), (0, 2, 1))
        wide = xp.reshape(wide, (delays * k, d))
        out = xp.zeros((k, self.shape[1]), **self._like(vectors))
        # As in `times`: one product for all delays, then a sum along the shifted diagonals.
        for rows, columns, group in self._groups(8 * delays * k):
            product = xp.reshape(wide @ self.loaded()[rows].T, (delays, k, -1))
            at, column = 0, columns.start
            for length in group:
                pairs = length - self.delays - 1
                for delay in range(delays):
                    first = at + delay
                    out[:, column : column + pairs] += product[delay, :, first : first + pairs]
                at, column = at + length, column + pairs
        return out.T

    def matrix(self, shift: int = 0) -> Array:
        """X (``shift=0``) or Y (``shift=1``), dense, shape :attr:`shape`."""
        delays = range(shift, shift + self.delays + 1)
        rows = [
            self.xp.concat([run[j : j + pairs] for j in delays], axis=1)
            for run, pairs in zip(self.runs(self.loaded()), self.pairs, strict=True)
        ]
        return self.xp.concat(rows, axis=0).T

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last delayed states of the runs that have a successor, each (rows, init)."""
        runs = [to_numpy(run) for run in self.runs(self.loaded())]
        width = self.delays + 1
        first = [run[:width].ravel() for run in runs]
        last = [run[-width - 1 : -1].ravel() for run in runs]
        return np.stack(first, axis=1), np.stack(last, axis=1)

    def asarray(self, values: np.ndarray) -> Array:
        """Return the values as an array of the trajectories' library, on their device."""
        if is_torch_namespace(self.xp):
            return self.xp.asarray(values, device=self._arrays[0].device)
        return self.xp.asarray(values)

    def _like(self, array: Array) -> dict[str, Any]:
        """Keywords that create an array of the same kind in the same place."""
        kind = {"dtype": array.dtype}
        return kind | {"device": array.device} if is_torch_namespace(self.xp) else kind

    @property
    def by_fft(self) -> bool:
        """Whether products go by Fourier transforms over time: for many delays of many runs."""
        size = 8 * len(self.lengths) * max(self.lengths) * self.weights
        return len(self.lengths) * (self.delays + 1) >= FFT_SHIFTS and size <= FFT_BYTES

    @property
    def _period(self) -> int:
        """Of the transforms: the longest run, and more where its length has large factors."""
        # Without that, 1,021 steps take six times as long as 1,000.
        return next_fast_len(max(self.lengths), real=True)

    @cached_property
    def _transform(self) -> Array:
        """Fourier transform of each run over time, shape (frequency, weight, init)."""
        runs = self._padded(list(self.runs(self.loaded())))
        transform = self.xp.permute_dims(self.xp.fft.rfft(runs, axis=1), (1, 2, 0))
        return _contiguous(transform, self.xp)

    @cached_property
    def _waves(self) -> Array:
        """Waves of all frequencies at the lags of all delays and one more, (lag, frequency)."""
        # Few lags of many are wanted, and a product with their waves is several times as fast as
        # transforms of all: those run across memory.
        frequencies = np.arange(self._period // 2 + 1)
        turns = np.outer(np.arange(self.delays + 2), frequencies) % self._period / self._period
        return self.asarray(np.exp(2j * np.pi * turns))

    @cached_property
    def _shares(self) -> Array:
        """Part of each frequency in a real series: all but the first and the last count twice."""
        frequencies = np.arange(self._period // 2 + 1)
        alone = (frequencies == 0) | (2 * frequencies == self._period)
        return self.asarray(np.where(alone, 1, 2) / self._period)

    def _times_by_fft(self, coefficients: Array, shift: int) -> Array:
        # X C holds, for each delay, the correlation of the snapshots with the coefficients at that
        # lag; no lag wraps around, since the coefficients of a run end ``delays + 1`` steps early.
        xp, k = self.xp, coefficients.shape[1]
        starts = self.starts
        parts = [coefficients[a : a + n] for a, n in zip(starts, self.pairs, strict=True)]
        transform = xp.permute_dims(xp.fft.rfft(self._padded(parts), axis=1), (1, 0, 2))
        products = xp.reshape(self._transform @ xp.conj(transform), (-1, self.weights * k))
        waves = self._waves[shift : shift + self.delays + 1] * self._shares
        return xp.reshape(xp.real(waves @ products), (-1, k))

    def _transposed_times_by_fft(self, vectors: Array) -> Array:
        xp, delays = self.xp, self.delays + 1
        filters = xp.astype(xp.reshape(vectors, (delays, -1)), self._waves.dtype)
        # The conjugate of the filters' transform.
        filters = xp.reshape(self._waves[:delays].T @ filters, (-1, self.weights, vectors.shape[1]))
        products = xp.permute_dims(self._transform, (0, 2, 1)) @ filters
        series = xp.fft.irfft(products, n=self._period, axis=0)
        parts = [series[:pairs, run, :] for run, pairs in enumerate(self.pairs)]
        return xp.concat(parts, axis=0)

    def _padded(self, parts: list[Array]) -> Array:
        """Series of unequal length as one array (init, period, k), zeros at their ends."""
        shape = (len(parts), self._period, parts[0].shape[1])
        padded = self.xp.zeros(shape, **self._like(parts[0]))
        for row, part in enumerate(parts):
            padded[row, : part.shape[0], :] = part
        return padded

    @property
    def _ends(self) -> np.ndarray:
        return np.cumsum(self.lengths)

    def _groups(self, row_bytes: int) -> Iterator[tuple[slice, slice, list[int]]]:
        """Yield (snapshots, pairs, lengths) of successive runs, ``GROUP_BYTES`` at a time."""
        row = column = 0
        waiting = list(self.lengths)
        while waiting:
            group = [waiting.pop(0)]
            while waiting and (sum(group) + waiting[0]) * row_bytes <= GROUP_BYTES:
                group.append(waiting.pop(0))
            rows = slice(row, row + sum(group))
            columns = slice(column, column + sum(group) - len(group) * (self.delays + 1))
            yield rows, columns, group
            row, column = rows.stop, columns.stop


def divided(array: Array, exponent: int) -> Array:
    """An array divided by a power of two, which may itself be beyond the numbers."""
    if not exponent:
        return array
    half = exponent // 2
    return array * 2.0**-half * 2.0 ** (half - exponent)


def _contiguous(array: Array, xp: Any) -> Array:
    return array.contiguous() if is_torch_namespace(xp) else xp.asarray(array, order="C")


def to_numpy(array: Array) -> np.ndarray:
    """Return a NumPy copy or view of an array of any library."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)
