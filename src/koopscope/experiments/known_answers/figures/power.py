"""Power of each method against its worst rate of false positives."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from koopscope.experiments.known_answers.deciding import OTHER_CURVE, SAME_CURVE, decided
from koopscope.experiments.known_answers.figures.families import LINE, LOOKS
from koopscope.experiments.known_answers.rates import ALPHA, MOST
from koopscope.report.style import (
    LETTER,
    NEUTRAL,
    legend_below,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

# Rates below this lie on the border; methods without an answer to a core case stand to the right.
LEAST, BESIDE = 1, 230
TICKS = (1, 2, 5, 10, 20, 50, 100)
CHOSEN = {"marker": "o", "markersize": 11, "markerfacecolor": "none", "color": "black"}
# Of a number from its mark, in points.
NEAR = 8.5


@reported("1 power against false positives", of="known_answers")
def power_by_false_positives(answers: xr.Dataset) -> Figure:
    """Draw the power of each method against its worst rate of false positives.

    Parameters
    ----------
    answers
        As :func:`koopscope.experiments.known_answers.run.run` gives them.

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no method, case, size or draw.
    """
    found = decided(answers, "power by false positives")
    handles = [*_key(found), *_styles(found)]
    grid = shape(2, 2.4)
    figure = new_figure(page_width(), 3.0 * grid[0])
    panels = figure.subplots(*grid, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, kind in zip(panels, (SAME_CURVE, OTHER_CURVE), strict=True):
        cases = int((found["group"] == kind).sum())
        panel.set_title(f"{kind}\n({cases} case{'' if cases == 1 else 's'})")
        panel.set_xlabel("highest rate among core equivalences, %")
        _limits(panel, found)
        if not cases:
            panel.text(
                0.5, 0.5, "no such case", transform=panel.transAxes, ha="center", va="center",
                color=NEUTRAL, backgroundcolor="white",
            )  # fmt: skip
    panels[0].set_ylabel("power: mean share called different, %")
    heading = f"groups of {found.attrs['deciding']} seeds; bars: 95 % intervals"
    legend_below(figure, handles, heading, columns=3)
    title(figure, found.attrs)
    # Where numbers have room is known when the panels have their places.
    figure.draw_without_rendering()
    for panel, kind in zip(panels, (SAME_CURVE, OTHER_CURVE), strict=True):
        _number(panel, _draw_methods(panel, found, kind))
    return figure


def _limits(panel: Axes, found: xr.Dataset) -> None:
    beside = not np.isfinite(found["worst"].sel(bound="mean")).all()
    ticks = {rate: str(rate) for rate in TICKS} | ({BESIDE: "no\nanswer"} if beside else {})
    panel.set_xscale("log")
    panel.set(xlim=(0.85 * LEAST, 1.35 * max(ticks)), ylim=(-4, 104))
    panel.set_xticks(list(ticks), list(ticks.values()))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.axvline(100 * MOST, color="black", linewidth=0.9, linestyle="--", zorder=1)
    panel.axhline(100 * ALPHA, color="black", linewidth=0.9, linestyle=":", zorder=1)
    if beside:
        panel.axvline(np.sqrt(100 * BESIDE), color="black", linewidth=0.8, zorder=1)


def _draw_methods(panel: Axes, found: xr.Dataset, kind: str) -> list[tuple[int, float, float]]:
    """Draw a mark a method; numbers of the methods and where they stand."""
    shown = []
    for number, name in enumerate(found["approach"].values, start=1):
        at = found.sel(approach=name)
        worst = 100 * at["worst"].transpose("bound").values
        power = 100 * at["power"].sel(kind=kind).transpose("bound").values
        if not np.isfinite(power[0]):
            continue
        x, y = max(worst[0], LEAST) if np.isfinite(worst[0]) else BESIDE, power[0]
        look = LOOKS[str(at["family"].item())]
        bars = {"color": look.colour, "linewidth": 0.8, "alpha": 0.45, "zorder": 2}
        panel.vlines(x, power[1], power[2], **bars)
        if np.isfinite(worst[0]):
            panel.hlines(y, max(worst[1], 0.1), worst[2], **bars)
        panel.plot(
            x, y, linestyle="", marker=look.marker, color=look.colour, markersize=5.5,
            markerfacecolor=look.colour if at["admissible"] else "white",
            zorder=3.2 if at["admissible"] else 3,
        )  # fmt: skip
        if name == found.attrs["chosen"]:
            panel.plot(x, y, linestyle="", zorder=2.5, **CHOSEN)
        shown.append((number, x, y))
    return shown


def _number(panel: Axes, shown: list[tuple[int, float, float]]) -> None:
    """Write numbers beside marks, each where it meets no other number and no mark."""
    points = panel.figure.dpi / 72
    marks = [panel.transData.transform((x, y)) / points for _, x, y in shown]
    box = np.array(panel.bbox.extents) / points
    taken = [(mark, np.array([3.5, 3.5])) for mark in marks]
    for (number, x, y), mark in zip(shown, marks, strict=True):
        half = np.array([2.4 * len(str(number)) + 0.4, 4.0])
        offset = _free(mark, half, taken, box)
        taken.append((mark + offset, half))
        far = np.hypot(*offset) > NEAR + 4
        panel.annotate(
            str(number), (x, y), xytext=tuple(offset), textcoords="offset points", ha="center",
            va="center", fontsize=LETTER, zorder=4, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.4"} if far else None,
        )  # fmt: skip


def _free(
    mark: np.ndarray, half: np.ndarray, taken: list[tuple[np.ndarray, np.ndarray]], box: np.ndarray
) -> np.ndarray:
    """Offset in points to the nearest place within the panel that nothing has taken."""
    angles = np.pi * (0.25 + np.arange(16) / 8)
    for radius in NEAR + 4.0 * np.arange(24):
        for angle in angles:
            offset = radius * np.array([np.cos(angle), np.sin(angle)])
            at = mark + offset
            inside = (at - half >= box[:2]).all() and (at + half <= box[2:]).all()
            if inside and all((np.abs(at - c) >= half + h).any() for c, h in taken):
                return offset
    return np.array([0.0, NEAR])


def _key(found: xr.Dataset) -> list[Artist]:
    """Number and name of each method, in the colour of its family."""
    families, chosen = found["family"].values, found.attrs["chosen"]
    return [
        Line2D(
            [], [], linestyle="", marker=f"${number}$", color=LOOKS[family].colour,
            markersize=5 if number < 10 else 8,
            label=textwrap.fill(f"{name} (chosen)" if name == chosen else str(name), LINE),
        )
        for number, (name, family) in enumerate(
            zip(found["approach"].values, families, strict=True), start=1
        )
    ]  # fmt: skip


def _styles(found: xr.Dataset) -> list[Artist]:
    """What marks and lines mean."""
    empty = {"linestyle": "", "markersize": 5.5}
    there = [name for name in LOOKS if (found["family"] == name).any()]
    handles = [
        Line2D(
            [], [], marker=LOOKS[name].marker, color=LOOKS[name].colour, markerfacecolor="white",
            label=name, **empty,
        )
        for name in there
    ]  # fmt: skip
    handles += [
        Line2D([], [], marker="o", color="black", label="filled: admissible", **empty),
        Line2D([], [], color="black", linestyle="--", label=f"limit of {100 * MOST:g} %"),
        Line2D([], [], color="black", linestyle=":", label=f"{100 * ALPHA:g} %: by chance"),
    ]
    if found.attrs["chosen"]:
        handles.insert(-2, Line2D([], [], linestyle="", label="chosen", **CHOSEN))
    return handles
