"""When each rule stops a training, what that saves and loses, and the eigenvalues meanwhile."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from koopscope.experiments.stopping.names import AHEAD, BEHIND, FIXED, PATIENCE, SHARE
from koopscope.report.datasets import require, strings
from koopscope.report.plane import draw_plane, plane_handles
from koopscope.report.style import (
    NEUTRAL,
    Look,
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

# Least width of a panel in inches.
PANEL = 1.5
BAND = "median and 5 to 95 % over seeds"
# Epochs whose spectra are shown, as shares of the budget.
SHOWN = (0.0, 0.25, 1.0)


def rule_looks(found: xr.Dataset) -> dict[str, Look]:
    """Look of each rule but the fixed budget, the same in every figure."""
    return looks(dict.fromkeys(rule for rule in strings(found["rule"]) if rule != FIXED))


@reported("1 where each rule stops", of="stopping")
def stopping_curves(found: xr.Dataset) -> Figure:
    """Draw accuracy by epoch, where each rule stops, and what the rules look at; a column an arm.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.stopping.run.run` gives it, of which are used
        ``test_accuracy`` (arm, run, epoch), ``stop`` and ``reached`` (arm, run, setting),
        ``validation_loss``, ``predicted_displacement``, ``past_displacement`` and ``slow_share``
        (arm, run, seen).

    Raises
    ------
    InputError
        If one of these is missing, or there is no arm.
    """
    names = (
        "test_accuracy",
        "stop",
        "reached",
        "validation_loss",
        "predicted_displacement",
        "past_displacement",
        "slow_share",
    )
    require(found, "stopping curves", "stopping", names, dim="arm")
    arms = strings(found["arm"])
    marks = rule_looks(found)
    figure = new_figure(page_width(PANEL * len(arms) + 0.6), 6.3)
    grid = figure.subplots(
        5,
        len(arms),
        squeeze=False,
        sharex=True,
        height_ratios=(1.5, 1, 1.1, 1.1, 1.1),
    )
    # One scale a row, but for the accuracy: arms differ in it by more than a run gains late.
    for row in grid[1:]:
        for panel in row[1:]:
            panel.sharey(row[0])
            panel.tick_params(labelleft=False)
    for column, arm in zip(grid.T, arms, strict=True):
        here = found.sel(arm=arm)
        accuracy = here["test_accuracy"]
        low = np.nanquantile(accuracy.sel(epoch=slice(2, None)), 0.02)
        room = 0.08 * (float(accuracy.max()) - low)
        column[0].set_ylim(low - room, float(accuracy.max()) + room)
        column[0].yaxis.set_major_locator(MaxNLocator(nbins=5))
        _band(column[0], here["epoch"], accuracy, "black")
        _stops(column[1], here, marks)
        _band(column[2], here["epoch"], here["validation_loss"], marks[PATIENCE].colour)
        for name, rule in (("predicted_displacement", AHEAD), ("past_displacement", BEHIND)):
            _band(column[3], here["seen"], here[name], marks[rule].colour, marks[rule].line)
        _band(column[4], here["seen"], here["slow_share"], marks[SHARE].colour)
        _thresholds(column[3:], here)
        column[0].set_title(arm)
        column[2].set_yscale("log")
        column[3].set_yscale("log")
        column[-1].set_xlabel("epoch")
        column[-1].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    grid[1, 0].set_ylim(len(marks) - 0.4, -0.6)
    grid[1, 0].set_yticks(range(len(marks)), list(marks))
    grid[4, 0].set_ylim(-0.03, 1.03)
    for panel in grid[2:4].flat:
        few_log_ticks(panel.yaxis)
    # The names of the rules stand beside the second row.
    said = {
        0: "test accuracy",
        2: "validation loss",
        3: "displacement ÷\nthat so far",
        4: "share of λ ≈ 1",
    }
    for row, label in said.items():
        grid[row, 0].set_ylabel(label)
    handles = [
        Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker, label=rule)
        for rule, look in marks.items()
    ]
    handles += [
        Line2D([], [], color=NEUTRAL, linestyle="", marker="o", markerfacecolor="none",
               label="hollow: does not stop every run"),
        Line2D([], [], color=NEUTRAL, linestyle=":", label="threshold of the chosen setting"),
    ]  # fmt: skip
    legend_below(figure, handles, f"lines and bands: {BAND}; stops: median, least and greatest")
    title(figure, found.attrs)
    return figure


@reported("2 epochs saved and accuracy lost", of="stopping")
def stopping_tradeoff(found: xr.Dataset) -> Figure:
    """Draw the accuracy lost against the epochs saved, of every setting of every rule.

    Parameters
    ----------
    found
        As for :func:`stopping_curves`, of which are used ``mean_saved`` and ``mean_lost`` (arm,
        setting, bound).

    Raises
    ------
    InputError
        If one of these is missing, or there is no arm.
    """
    require(found, "stopping trade-off", "stopping", ("mean_saved", "mean_lost"), dim="arm")
    arms, rules = strings(found["arm"]), strings(found["rule"])
    marks = rule_looks(found)
    rows, columns = shape(len(arms), 2.0, most=3)
    figure = new_figure(page_width(), 2.2 * rows)
    panels = panels_of(figure, len(arms), rows, columns, sharex=True)
    chosen = found["chosen"].values
    for panel, arm in zip(panels, arms, strict=True):
        here = found.sel(arm=arm)
        saved, lost = here["mean_saved"].values, 100 * here["mean_lost"].values
        at = np.flatnonzero(rules == FIXED)
        panel.fill_between(saved[at, 0], lost[at, 1], lost[at, 2], color="0.85", linewidth=0)
        panel.plot(saved[at, 0], lost[at, 0], color="black", linewidth=1)
        for rule, look in marks.items():
            own = np.flatnonzero(rules == rule)
            own = own[np.argsort(saved[own, 0])]
            style = {"color": look.colour, "marker": look.marker}
            panel.plot(saved[own, 0], lost[own, 0], markersize=3, linewidth=0.8, **style)
            (main,) = own[chosen[own]]
            panel.errorbar(
                saved[main, 0],
                lost[main, 0],
                xerr=np.abs(saved[main, 1:] - saved[main, 0])[:, None],
                yerr=np.abs(lost[main, 1:] - lost[main, 0])[:, None],
                markersize=8,
                linewidth=1.1,
                markeredgecolor="black",
                zorder=4,
                **style,
            )
        settings = lost[rules != FIXED]
        low, high = min(settings[:, 1].min(), 0), max(settings[:, 2].max(), 0.1)
        panel.set_ylim(low - 0.1 * (high - low), high + 0.15 * (high - low))
        panel.axhline(0, color="0.6", linewidth=0.7)
        panel.set_title(arm)
        panel.set_xlim(-0.03 * found.attrs["budget"], found.attrs["budget"])
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    for panel in panels[::columns]:
        panel.set_ylabel("accuracy lost, percentage points")
    for place, panel in enumerate(panels):
        if place + columns >= len(arms):
            panel.set_xlabel(f"epochs saved of {found.attrs['budget']}")
            panel.tick_params(labelbottom=True)
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, label=rule)
        for rule, look in marks.items()
    ]
    handles.append(Line2D([], [], color="black", label="fixed budgets"))
    said = "large: the setting fixed beforehand, small: others; 95 % intervals over resampled seeds"
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure


@reported("3 eigenvalues along training", of="stopping")
def stopping_spectra(found: xr.Dataset) -> Figure:
    """Draw the eigenvalues of every run at a few epochs, and how far from 1 they lie all along.

    Parameters
    ----------
    found
        As for :func:`stopping_curves`, of which are used ``eigenvalue`` and ``residual`` (arm, run,
        seen, mode).

    Raises
    ------
    InputError
        If one of these is missing, or there is no arm.
    """
    require(found, "stopping spectra", "stopping", ("seen", "eigenvalue", "residual"), dim="arm")
    arms, epochs = strings(found["arm"]), found["seen"].values
    shown = [int(epochs[round(share * (len(epochs) - 1))]) for share in SHOWN]
    figure = new_figure(page_width(4 * PANEL), 1.6 * len(arms) + 0.2)
    grid = figure.subplots(len(arms), 4, squeeze=False, width_ratios=(1, 1, 1, 1.35))
    marks = looks(map(str, range(found.sizes["mode"])))
    for panels, arm in zip(grid, arms, strict=True):
        here = found.sel(arm=arm)
        for panel, epoch in zip(panels, shown, strict=False):
            at = here.sel(seen=epoch)
            draw_plane(panel, at["eigenvalue"].values, at["residual"].values)
            if arm == arms[0]:
                panel.set_title(f"epoch {epoch}")
        panels[0].set_ylabel(f"{arm}\nIm λ")
        _distances(panels[3], here, marks)
    for panel in grid[-1, :3]:
        panel.set_xlabel("Re λ")
    grid[-1, 3].set_xlabel("epoch")
    grid[0, 3].set_title("distance from 1")
    handles = plane_handles()
    handles += [
        Line2D([], [], color=look.colour, linestyle=look.line, label=f"{_place(int(name))} to 1")
        for name, look in marks.items()
    ]
    handles.append(
        Line2D([], [], color="black", linestyle=":", linewidth=1, label="1/m: λ ≈ 1 below")
    )
    said = f"each window has {found.attrs['window']} snapshots; lines and bands: {BAND}"
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure


def _place(place: int) -> str:
    return (
        ("nearest", "second nearest", "third", "fourth")[place] if place < 4 else f"{place + 1}th"
    )


def _distances(panel: Axes, here: xr.Dataset, marks: dict[str, Look]) -> None:
    distances = np.abs(here["eigenvalue"].transpose("run", "seen", "mode").values - 1)
    # NaN goes last.
    distances = np.sort(distances, axis=2)
    for place, look in enumerate(marks.values()):
        values = np.maximum(distances[:, :, place], 1e-6)
        if np.isfinite(values).any():
            low, middle, high = quantiles(values)
            panel.fill_between(here["seen"], low, high, color=look.colour, alpha=0.2, linewidth=0)
            style = {"linestyle": look.line, "linewidth": 1.2}
            panel.plot(here["seen"], middle, color=look.colour, **style)
    panel.axhline(1 / here.attrs["window"], color="black", linestyle=":", linewidth=1)
    panel.set_yscale("log")
    panel.set_ylabel("|λ − 1|")
    few_log_ticks(panel.yaxis)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _band(panel: Axes, x: xr.DataArray, values: xr.DataArray, colour: str, line: str = "-") -> None:
    low, middle, high = quantiles(values.transpose("run", x.dims[0]).values)
    panel.fill_between(x.values, low, high, color=colour, alpha=0.22, linewidth=0)
    panel.plot(x.values, middle, color=colour, linestyle=line, linewidth=1.2)


def _stops(panel: Axes, here: xr.Dataset, marks: dict[str, Look]) -> None:
    rules, chosen = strings(here["rule"]), here["chosen"].values
    for lane, (rule, look) in enumerate(marks.items()):
        (at,) = np.flatnonzero((rules == rule) & chosen)
        stops = here["stop"].values[:, at]
        face = look.colour if here["reached"].values[:, at].all() else "none"
        panel.hlines(lane, stops.min(), stops.max(), color=look.colour, linewidth=1.2)
        style = {"marker": look.marker, "markersize": 6, "markerfacecolor": face}
        panel.plot(np.median(stops), lane, color=look.colour, linestyle="", **style)
    panel.grid(axis="y", visible=False)


def _thresholds(panels: Sequence[Axes], here: xr.Dataset) -> None:
    rules, chosen = strings(here["rule"]), here["chosen"].values
    for panel, rule in zip(panels, (AHEAD, SHARE), strict=True):
        level = here["threshold"].values[(rules == rule) & chosen][0]
        panel.axhline(level, color=NEUTRAL, linestyle=":", linewidth=1)
