"""Numbers with their interval, and rows that set the spectrum against a plain baseline."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.summary.facts import plain
from koopscope.summary.intervals import mean_interval
from koopscope.summary.wording import number

Cell = Mapping[str, float | None]


def cell(values: xr.DataArray) -> dict[str, float | None]:
    """``mean``, ``low`` and ``high`` of an array with the dim ``bound`` alone."""
    numbers = values.transpose("bound").values
    return dict(zip(("mean", "low", "high"), map(plain, numbers), strict=True))


def cell_said(found: Cell, digits: int = 3) -> str:
    """Mean with its interval, or a dash."""
    if found["mean"] is None or found["low"] is None:
        return number(found["mean"], digits)
    low, high = number(found["low"], digits), number(found["high"], digits)
    return f"{number(found['mean'], digits)} [{low}, {high}]"


def word_of(gain: Cell) -> str:
    """``better`` if the whole interval of a gain lies above 0, ``worse`` if below, or neither."""
    if gain["low"] is None:
        return "neither"
    return "better" if gain["low"] > 0 else "worse" if gain["high"] < 0 else "neither"


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
    low, high = number(found["min"], digits), number(found["max"], digits)
    said = number(found["median"], digits)
    return said if low == high else f"{said} [{low}, {high}]"


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
    cells = [
        dict(zip(("mean", "low", "high"), map(plain, mean_interval(values[known])), strict=True))
        for values in (ours, theirs, ours - theirs)
    ]
    low, high = cells[2]["low"], cells[2]["high"]
    word = "neither"
    if low is not None and (high < 0 or low > 0):
        word = "better" if high < 0 else "worse"
    ahead = int(np.isfinite(ours).sum()) - int(np.isfinite(theirs).sum())
    if ahead < 0:
        word = "neither" if word == "better" else "worse"
    elif ahead > 0:
        word = "neither" if word == "worse" else "better"
    return against(where, spectrum, baseline, measure, *cells, word)
