"""Pairs of a study as rows of plain values, for figures, tables and captions."""

from typing import Any

import xarray as xr

from koopscope.experiments.equivalence.wording import as_expected, sentence
from koopscope.report.datasets import plain, require, strings

PAIR_NUMBERS = ("between", "within", "effect", "effect_low", "effect_high", "statistic")
PAIR_NUMBERS += ("p_value", "p_adjusted", "swapped_pair_p")


def pairs(comparison: xr.Dataset) -> list[dict[str, Any]]:
    """One dictionary of plain values for each pair of variants.

    Parameters
    ----------
    comparison
        Dimension ``pair`` with the coordinates ``first``, ``second``, ``expected``, ``because``
        and the variables of a verdict.

    Raises
    ------
    InputError
        If one of these is missing, or if there is no pair.
    """
    words = ("first", "second", "expected", "because", "verdict", "reason")
    counts = ("seeds_first", "seeds_second")
    require(comparison, "verdicts", "comparison", (*words, *PAIR_NUMBERS, *counts), dim="pair")
    rows = []
    for i in range(comparison.sizes["pair"]):
        at = comparison.isel(pair=i)
        row = {name: str(at[name].values) for name in words}
        row |= {name: plain(at[name].values) for name in PAIR_NUMBERS}
        row |= {name: int(at[name].values) for name in counts}
        row["name"] = f"{row['first']} / {row['second']}"
        row["time_units"] = time_units(at)
        row["as_expected"] = as_expected(row["verdict"], row["expected"])
        row["sentence"] = sentence(row)
        rows.append(row)
    return rows


def time_units(pair: xr.Dataset) -> list[dict[str, Any]]:
    """Effect and p of one pair in each unit of time in which the variants differ."""
    names = ("effect", "effect_low", "effect_high", "p_value")
    if "effect_by_time_unit" not in pair:
        return []
    found = []
    for time_unit in strings(pair["time_unit"]):
        at = pair.sel(time_unit=time_unit)
        row = {name: plain(at[f"{name}_by_time_unit"].values) for name in names}
        found.append({"time_unit": str(time_unit), **row})
    return found
