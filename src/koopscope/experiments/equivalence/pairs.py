"""Pairs of a study as rows of plain values, for figures, tables and captions."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from koopscope.experiments.equivalence.labels import CONTROL_LINE
from koopscope.experiments.equivalence.wording import (
    as_expected,
    control_sentence,
    margin_said,
    sentence,
)
from koopscope.report.datasets import plain, require, strings

OF_LINES = ("between", "within", "effect", "effect_low", "effect_high", "statistic", "p_value")
PAIR_NUMBERS = (*OF_LINES, "p_adjusted", "swapped_pair_p")


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


def control_rows(comparison: xr.Dataset) -> list[dict[str, Any]]:
    """One dictionary for each control line, as :func:`pairs` has them; none where there are none.

    ``as_expected`` says whether the control holds, None where its verdict is
    inconclusive; ``paired`` whether the line is made of the reference's own runs.
    """
    rows = []
    for i, name in enumerate(
        strings(comparison[CONTROL_LINE]) if CONTROL_LINE in comparison.dims else ()
    ):
        at = comparison.isel({CONTROL_LINE: i})
        row: dict[str, Any] = {
            word: str(at[f"control_{word}"].values)
            for word in ("verdict", "reason", "expected", "because")
        }
        row |= {number: plain(at[f"control_{number}"].values) for number in OF_LINES}
        row |= {
            count: int(at[f"control_{count}"].values) for count in ("seeds_first", "seeds_second")
        }
        row |= {"control": str(name), "paired": bool(at["control_paired"].values)}
        row["name"] = f"{comparison.attrs.get('reference') or 'reference'} / {name}"
        row["as_expected"] = as_expected(row["verdict"], row["expected"])
        row["sentence"] = control_sentence(row)
        rows.append(row)
    return rows


def margin_facts(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Smallest effect that counts: ``used``, ``number``, ``measured`` (None: unknown), ``said``."""
    used = plain(attrs.get("smallest_effect"))
    found = {
        "used": used,
        "asked": attrs.get("smallest_effect_asked", used),
        "number": plain(attrs.get("smallest_effect_number", used)),
        "measured": plain(attrs.get("smallest_effect_measured")),
    }
    return found | {"said": margin_said(found)}


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
