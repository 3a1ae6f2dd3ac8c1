"""How often each method calls each case different."""

import textwrap
from itertools import count

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from koopscope.experiments.known_answers.deciding import CORE, OTHER, by_group, decided
from koopscope.experiments.known_answers.figures.families import LINE, LOOKS
from koopscope.experiments.known_answers.rates import ALPHA, MOST
from koopscope.report.datasets import strings
from koopscope.report.style import LABEL, LETTER, WIDTHS, legend_below, new_figure, reported, title

ORANGES = LinearSegmentedColormap.from_list("o", ["#ffffff", "#fdd0a2", "#f16913", "#7f2704"])
BLUES = LinearSegmentedColormap.from_list("b", ["#ffffff", "#c6dbef", "#4292c6", "#08306b"])
FALSE = PowerNorm(0.5, 100 * ALPHA, 100, clip=True)
SEEN = Normalize(0, 100)
# Shade from which on letters are white.
DARK = 0.55
NO_ANSWER = {"facecolor": "0.92", "hatch": "//////", "edgecolor": "0.7"}
# More cases than this are drawn in rows of the least height that can be read.
MANY_ROWS = 30
# Height of the heading of a kind of cases, in rows.
HEADING = 1.4


@reported("2 methods by known answers", of="known_answers")
def known_answers_matrix(answers: xr.Dataset) -> Figure:
    """Draw how often each method calls each case different.

    Parameters
    ----------
    answers
        As :func:`koopscope.experiments.known_answers.run.run` gives them.

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no method, case, size or draw.
    """
    found = decided(answers, "matrix of known answers")
    cases, groups = strings(found["case"]), by_group(found)
    size, pitch = (LETTER, 0.123) if len(cases) > MANY_ROWS else (LABEL, 0.18)
    letter = 0.57 * size / 72
    side = letter * max(map(len, cases))
    column = (WIDTHS["double"] - side - 0.3) / found.sizes["approach"]
    heads, turned = _heads(found, int(column / letter))
    # Signs are wider than letters.
    above = max(max(map(len, head.split("\n"))) + 2 for head in heads) * letter if turned else 0.6
    rows = len(cases) + HEADING * len(groups)
    figure = new_figure(WIDTHS["double"], pitch * rows + above + 0.75)
    grid = figure.add_gridspec(2, 2, height_ratios=(pitch * rows, 0.09))
    panel = figure.add_subplot(grid[0, :])
    top, places = 0.0, []
    for group, of_group in groups.items():
        panel.text(-0.5, top + 0.85, group, weight="bold", fontsize=size + 0.5, va="center")
        _draw_group(panel, of_group, top + HEADING, group in (CORE, OTHER), size)
        places += [top + HEADING + 0.5 + row for row in range(of_group.sizes["case"])]
        top += HEADING + of_group.sizes["case"]
    panel.set(xlim=(-0.5, found.sizes["approach"] - 0.5), ylim=(top, 0))
    panel.set_yticks(places, cases.tolist(), fontsize=size)
    panel.xaxis.tick_top()
    panel.set_xticks(
        range(len(heads)), heads, fontsize=size, rotation=90 if turned else 0, linespacing=1.05
    )
    for label, name in zip(panel.get_xticklabels(), found["approach"].values, strict=True):
        label.set_multialignment("left" if turned else "center")
        label.set_weight("bold" if name == found.attrs["chosen"] else "normal")
    panel.tick_params(length=0)
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    for place, (said, colours, norm, ticks) in enumerate(
        (
            ("equivalent: called different, %", ORANGES, FALSE, (5, 10, 20, 50, 100)),
            ("different: called different, %", BLUES, SEEN, (0, 20, 40, 60, 80, 100)),
        )
    ):
        at = figure.add_subplot(grid[1, place])
        bar = figure.colorbar(ScalarMappable(norm, colours), at, orientation="horizontal")
        bar.set_ticks(ticks, labels=[f"≤ {ticks[0]}" if norm is FALSE else "0", *ticks[1:]])
        bar.set_label(said, fontsize=size)
        bar.ax.tick_params(labelsize=size)
    heading = (
        f"groups of {found.attrs['deciding']} seeds; bold: the 95 % interval lies above 5 %\n"
        "● admissible, ★ chosen, ○ not admissible"
    )
    above_limit = f"false positives above {100 * MOST:g} %"
    handles = [
        Patch(facecolor="white", edgecolor="black", label=above_limit),
        Patch(label="no answer", **NO_ANSWER),
    ]
    legend_below(figure, handles, heading)
    title(figure, found.attrs)
    return figure


def _heads(found: xr.Dataset, room: int) -> tuple[list[str], bool]:
    """Names over the columns, in lines, and whether they are turned."""
    # A sign keeps to the word before it.
    names = [f"{name}\N{NO-BREAK SPACE}{_sign(found, name)}" for name in strings(found["approach"])]
    if max(len(word) for name in names for word in name.split(" ")) <= room:
        return [textwrap.fill(name, room) for name in names], False
    return [_in_two_lines(name) for name in names], True


def _in_two_lines(name: str) -> str:
    """Name in one line, or in two where it is long."""
    lines = (textwrap.fill(name, width) for width in count(LINE + 2))
    return next(found for found in lines if found.count("\n") < 2)


def _sign(found: xr.Dataset, name: str) -> str:
    if name == found.attrs["chosen"]:
        return "★"
    return "●" if found["admissible"].sel(approach=name) else "○"


def _draw_group(panel: Axes, group: xr.Dataset, top: float, equal: bool, size: float) -> None:
    """Draw the cells of a kind of cases, a row a case."""
    colours, norm = (ORANGES, FALSE) if equal else (BLUES, SEEN)
    rates = 100 * group["rate"].transpose("case", "approach", "bound").values
    family = [list(LOOKS).index(name) for name in group["family"].values]
    bounds = np.flatnonzero(np.diff(family)) + 0.5
    panel.vlines(bounds, top, top + len(rates), color="black", linewidth=1.4, zorder=4)
    for row, of_case in enumerate(rates):
        for column, (rate, low, _) in enumerate(of_case):
            corner, y = (column - 0.5, top + row), top + row + 0.5
            if not np.isfinite(rate):
                panel.add_patch(Rectangle(corner, 1, 1, **NO_ANSWER, linewidth=0))
                continue
            shade = norm(rate)
            panel.add_patch(
                Rectangle(corner, 1, 1, facecolor=colours(shade), edgecolor="0.9", linewidth=0.4)
            )
            panel.text(
                column, y + 0.04, _percent(rate), ha="center", va="center", fontsize=size,
                color="white" if shade > DARK else "black",
                weight="bold" if low > 100 * ALPHA else "normal",
            )  # fmt: skip
            if equal and rate > 100 * MOST:
                inner = Rectangle((corner[0] + 0.04, corner[1] + 0.06), 0.92, 0.88, zorder=3)
                inner.set(fill=False, edgecolor="black", linewidth=0.9)
                panel.add_patch(inner)


def _percent(rate: float) -> str:
    """Rate in whole per cent, unless that hides on which side of the limit it lies."""
    said = f"{rate:.0f}"
    return f"{rate:.1f}" if said == f"{100 * MOST:.0f}" and rate > 100 * MOST else said
