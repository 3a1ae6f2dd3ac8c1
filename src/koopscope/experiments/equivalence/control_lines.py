"""Controls of the instrument, beside a study's pairs: what a verdict must not see, what it should.

Each line is a test of its own, without correction: Holm over them would make a recoding that counts
less likely to be noticed, and over the study's pairs too its verdicts would depend on how many
controls stand beside them. Lines are judged by the number that counts as a difference, never by
the margin that is measured on them.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from koopscope.compare.margins import Margin, measured
from koopscope.compare.verdict import Comparison
from koopscope.compare.words import INCONCLUSIVE
from koopscope.config.controls import RECODED, because_of, expected_of, kind_of
from koopscope.experiments.equivalence.labels import CONTROL_LINE
from koopscope.experiments.equivalence.study import Variant

NO_SPECTRUM = "no run of one side has a spectrum"
NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "statistic", "p_value")


def margin_of(
    asked: float | str, lines: Sequence[Variant], results: Sequence[Comparison | None]
) -> Margin:
    """Margin of a study by its control lines, in their order; None where one has no spectrum."""
    recoded = (
        result for line, result in zip(lines, results, strict=True) if kind_of(line.name) == RECODED
    )
    return Margin(asked, measured(recoded))


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
