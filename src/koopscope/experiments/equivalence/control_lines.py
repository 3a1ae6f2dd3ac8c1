"""Controls of the instrument, beside a study's pairs: what a verdict must not see, what it should.

Each line is a test of its own, without correction: Holm over them would make a recoding that counts
less likely to be noticed, and over the study's pairs too its verdicts would depend on how many
controls stand beside them. Lines are judged by the number that counts as a difference, never by
the margin that is measured on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
import xarray as xr

from koopscope.compare.verdict import SMALLEST_EFFECT, Comparison
from koopscope.compare.words import INCONCLUSIVE
from koopscope.config.controls import MEASURED, RECODED, because_of, expected_of, kind_of
from koopscope.experiments.equivalence.labels import CONTROL_LINE
from koopscope.experiments.equivalence.study import Variant

NO_SPECTRUM = "no run of one side has a spectrum"
NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "statistic", "p_value")


@dataclass(frozen=True)
class Margin:
    """Smallest effect that counts, and where it comes from.

    Attributes
    ----------
    asked
        A number, or ``"measured"``.
    measured
        Largest upper 95 % bound of the effects of the recoded lines, at least 1; NaN where none is
        known. Rounded up to three decimals.
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


def margin_of(
    asked: float | str, lines: Sequence[Variant], results: Sequence[Comparison | None]
) -> Margin:
    """Margin of a study by its control lines, in their order; None where one has no spectrum."""
    bounds = [
        result.effect_high
        for line, result in zip(lines, results, strict=True)
        if kind_of(line.name) == RECODED and result is not None and isfinite(result.effect_high)
    ]
    # Up to three decimals, so that the number that is read is the one that was used.
    return Margin(asked, ceil(1000 * max(1.0, *bounds)) / 1000 if bounds else float("nan"))


def as_dataset(
    lines: Sequence[Variant],
    results: Sequence[Comparison | None],
    seeds: Sequence[tuple[int, int]],
    paired: Sequence[bool],
    alpha: float,
    smallest_effect: float,
) -> xr.Dataset:
    """Numbers and verdict of each control line against the reference.

    Returns
    -------
    xarray.Dataset
        Dim ``control_line`` (its coordinate names the controls): ``control_effect`` and the other
        numbers of a comparison, ``control_verdict``, ``control_reason``, ``control_expected``,
        ``control_because``, ``control_seeds_first``, ``control_seeds_second``; ``control_paired``:
        whether it is made of the reference's own runs (:func:`koopscope.compare.paired.unpaired`).
    """
    given = alpha, smallest_effect
    names = [line.name for line in lines]
    words = {
        "verdict": [INCONCLUSIVE if r is None else r.verdict(*given) for r in results],
        "reason": [NO_SPECTRUM if r is None else r.reason(*given) for r in results],
        "expected": [expected_of(name) for name in names],
        "because": [because_of(name) for name in names],
    }
    first, second = np.array(seeds, dtype=int).reshape(-1, 2).T
    columns = {name: np.array(values, dtype=object) for name, values in words.items()}
    columns |= {
        name: np.array([np.nan if r is None else getattr(r, name) for r in results], dtype=float)
        for name in NUMBERS
    }
    columns |= {"seeds_first": first, "seeds_second": second, "paired": np.array(paired, bool)}
    return xr.Dataset(
        {f"control_{name}": (CONTROL_LINE, values) for name, values in columns.items()},
        coords={CONTROL_LINE: np.array(names, dtype=object)},
    )
