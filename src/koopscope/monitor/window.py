"""A sliding window of snapshots whose inner products are kept up to date.

A new snapshot costs one row of inner products; the spectrum then comes from a small matrix of them
and never from the snapshots. As in the ``gram`` solver these are products of steps, since
snapshots of slow training are nearly one vector and squaring their condition would lose the steps.
"""

import numpy as np

from koopscope.errors import InputError
from koopscope.koopman import dmd
from koopscope.monitor.spectrum import WindowSpectrum


class SlidingWindow:
    """The last ``length`` snapshots.

    Parameters
    ----------
    length
        Number of snapshots, at least 3: two pairs of successive ones.
    features
        Numbers in a snapshot.
    rank
        Directions kept in a spectrum at most; none for all that lie above the rounding of the
        snapshots' precision.

    Raises
    ------
    InputError
        If the length or the rank is not possible.
    """

    def __init__(self, length: int, features: int, rank: int | None = None) -> None:
        if not isinstance(length, int) or length < 3:
            raise InputError(f"window: {length!r}; give a whole number of at least 3")
        most = min(length - 1, features)
        if rank is not None and (not isinstance(rank, int) or not 1 <= rank <= most):
            raise InputError(f"rank: {rank!r} is not possible here; give 1 to {most}, or None")
        self.length, self.features, self.rank = length, features, rank
        self.dtype = np.dtype(np.float64)
        self.clear()

    def clear(self) -> None:
        """Forget all snapshots."""
        self.count = 0
        self._states = np.zeros((self.length, self.features))
        self._steps = np.zeros((self.length - 1, self.features))
        self._products = np.zeros((self.length - 1, self.length - 1))

    def add(self, snapshot: np.ndarray) -> None:
        """Take in a snapshot, shape (features,), in place of the oldest once the window is full."""
        self.dtype = snapshot.dtype
        state = self._states[self.count % self.length]
        previous = self._states[(self.count - 1) % self.length]
        state[:] = snapshot
        if self.count:
            at = (self.count - 1) % (self.length - 1)
            np.subtract(state, previous, out=self._steps[at])
            # Not by BLAS, whose threads would go on waiting beside those of the training.
            row = np.einsum("sf,f->s", self._steps, self._steps[at])
            self._products[at] = row
            self._products[:, at] = row
        self.count += 1

    @property
    def snapshots(self) -> np.ndarray:
        """What the window holds, oldest first, in the snapshots' precision; (step, feature)."""
        held = min(self.count, self.length)
        order = np.arange(self.count - held, self.count) % self.length
        return self._states[order].astype(self.dtype)

    @property
    def last(self) -> np.ndarray:
        """Newest snapshot, double precision."""
        return self._states[(self.count - 1) % self.length]

    @property
    def moved(self) -> bool:
        """Whether any two successive snapshots in the window differ."""
        return bool(np.any(np.diag(self._products) > 0))

    def spectrum(self) -> WindowSpectrum:
        """Spectrum of the window, eigenvalues those of :func:`koopscope.koopman.fit` on it.

        Where the window has fewer directions than ``rank``, all that it has are kept.

        Raises
        ------
        InputError
            If the window is not full yet, or no snapshot differs from the one before.
        """
        if self.count < self.length:
            raise InputError(
                f"window: {self.length} snapshots, but only {self.count} were taken so far; "
                "ask later, or give a shorter window"
            )
        if not self.moved:
            raise InputError(
                f"window: its {self.length} snapshots are all the same, so there are no dynamics; "
                "check that the weights are trained"
            )
        pairs = self.length - 1
        order = np.arange(self.count - self.length, self.count - 1) % pairs
        first = self._states[self.count % self.length]
        products = np.empty((self.length, self.length))
        products[0, 0] = np.einsum("f,f", first, first)
        products[0, 1:] = products[1:, 0] = np.einsum("sf,f->s", self._steps, first)[order]
        products[1:, 1:] = self._products[np.ix_(order, order)]
        size = dmd.Size((self.features, pairs), self.dtype)
        try:
            reduced = dmd.of_products(products, [pairs], size, self.rank)
        except InputError:
            # Too little motion for so many directions.
            reduced = dmd.of_products(products, [pairs], size, None)
        return WindowSpectrum.of(reduced)
