"""A sliding window of snapshots whose inner products are kept from one spectrum to the next.

A new snapshot is only copied. When a spectrum is asked for, those since the last one cost a row of
inner products each, in one product of matrices, and the spectrum comes from the small matrix of
them. As in the ``gram`` solver these are products of steps, since snapshots of slow training are
nearly one vector and squaring their condition would lose the steps.
"""

from typing import Any

import numpy as np

from koopscope.errors import InputError, whole_number
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

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.monitor import SlidingWindow
    >>> window = SlidingWindow(length=10, features=2)
    >>> for t in range(12):
    ...     window.add(np.array([0.9**t, 0.5**t]))
    >>> window.count, window.snapshots.shape
    (12, (10, 2))
    >>> window.spectrum().eigenvalues.real.round(6).tolist()
    [0.9, 0.5]
    """

    def __init__(self, length: int, features: int, rank: int | None = None) -> None:
        self.length = whole_number("window", length, least=3)
        self.features = features
        most = min(self.length - 1, features)
        self.rank = None if rank is None else whole_number("rank", rank, 1, most, ", or None")
        self.dtype = np.dtype(np.float64)
        self.clear()

    def clear(self) -> None:
        """Forget all snapshots."""
        self.count, self._measured = 0, 0
        self._states = np.zeros((self.length, self.features))
        self._steps = np.zeros((self.length - 1, self.features))
        self._products = np.zeros((self.length - 1, self.length - 1))

    def add(self, snapshot: np.ndarray) -> None:
        """Take in a snapshot, shape (features,), in place of the oldest once the window is full."""
        self.dtype = snapshot.dtype
        self._states[self.count % self.length] = snapshot
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
        self._measure()
        return bool(np.any(np.diag(self._products) > 0))

    def spectrum(self) -> WindowSpectrum:
        """Spectrum of the window, eigenvalues those of :func:`koopscope.koopman.fit` on it.

        Where the window has fewer directions than ``rank``, all that it has are kept.

        Returns
        -------
        WindowSpectrum
            Eigenvalues per snapshot.

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
        products[0, 0] = first @ first
        products[0, 1:] = products[1:, 0] = (self._steps @ first)[order]
        products[1:, 1:] = self._products[np.ix_(order, order)]
        size = dmd.Size((self.features, pairs), self.dtype)
        try:
            reduced = dmd.of_products(products, [pairs], size, self.rank)
        except InputError:
            # Too little motion for so many directions.
            reduced = dmd.of_products(products, [pairs], size, None)
        return WindowSpectrum.of(reduced)

    def state_dict(self) -> dict[str, np.ndarray | int]:
        """What :meth:`load_state_dict` needs."""
        return {
            "snapshots": self.snapshots,
            "products": self._products.copy(),
            "count": self.count,
            "measured": self._measured,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` of such a window gave, to the last bit."""
        self.clear()
        held, self.count, self._measured = state["snapshots"], state["count"], state["measured"]
        self.dtype = held.dtype
        self._states[np.arange(self.count - len(held), self.count) % self.length] = held
        self._products[:] = state["products"]
        self._subtract(np.arange(max(0, self.count - self.length), self._measured))

    def _subtract(self, steps: np.ndarray) -> None:
        after, before = (steps + 1) % self.length, steps % self.length
        self._steps[steps % (self.length - 1)] = self._states[after] - self._states[before]

    def _measure(self) -> None:
        """Bring the inner products up to the newest snapshot."""
        pairs = self.length - 1
        steps = np.arange(max(self._measured, self.count - self.length), self.count - 1)
        if len(steps):
            at = steps % pairs
            self._subtract(steps)
            rows = self._steps[at] @ self._steps.T
            self._products[at] = rows
            self._products[:, at] = rows.T
            self._measured = self.count - 1
