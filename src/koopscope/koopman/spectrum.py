"""The result of a Koopman fit: eigenvalues that carry their residuals, and modes on demand."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from koopscope.errors import InputError, shown, whole_number
from koopscope.koopman.embedding import Array, DelayEmbedding, to_numpy
from koopscope.koopman.inputs import complex_array, one_of, real_array

# Work space of a block of weights: its snapshots, or its modes where they are more.
BLOCK_BYTES = 32 * 2**20
KINDS = ("projected", "exact")


@dataclass(frozen=True)
class Spectrum:
    """Koopman spectrum of an ensemble of trajectories.

    Attributes
    ----------
    eigenvalues
        Per step, complex, by falling modulus, of a conjugate pair the upper one first; shape
        (mode,).
    residuals
        ‖Y V S⁻¹ w − λ U w‖ for the Ritz vector U w of unit length, on the scale of λ: 0 for an
        eigenvalue of dynamics that the data resolve (Drmač, Mezić, Mohr 2018); shape (mode,).
    coordinates
        Share of each mode in the first delayed state of each trajectory, in the weights' unit, for
        modes of unit length; shape (init, mode).
    final_coordinates
        The same for the last delayed state, as the operator gives it from the one before it.
    rank, numerical_rank
        Directions kept; numerical rank of the data, or None where the solver need not find it.
    condition_number
        Largest by smallest singular value kept.
    singular_values
        Of the delayed states, kept ones: the mean of the squared reduced coordinates over all
        states is their square by the number of pairs; shape (rank,).
    solver, delays, weight_coordinates
        As used.
    vectors
        Of the reduced operator, in an orthonormal basis of the directions kept, each of unit
        length; shape (rank, mode).

    Examples
    --------
    Two weights, of which one falls from 3 to 0.9 of itself at each step and the other from 2 to
    half:

    >>> import numpy as np
    >>> from koopscope.koopman import fit
    >>> spectrum = fit([[3, 2] * np.array([0.9, 0.5]) ** np.arange(20)[:, None]])
    >>> spectrum.eigenvalues.real.round(6).tolist(), spectrum.amplitudes.round(6).tolist()
    ([0.9, 0.5], [3.0, 2.0])
    >>> np.abs(spectrum.modes([0]).values).round(6).tolist()
    [[[1.0, 0.0]]]
    >>> spectrum.predict([[3, 2]], steps=2).round(6).tolist()
    [[2.7, 1.0], [2.43, 0.5]]
    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    rank: int
    numerical_rank: int | None
    condition_number: float
    singular_values: np.ndarray = field(repr=False)
    solver: str
    delays: int
    weight_coordinates: str
    vectors: np.ndarray = field(repr=False)
    _first: np.ndarray = field(repr=False)
    _last: np.ndarray = field(repr=False)
    _embedding: DelayEmbedding = field(repr=False)
    # V S⁻¹ w, or the modes themselves where they are short: U w and Y V S⁻¹ w.
    _combining: np.ndarray | tuple[np.ndarray, np.ndarray] = field(repr=False)

    @cached_property
    def coordinates(self) -> np.ndarray:
        """See the class; shape (init, mode)."""
        return self._in_modes(self._first)

    @cached_property
    def final_coordinates(self) -> np.ndarray:
        """See the class; shape (init, mode)."""
        # The last state has no successor: it is the image of the one before.
        return self.eigenvalues * self._in_modes(self._last)

    def _in_modes(self, states: np.ndarray) -> np.ndarray:
        """Coordinates of reduced states (rank, init) in the vectors; shape (init, mode)."""
        return np.linalg.lstsq(self.vectors, states.astype(complex), rcond=None)[0].T

    @property
    def amplitudes(self) -> np.ndarray:
        """Root mean square of :attr:`coordinates` over the trajectories; shape (mode,)."""
        sizes = np.abs(self.coordinates)
        # In units of the largest, whose square may be beyond the numbers.
        unit = np.where(sizes.max(axis=0) > 0, sizes.max(axis=0), 1)
        return unit * np.sqrt(np.mean((sizes / unit) ** 2, axis=0))

    def modes(self, which: np.ndarray | list[int] | None = None, kind: str = "projected"):
        """Koopman modes, computed when asked for.

        Parameters
        ----------
        which
            Indices of the eigenvalues, shape (k,); all by default.
        kind
            ``"projected"``: U w, of unit length; ``"exact"``: Y V S⁻¹ w / λ (Tu et al. 2014),
            undefined for λ = 0.

        Returns
        -------
        xarray.DataArray
            Complex, dims ``(mode, delay, weight)``, shape (k, delays + 1, weights), with the
            coordinate ``eigenvalue`` (mode).

        Raises
        ------
        InputError
            For an unknown kind, or the exact mode of an eigenvalue 0.
        """
        chosen = np.arange(self.rank) if which is None else self._chosen(which)
        return xr.DataArray(
            self._streamed(np.eye(self.rank)[:, chosen], kind),
            dims=("mode", "delay", "weight"),
            coords={"eigenvalue": ("mode", self.eigenvalues[chosen])},
        )

    def _chosen(self, which: ArrayLike) -> np.ndarray:
        """Indices of eigenvalues that are there."""
        chosen = np.atleast_1d(np.asarray(real_array("which", which)))
        whole = chosen.ndim == 1 and (chosen == np.round(chosen)).all()
        if not whole or not ((-self.rank <= chosen) & (chosen < self.rank)).all():
            raise InputError(
                f"which: {shown(which)}; give indices of eigenvalues, 0 to {self.rank - 1}"
            )
        return chosen.astype(int)

    def combined(
        self, amplitudes: np.ndarray, kind: str = "projected", moduli: bool = False
    ) -> np.ndarray:
        """Sum of the modes v_i times amplitudes a_i, without holding the modes.

        Parameters
        ----------
        amplitudes
            Shape (mode,).
        kind
            As for :meth:`modes`; a mode of amplitude 0 need not be defined.
        moduli
            Σ |a_i v_i| instead of Σ a_i v_i.

        Returns
        -------
        numpy.ndarray
            Shape (delay, weight), complex; real with ``moduli``.

        Raises
        ------
        InputError
            See :meth:`modes`.
        """
        amplitudes = complex_array("amplitudes", amplitudes, finite=True)
        if amplitudes.shape != (self.rank,):
            raise InputError(
                f"amplitudes: shape is {amplitudes.shape}; give one for each of {self.rank} modes"
            )
        used = np.flatnonzero(amplitudes)
        if not moduli:
            return self._streamed(np.asarray(amplitudes)[:, None], kind)[0]
        scaled = np.eye(self.rank)[:, used] * np.asarray(amplitudes)[used]
        return self._streamed(scaled, kind, moduli=True)[0]

    def _streamed(self, amplitudes: np.ndarray, kind: str, moduli: bool = False) -> np.ndarray:
        """Combinations of modes, amplitudes (mode, k), over blocks: shape (k, delay, weight)."""
        used = np.any(amplitudes != 0, axis=1)
        eigenvalues = self.eigenvalues[used]
        one_of("kind", kind, KINDS)
        shift = KINDS.index(kind)
        combining = self._combining
        if isinstance(combining, tuple):
            combining = combining[shift]
        combining = combining[:, used]
        if kind == "exact":
            if np.any(eigenvalues == 0):
                raise InputError("kind: the exact mode of an eigenvalue 0 is not defined")
            combining = combining / eigenvalues
        combining = combining @ amplitudes[used]
        if isinstance(self._combining, tuple):
            shape = (self.delays + 1, self._embedding.weights, -1)
            found = np.moveaxis(combining.reshape(shape), -1, 0)
            return np.abs(found).sum(axis=0, keepdims=True) if moduli else found
        # Real and imaginary parts side by side: one product a block.
        both = np.concatenate([combining.real, combining.imag], axis=1)

        def of_block(data: DelayEmbedding, snapshots: Array) -> np.ndarray:
            product = to_numpy(data.times(data.asarray(both), shift, snapshots))
            real, imag = np.split(product.reshape(data.delays + 1, -1, both.shape[1]), 2, axis=2)
            found = np.moveaxis(real + 1j * imag, -1, 0)
            return np.abs(found).sum(axis=0, keepdims=True) if moduli else found

        data, count = self._embedding, 1 if moduli else amplitudes.shape[1]
        kind_of_number = float if moduli else complex
        out = np.empty((count, data.delays + 1, data.weights), dtype=kind_of_number)
        rows = max(sum(data.lengths), 2 * both.shape[1] * (data.delays + 1))
        width = max(1, BLOCK_BYTES // (8 * rows))
        for part, block in data.mapped(of_block, width):
            out[:, :, part] = block
        return out

    def reconstruct(self) -> xr.DataArray | list[np.ndarray]:
        """Trajectories that the modes give from the first delayed states alone.

        Returns
        -------
        xarray.DataArray or list of numpy.ndarray
            As the data were given: dims ``(init, step, weight)``, or arrays ``(step, weight)``.
        """
        modes = self.modes().values
        lengths = self._embedding.lengths
        runs = [
            self._states(modes, start, length)
            for start, length in zip(self.coordinates, lengths, strict=True)
        ]
        source = self._embedding.source
        return runs if source is None else source.copy(data=np.stack(runs).reshape(source.shape))

    def predict(self, window: ArrayLike | xr.DataArray, steps: int) -> np.ndarray:
        """States that follow a window.

        Parameters
        ----------
        window
            The last ``delays + 1`` states, shape (delays + 1, weight).
        steps
            How many states to predict.

        Returns
        -------
        numpy.ndarray
            Shape (steps, weight).

        Raises
        ------
        InputError
            If the window has another shape or is not finite, or ``steps`` is no whole number.
        """
        expected = (self.delays + 1, self._embedding.weights)
        window = real_array("window", window, finite=True)
        whole_number("steps", steps, least=0)
        if window.shape != expected:
            raise InputError(
                f"window: shape is {window.shape}; give (delays + 1, weight) {expected}"
            )
        modes = self.modes().values
        start = np.linalg.lstsq(modes.reshape(self.rank, -1).T, window.ravel(), rcond=None)[0]
        return self._states(modes, start, self.delays + 1 + steps)[self.delays + 1 :]

    def to_dataset(self) -> xr.Dataset:
        """Eigenvalues, residuals and amplitudes with dim ``mode``, the rest as attributes.

        Returns
        -------
        xarray.Dataset
            Variables ``eigenvalue``, ``residual`` and ``amplitude``; attributes ``solver``,
            ``delays``, ``rank``, ``numerical_rank`` (-1: not found by the solver) and
            ``condition_number``.
        """
        return xr.Dataset(
            {
                "eigenvalue": ("mode", self.eigenvalues),
                "residual": ("mode", self.residuals),
                "amplitude": ("mode", self.amplitudes),
            },
            attrs={
                "solver": self.solver,
                "delays": self.delays,
                "rank": self.rank,
                "numerical_rank": -1 if self.numerical_rank is None else self.numerical_rank,
                "condition_number": self.condition_number,
            },
        )

    def _states(self, modes: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
        # The first block of a delayed state is its own step; the last one's other blocks are the
        # steps after it.
        count = length - self.delays
        powers = start * self.eigenvalues ** np.arange(count)[:, None]
        own = powers @ modes[:, 0]
        after = np.einsum("k,kjw->jw", powers[-1], modes[:, 1:])
        return np.concatenate([own, after]).real
