"""When an early phase ends: a rule on the effects of all windows against the last.

The rule was fixed before any network was looked at (docs/decisions.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from koopscope.compare.intervals import percentile_interval
from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE
from koopscope.experiments.early_phase.names import ENDS, NONE_SEEN, NOT_OVER


@dataclass(frozen=True)
class Ending:
    """When an early phase ends, and what allows to say so.

    Attributes
    ----------
    window
        Number of the first window from which on the effect stays below the margin; that of the
        last window where there is none before it; NaN where no effect is known.
    low, high
        Its 95 % interval over resampled seeds.
    outcome
        ``"ends"``, ``"not over"``, ``"none seen"`` or ``"inconclusive"``.
    reason
        Why it is inconclusive; empty otherwise.
    """

    window: float
    low: float
    high: float
    outcome: str
    reason: str


def first_alike(effects: np.ndarray, margin: float) -> np.ndarray:
    """Number of the first window from which on effects stay below a margin.

    Parameters
    ----------
    effects
        Of all windows but the last, against the last; shape (…, window).
    margin
        Smallest effect that counts.

    Returns
    -------
    numpy.ndarray
        Shape (…,); the number of windows where the last of these is not below.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.experiments.early_phase.ending import first_alike
    >>> first_alike(np.array([[3, 1, 2, 1, 1], [1, 1, 1, 1, 1], [3, 2, 2, 2, 2]]), 1.1).tolist()
    [3, 0, 5]
    """
    # What is not known is not below.
    apart = ~(effects < margin)
    last = effects.shape[-1] - np.argmax(apart[..., ::-1], axis=-1)
    return np.where(apart.any(axis=-1), last, 0)


def ending(
    effects: np.ndarray,
    highs: np.ndarray,
    verdicts: Sequence[str],
    draws: np.ndarray,
    margin: float,
    counts: tuple[int, int],
) -> Ending:
    """When the early phase ends.

    Parameters
    ----------
    effects, highs
        Effect of each window against the last, with the upper bound of its 95 % interval; shape
        (window,). The last one is that of the last window against itself.
    verdicts
        Of each window.
    draws
        Effects of all windows but the last over resampled seeds, shape (resample, window).
    margin
        Smallest effect that counts.
    counts
        Seeds of the two sets.
    """
    *before, null = effects
    before = np.array(before)
    if not (np.isfinite(effects).all() and np.isfinite(highs).all()):
        reason = "the effect of some window, or its interval, is not known"
        return Ending(np.nan, np.nan, np.nan, INCONCLUSIVE, reason)
    end = int(first_alike(before, margin))
    interval = percentile_interval(
        first_alike(draws, margin).astype(float), *counts, method="nearest"
    )
    outcome, reason = _outcome(end, before, highs[:-1], verdicts[:-1], null, margin)
    return Ending(end, *interval, outcome, reason)


def _outcome(
    end: int,
    effects: np.ndarray,
    highs: np.ndarray,
    verdicts: Sequence[str],
    null: float,
    margin: float,
) -> tuple[str, str]:
    """Outcome, and the reason where it is inconclusive."""
    told = [verdict == DISTINGUISHED for verdict in verdicts]
    if not null < margin:
        return INCONCLUSIVE, (
            f"the last window differs from that of fresh seeds by {null:.3g}, not below {margin:g}"
        )
    if end == len(effects):
        if told[-1]:
            return NOT_OVER, ""
        return INCONCLUSIVE, "the window before the last is neither like it nor distinguished"
    if any(told[:end]):
        return ENDS, ""
    if end == 0 and (highs < margin).all():
        return NONE_SEEN, ""
    if end == 0:
        return INCONCLUSIVE, "all effects are below the margin, but not all of their intervals"
    return INCONCLUSIVE, "no window before the end is distinguished"
