"""What the distances say of each pair of variants: its effect, its p, its verdict."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.errors import InputError
from koopscope.experiments.equivalence.pairs import control_rows, pairs
from koopscope.experiments.equivalence.wording import EXPECTED_WORDS, interval, outcome
from koopscope.report.datasets import require
from koopscope.report.numbers import number
from koopscope.report.style import (
    LETTER,
    MANY,
    NEUTRAL,
    PLAIN,
    WIDTHS,
    legend_below,
    new_figure,
    reported,
    title,
)

BLUE = sns.color_palette("colorblind").as_hex()[0]
# Each verdict as a marker, its colour and fill, and as a sign in text.
POINTS = {
    DISTINGUISHED: {"marker": "o", "color": BLUE, "markerfacecolor": BLUE},
    NOT_DISTINGUISHED: {"marker": "o", "color": NEUTRAL, "markerfacecolor": "white"},
    INCONCLUSIVE: {"marker": "D", "color": NEUTRAL, "markerfacecolor": "white"},
}
SIGNS = {DISTINGUISHED: "●", NOT_DISTINGUISHED: "○", INCONCLUSIVE: "◇"}
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
OUTCOMES = {"as expected": "✓", "not as expected": "✗", "not judged": ""}
# Where each column begins, in parts of the table.
COLUMNS = (
    (0.0, "between", lambda row: number(row["between"])),
    (0.11, "effect [95 %]", interval),
    (0.325, "p", lambda row: number(row["p_value"], 2)),
    (0.4, "p adj.", lambda row: number(row.get("p_adjusted"), 2)),
    (0.485, "verdict", lambda row: row["verdict"]),
    (0.68, "expected", lambda row: EXPECTED_WORDS[row["expected"]] + _mark(row)),
)
# Of a row in inches, with few rows and with many.
PITCH, DENSE = 0.36, 0.31
# Where in a row its name and its numbers stand.
NAME, NUMBERS = -0.24, 0.2
BLANK = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


@reported("1 verdicts", of="comparison")
def verdicts(comparison: xr.Dataset) -> Figure:
    """Draw the effect of each pair with its interval, and write its verdict beside it.

    Control lines stand below a thin rule, in grey.

    Parameters
    ----------
    comparison
        Dimension ``pair`` with the variables and coordinates of a verdict, perhaps ``control_line``
        with those of control lines. Attributes, where there are any: ``alpha``, ``correction``,
        ``smallest_effect`` (a dashed line).

    Raises
    ------
    InputError
        If one of them is missing, or if there is no sample or no pair.
    """
    require(comparison, "verdicts", "comparison", ("variant", "seed"))
    tested, lines = pairs(comparison), control_rows(comparison)
    rows = [*tested, *lines]
    pitch = PITCH if len(rows) <= MANY else DENSE
    figure = new_figure(WIDTHS["double"], 0.75 + pitch * len(rows))
    forest, table = figure.subplots(1, 2, width_ratios=(1, 2.25), sharey=True)
    for place, row in enumerate(rows):
        colour = None if place < len(tested) else NEUTRAL
        _effect(forest, place + NUMBERS, row, colour)
        _write(table, place, row, colour or "black")
    if lines:
        for axes in (forest, table):
            axes.axhline(len(tested) - 0.5, color=NEUTRAL, linewidth=0.6)
    smallest = comparison.attrs.get("smallest_effect")
    effect_lines(forest.axvline, smallest)
    forest.set_ylim(len(rows) - 0.5, -0.5)
    forest.set_yticks([y + NAME for y in range(len(rows))], [row["name"] for row in rows])
    # Names stand over their rows, across the panel, so that long ones have room.
    forest.tick_params(axis="y", length=0, pad=-3)
    for name in forest.get_yticklabels():
        name.set(ha="left", bbox=BLANK)
    for name in forest.get_yticklabels()[len(tested) :]:
        name.set_color(NEUTRAL)
    forest.grid(axis="y", visible=False)
    forest.set_title("effect, 95 % bootstrap interval")
    forest.set_xlabel("between ÷ within (log scale); 1: as within")
    shown = [row[name] for row in rows for name in ("effect", "effect_low", "effect_high")]
    forest.set_xscale("log")
    forest.set_xlim(effect_scale(forest.xaxis, [*shown, smallest]))
    _heads(table)
    marks = verdict_legend({row["verdict"] for row in rows}, smallest)
    said = _how_judged(comparison.attrs, len(tested))
    if lines:
        said += "; below the rule: controls of the instrument, p not adjusted"
        if "smallest_effect_number" in comparison.attrs:
            said += f", smallest effect {float(comparison.attrs['smallest_effect_number']):g}"
    legend_below(figure, marks, said)
    title(figure, comparison.attrs)
    return figure


@reported("2 table of verdicts", of="comparison")
def verdict_table(comparison: xr.Dataset) -> pd.DataFrame:
    """Table of the pairs, a row each (:func:`koopscope.experiments.equivalence.pairs.pairs`)."""
    return pd.DataFrame(pairs(comparison))


def effect_lines(line: Any, smallest: float | None) -> None:
    """Draw lines (``axhline`` or ``axvline``) at effect 1 and at the smallest one of interest."""
    line(1, color="black", linewidth=0.9, zorder=1)
    if smallest is not None:
        line(float(smallest), color="black", linewidth=0.9, linestyle="--", zorder=1)


def effect_scale(axis: Axis, effects: Iterable[float | None]) -> tuple[float, float]:
    """Put plain ticks on a logarithmic axis; returns limits that hold these effects and 1."""
    known = [value for value in effects if value is not None and 0 < value < math.inf]
    low, high = min([*known, 0.8]), max([*known, 1.25])
    margin = (high / low) ** 0.08
    fine = math.log10(high / low) < 1.2
    axis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5) if fine else (1, 3)))
    axis.set_major_formatter(PLAIN)
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(which="minor", length=0)
    return low / margin, high * margin


def verdict_look(verdict: str) -> dict[str, str]:
    """Marker of a verdict.

    Raises
    ------
    InputError
        If it is none of the three.
    """
    if verdict not in POINTS:
        raise InputError(f"verdict: unknown {str(verdict)!r}; give one of {', '.join(POINTS)}")
    return POINTS[verdict]


def verdict_legend(found: Iterable[str], smallest: float | None) -> list[Line2D]:
    """Legend entries of the verdicts that occur, and of the line that :func:`effect_lines` adds."""
    found = set(found)
    handles = [
        Line2D([], [], linestyle="", label=word, **look)
        for word, look in POINTS.items()
        if word in found
    ]
    if smallest is not None:
        label = f"smallest effect of interest: {float(smallest):g}"
        handles.append(Line2D([], [], color="black", linewidth=0.9, linestyle="--", label=label))
    return handles


def _effect(axes: Axes, y: float, row: dict[str, Any], colour: str | None) -> None:
    effect, low, high = row["effect"], row["effect_low"], row["effect_high"]
    if effect is None:
        return
    look = verdict_look(row["verdict"])
    if colour:
        filled = look["markerfacecolor"] == look["color"]
        look = look | {"color": colour, "markerfacecolor": colour if filled else "white"}
    if low is not None and high is not None:
        axes.hlines(y, low, high, color=look["color"], linewidth=1.6)
    axes.plot(effect, y, linestyle="", markersize=5, **look)


def _mark(row: dict[str, Any]) -> str:
    said = outcome(row)
    if said == "no expectation":
        return ""
    return f": {OUTCOMES[said]} {said}" if OUTCOMES[said] else f": {said}"


def _write(axes: Axes, y: int, row: dict[str, Any], colour: str) -> None:
    place = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": LETTER}
    for x, _, text in COLUMNS:
        weight = "bold" if text(row) == DISTINGUISHED else "normal"
        axes.text(x, y + NUMBERS, text(row), fontweight=weight, color=colour, **place)
    if row["effect"] is None:
        why = f"effect unknown: {row['reason'] or 'within is 0 or unknown'}"
        axes.text(0, y + NAME, why, color=NEUTRAL, **place)


def _heads(axes: Axes) -> None:
    for x, head, _ in COLUMNS:
        place = {"transform": axes.transAxes, "va": "bottom", "fontsize": LETTER}
        axes.text(x, 1.01, head, fontweight="bold", **place)
    axes.set_axis_off()


def _how_judged(attrs: dict[str, Any], count: int) -> str:
    rule, said = [], []
    correction = str(attrs.get("correction", "none"))
    adjusted = correction != "none"
    if "alpha" in attrs:
        rule.append(
            f"distinguished: {'p adj.' if adjusted else 'p'} ≤ {float(attrs['alpha']):g} and "
            "interval right of the dashed line; not distinguished: interval left of it"
        )
    if adjusted:
        said.append(f"p adj.: {CORRECTIONS.get(correction, correction)}, over {count} pairs")
    if "permutations" in attrs:
        said.append(f"{int(attrs['permutations'])} permutations of seed labels")
    if "bootstrap" in attrs:
        said.append(f"{int(attrs['bootstrap'])} bootstrap draws over seeds")
    return "\n".join([*rule, "; ".join(said)])
