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
    halves: str,
    draws: np.ndarray,
    margin: float,
    seeds: int,
) -> Ending:
    """When the early phase ends.

    Parameters
    ----------
    effects, highs
        Effect of each window but the last against the last, with the upper bound of its 95 %
        interval; shape (window,).
    verdicts
        Of each of these windows.
    halves
        Verdict of the two halves of the seeds in the last window.
    draws
        The effects over resampled seeds, shape (resample, window).
    margin
        Smallest effect that counts.
    seeds
        How many there are.
    """
    if not (np.isfinite(effects).all() and np.isfinite(highs).all()):
        reason = "the effect of some window, or its interval, is not known"
        return Ending(np.nan, np.nan, np.nan, INCONCLUSIVE, reason)
    end = int(first_alike(effects, margin))
    ends = first_alike(draws, margin).astype(float)
    low, high = percentile_interval(ends, seeds, seeds, method="nearest")
    told = [verdict == DISTINGUISHED for verdict in verdicts]
    outcome, reason = _outcome(end, told, halves == DISTINGUISHED, bool((highs < margin).all()))
    return Ending(float(end), low, high, outcome, reason)


def _outcome(end: int, told: Sequence[bool], halves: bool, all_below: bool) -> tuple[str, str]:
    """Outcome, and the reason where it is inconclusive.

    Parameters
    ----------
    end
        First window alike.
    told, halves
        Whether each window, and the halves of the last one, are distinguished.
    all_below
        Whether all intervals lie below the margin.
    """
    if halves:
        return INCONCLUSIVE, "halves of the seeds are distinguished in the last window itself"
    if end == len(told):
        if told[-1]:
            return NOT_OVER, ""
        return INCONCLUSIVE, "the window before the last is neither alike nor distinguished"
    if any(told[:end]):
        return ENDS, ""
    if end:
        return INCONCLUSIVE, "no window before the end is distinguished"
    if all_below:
        return NONE_SEEN, ""
    return INCONCLUSIVE, "all effects are below the margin, but not all of their intervals"
