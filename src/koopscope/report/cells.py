"""Numbers with their interval, and rows that set the spectrum against a plain baseline."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.compare.intervals import mean_interval
from koopscope.compare.words import BETTER, NEITHER, WORSE, word
from koopscope.report.datasets import plain
from koopscope.report.numbers import between, number
from koopscope.report.tables import table

Cell = Mapping[str, float | None]


def cell(values: xr.DataArray) -> dict[str, float | None]:
    """``mean``, ``low`` and ``high`` of an array with the dim ``bound`` alone."""
    numbers = values.transpose("bound").values
    return dict(zip(("mean", "low", "high"), map(plain, numbers), strict=True))


def mean_cell(values: np.ndarray) -> dict[str, float | None]:
    """``mean``, ``low`` and ``high`` over independent draws such as seeds, by Student's t."""
    return dict(zip(("mean", "low", "high"), map(plain, mean_interval(values)), strict=True))


def cell_said(found: Cell, digits: int = 3) -> str:
    """Mean with its interval, or a dash."""
    return between(found["mean"], found["low"], found["high"], digits)


def word_of(gain: Cell) -> str:
    """``better`` if the whole interval of a gain lies above 0, ``worse`` if below, or neither."""
    known = gain["low"] is not None
    return word(known and gain["low"] > 0, known and gain["high"] < 0)


def spread(values: np.ndarray) -> dict[str, float] | None:
    """``median``, ``min`` and ``max`` of the finite values; None if there is none."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    found = {"median": np.median(values), "min": values.min(), "max": values.max()}
    return {name: plain(value) for name, value in found.items()}


def median(values: np.ndarray) -> float | None:
    """Median of the finite values; None if there is none."""
    found = spread(values)
    return found and found["median"]


def spread_said(found: Mapping[str, float] | None, digits: int = 3) -> str:
    """Median, with the least and the greatest if they differ as they are said; or a dash."""
    if found is None:
        return "–"
    middle, low, high = found["median"], found["min"], found["max"]
    if number(low, digits) == number(high, digits):
        return number(middle, digits)
    return between(middle, low, high, digits)


def against(
    where: str,
    spectrum: str,
    baseline: str,
    measure: str,
    ours: Cell,
    theirs: Cell,
    difference: Cell,
    word: str,
) -> dict[str, Any]:
    """Row of the table "spectrum against the plain baseline".

    Parameters
    ----------
    where
        Runs, or the checkpoint.
    spectrum, baseline
        What is compared.
    measure
        In which unit.
    ours, theirs, difference
        Of the spectrum, of the baseline, and the first less the second.
    word
        Whether the spectrum is ``better``, ``worse`` or ``neither``.
    """
    return {
        "where": where,
        "spectrum": spectrum,
        "baseline": baseline,
        "measure": measure,
        "ours": ours,
        "theirs": theirs,
        "difference": difference,
        "word": word,
    }


def against_cases(
    rows: Iterable[Mapping[str, Any]], apart: bool = True
) -> Iterator[tuple[str, str, str, str]]:
    """Spectrum, baseline, measure and word of each case in which the spectrum met a baseline.

    Parameters
    ----------
    rows
        Of that table.
    apart
        Whether each measure is a case of its own; otherwise all of one place are, with one word.
    """
    cases: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        measure = row["measure"] if apart else ""
        key = (row["where"], row["spectrum"], row["baseline"], measure)
        cases.setdefault(key, []).append(row)
    for found in cases.values():
        measure = "; ".join(row["measure"] for row in found)
        yield found[0]["spectrum"], found[0]["baseline"], measure, found[0]["word"]


def paired(
    where: str,
    spectrum: str,
    baseline: str,
    measure: str,
    ours: np.ndarray,
    theirs: np.ndarray,
) -> dict[str, Any]:
    """Row of that table from paired values, of which less is better and NaN is never.

    Intervals are Student's, over the pairs in which both values are finite. Whoever comes there in
    fewer pairs than the other is not better, and is worse unless it is better in those.

    Parameters
    ----------
    where, spectrum, baseline, measure
        As for :func:`against`.
    ours, theirs
        Shape (pair,).
    """
    known = np.isfinite(ours) & np.isfinite(theirs)
    cells = [mean_cell(values[known]) for values in (ours, theirs, ours - theirs)]
    # Less is better.
    found = word_of({"low": _minus(cells[2]["high"]), "high": _minus(cells[2]["low"])})
    ahead = int(np.isfinite(ours).sum()) - int(np.isfinite(theirs).sum())
    if ahead < 0:
        found = NEITHER if found == BETTER else WORSE
    elif ahead > 0:
        found = NEITHER if found == WORSE else BETTER
    return against(where, spectrum, baseline, measure, *cells, found)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def against_table(facts: Mapping[str, Any]) -> str:
    """Table of the spectrum against plain baselines, where it loses too."""
    head = ["where", "spectrum", "baseline", "measure", "spectrum's", "baseline's"]
    head += ["difference", "the spectrum is"]
    rows = [
        [
            row["where"],
            row["spectrum"],
            row["baseline"],
            row["measure"],
            cell_said(row["ours"]),
            cell_said(row["theirs"]),
            cell_said(row["difference"]),
            row["word"],
        ]
        for row in facts["against"]
    ]
    return "Spectrum against the plain baseline:\n\n" + table(head, rows)
