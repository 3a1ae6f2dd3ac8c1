"""What the spectrum of a window of weights says: time constants, growth, drift, the way to come.

The window is x_t = Σ_k b_k λ_k^t v_k, t = 0 … m − 1, with modes v_k of unit length. It is fitted as
it is: taking off the mean would take away the eigenvalue 1, which is where training goes. Instead
all measures are of *variation*, to which a part that does not move adds nothing.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from koopscope.koopman import dmd
from koopscope.koopman.trust import RESIDUAL_LIMIT

# Further ahead than two to this power snapshots no prediction is made.
HORIZON = 20
# Growth or decay in a window that counts, as a share.
VISIBLE = 0.01


@dataclass(frozen=True)
class WindowSpectrum:
    """Eigenvalues of a window with their residuals, and how much each moves.

    Attributes
    ----------
    eigenvalues
        Per snapshot, complex, by falling modulus; shape (mode,).
    residuals
        As in :class:`koopscope.koopman.Spectrum`; shape (mode,).
    first, last
        Coordinates b_k of the first snapshot and b_k λ_k^(m−1) of the last; shape (mode,).
    vectors
        Modes in an orthonormal basis, shape (rank, mode).
    length
        Snapshots m in the window.

    Examples
    --------
    A weight that settles at 2, a fifth of the way at each of ten snapshots, beside one that stays:

    >>> import numpy as np
    >>> from koopscope.monitor import SlidingWindow
    >>> window = SlidingWindow(10, features=2)
    >>> for t in range(10):
    ...     window.add(np.array([2 + 0.8**t, 1.0]))
    >>> found = window.spectrum()
    >>> found.eigenvalues.real.round(6).tolist(), found.variance_shares.round(6).tolist()
    ([1.0, 0.8], [0.0, 1.0])
    >>> round(float(found.time_constants[found.slowest]), 3)  # -1 / ln 0.8
    4.481
    >>> round(found.predicted_displacement(), 6) == round(0.8**9 * (1 - 0.8**10), 6)
    True
    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    first: np.ndarray
    last: np.ndarray
    vectors: np.ndarray
    length: int

    @classmethod
    def of(cls, reduced: dmd.RightReduced) -> "WindowSpectrum":
        """Spectrum of the reduced operator of a single run."""
        eigenvalues, vectors = dmd.eigenpairs(reduced.operator)
        ends = (reduced.singular_values[:, None] * reduced.right[[0, -1]].T).astype(complex)
        first, before_last = np.linalg.lstsq(vectors, ends, rcond=None)[0].T
        return cls(
            eigenvalues=eigenvalues,
            residuals=np.linalg.norm(reduced.excess @ vectors, axis=0),
            first=first,
            # The last snapshot has no successor: it is the image of the one before.
            last=eigenvalues * before_last,
            vectors=vectors,
            length=len(reduced.right) + 1,
        )

    @property
    def resolution(self) -> float:
        """1/m: nearer to 1 than this, a window of m snapshots tells no eigenvalue from 1."""
        return 1 / self.length

    @property
    def resolved(self) -> np.ndarray:
        """Whether each residual is at most 0.1; shape (mode,)."""
        return self.residuals <= RESIDUAL_LIMIT

    @property
    def time_constants(self) -> np.ndarray:
        """τ = −1/ln|λ| in snapshots: time to fall to 1/e; inf for |λ| ≥ 1, 0 for λ = 0; (mode,)."""
        moduli = np.abs(self.eigenvalues)
        found = np.full(len(moduli), np.inf)
        with np.errstate(divide="ignore"):
            found[moduli < 1] = -1 / np.log(moduli[moduli < 1])
        return found

    @cached_property
    def variance_shares(self) -> np.ndarray:
        """Share of each mode in the variation, shape (mode,).

        A mode varies by |b_k|² Σ_t |λ_k^t − mean over t|²; a conjugate pair's two count one by one.
        All 0 if nothing varies.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            powers = self.eigenvalues[:, None] ** np.arange(self.length)
            powers = self.first[:, None] * (powers - powers.mean(axis=1, keepdims=True))
            sizes = np.sqrt(np.sum(np.abs(powers) ** 2, axis=1))
        # What overflows dwarfs all else.
        sizes = np.where(np.isfinite(sizes), sizes, np.finfo(float).max)
        largest = sizes.max()
        varied = (sizes / largest if largest > 0 else sizes) ** 2
        return varied / max(varied.sum(), 1)

    def share(self, chosen: np.ndarray) -> float:
        """Share of the chosen modes, (mode,) of bool, in the variation, of resolved ones alone.

        From 0 to 1.
        """
        # No more than all, whatever the rounding of the sum.
        return float(min(self.variance_shares[chosen & self.resolved].sum(), 1))

    @property
    def slow_share(self) -> float:
        """Share of the variation that resolved λ ≈ 1 carry: within 1/m of it."""
        return self.share(self.near_one)

    @property
    def growing(self) -> np.ndarray:
        """Whether each mode is resolved and grows; shape (mode,).

        That is by more than its residual, and by a hundredth in a window; nearer to 1 than 1/m,
        growth is not told from a drift.
        """
        return self.resolved & (np.abs(self.eigenvalues) > 1 + self._visible) & ~self.near_one

    @property
    def growing_share(self) -> float:
        """Share of the variation that growing modes carry."""
        return self.share(self.growing)

    @property
    def oscillating_share(self) -> float:
        """Share that resolved oscillations carry which neither grow nor decay, as for growth.

        They are known to last only if |λ| is within 1/m of 1 with its residual added.
        """
        off = np.abs(np.abs(self.eigenvalues) - 1)
        lasting = (off <= self._visible) & (off + self.residuals <= self.resolution)
        return self.share(lasting & ~self.near_one)

    @property
    def slowest(self) -> int | None:
        """Resolved decaying mode with the longest time constant, at least 1/m away from 1."""
        decaying = self.resolved & (np.abs(self.eigenvalues) < 1)
        decaying &= ~self.near_one
        chosen = np.flatnonzero(decaying & (self.variance_shares > 0))
        return int(chosen[np.argmax(self.time_constants[chosen])]) if len(chosen) else None

    def predicted_displacement(self, after: int = 0) -> float:
        """Predicted displacement in a window from ``after`` snapshots on, in the weights' unit.

        The greatest ‖x_{t+j} − x_t‖ for j = 1 … m, with t so many snapshots after the last one, by
        all modes: an oscillation may be back where it was after m. Inf if it overflows.

        Parameters
        ----------
        after
            Snapshots after the last one, at least 0.

        Returns
        -------
        float
            In the weights' unit.
        """
        return float(self._ways(np.array([after]))[0])

    def snapshots_until(self, displacement: float) -> float:
        """Fewest snapshots from now until a window's predicted displacement is at most this.

        Inf if that is never predicted, or beyond a million snapshots. It is taken to fall
        steadily, so that bisection finds it.

        Parameters
        ----------
        displacement
            In the weights' unit.

        Returns
        -------
        float
            Whole number of snapshots, or inf.
        """
        if self.predicted_displacement() <= displacement:
            return 0.0
        doubled = 2 ** np.arange(HORIZON + 1)
        reached = np.flatnonzero(self._ways(doubled) <= displacement)
        if len(reached) == 0:
            return np.inf
        high = int(doubled[reached[0]])
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            below = self.predicted_displacement(middle) <= displacement
            low, high = (low, middle) if below else (middle, high)
        return float(high)

    def _ways(self, after: np.ndarray) -> np.ndarray:
        """:meth:`predicted_displacement` of several numbers of snapshots, (ask,); shape (ask,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            begins = self.last[:, None] * self.eigenvalues[:, None] ** after
            moved = self.eigenvalues[:, None] ** np.arange(1, self.length + 1) - 1
            moved = (begins[:, :, None] * moved[:, None]).reshape(len(begins), -1)
            ways = np.linalg.norm(self.vectors @ moved, axis=0).reshape(len(after), -1)
        return np.where(np.isfinite(ways), ways, np.inf).max(axis=1)

    @property
    def _visible(self) -> np.ndarray:
        """Least difference of |λ| from 1 that is seen."""
        return np.maximum(self.residuals, VISIBLE * self.resolution)

    @property
    def near_one(self) -> np.ndarray:
        """Whether each eigenvalue lies within 1/m of 1; shape (mode,)."""
        return np.abs(self.eigenvalues - 1) <= self.resolution
