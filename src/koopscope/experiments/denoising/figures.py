"""Denoising under negative Sobolev losses: errors, bands, reconstructions, what is learned when.

Every mark is the median over seeds, every bar reaches from the least to the greatest.
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from koopscope.experiments.denoising.names import FINAL, NOISY, STOPS, band_name
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.datasets import require, strings
from koopscope.report.numbers import decibels
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

CASES = ("signal", "snr", "seed")
OVER_SEEDS = "medians over seeds; bars: least to greatest"
NOTHING = {"color": "black", "linewidth": 0.9, "linestyle": (0, (1, 2)), "zorder": 1}
# Reconstructions of more levels of noise than that would be too small to see.
SHOWN_LEVELS = 3
# Errors of a band below that of the whole signal's size matter to no comparison.
FLOOR = 1e-3


@reported("1 error by noise", of="denoising")
def errors(found: xr.Dataset) -> Figure:
    """Draw the error against the noise: networks under each loss, at each stop, beside filters.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.denoising.run.run` gives it, of which are used ``error`` and
        ``filter_error``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no signal.
    """
    require(found, "errors", "denoising", (*CASES, "error", "filter_error"), dim="signal")
    signals, stops = strings(found["signal"]), list(STOPS)
    found = found.sortby("snr")
    figure = new_figure(page_width(1.6 * len(stops)), 2.1 * len(signals) + 0.3)
    grid = figure.subplots(len(signals), len(stops), squeeze=False, sharex=True, sharey="row")
    at = np.arange(found.sizes["snr"])
    marks = _marks(found)
    for row, signal in zip(grid, signals, strict=True):
        for axes, stop in zip(row, stops, strict=True):
            own = found.isel(signal=int(np.flatnonzero(signals == signal)[0]))
            for name, values, offset in _methods(own, stop, "error"):
                _with_bars(axes, at + offset, values, marks[name], line=True)
            axes.axhline(1, **NOTHING)
            axes.set_yscale("log")
            axes.set_xticks(at, [decibels(snr).removesuffix(" dB") for snr in found["snr"].values])
            axes.xaxis.grid(False)
            said = f"{signal}: " if len(signals) > 1 else ""
            axes.set_title(f"{said}{STOPS[stop]}")
        _plain(row)
        row[0].set_ylabel("error ÷ size of the signal")
    for axes in grid[-1]:
        axes.set_xlabel("signal-to-noise ratio, dB")
    _legend(figure, found, marks)
    title(figure, found.attrs)
    return figure


@reported("2 error by band", of="denoising")
def bands(found: xr.Dataset) -> Figure:
    """Draw the error at the end by band of wave numbers, beside the size of the clean signal there.

    Parameters
    ----------
    found
        As for :func:`errors`, of which are used ``band_error``, ``filter_band_error``,
        ``clean_band``, ``band_low`` and ``band_high``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no signal.
    """
    names = ("band_error", "filter_band_error", "clean_band", "band_low", "band_high")
    require(found, "bands", "denoising", (*CASES, *names), dim="signal")
    signals, levels = strings(found["signal"]), found["snr"].values
    figure = new_figure(page_width(1.6 * len(levels)), 2.1 * len(signals) + 0.5)
    grid = figure.subplots(len(signals), len(levels), squeeze=False, sharey="row")
    marks = _marks(found)
    for i, signal in enumerate(signals):
        for j, snr in enumerate(levels):
            axes, own = grid[i][j], found.isel(signal=i, snr=j)
            bands = np.flatnonzero(np.isfinite(own["band_low"].values))
            own = own.isel(band=bands)
            for name, values, offset in _methods(own, FINAL, "band_error"):
                shown = np.where(values > FLOOR, values, np.nan)
                _with_bars(axes, bands + offset, shown, marks[name], line=False)
            clean = np.median(own["clean_band"].transpose("seed", "band").values, axis=0)
            there = clean > FLOOR
            axes.hlines(clean[there], bands[there] - 0.42, bands[there] + 0.42, color="black")
            axes.set_yscale("log")
            axes.set_xlim(-0.5, len(bands) - 0.5)
            axes.set_xticks(bands, _bands(own), rotation=35, ha="right")
            axes.xaxis.grid(False)
            for edge in bands[1:]:
                axes.axvline(edge - 0.5, color="0.85", linewidth=0.6)
            axes.set_title(f"{signal}, {decibels(snr)}")
        _plain(grid[i])
        grid[i][0].set_ylabel("error ÷ size of the signal")
    for axes in grid[-1]:
        axes.set_xlabel("band: periods in the domain")
    clean = Line2D([], [], color="black", label="the clean signal's own size in the band")
    _legend(
        figure, found, marks, clean, said=f"networks after the last step; below {FLOOR:g} not drawn"
    )
    title(figure, found.attrs)
    return figure


@reported("3 reconstructions", of="denoising")
def reconstructions(found: xr.Dataset) -> Figure:
    """Draw what networks and filters make of the first seed's noisy values, over the clean ones.

    Parameters
    ----------
    found
        As for :func:`errors`, of which are used ``shown_clean``, ``shown_noisy``,
        ``shown``, ``shown_filter``, ``side``, ``axes``, ``error`` and ``filter_error``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no signal.
    """
    names = ("shown_clean", "shown_noisy", "shown", "shown_filter", "side", "axes")
    names += ("error", "filter_error")
    require(found, "reconstructions", "denoising", (*CASES, *names), dim="signal")
    levels = np.argsort(-found["snr"].values)
    chosen = levels[np.unique(np.linspace(0, len(levels) - 1, SHOWN_LEVELS).round().astype(int))]
    columns = [(i, int(j)) for i in range(found.sizes["signal"]) for j in chosen]
    rows = [(NOISY, ""), *((name, "loss") for name in strings(found["loss"]))]
    rows += [(f, "filter") for f in strings(found["filter"]) if f != NOISY]
    flat = bool((found["axes"] == 1).all())
    height = 0.5 if flat else 0.95
    figure = new_figure(page_width(0.9 + 0.9 * len(columns)), height * len(rows) + 0.3)
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    colours = looks(strings(found["loss"]))
    for y, (name, kind) in enumerate(rows):
        for x, (i, j) in enumerate(columns):
            axes, own = grid[y][x], found.isel(signal=i, snr=j)
            values, error = _shown(own, name, kind)
            colour = colours[name].colour if kind == "loss" else "0.35"
            _one(axes, own, values, colour, narrow=kind != "")
            said = f"error {error:.2g}"
            where = {"xycoords": "axes fraction", "va": "bottom", "ha": "right", "fontsize": LETTER}
            box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8}
            axes.annotate(said, (0.99, 0.02), bbox=box, **where)
            if y == 0:
                of = str(found["signal"].values[i])
                axes.set_title(f"{of}\n{decibels(found['snr'].values[j])}")
        grid[y][0].set_ylabel(name, rotation=0, ha="right", va="center")
    said = "first seed; networks after the last step; error: root mean square ÷ signal's size"
    handles = []
    if (found["axes"] == 1).any():
        handles.append(Line2D([], [], color="black", linewidth=0.8, label="clean"))
        handles.append(Line2D([], [], color=NEUTRAL, linewidth=1.5, label="made of noisy values"))
    if (found["axes"] == 2).any():
        grey = "images: grey from the least clean value to the greatest"
        handles.append(Line2D([], [], linestyle="", label=grey))
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure


@reported("4 what is learned when", of="denoising")
def learning(found: xr.Dataset) -> Figure:
    """Draw the step from which on each tone has half its amplitude, under each loss.

    Parameters
    ----------
    found
        As for :func:`errors`, of which are used ``learned_at``, ``tone_share``,
        ``tone`` and ``step``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no signal.
    """
    names = (*CASES, "learned_at", "tone_share", "tone", "step")
    require(found, "learning", "denoising", names, dim="signal")
    signals, levels = strings(found["signal"]), found["snr"].values
    figure = new_figure(page_width(1.6 * len(levels)), 2.0 * len(signals) + 0.3)
    grid = figure.subplots(len(signals), len(levels), squeeze=False, sharex=True, sharey=True)
    steps = found["step"].values
    first, last = float(steps[steps > 0].min()), float(steps.max())
    never = 1.6 * last
    marks = {name: look for name, look in _marks(found).items() if name in strings(found["loss"])}
    tones = found["tone"].values
    for i, signal in enumerate(signals):
        for j, snr in enumerate(levels):
            axes, own = grid[i][j], found.isel(signal=i, snr=j)
            there = np.flatnonzero(np.isfinite(own["tone_share"]).any(("loss", "seed", "record")))
            for k, look in enumerate(marks.values()):
                at = own["learned_at"].isel(loss=k, tone=there).transpose("seed", "tone").values
                at = np.where(np.isfinite(at), np.maximum(at, first), never)
                x = tones[there] * 1.08 ** (k - (len(marks) - 1) / 2)
                _with_bars(axes, x, at, look, line=True)
            axes.axhline(np.sqrt(last * never), color=NEUTRAL, linewidth=0.8, linestyle="--")
            axes.set(xscale="log", yscale="log", ylim=(first / 1.3, never * 1.3))
            axes.xaxis.set_major_locator(FixedLocator(tones))
            axes.xaxis.set_major_formatter(PLAIN)
            axes.xaxis.set_minor_locator(NullLocator())
            ticks = [t for t in (5, 10, 20, 50, 100, 200, 500, 1000, 2000) if first <= t <= last]
            axes.set_yticks([*ticks, never], [*map(str, ticks), "never"])
            axes.yaxis.set_minor_locator(NullLocator())
            axes.set_title(f"{signal}, {decibels(snr)}")
        grid[i][0].set_ylabel("learned from step")
    for axes in grid[-1]:
        axes.set_xlabel("periods in the domain")
    handles = [_entry(name, look) for name, look in marks.items()]
    said = "step from which on a tone keeps half of its amplitude or more\n"
    legend_below(figure, handles, f"{said}{OVER_SEEDS}")
    title(figure, found.attrs)
    return figure


@reported("5 Koopman modes of the outputs", of="denoising")
def modes(found: xr.Dataset) -> Figure:
    """Draw how long each Koopman mode of the outputs lasts against how fine it is, by loss.

    Parameters
    ----------
    found
        As for :func:`errors`, of which are used ``time_constant``, ``mode_number``,
        ``residual`` and ``order``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no signal.
    """
    names = ("time_constant", "mode_number", "residual", "order")
    require(found, "modes", "denoising", (*CASES, *names), dim="signal")
    signals, losses, levels = strings(found["signal"]), strings(found["loss"]), found["snr"].values
    figure = new_figure(page_width(1.4 * len(losses)), 2.0 * len(signals) + 0.3)
    grid = figure.subplots(len(signals), len(losses), squeeze=False, sharex=True, sharey=True)
    marks = looks(map(str, levels))
    for i, signal in enumerate(signals):
        for j, loss in enumerate(losses):
            axes, own = grid[i][j], found.isel(signal=i, loss=j)
            for k, look in enumerate(marks.values()):
                at = own.isel(snr=k)
                x, y, residual = (at[n].values.ravel() for n in names[:3])
                x, y = y, x
                good = residual <= RESIDUAL_LIMIT
                style = {"linestyle": "", "marker": look.marker, "color": look.colour}
                axes.plot(x[good], y[good], markersize=4, **style)
                axes.plot(x[~good], y[~good], markersize=3, markerfacecolor="none", **style)
            orders = own["order"].values
            said = f"{np.nanmedian(orders):+.2f}" if np.isfinite(orders).any() else "–"
            axes.set_title(f"{signal}, {loss}\nrank correlation {said}")
            axes.set(xscale="log", yscale="log")
            axes.xaxis.set_major_formatter(PLAIN)
            axes.yaxis.set_major_formatter(PLAIN)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_minor_locator(NullLocator())
        grid[i][0].set_ylabel("time constant, steps")
    for axes in grid[-1]:
        axes.set_xlabel("mean wave number")
    handles = [
        Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=snr)
        for snr, look in zip(map(decibels, levels), marks.values(), strict=True)
    ]
    said = f"Koopman modes of every seed's outputs; hollow: residual above {RESIDUAL_LIMIT:g}\n"
    legend_below(figure, handles, f"{said}those that do not decay are not drawn")
    title(figure, found.attrs)
    return figure


def _marks(found: xr.Dataset) -> dict[str, Look]:
    """Looks of losses and filters, which share no marker."""
    return looks([*strings(found["loss"]), *strings(found["filter"])])


def _methods(own: xr.Dataset, stop: str, kind: str) -> Iterator[tuple[str, np.ndarray, float]]:
    """Each method's name, its values (seed, x) and its place beside the others."""
    rest = "band" if kind == "band_error" else "snr"
    losses, filters = strings(own["loss"]), strings(own["filter"])
    count = len(losses) + len(filters)
    # In a band they stand side by side; on the way from noise to noise lines show the slope.
    width = 0.75 if rest == "band" else 0.3
    places = (np.arange(count) - (count - 1) / 2) * width / count
    chosen = own[kind].isel(stop=int(np.flatnonzero(strings(own["stop"]) == stop)[0]))
    for k, name in enumerate(losses):
        yield name, chosen.isel(loss=k).transpose("seed", rest).values, places[k]
    for k, name in enumerate(filters):
        values = own[f"filter_{kind}"].isel(filter=k).transpose("seed", rest).values
        yield name, values, places[len(losses) + k]


def _with_bars(axes: Axes, x: np.ndarray, values: np.ndarray, look: Look, line: bool) -> None:
    """Median over the first axis, with bars to the least and the greatest."""
    finite = np.isfinite(values).any(axis=0)
    values, x = values[:, finite], np.asarray(x)[finite]
    if not x.size:
        return
    middle = np.nanmedian(values, axis=0)
    axes.vlines(x, np.nanmin(values, axis=0), np.nanmax(values, axis=0), look.colour, linewidth=1)
    style = {"marker": look.marker, "markersize": 4, "color": look.colour}
    axes.plot(x, middle, linestyle=look.line if line else "", linewidth=0.9, **style)


def _shown(own: xr.Dataset, name: str, kind: str) -> tuple[np.ndarray, float]:
    """Values of the first seed, and their error."""
    if kind == "loss":
        k = int(np.flatnonzero(strings(own["loss"]) == name)[0])
        stop = int(np.flatnonzero(strings(own["stop"]) == FINAL)[0])
        values = own["shown"].isel(loss=k, stop=stop).values
    elif kind == "filter":
        k = int(np.flatnonzero(strings(own["filter"]) == name)[0])
        values = own["shown_filter"].isel(filter=k).values
    else:
        values = own["shown_noisy"].values
    return values, float(np.sqrt(np.nanmean((values - own["shown_clean"].values) ** 2)))


def _one(axes: Axes, own: xr.Dataset, values: np.ndarray, colour: str, narrow: bool) -> None:
    count = int(own["side"]) ** int(own["axes"])
    clean, values = own["shown_clean"].values[:count], values[:count]
    low, high = clean.min(), clean.max()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    if int(own["axes"]) == 2:
        side = int(own["side"])
        axes.imshow(values.reshape(side, side), cmap="gray", vmin=low, vmax=high)
        return
    axes.plot(clean, color="black", linewidth=0.6, zorder=3 if not narrow else 1)
    axes.plot(values, color=colour, linewidth=0.7, alpha=0.9, zorder=2)
    if narrow:
        room = 0.35 * (high - low)
        axes.set_ylim(low - room, high + room)


def _bands(own: xr.Dataset) -> list[str]:
    return list(map(band_name, own["band_low"].values.tolist(), own["band_high"].values.tolist()))


def _plain(row: np.ndarray) -> None:
    """Plain numbers on a shared axis: at 1, 2 and 5, or at decades where there are many."""
    axes = row[0]
    low, high = axes.get_ylim()
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    parts = (1, 2, 5) if high / low < 300 else (1,)
    axes.yaxis.set_major_locator(FixedLocator(np.outer(tens, parts).ravel()))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def _entry(label: str, look: Look) -> Line2D:
    style = {"color": look.colour, "linestyle": look.line, "marker": look.marker}
    return Line2D([], [], markersize=4, label=label, **style)


def _legend(
    figure: Figure, found: xr.Dataset, marks: dict[str, Look], *more: Line2D, said: str = ""
) -> None:
    handles = [_entry(name, look) for name, look in marks.items()]
    if not more:
        more = (Line2D([], [], label="as a constant", **NOTHING),)
    losses = ", ".join(strings(found["loss"]))
    said = f"networks under the losses {losses}{'; ' + said if said else ''}; the others: filters"
    legend_below(figure, [*handles, *more], f"{said}\n{OVER_SEEDS}")
