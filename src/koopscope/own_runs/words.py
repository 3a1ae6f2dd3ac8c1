"""How a comparison of runs is said."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE
from koopscope.experiments.equivalence.control_lines import NUMBERS
from koopscope.experiments.equivalence.wording import interval
from koopscope.report.datasets import plain
from koopscope.report.numbers import number

MEANING = (
    "Distinguished: the spectra differ by more than seeds do. Not distinguished: a difference, if "
    "there is one, is too small to count; equal spectra are necessary for conjugate training, not "
    "sufficient. Inconclusive: neither can be said of so few seeds."
)


def answer(row: Mapping[str, Any]) -> str:
    """Say what a pair came to, in one line."""
    word = row["verdict"]
    said = f"{row['name']}: {word}"
    if row["fragile"] and word != INCONCLUSIVE:
        count = len(row["fragile"])
        said += f", but fragile: {count} other way{'s' if count > 1 else ''} to estimate say"
        said += f"{'' if count > 1 else 's'} otherwise"
    p = "adjusted p" if row["p_adjusted"] != row["p_value"] else "p"
    said += f"; effect {interval(row)}, {p} = {number(row['p_adjusted'], 2)}"
    said += f", {row['seeds_first']} and {row['seeds_second']} seeds"
    return said + (f": {row['reason']}" if word == INCONCLUSIVE and row["reason"] else "")


def pair_lines(row: Mapping[str, Any]) -> str:
    """Say what a pair came to, and what speaks for and against it."""
    lines = [row["answer"]]
    if row["verdict"] != INCONCLUSIVE:
        lines += [f"  Otherwise: {said}" for said in row["fragile"]]
    if row["needed"]:
        needed = row["needed"]
        seeds = needed["seeds"]
        said = f"about {seeds} seeds of each would probably settle it" if seeds else "not foreseen"
        lines.append(
            f"  What would settle it: {said} ({needed['reason']}). The smallest p that these seeds "
            f"can reach is {number(row['smallest_p'], 2)}."
        )
    if row["moved"] and row["verdict"] == DISTINGUISHED:
        lines += [f"  Moved most: {moved_said(m, row)}" for m in row["moved"]]
    return "\n".join(lines)


def moved_said(moved: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """One mode that moved, in words."""
    sides = [
        f"{_mode_said(moved[side])} in {row[name]}"
        for side, name in (("first", "first"), ("second", "second"))
    ]
    spread = moved["spread"]
    times = f" ({moved['distance'] / spread:.2g} × the spread of seeds)" if spread else ""
    return f"{' → '.join(sides)}; by {number(moved['distance'], 2)}{times}"


def _mode_said(mode: Mapping[str, Any]) -> str:
    value = complex(mode["real"], mode["imag"])
    shown = f"{value.real:.5g}" if value.imag == 0 else f"{value.real:.5g}±{value.imag:.2g}i"
    median, low, high = mode["time_constant"]
    lasts = (
        "does not decay"
        if not np.isfinite(median)
        else f"time constant {_steps(median)} steps [{_steps(low)}, {_steps(high)}]"
    )
    period = mode["period"][0]
    turns = f", period {_steps(period)} steps" if np.isfinite(period) else ""
    return f"λ ≈ {shown} ({lasts}{turns})"


def _steps(value: float) -> str:
    """Write a number of steps; without end where a mode does not decay."""
    if not np.isfinite(value):
        return "∞"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def part_facts(parts: xr.Dataset) -> list[dict[str, Any]]:
    """One row for each part and pair."""
    rows = []
    for i, part in enumerate(parts["part"].values):
        for j in range(parts.sizes["pair"]):
            at = parts.isel(part=i, pair=j)
            row: dict[str, Any] = {n: plain(at[n].values) for n in (*NUMBERS, "p_adjusted")}
            names = f"{at['first'].values} / {at['second'].values}"
            row |= {"part": str(part), "pair": names, "fitted": str(at["fitted"].values)}
            row |= {"verdict": str(at["verdict"].values), "reason": str(at["reason"].values)}
            rows.append(row)
    return rows


def parts_rows(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Table of the parts, its head first."""
    head = ["part", "pair", "effect [95 %]", "adjusted p", "verdict", "fitted"]
    return [head] + [
        [r["part"], r["pair"], interval(r), number(r["p_adjusted"], 2), r["verdict"], r["fitted"]]
        for r in rows
    ]


def sensitivity_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Table of other ways to estimate, its head first."""
    return [["estimate", "changed", *found["pairs"]]] + [
        [
            row["name"],
            row["changes"],
            *(f"{interval(cell)} {cell['verdict']}" for cell in row["cells"]),
        ]
        for row in found["rows"]
    ]


def aligned(rows: list[list[str]]) -> str:
    """Rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(f"  {line}" for line in lines)
