"""Good and poor initialisations: spectra, how well ends are predicted, what restarting saves."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.experiments.restart.names import NEVER, ORACLE, PREDICTORS, TOGETHER
from koopscope.report.datasets import require, strings
from koopscope.report.plane import draw_plane, plane_handles
from koopscope.report.style import (
    LETTER,
    Look,
    few_log_ticks,
    legend_below,
    looks,
    name_ticks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

GOOD, BAD = "#0173b2", "#d55e00"
# Policies that cost more than twice the steps are drawn there, with their number.
WORST = -100
OVER = "95 % intervals over resampled seeds"


def _looks(names: np.ndarray) -> dict[str, Look]:
    # Predictors and policies of the same name look alike.
    every = looks([*PREDICTORS, ORACLE, NEVER])
    return {name: every[name] for name in names}


@reported("1 spectra of good and poor initialisations", of="restart")
def restart_spectra(found: xr.Dataset) -> Figure:
    """Draw the eigenvalues of runs that end well and of those that end badly, by checkpoint.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.restart.run.run` gives it, of which are used ``eigenvalue``
        and ``residual`` (run, epoch, mode) and ``bad`` (run).

    Raises
    ------
    InputError
        If one of these is missing, or there is no run.
    """
    require(found, "restart spectra", "restart", ("eigenvalue", "residual", "bad"), dim="run")
    epochs, bad = found["epoch"].values, found["bad"].values
    figure = new_figure(
        page_width(1.4 * len(epochs)), 2 * min(page_width() / len(epochs), 2.2) + 0.4
    )
    grid = figure.subplots(2, len(epochs), squeeze=False, sharex=True, sharey=True)
    for panels, chosen, colour, said in ((grid[0], ~bad, GOOD, "good"), (grid[1], bad, BAD, "bad")):
        for panel, epoch in zip(panels, epochs, strict=True):
            at = found.sel(epoch=epoch).isel(run=np.flatnonzero(chosen))
            draw_plane(panel, at["eigenvalue"].values, at["residual"].values, colour)
        panels[0].set_ylabel(f"{said} end ({chosen.sum()} runs)\nIm λ")
    for panel, epoch in zip(grid[0], epochs, strict=True):
        panel.set_title(f"epoch {epoch}")
    for panel in grid[-1]:
        panel.set_xlabel("Re λ")
    said = "runs of all setups; bad: the least test loss is above 1.5 × the plain starts' median"
    legend_below(figure, plane_handles(), said)
    title(figure, found.attrs)
    return figure


@reported("2 how well a bad end is predicted", of="restart")
def restart_auc(found: xr.Dataset) -> Figure:
    """Draw the area under the curve of each predictor by checkpoint, and what the spectrum gains.

    Parameters
    ----------
    found
        As for :func:`restart_spectra`, of which are used ``auc`` (setup, epoch, predictor),
        ``mean_auc`` (epoch, predictor, bound) and ``gain`` (epoch, pair, bound).

    Raises
    ------
    InputError
        If one of these is missing, or there is no setup.
    """
    require(found, "restart areas", "restart", ("auc", "mean_auc", "gain"), dim="setup")
    predictors, pairs = strings(found["predictor"]), strings(found["pair"])
    marks = _looks(predictors)
    rows, columns = shape(2, 2.4)
    figure = new_figure(page_width(), 2.5 * rows)
    left, right = figure.subplots(
        rows, columns, width_ratios=(1.25, 1)[:columns], squeeze=False
    ).ravel()
    places = np.arange(found.sizes["epoch"])
    offsets = np.linspace(-0.32, 0.32, len(predictors))
    for offset, (name, look) in zip(offsets, marks.items(), strict=True):
        each = found["auc"].sel(predictor=name).transpose("setup", "epoch").values
        for row in each:
            left.plot(
                places + offset, row, linestyle="", marker=look.marker, color=look.colour,
                markersize=3, alpha=0.35,
            )  # fmt: skip
        _interval(left, places + offset, found["mean_auc"].sel(predictor=name), look)
    left.axhline(0.5, color="black", linestyle=":", linewidth=1)
    left.set_ylabel("area under the curve")
    left.set_ylim(min(0.35, np.nanmin(found["auc"]) - 0.03), 1.03)
    gains = {
        pair: Look("black" if first == TOGETHER else "0.45", marker, "-")
        for pair, first, marker in zip(pairs, strings(found["first"]), "os^D", strict=False)
    }
    offsets = np.linspace(-0.27, 0.27, len(pairs))
    for offset, (pair, look) in zip(offsets, gains.items(), strict=True):
        _interval(right, places + offset, found["gain"].sel(pair=pair), look)
    right.axhline(0, color="black", linewidth=0.8)
    right.set_ylabel("difference of the areas")
    for panel in (left, right):
        panel.set_xticks(places, [str(epoch) for epoch in found["epoch"].values])
        panel.set_xlabel("checkpoint, epoch")
        panel.grid(axis="x", visible=False)
        for place in places[1:]:
            panel.axvline(place - 0.5, color="0.88", linewidth=0.7, zorder=0)
    handles = [
        Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=name)
        for name, look in marks.items()
    ]
    handles += [
        Line2D([], [], linestyle="", marker=look.marker, label=pair, color=look.colour)
        for pair, look in gains.items()
    ]
    said = "left: predictors, small marks single setups, each held out; right: differences; "
    legend_below(figure, handles, said + OVER)
    title(figure, found.attrs)
    return figure


@reported("3 steps saved by starting again", of="restart")
def restart_savings(found: xr.Dataset) -> Figure:
    """Draw the share of steps to the target that each policy saves, and the steps by setup.

    Parameters
    ----------
    found
        As for :func:`restart_spectra`, of which are used ``saved`` (epoch, policy, bound),
        ``steps`` (setup, epoch, policy) and ``never`` (epoch, policy).

    Raises
    ------
    InputError
        If one of these is missing, or there is no setup.
    """
    require(found, "restart savings", "restart", ("saved", "steps"), dim="setup")
    setups, policies = strings(found["setup"]), strings(found["policy"])
    marks = _looks(policies)
    rows, columns = shape(2, 2.4)
    figure = new_figure(page_width(), 2.9 * rows)
    share = float(np.clip(0.14 * len(setups), 1.0, 1.8)) if columns == 2 else 0.0
    left, right = figure.subplots(
        rows, columns, width_ratios=(1, share)[:columns], squeeze=False
    ).ravel()
    places = np.arange(found.sizes["epoch"])
    compared = [name for name in policies if name != NEVER]
    offsets = np.linspace(-0.32, 0.32, len(compared))
    for offset, name in zip(offsets, compared, strict=True):
        values = 100 * found["saved"].sel(policy=name)
        _interval(left, places + offset, values.clip(min=WORST), marks[name])
        for place, value in zip(places + offset, values.sel(bound="mean").values, strict=True):
            if value < WORST:
                left.annotate(
                    f"{value:.0f}", (place, WORST), xytext=(0, -9), textcoords="offset points",
                    fontsize=LETTER, ha="center", va="top", color=marks[name].colour,
                )  # fmt: skip
    left.axhline(0, color="black", linewidth=0.8)
    left.set_ylabel("steps to the target saved, %")
    left.set_xticks(places, [str(epoch) for epoch in found["epoch"].values])
    left.set_xlabel("checkpoint, epoch")
    best = min(1, found.sizes["epoch"] - 1)
    steps = found["steps"].isel(epoch=best).transpose("setup", "policy").values
    spread = np.linspace(-0.33, 0.33, len(policies))
    for row, values in enumerate(steps):
        for offset, name, value in zip(spread, policies, values, strict=True):
            if np.isfinite(value):
                style = {"marker": marks[name].marker, "color": marks[name].colour}
                right.plot(row + offset, value, linestyle="", markersize=5.5, **style)
        if not np.isfinite(values).all():
            some = "target not reached" if not np.isfinite(values).any() else "not by all"
            right.annotate(
                some, (row, 0.02), xycoords=("data", "axes fraction"), rotation=90, fontsize=LETTER,
                ha="center", va="bottom",
            )  # fmt: skip
    right.set_yscale("log")
    if not np.isfinite(steps).all():
        # Room below the marks for what is said there.
        low, high = right.get_ylim()
        right.set_ylim(low * (low / high) ** 0.28, high)
    few_log_ticks(right.yaxis)
    right.set_ylabel(f"expected steps, checkpoint {found['epoch'].values[best]}")
    name_ticks(
        right.xaxis,
        range(len(setups)),
        setups.tolist(),
        figure.get_figwidth() * (share / (1 + share) if share else 1) - 0.8,
    )
    for panel, count in ((left, len(places)), (right, len(setups))):
        panel.grid(axis="x", visible=False)
        for place in range(1, count):
            panel.axvline(place - 0.5, color="0.88", linewidth=0.7, zorder=0)
    handles = [
        Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=name)
        for name, look in marks.items()
    ]
    said = (
        f"left: {OVER}, mean over setups in which all come to the target\n"
        "oracle: ends what will not come to the target"
    )
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure


def _interval(panel: Axes, x: np.ndarray, values: xr.DataArray, look: Look) -> None:
    middle, low, high = values.transpose("bound", "epoch").values
    panel.errorbar(
        x, middle, yerr=[middle - low, high - middle], linestyle="", marker=look.marker,
        color=look.colour, markersize=5.5, linewidth=1.3,
    )  # fmt: skip
