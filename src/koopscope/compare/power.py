"""How many seeds would probably settle a comparison that has too few."""

from dataclasses import dataclass
from math import isfinite, log, sqrt

from koopscope.compare.intervals import half_width
from koopscope.compare.permutations import smallest_p
from koopscope.compare.verdict import Comparison
from koopscope.compare.words import INCONCLUSIVE

# What is added to half an interval so that it stays on its side in 80 % of trials, in standard
# deviations.
POWER = 0.84
# Beyond this nobody has seeds, and what is foreseen from a few is no more than a guess.
MOST = 200


@dataclass(frozen=True)
class Needed:
    """Seeds that would probably settle a comparison.

    Attributes
    ----------
    seeds
        Of each group; None where none are foreseen to, up to ``MOST``.
    reason
        In words.
    """

    seeds: int | None
    reason: str


def seeds_needed(
    found: Comparison,
    first: int,
    second: int,
    alpha: float = 0.05,
    smallest_effect: float = 1.1,
    permutations: int = 999,
    tests: int = 1,
) -> Needed | None:
    """Foresee how many seeds would settle a comparison that is inconclusive.

    The interval of log effect shrinks as 1 / √seeds. It is asked to keep the smallest effect of
    interest outside in four of five trials, if the effect is the one that was found, and p to be
    able to reach the level.

    Parameters
    ----------
    found
        What so many seeds gave.
    first, second
        Their numbers.
    alpha, smallest_effect
        As for :meth:`koopscope.compare.Comparison.verdict`.
    permutations
        As for :func:`koopscope.compare.compare`.
    tests
        Among which the smallest p is corrected after Holm.

    Returns
    -------
    Needed or None
        None if the comparison is settled.

    Examples
    --------
    >>> from koopscope.compare import Comparison, seeds_needed
    >>> alike = Comparison(1.0, 1.01, 1.01, 0.90, 1.13, 0.01, 0.4, 0.001)
    >>> seeds_needed(alike, 8, 8).seeds
    23
    """
    # Of three tests none is conclusive by itself that is not so before the correction.
    if found.verdict(alpha, smallest_effect) != INCONCLUSIVE and found.smallest_p * tests <= alpha:
        return None
    reach = 2
    while reach < MOST and tests * smallest_p(reach, reach, permutations) > alpha:
        reach += 1
    if reach == MOST:
        return Needed(None, f"give more permutations: p of {permutations} cannot reach {alpha:g}")
    for_p = f"p can then reach {tests * smallest_p(reach, reach, permutations):.2g}"
    usable = all(map(isfinite, (found.effect_low, found.effect_high, found.effect)))
    if min(first, second) < 2 or not usable or not 0 < found.effect_low < found.effect_high:
        return Needed(reach, for_p)
    gap = abs(log(found.effect) - log(smallest_effect))
    spread = (log(found.effect_high) - log(found.effect_low)) / (2 * half_width(first, second))
    # Times the root of the seeds, which stays as they grow.
    spread *= sqrt(min(first, second))
    settling = (
        n for n in range(2, MOST + 1) if gap > (half_width(n, n) + POWER) * spread / sqrt(n)
    )
    wanted = next(settling, None)
    if wanted is None:
        said = f"the effect found, {found.effect:.3g}, is too close to {smallest_effect:g}"
        return Needed(None, f"{said} for {MOST} seeds to tell")
    if wanted <= reach:
        return Needed(reach, for_p)
    side = "above" if found.effect > smallest_effect else "below"
    return Needed(wanted, f"the interval would then probably lie {side} {smallest_effect:g}")
