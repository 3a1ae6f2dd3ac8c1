"""Delay embedding of several trajectories as a matrix that is never built.

With snapshots x_t of d weights and q delays, a delayed state is (x_t, x_{t+1}, …, x_{t+q}). The
matrices X and Y hold the delayed states that have a successor, and the successors, as columns, one
trajectory after another: pairs never cross trajectories. Every solver needs only products with X
and Y, and those are sums over shifted slices of the snapshots.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace, is_torch_namespace

from koopscope.errors import InputError

DIMS = ("init", "step", "weight")
Array = Any


class DelayEmbedding:
    """Snapshots of one or more trajectories with products of their delayed matrices.

    Parameters
    ----------
    trajectories
        A DataArray with dims ``(init, step, weight)`` in any order, or a sequence of arrays
        ``(step, weight)`` of possibly unequal length (NumPy, PyTorch on any device, …). A lazily
        opened DataArray is read in blocks of weights where the solver allows it.
    delays
        Number q of delays; 0 means the snapshots as they are.

    Raises
    ------
    InputError
        If there is nothing to fit: no trajectory, fewer states than the delays need, different
        numbers of weights, complex or non-finite values, or weights that never change.
    """

    def __init__(self, trajectories: xr.DataArray | Sequence[Array], delays: int = 0) -> None:
        if delays < 0:
            raise InputError(f"delays: {delays} is negative; give 0 or more")
        self.delays = delays
        self.source = trajectories if isinstance(trajectories, xr.DataArray) else None
        if self.source is not None:
            if set(self.source.dims) != set(DIMS):
                raise InputError(
                    f"trajectories: dims are {self.source.dims}; give {DIMS}, one seed at a time"
                )
            self.source = self.source.transpose(*DIMS)
            count, length, self.weights = self.source.shape
            self.lengths = [length] * count
            self.dtype = np.dtype(self.source.dtype)
            self.xp = array_namespace(np.empty(0))
            self._arrays: list[Array] | None = None
        else:
            self._arrays = list(trajectories)
            shapes = [tuple(a.shape) for a in self._arrays]
            if not shapes or any(len(s) != 2 or s[1] != shapes[0][1] for s in shapes):
                raise InputError(
                    f"trajectories: shapes are {shapes}; give one or more arrays (step, weight) "
                    "with the same number of weights"
                )
            self.xp = array_namespace(*self._arrays)
            self.lengths = [s[0] for s in shapes]
            self.weights = shapes[0][1]
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
        self._loaded: list[Array] | None = None

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

    def loaded(self) -> list[Array]:
        """Every trajectory in double precision, each ``(step, weight)``."""
        if self._loaded is None:
            self._loaded = self.block(slice(0, self.weights))
            self._refuse_constant(self._loaded)
        return self._loaded

    def blocks(self, width: int) -> Iterator[tuple[slice, list[Array]]]:
        """Yield ``(slice of weights, trajectories)`` over at most ``width`` weights at a time."""
        for low in range(0, self.weights, width):
            part = slice(low, min(low + width, self.weights))
            yield part, self.block(part)

    def block(self, part: slice) -> list[Array]:
        """Return the trajectories' weights ``part`` in double precision."""
        if self._loaded is not None:
            return [a[:, part] for a in self._loaded]
        if self.source is not None:
            values = self.source.isel(weight=part).values.astype(np.float64)
            arrays = list(values)
        else:
            arrays = [self.xp.astype(a[:, part], self.xp.float64) for a in self._arrays]
        for i, array in enumerate(arrays):
            if not bool(self.xp.all(self.xp.isfinite(array))):
                bad = ~np.isfinite(to_numpy(array)).all(axis=1)
                raise InputError(
                    f"trajectories: run {i} is not finite at step {int(np.argmax(bad))}; "
                    "leave that run out or cut it before that step"
                )
        return arrays

    def _refuse_constant(self, arrays: list[Array]) -> None:
        if all(not bool(self.xp.any(a[1:] != a[:-1])) for a in arrays):
            raise InputError(
                "trajectories: no weight ever changes, so there are no dynamics to fit; "
                "check the learning rate and the observable"
            )

    def times(
        self, coefficients: Array, shift: int = 0, arrays: list[Array] | None = None
    ) -> Array:
        """Product X C (``shift=0``) or Y C (``shift=1``).

        Parameters
        ----------
        coefficients
            Shape (pairs, k).
        arrays
            The trajectories or a block of their weights; all of them by default.

        Returns
        -------
        Array
            Shape ((delays + 1) · weights, k).
        """
        xp, k = self.xp, coefficients.shape[1]
        delays = self.delays + 1
        total = 0
        # The coefficients, shifted once for each delay and set side by side: one large product
        # for a trajectory instead of many small ones.
        for array, part in zip(
            self.loaded() if arrays is None else arrays, self._split(coefficients), strict=True
        ):
            shifted = xp.zeros((array.shape[0], delays, k), **self._like(coefficients))
            for delay in range(delays):
                first = shift + delay
                shifted[first : first + part.shape[0], delay, :] = part
            total = total + array.T @ xp.reshape(shifted, (array.shape[0], delays * k))
        rows = xp.permute_dims(xp.reshape(total, (-1, delays, k)), (1, 0, 2))
        return xp.reshape(rows, (-1, k))

    def transposed_times(self, vectors: Array) -> Array:
        """Product Xᵀ Q for Q of shape ((delays + 1) · weights, k); shape (pairs, k)."""
        xp, d, k = self.xp, self.weights, vectors.shape[1]
        # As in `times`: one product for all delays, then a sum along the shifted diagonals.
        wide = xp.reshape(vectors, (self.delays + 1, d, k))
        wide = xp.reshape(xp.permute_dims(wide, (1, 0, 2)), (d, (self.delays + 1) * k))
        out = []
        for array, pairs in zip(self.loaded(), self.pairs, strict=True):
            product = xp.reshape(array @ wide, (array.shape[0], self.delays + 1, k))
            total = xp.zeros_like(product[:pairs, 0, :])
            for delay in range(self.delays + 1):
                total += product[delay : delay + pairs, delay, :]
            out.append(total)
        return xp.concat(out, axis=0)

    def matrix(self, shift: int = 0) -> Array:
        """X (``shift=0``) or Y (``shift=1``), dense, shape :attr:`shape`."""
        xp = self.xp
        columns = []
        for array, pairs in zip(self.loaded(), self.pairs, strict=True):
            delays = range(shift, shift + self.delays + 1)
            columns.append(xp.concat([array[j : j + pairs] for j in delays], axis=1).T)
        return xp.concat(columns, axis=1)

    def asarray(self, values: np.ndarray) -> Array:
        """Return the values as an array of the trajectories' library, on their device."""
        if is_torch_namespace(self.xp):
            return self.xp.asarray(values, device=self._arrays[0].device)
        return self.xp.asarray(values)

    def _like(self, array: Array) -> dict[str, Any]:
        """Keywords that create an array of the same kind in the same place."""
        kind = {"dtype": array.dtype}
        return kind | {"device": array.device} if is_torch_namespace(self.xp) else kind

    def _split(self, coefficients: Array) -> list[Array]:
        ends = np.cumsum(self.pairs)
        return [coefficients[end - n : end] for end, n in zip(ends, self.pairs, strict=True)]


def to_numpy(array: Array) -> np.ndarray:
    """Return a NumPy copy or view of an array of any library."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)
