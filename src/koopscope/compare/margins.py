"""The smallest effect that counts as a difference: a number, or what recoded controls come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isfinite, nan

from koopscope.compare.verdict import SMALLEST_EFFECT, Comparison
from koopscope.config.controls import MEASURED


@dataclass(frozen=True)
class Margin:
    """Smallest effect that counts, and where it comes from.

    Attributes
    ----------
    asked
        A number, or ``"measured"``.
    measured
        Of :func:`measured`.
    """

    asked: float | str
    measured: float

    @property
    def number(self) -> float:
        """The number that was given, or the default; control lines are judged by it."""
        return SMALLEST_EFFECT if isinstance(self.asked, str) else self.asked

    @property
    def used(self) -> float:
        """What the verdicts of pairs are reached by."""
        return self.measured if self.asked == MEASURED and isfinite(self.measured) else self.number

    @property
    def attrs(self) -> dict[str, float | str]:
        """As attributes of a store; ``smallest_effect_measured`` only where it is known."""
        known = {"smallest_effect_measured": self.measured} if isfinite(self.measured) else {}
        return {
            "smallest_effect": self.used,
            "smallest_effect_asked": self.asked,
            "smallest_effect_number": self.number,
            **known,
        }


def measured(recoded: Iterable[Comparison | None]) -> float:
    """Largest upper 95 % bound of the effects of recoded lines, at least 1; NaN without any.

    Parameters
    ----------
    recoded
        What each line came to; None where one has no spectrum.

    Returns
    -------
    float
        Rounded up to three decimals, so that the number that is read is the one that was used.
    """
    bounds = [one.effect_high for one in recoded if one is not None and isfinite(one.effect_high)]
    return ceil(1000 * max(1.0, *bounds)) / 1000 if bounds else nan
