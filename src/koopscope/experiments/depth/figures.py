"""Depths of networks: distances between neighbours above the errors that full training leaves."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter

from koopscope.compare.words import DISTINGUISHED
from koopscope.experiments.depth.names import SAID
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    LETTER,
    NEUTRAL,
    PLAIN,
    Look,
    legend_below,
    looks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

# Errors that differ by no more than this factor stand on a linear axis.
LINEAR = 5
NEEDED = ("case", "error", "effect", "effect_low", "effect_high", "verdict", "shallower")
NEEDED += ("predicted", "observed", "observed_low", "observed_high")


@reported("1 depths predicted and observed", of="depth")
def depths(found: xr.Dataset) -> Figure:
    """Draw for each task the effect between neighbouring depths above the error by depth.

    A strip between the two holds the depth that each predictor predicts; the grey band is the
    interval of the depth observed, the black line that depth.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.depth.run.run_families` gives it.

    Raises
    ------
    InputError
        If a variable is missing, or there is no case.
    """
    require(found, "depths", "depth", NEEDED, dim="case")
    cases, names = strings(found["case"]), strings(found["predictor"])
    marks = looks(names)
    width = page_width(1.6 * min(len(cases), 3))
    rows, columns = shape(len(cases), 1.6, width=width)
    strip = 0.17 * len(names) + 0.1
    figure = new_figure(width, (1.2 + strip + 1.35 + 0.5) * rows)
    grid = figure.subplots(
        3 * rows, columns, squeeze=False, sharex=True, height_ratios=[1.2, strip, 1.35] * rows
    )
    smallest = float(found.attrs["smallest_effect"])
    highs = found["effect_high"].values
    top = np.nanmax(highs[np.isfinite(highs)], initial=2 * smallest) * 1.1
    for i in range(rows * columns):
        row, column = divmod(i, columns)
        above, middle, below = (grid[3 * row + k][column] for k in range(3))
        if i >= len(cases):
            for axes in (above, middle, below):
                axes.set_axis_off()
            continue
        at = found.isel(case=i)
        _effects(above, at, smallest)
        above.set_ylim(min(0.5, np.nanmin(found["effect_low"].values, initial=1) / 1.1), top)
        above.set_title(cases[i])
        _predicted(middle, at, names, marks)
        _errors(below, at)
        for axes in (middle, below):
            low, high = float(at["observed_low"]), float(at["observed_high"])
            axes.axvspan(low - 0.15, high + 0.15, color="0.88", linewidth=0, zorder=0)
            axes.axvline(float(at["observed"]), color="black", linewidth=1.4, zorder=1)
        if column == 0:
            above.set_ylabel("effect, d to d + 1")
            below.set_ylabel("error")
        middle.set_yticks(range(len(names)), [_short(n) for n in names] if column == 0 else [])
        below.set_xlabel("hidden layers")
        below.xaxis.set_major_locator(FixedLocator(found["depth"].values))
        for axes in (above, middle):
            axes.tick_params(axis="x", labelbottom=False, length=0)
        below.tick_params(labelbottom=True)
        below.set_xlim(found["depth"].values[0] - 0.5, found["depth"].values[-1] + 0.5)
    legend_below(figure, _entries(marks, smallest), _heading(found))
    title(figure, found.attrs)
    return figure


def _effects(axes: Axes, at: xr.Dataset, smallest: float) -> None:
    x = at["shallower"].values + np.diff(at["depth"].values) / 2
    told = strings(at["verdict"]) == DISTINGUISHED
    for k in range(len(x)):
        low, middle, high = (float(at[n][k]) for n in ("effect_low", "effect", "effect_high"))
        if not np.isfinite(middle):
            continue
        axes.plot([x[k]] * 2, [low, high], color="black", linewidth=1.2)
        face = "black" if told[k] else "white"
        axes.plot(x[k], middle, "o", color="black", markerfacecolor=face, markersize=5)
    axes.axhline(smallest, color="black", linestyle="--", linewidth=0.9)
    axes.axhline(1, color=NEUTRAL, linestyle=":", linewidth=0.9)
    axes.set_yscale("log")
    known = [v for v in at["effect_high"].values if np.isfinite(v)]
    _name(axes, 0.5, max([2.0, *known]))


def _predicted(axes: Axes, at: xr.Dataset, names: np.ndarray, marks: dict[str, Look]) -> None:
    for k, name in enumerate(names):
        value = float(at["predicted"][k])
        if np.isfinite(value):
            look = marks[name]
            axes.plot(value, k, linestyle="", marker=look.marker, color=look.colour, markersize=6)
        else:
            # Beside the axis, where no depth is.
            place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "center"}
            axes.annotate("none", (0.98, k), fontsize=LETTER, color=NEUTRAL, **place)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def _errors(axes: Axes, at: xr.Dataset) -> None:
    depth = at["depth"].values
    errors = at["error"].transpose("depth", "seed").values
    finite = np.isfinite(errors)
    count = finite.sum(axis=1)
    total = np.where(finite, errors, 0).sum(axis=1)
    means = np.divide(total, count, out=np.full(len(depth), np.nan), where=count > 0)
    for values, x in zip(errors, depth, strict=True):
        axes.plot(np.full(len(values), x), values, ".", color="0.55", markersize=3)
    axes.plot(depth, means, color="black", marker="s", markersize=3.5, linewidth=1)
    known = errors[finite & (errors > 0)]
    if len(known) and known.max() > LINEAR * known.min():
        axes.set_yscale("log")
        _name(axes, known.min(), known.max())


def _name(axes: Axes, low: float, high: float) -> None:
    """Name round values on a log axis, fewer of them over many decades."""
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    within = (1, 2, 5) if high < 100 * low else (1,)
    axes.yaxis.set_major_locator(FixedLocator(np.outer(tens, within).ravel()))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _entries(marks: dict[str, Look], smallest: float) -> list:
    point = {"color": "black", "linestyle": "", "markersize": 5}
    return [
        Line2D([], [], marker="o", label="distinguished", **point),
        Line2D([], [], marker="o", markerfacecolor="white", label="not told apart", **point),
        Line2D([], [], color="black", linestyle="--", label=f"smallest effect, {smallest:g}"),
        Line2D([], [], color=NEUTRAL, linestyle=":", label="as between seeds"),
        *(
            Line2D([], [], linestyle="", marker=m.marker, color=m.colour, label=SAID.get(n, n))
            for n, m in marks.items()
        ),
        Line2D([], [], color="black", marker="s", markersize=3.5, label="mean error"),
        Line2D([], [], color="0.55", marker=".", linestyle="", label="seeds"),
        Line2D([], [], color="black", linewidth=1.4, label="depth observed"),
        Patch(color="0.88", label="its 95 % interval"),
    ]


def _heading(found: xr.Dataset) -> str:
    tolerance = 100 * float(found.attrs["tolerance"])
    return (
        "effect: distance between the spectra of two depths ÷ between seeds, with 95 % interval; "
        f"observed: first depth with an error within {tolerance:g} % of the least\n"
        "errors: share of wrong answers, or root mean square ÷ range of a signal's values"
    )


def _short(name: str) -> str:
    return {"spectrum": "spectrum", "short_loss": "short loss", "two_layers": "two"}.get(name, name)
