"""Curves of groups of runs, and their spectra before the test accuracy rises."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from koopscope.report.datasets import require, strings
from koopscope.report.plane import draw_plane, plane_handles
from koopscope.report.style import (
    NEUTRAL,
    few_log_ticks,
    legend_below,
    looks,
    new_figure,
    page_width,
    panels_of,
    quantiles,
    reported,
    shape,
    title,
)

TRAIN, TEST = "#0173b2", "#d55e00"


@reported("1 accuracies of each group", of="grokking")
def grokking_accuracies(found: xr.Dataset) -> Figure:
    """Draw training and test accuracy of each group above the length of its weights.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.grokking.run.run` gives it, of which are used
        ``train_accuracy``, ``test_accuracy`` and ``length`` (group, seed, step).

    Raises
    ------
    InputError
        If one of these is missing, or there is no group.
    """
    needed = ("group", "train_accuracy", "test_accuracy", "length")
    require(found, "accuracies", "grokking", needed, dim="group")
    groups = strings(found["group"])
    rows, columns = shape(len(groups), 1.6)
    figure = new_figure(page_width(), 2.3 * rows)
    grid = figure.subplots(
        2 * rows, columns, squeeze=False, sharex=True, height_ratios=[1.7, 1] * rows
    )
    lengths = found["length"].values
    span = np.nanmin(lengths) / 1.1, np.nanmax(lengths) * 1.1
    for i in range(rows * columns):
        row, column = divmod(i, columns)
        above, below = grid[2 * row][column], grid[2 * row + 1][column]
        if i >= len(groups):
            above.set_axis_off()
            below.set_axis_off()
            continue
        at = found.isel(group=i)
        for name, colour in (("train_accuracy", TRAIN), ("test_accuracy", TEST)):
            _band(above, at[name], colour)
        _band(below, at["length"], "black")
        above.set_title(groups[i])
        above.set_ylim(-0.03, 1.03)
        below.set_yscale("log")
        below.set_ylim(*span)
        few_log_ticks(below.yaxis)
        for axes in (above, below):
            _mark_rise(axes, found)
        if column == 0:
            above.set_ylabel("accuracy")
            below.set_ylabel("weight norm")
        below.set_xlabel("step")
        below.tick_params(labelbottom=True)
    handles = [
        Line2D([], [], color=TRAIN, label="training pairs"),
        Line2D([], [], color=TEST, label="test pairs"),
        Line2D([], [], color="black", label="length of all weights"),
        Patch(color="0.8", label="5 to 95 % of the seeds"),
    ]
    if np.isfinite(found.attrs["rise"]):
        said = f"before the test accuracy of any run of {found.attrs['reference']} rises"
        handles.append(Line2D([], [], color=NEUTRAL, linestyle="--", label=said))
    legend_below(figure, handles, "lines are medians over seeds")
    title(figure, found.attrs)
    return figure


@reported("3 spectra before the rise", of="grokking")
def grokking_spectra(found: xr.Dataset) -> Figure:
    """Draw the eigenvalues of all seeds of each group in the window before the rise.

    Parameters
    ----------
    found
        As for :func:`grokking_accuracies`, of which are used ``eigenvalue`` and ``residual``
        (spectrum, seed, mode).

    Raises
    ------
    InputError
        If one of these is missing, or there is no spectrum.
    """
    needed = ("spectrum", "eigenvalue", "residual")
    require(found, "spectra before the rise", "grokking", needed, dim="spectrum")
    names = strings(found["spectrum"])
    marks = looks(names)
    rows, columns = shape(len(names), 1.6)
    figure = new_figure(page_width(), (page_width() / columns + 0.25) * rows)
    panels = panels_of(figure, len(names), rows, columns, sharex=True, sharey=True)
    for i, panel in enumerate(panels):
        at = found.isel(spectrum=i)
        draw_plane(panel, at["eigenvalue"].values, at["residual"].values, marks[names[i]].colour)
        panel.set_title(names[i])
        if i % columns == 0:
            panel.set_ylabel("Im λ")
        if i + columns >= len(names):
            panel.set_xlabel("Re λ")
            panel.tick_params(labelbottom=True)
    every = int(found.attrs["record_every"])
    said = f"steps 1 to {found.attrs['chosen']}, eigenvalues of {every} steps; all seeds"
    legend_below(figure, plane_handles(), said)
    title(figure, found.attrs)
    return figure


def _band(axes: Axes, values: xr.DataArray, colour: str) -> None:
    low, middle, high = quantiles(values.transpose("seed", "step").values)
    steps = values["step"].values
    axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(steps, middle, color=colour, linewidth=1.3)


def _mark_rise(axes: Axes, found: xr.Dataset) -> None:
    if np.isfinite(found.attrs["rise"]):
        axes.axvline(found.attrs["rise"], color=NEUTRAL, linestyle="--", linewidth=1)
