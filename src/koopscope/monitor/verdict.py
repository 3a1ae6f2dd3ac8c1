"""How a run does, as a status, and why.

All thresholds were set before any result (see docs/decisions.md).
"""

from dataclasses import dataclass

import numpy as np

from koopscope.monitor.spectrum import WindowSpectrum

# A window's displacement that counts as none, as a share of that from the first snapshot on.
TOLERANCE = 1e-3
# Of the variation: growing modes that make a run diverge, and λ ≈ 1 that make it stall.
GROWING, DRIFTING = 0.5, 0.9
# A drift that still goes so far in a window, as a share of the displacement so far, is no stall,
# nor is one whose end is predicted within so many windows.
CREEPING, IN_SIGHT = 0.1, 10


@dataclass(frozen=True)
class Verdict:
    """A status (:data:`koopscope.monitor.statuses.STATUSES`), its reason, perhaps its spectrum.

    Attributes
    ----------
    status
        ``"diverging"``, ``"stalled"``, ``"converging"`` or ``"converged"``.
    reason
        Why, in words.
    spectrum
        Of the window that was classified; None where it needed none.

    Examples
    --------
    >>> from koopscope.monitor import Verdict
    >>> print(Verdict("stalled", "no weight moved in 32 snapshots"))
    stalled: no weight moved in 32 snapshots
    """

    status: str
    reason: str
    spectrum: WindowSpectrum | None = None

    def __str__(self) -> str:
        """Status and reason in one line."""
        return f"{self.status}: {self.reason}"


def classify(
    spectrum: WindowSpectrum, displacement: float, size: float, tolerance: float = TOLERANCE
) -> Verdict:
    """Classify a run by the spectrum of its last window; the first of these that holds:

    - **stalled** if the weights have hardly moved: ``displacement`` ≤ tolerance × ``size``;
    - **diverging** if modes that grow (:attr:`WindowSpectrum.growing`) carry at least half of the
      variation;
    - **converged** if the displacement predicted for the next window is at most tolerance ×
      ``displacement``;
    - **stalled** if resolved λ within 1/m of 1 carry at least 90 % of the variation, the next
      window's is at most a tenth of ``displacement``, and no end is predicted within 10 m; or if
      oscillations that neither grow nor decay carry so much, with no such end;
    - **converging** otherwise.

    Parameters
    ----------
    spectrum
        Of a window of m snapshots.
    displacement
        Distance of the last snapshot from the first that was ever taken, in the weights' unit.
    size
        Norm of the last snapshot, in the weights' unit.
    tolerance
        Share of what counts as nothing.

    Returns
    -------
    Verdict
        With this spectrum.

    Examples
    --------
    Ten snapshots of a run in which one weight grows by a fifth at each:

    >>> import numpy as np
    >>> from koopscope.monitor import SlidingWindow, classify
    >>> window = SlidingWindow(10, features=2)
    >>> for t in range(10):
    ...     window.add(np.array([1.2**t, 2.0]))
    >>> verdict = classify(window.spectrum(), displacement=1.2**9 - 1, size=np.hypot(1.2**9, 2))
    >>> verdict.status, bool(verdict.spectrum.growing[0])
    ('diverging', True)
    """
    m, ahead = spectrum.length, spectrum.predicted_displacement()
    if displacement <= tolerance * size:
        share = displacement / size if size else 0.0
        return Verdict(
            "stalled", f"in all the weights moved by {share:.1e} of their norm", spectrum
        )
    growing = spectrum.growing_share
    if growing >= GROWING:
        grows = spectrum.growing
        most = np.flatnonzero(grows)[np.argmax(spectrum.variance_shares[grows])]
        value = spectrum.eigenvalues[most]
        return Verdict(
            "diverging",
            f"{growing:.0%} of the variation grows, most by |λ| = {abs(value):.4g} a snapshot "
            f"(λ = {value:.3g}, residual {spectrum.residuals[most]:.1e})",
            spectrum,
        )
    share = ahead / displacement
    if share <= tolerance:
        return Verdict(
            "converged",
            f"the next {m} snapshots are predicted to go {share:.1e} of the displacement so far",
            spectrum,
        )
    slow, until = spectrum.slow_share, spectrum.snapshots_until(tolerance * displacement)
    if slow >= DRIFTING and share <= CREEPING and until > IN_SIGHT * m:
        return Verdict(
            "stalled",
            f"{slow:.0%} of the variation is a drift with λ ≈ 1, which goes {share:.1e} of the "
            f"displacement so far in {m} snapshots and has no end within {IN_SIGHT} times as many",
            spectrum,
        )
    ringing = spectrum.oscillating_share
    if ringing >= DRIFTING and until > IN_SIGHT * m:
        return Verdict(
            "stalled",
            f"{ringing:.0%} of the variation oscillates and does not decay, with no end within "
            f"{IN_SIGHT} windows",
            spectrum,
        )
    return Verdict("converging", _outlook(spectrum, share, until), spectrum)


def _outlook(spectrum: WindowSpectrum, share: float, until: float) -> str:
    slowest = spectrum.slowest
    said = (
        f"the next {spectrum.length} snapshots are predicted to go {share:.1e} of the "
        "displacement so far"
    )
    if slowest is not None:
        said += (
            f"; longest time constant {spectrum.time_constants[slowest]:.3g} snapshots "
            f"(|λ| = {abs(spectrum.eigenvalues[slowest]):.4g})"
        )
    if not np.isfinite(until):
        return f"{said}; no end is predicted"
    return f"{said}; converged in about {until:.0f}"
