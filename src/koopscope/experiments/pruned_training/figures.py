"""Pruning while training: error against what it cost, and the cost to a target accuracy."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from koopscope.experiments.pruned_training.names import DENSE
from koopscope.pruning.names import STRUCTURED
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
    title,
)

NEEDED = ("pruner", "accuracy", "processor_seconds", "multiply_adds_nonzero", "reached")
NEEDED += ("target_processor_seconds", "target_multiply_adds_nonzero")
# Time of the processor and not of the wall: what else the machine did plays no part.
COSTS = {
    "processor_seconds": "processor seconds, scores included",
    "multiply_adds_nonzero": "multiplications with kept weights",
}


@reported("1 accuracy by time and operations", of="pruned_training")
def pruned_training(found: xr.Dataset) -> Figure:
    """Draw the test error against time and operations by method, and both to the target.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.pruned_training.run.run_seeds` gives it.

    Raises
    ------
    InputError
        If a variable is missing, or there is no seed.
    """
    require(found, "pruned_training", "pruned_training", NEEDED, dim="seed")
    methods = strings(found["pruner"]).tolist()
    scores = list(dict.fromkeys(name.removesuffix(STRUCTURED) for name in methods))
    marks = looks(scores)
    if DENSE in marks:
        marks[DENSE] = Look("black", marks[DENSE].marker, "-")
    groups = {
        "single weights": [m for m in methods if not m.endswith(STRUCTURED)],
        "whole units": [m for m in methods if m == DENSE or m.endswith(STRUCTURED)],
    }
    groups = {k: v for k, v in groups.items() if set(v) - {DENSE}} or {"no pruning": methods}
    powers = {cost: _power(found[cost].values) for cost in COSTS}
    height = 0.17 * len(methods) + 0.6
    figure = new_figure(page_width(5), 2.1 * len(groups) + height)
    grid = figure.subplots(
        len(groups) + 1, 2, squeeze=False, height_ratios=[2.1] * len(groups) + [height]
    )
    error = 1 - found["accuracy"]
    low = float(error.where(error > 0).min()) / 1.15
    high = float(error.isel(evaluation=slice(1, None)).max()) * 1.15
    target = 1 - float(found.attrs["target_accuracy"])
    for row, (name, chosen) in enumerate(groups.items()):
        for column, cost in enumerate(COSTS):
            axes = grid[row][column]
            for method in chosen:
                at = found.isel(pruner=methods.index(method))
                _curve(axes, at, cost, powers[cost], marks[method.removesuffix(STRUCTURED)])
            axes.axhline(target, color="black", linestyle="--", linewidth=0.9)
            axes.set_yscale("log")
            axes.set_ylim(min(low, target / 1.15), high)
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(PLAIN)
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.set_xlim(left=0)
            axes.set_xlabel(_label(cost, powers[cost]))
            axes.set_title(name)
            if column == 0:
                axes.set_ylabel("test error, 1 − accuracy")
    for column, cost in enumerate(COSTS):
        axes = grid[-1][column]
        _to_target(axes, found, methods, marks, cost, powers[cost])
        axes.set_yticks(range(len(methods)), methods if column == 0 else [""] * len(methods))
    handles = [
        Line2D([], [], color=m.colour, marker=m.marker, linestyle=m.line, markersize=4, label=n)
        for n, m in marks.items()
    ]
    handles.append(Line2D([], [], color="black", linestyle="--", label="target"))
    heading = (
        "medians over seeds; bands and bars: least to greatest; small marks: seeds; below: cost to "
        "the target, of the seeds that reach it"
    )
    legend_below(figure, handles, heading)
    title(figure, found.attrs)
    return figure


def _power(values: np.ndarray) -> int:
    """Power of a thousand that the largest value is counted in; none of it below a million."""
    largest = np.nanmax(values)
    return 3 * int(np.log10(largest) // 3) if largest >= 1e6 else 0


def _label(cost: str, power: int) -> str:
    if not power:
        return COSTS[cost]
    said = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{said} {COSTS[cost]}"


def _curve(axes: Axes, at: xr.Dataset, cost: str, power: int, look: Look) -> None:
    # The first test comes before any training.
    at = at.isel(evaluation=slice(1, None))
    x = at[cost].transpose("seed", "evaluation").median("seed").values / 10.0**power
    error = 1 - at["accuracy"].transpose("seed", "evaluation").values
    style = {"color": look.colour, "linestyle": look.line, "marker": look.marker}
    axes.plot(x, np.median(error, axis=0), markersize=3.5, linewidth=1.2, **style)
    axes.fill_between(
        x, error.min(axis=0), error.max(axis=0), color=look.colour, alpha=0.13, linewidth=0
    )


def _to_target(
    axes: Axes, found: xr.Dataset, methods: list[str], marks: dict, cost: str, power: int
) -> None:
    seeds = found.sizes["seed"]
    for y, method in enumerate(methods):
        at = found.isel(pruner=methods.index(method))
        values = at[f"target_{cost}"].values / 10.0**power
        values = values[np.isfinite(values)]
        look = marks[method.removesuffix(STRUCTURED)]
        if len(values):
            style = {"color": look.colour, "marker": look.marker, "linestyle": ""}
            axes.plot([values.min(), values.max()], [y, y], color=look.colour, linewidth=1.2)
            axes.plot(values, np.full(len(values), y), markersize=2.5, alpha=0.6, **style)
            axes.plot(np.median(values), y, markersize=6.5, **style)
        said = f"{len(values)} of {seeds}" if len(values) else "never"
        place = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": LETTER}
        axes.annotate(said, (1.01, y), color=NEUTRAL, **place)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"to {100 * float(found.attrs['target_accuracy']):g} %: {_label(cost, power)}")
    axes.grid(axis="y", visible=False)
