"""Hierarchical regression: error by layer, predicted against observed layers, other regressors.

Every mark is the median over seeds, every bar or band reaches from the least to the greatest.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from koopscope.experiments.hsvr.names import FALLEN
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    CHARACTER,
    LETTER,
    NEUTRAL,
    PLAIN,
    Look,
    legend_below,
    looks,
    new_figure,
    page_width,
    panels_of,
    reported,
    shape,
    title,
)

CASES = ("signal", "noise", "seed")
BEST = {"marker": "*", "color": "black", "markersize": 9, "markerfacecolor": "white"}
OVER_SEEDS = "medians over seeds; bars and bands: least to greatest"


@reported("1 error by layer", of="transitions")
def transitions(found: xr.Dataset) -> Figure:
    """Draw the training error of each signal by number of layers, with what each rule predicts.

    A strip above each panel holds the critical scale of every rule, at the place of its scale among
    those of the layers; dotted lines mark where the error falls.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.hsvr.transitions.phase_transitions` gives it, of which are
        used ``train_error`` and ``scale`` (case, layers), ``transition`` (case), ``critical_scale``
        (case, rule), and the attributes ``epsilon`` and ``decay``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no case.
    """
    names = (*CASES, "train_error", "scale", "transition", "critical_scale")
    require(found, "transitions", "transitions", names, dim="case")
    signals, levels, rules = _signals(found), _noises(found), strings(found["rule"])
    rows, columns = shape(len(signals), 1.6)
    strip = 0.16 * len(rules) + 0.15
    height = strip + 1.5
    figure = new_figure(page_width(), (height + 0.25) * rows + 0.2)
    grid = figure.subplots(
        2 * rows,
        columns,
        squeeze=False,
        sharex=True,
        height_ratios=[strip, height - strip] * rows,
    )
    limit = FALLEN * float(found.attrs["epsilon"])
    # As far as the rules ask for layers, fitted or not.
    furthest = [found.sizes["layers"] + 1.0, *(high for *_, high in _positions(found))]
    errors = found["train_error"].values
    errors = errors[np.isfinite(errors) & (errors > 0)]
    for i in range(rows * columns):
        row, column = divmod(i, columns)
        above, below = grid[2 * row][column], grid[2 * row + 1][column]
        if i >= len(signals):
            above.set_axis_off()
            below.set_axis_off()
            continue
        at = found.isel(case=np.flatnonzero(strings(found["signal"]) == signals[i]))
        for j, (noise, look) in enumerate(levels.items()):
            here = at.isel(case=np.flatnonzero(at["noise"].values == noise))
            if here.sizes["case"]:
                _curve(below, here, look)
                _scales(above, here, look, (j + 0.5) / len(levels) - 0.5)
                middle, *_ = _spread(here["transition"].values)
                for axes in (above, below):
                    axes.axvline(middle, color=look.colour, linestyle=":", linewidth=1, zorder=1)
        below.axhline(limit, color="black", linewidth=0.9, linestyle="--")
        below.set_yscale("log")
        below.set_ylim(min(errors.min(), limit) / 1.5, errors.max() * 1.5)
        below.yaxis.set_major_formatter(PLAIN)
        below.yaxis.set_minor_formatter(NullFormatter())
        below.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        below.set_xlim(0.5, max(furthest) + 0.5)
        last = i + columns >= len(signals)
        below.tick_params(labelbottom=last, labelleft=column == 0)
        below.set_xlabel("layers" if last else "")
        above.set_title(signals[i])
        above.set(ylim=(len(rules) - 0.5, -0.5))
        above.set_yticks(range(len(rules)), rules if column == 0 else [""] * len(rules))
        above.tick_params(axis="x", length=0, labelbottom=False)
        above.spines["bottom"].set_visible(False)
    figure.supylabel("largest training error ÷ range of the values")
    handles = [_entry(_percent(noise), look) for noise, look in levels.items()]
    handles.append(Line2D([], [], color="black", linestyle="--", label=f"fallen: {limit:g}"))
    handles.append(Line2D([], [], color=NEUTRAL, linestyle=":", label="fallen from here on"))
    ratio = f"{float(found.attrs['decay']):g}"
    said = f"each layer's scale is {ratio} × smaller than the last; strips: critical scale by rule"
    legend_below(figure, handles, f"{said}\n{OVER_SEEDS}")
    title(figure, found.attrs)
    return figure


@reported("2 layers predicted and observed", of="transitions")
def layers(found: xr.Dataset) -> Figure:
    """Draw the number of layers that each rule predicts beside the number observed, by signal.

    Parameters
    ----------
    found
        As for :func:`transitions`, of which are used ``transition``, ``best`` (case) and
        ``predicted`` (case, rule).

    Raises
    ------
    InputError
        If one of these is missing, or there is no case.
    """
    require(found, "layers", "transitions", (*CASES, "transition", "best", "predicted"), dim="case")
    signals, noises, rules = _signals(found), list(_noises(found)), strings(found["rule"])
    margin = CHARACTER * 1.2 * max(map(len, signals)) + 0.6
    width = page_width(margin + 1.6 * len(noises))
    figure = new_figure(width, 0.45 * len(signals) + 0.6)
    panels = figure.subplots(1, len(noises), sharex=True, sharey=True, squeeze=False)[0]
    marks = looks(rules)
    # Of the height of a signal's row: one for the best, one for each rule.
    lanes = np.linspace(-0.33, 0.33, len(rules) + 1)
    for panel, noise in zip(panels, noises, strict=True):
        for y, signal in enumerate(signals):
            chosen = (strings(found["signal"]) == signal) & (found["noise"].values == noise)
            at = found.isel(case=np.flatnonzero(chosen))
            if not at.sizes["case"]:
                continue
            middle, low, high = _spread(at["transition"].values)
            panel.fill_betweenx([y - 0.44, y + 0.44], low, high, color="0.85", linewidth=0)
            panel.vlines(middle, y - 0.44, y + 0.44, color="black", linewidth=2)
            _mark(panel, at["best"].values, y + lanes[0], BEST)
            for lane, (rule, look) in zip(lanes[1:], marks.items(), strict=True):
                values = at["predicted"].values[:, rules == rule]
                _mark(panel, values, y + lane, {"marker": look.marker, "color": look.colour})
            if not np.isfinite(at["transition"].values).all():
                # Beside the axis, where no layer is.
                said = {"xycoords": ("axes fraction", "data"), "fontsize": LETTER, "color": NEUTRAL}
                panel.annotate("not always", (0.99, y - 0.3), ha="right", va="center", **said)
        for y in range(1, len(signals)):
            panel.axhline(y - 0.5, color="0.85", linewidth=0.6)
        panel.set_yticks(range(len(signals)), signals)
        panel.set_ylim(len(signals) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        panel.set_xlabel("layers")
        panel.set_title(_percent(noise))
    handles = [
        Line2D([], [], color="black", linewidth=2, label="observed: training error falls"),
        Line2D([], [], linestyle="", label="least held-out error", **BEST),
    ]
    handles += [
        Line2D([], [], linestyle="", color=look.colour, marker=look.marker, label=rule)
        for rule, look in marks.items()
    ]
    legend_below(figure, handles, f"predicted by each rule; {OVER_SEEDS}")
    title(figure, found.attrs)
    return figure


@reported("3 other regressors", of="regressors")
def regressors(found: xr.Dataset) -> Figure:
    """Draw the held-out error of each regressor against the time of its fit.

    Small marks are signals, large ones the medians over signals.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.hsvr.regressors.baselines` gives it, of which are used
        ``held_out_rms`` and ``fit_seconds`` (case, regressor).

    Raises
    ------
    InputError
        If one of these is missing, or there is no case.
    """
    names = (*CASES, "regressor", "held_out_rms", "fit_seconds")
    require(found, "regressors", "regressors", names, dim="case")
    signals, noises = _signals(found), list(_noises(found))
    rows, columns = shape(len(noises), 2.2)
    figure = new_figure(page_width(), 2.9 * rows)
    panels = panels_of(figure, len(noises), rows, columns, sharex=True, sharey=True)
    marks = looks(strings(found["regressor"]))
    for panel, noise in zip(panels, noises, strict=True):
        at = found.isel(case=np.flatnonzero(found["noise"].values == noise))
        for k, look in enumerate(marks.values()):
            middles = []
            for signal in signals:
                here = at.isel(case=np.flatnonzero(strings(at["signal"]) == signal), regressor=k)
                if not here.sizes["case"]:
                    continue
                x, y = (_spread(here[name].values) for name in ("fit_seconds", "held_out_rms"))
                alone = len(signals) == 1
                style = {"color": look.colour, "alpha": 1.0 if alone else 0.45}
                panel.hlines(y[0], *x[1:], linewidth=1, **style)
                panel.vlines(x[0], *y[1:], linewidth=1, **style)
                panel.plot(x[0], y[0], marker=look.marker, markersize=8 if alone else 4, **style)
                middles.append((x[0], y[0]))
            if len(middles) > 1:
                x, y = np.median(middles, axis=0)
                # The first on top, the others seen behind it.
                edge = {"markeredgecolor": "black", "markersize": 10, "zorder": 5 - k / 10}
                panel.plot(x, y, marker=look.marker, color=look.colour, **edge)
        panel.set(xscale="log", yscale="log", xlabel="fit, seconds (with any search)")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(PLAIN)
            axis.set_minor_formatter(NullFormatter())
        panel.set_title(_percent(noise))
    _few_ticks(panels[0])
    panels[0].set_ylabel("root mean square held-out error ÷ range")
    handles = [
        Line2D([], [], linestyle="", color=look.colour, marker=look.marker, label=name)
        for name, look in marks.items()
    ]
    said = "small: signals; large, edged: median over them; " if len(signals) > 1 else ""
    legend_below(figure, handles, f"{said}{OVER_SEEDS}")
    title(figure, found.attrs)
    return figure


def _signals(found: xr.Dataset) -> list[str]:
    return list(dict.fromkeys(strings(found["signal"]).tolist()))


def _noises(found: xr.Dataset) -> dict[float, Look]:
    """Levels of noise, ascending, with their look."""
    levels = sorted(set(found["noise"].values.tolist()))
    return dict(zip(levels, looks(map(str, levels)).values(), strict=True))


def _percent(noise: float) -> str:
    return f"{100 * noise:g} % noise" if noise else "no noise"


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    """Median, least and greatest of the finite values; NaN if there is none."""
    values = np.asarray(values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        return (np.nan,) * 3
    return float(np.median(values)), float(values.min()), float(values.max())


def _curve(axes: Axes, here: xr.Dataset, look: Look) -> None:
    errors = here["train_error"].transpose("layers", "case").values
    middle, low, high = np.array([_spread(row) for row in errors]).T
    x = here["layers"].values
    axes.fill_between(x, low, high, color=look.colour, alpha=0.25, linewidth=0)
    style = {"marker": look.marker, "markersize": 3.5, "linewidth": 1.2}
    axes.plot(x, middle, color=look.colour, linestyle=look.line, **style)


def _scales(axes: Axes, here: xr.Dataset, look: Look, offset: float) -> None:
    """Put each rule's critical scale in its row, where a layer of that scale would lie."""
    for y, middle, low, high in _positions(here):
        y = y + 0.7 * offset
        axes.hlines(y, low, high, color=look.colour, linewidth=1)
        axes.plot(middle, y, marker=look.marker, color=look.colour, markersize=4, clip_on=False)


def _positions(here: xr.Dataset) -> Iterator[tuple[float, float, float, float]]:
    first = here["scale"].transpose("case", "layers").values[:, :1]
    critical = here["critical_scale"].transpose("case", "rule").values
    place = 1 + np.log(first / critical) / np.log(float(here.attrs["decay"]))
    for y, values in enumerate(place.T):
        if np.isfinite(values).any():
            yield y, *_spread(values)


def _mark(axes: Axes, values: np.ndarray, y: float, style: dict) -> None:
    middle, low, high = _spread(values)
    axes.hlines(y, low, high, color=style["color"], linewidth=1)
    axes.plot(middle, y, linestyle="", **{"markersize": 5, **style})


def _few_ticks(axes: Axes) -> None:
    """Name round values between the decades too where there are few of those."""
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        tens = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        if np.log10(high / low) < 2.5:
            axis.set_major_locator(FixedLocator(np.outer(10.0**tens, (1, 2, 5)).ravel()))
            axes.set_xlim(axes.get_xlim())


def _entry(label: str, look: Look) -> Line2D:
    return Line2D(
        [],
        [],
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=4,
        label=label,
    )
