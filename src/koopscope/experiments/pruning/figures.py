"""Pruning: what the ways to prune share, what accuracy they leave, which eigenvalue is taken for 1.

Every line is a mean over seeds, every band or bar its 95 % interval by Student's t.
"""

from collections.abc import Iterable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    NullFormatter,
    NullLocator,
)
from scipy.stats import spearmanr

from koopscope.compare.intervals import mean_interval
from koopscope.experiments.pruning.names import MILD, SHARP, nearest
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    NEUTRAL,
    PLAIN,
    Look,
    legend_below,
    looks,
    name_ticks,
    new_figure,
    page_width,
    panels_of,
    reported,
    shape,
    title,
)

OVER_SEEDS = "means over seeds, with 95 % intervals (Student's t)"
# Rows of panels of the overlaps: what they ask, and the pairs that answer.
QUESTIONS = {
    "Koopman magnitude, and its controls": (
        "koopman_magnitude / magnitude",
        "koopman_magnitude / window_mean",
        "koopman_magnitude / first_snapshot",
        "koopman_magnitude / initial_magnitude",
        "koopman_magnitude / koopman_magnitude_shuffled",
        "magnitude / window_mean",
    ),
    "Koopman gradient": (
        "koopman_gradient:sum / gradient",
        "koopman_gradient:slowest / gradient",
        "koopman_gradient:moduli / gradient",
    ),
    "with magnitudes after the last epoch": (
        "koopman_magnitude / late_magnitude",
        "magnitude / late_magnitude",
        "window_mean / late_magnitude",
    ),
}
# Least width of a panel in inches.
PANEL = 1.5
TAKEN = "koopman_magnitude / magnitude"


@reported("1 overlap of what is kept", of="pruning")
def overlap(found: xr.Dataset) -> Figure:
    """Draw the Jaccard index of the weights that two ways keep, by compression and epoch.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.pruning.run.gathered` gives it, of which are used
        ``jaccard`` (seed, epoch, pair, compression) and ``jaccard_by_chance`` (seed, epoch,
        compression).

    Raises
    ------
    InputError
        If one of these is missing, or there is no seed.
    """
    require(found, "overlap", "pruning", ("pair", "jaccard", "jaccard_by_chance"), dim="seed")
    pairs = strings(found["pair"]).tolist()
    rows = {asked: [p for p in those if p in pairs] for asked, those in QUESTIONS.items()}
    rows = {asked: those for asked, those in rows.items() if those}
    epochs = found["epoch"].values
    figure = new_figure(page_width(PANEL * len(epochs)), 1.8 * len(rows) + 0.3)
    grid = figure.subplots(len(rows), len(epochs), squeeze=False, sharex=True, sharey=True)
    marks = looks(pair for those in QUESTIONS.values() for pair in those)
    chance = found["jaccard_by_chance"].mean(("seed", "epoch"))
    for panels, (asked, those) in zip(grid, rows.items(), strict=True):
        for panel, epoch in zip(panels, epochs, strict=True):
            values = found["jaccard"].sel(epoch=epoch)
            for pair in those:
                _line(panel, values.sel(pair=pair), marks[pair])
            panel.plot(chance["compression"], chance, color="black", linestyle=":", linewidth=1)
            _compressions(panel, found["compression"].values)
            panel.set_ylim(0, 1.03)
        panels[0].set_ylabel("Jaccard index")
        panels[0].annotate(asked, (0, 1.02), xycoords="axes fraction", va="bottom", style="italic")
    _epochs(grid, epochs)
    handles = [_entry(pair, marks[pair]) for those in rows.values() for pair in those]
    handles.append(Line2D([], [], color="black", linestyle=":", label="by chance"))
    legend_below(figure, handles, OVER_SEEDS)
    title(figure, found.attrs)
    return figure


@reported("2 accuracy after pruning", of="pruning")
def pruned_accuracy(found: xr.Dataset) -> Figure:
    """Draw the test accuracy that each way to prune leaves, before and after fine-tuning.

    Parameters
    ----------
    found
        As for :func:`overlap`, of which are used ``accuracy`` (seed, epoch, score, compression,
        moment) and ``accuracy_unpruned`` (seed, epoch).

    Raises
    ------
    InputError
        If one of these is missing, or there is no seed.
    """
    require(found, "accuracy", "pruning", ("score", "accuracy", "accuracy_unpruned"), dim="seed")
    accuracy = found["accuracy"]
    known = accuracy.notnull()
    moments = [m for m in ("before", "after") if known.sel(moment=m).any()]
    methods = [str(s) for s in found["score"].values if known.sel(score=s).any()]
    epochs = found["epoch"].values
    figure = new_figure(page_width(PANEL * len(epochs)), 1.8 * max(len(moments), 1) + 0.4)
    grid = figure.subplots(
        max(len(moments), 1), len(epochs), squeeze=False, sharex=True, sharey=True
    )
    marks = looks(methods)
    for panels, moment in zip(grid, moments, strict=False):
        for panel, epoch in zip(panels, epochs, strict=True):
            middle, low, high = mean_interval(found["accuracy_unpruned"].sel(epoch=epoch).values)
            panel.axhspan(low, high, color="0.85", linewidth=0)
            panel.axhline(middle, color="black", linestyle="--", linewidth=0.9)
            for i, (method, look) in enumerate(marks.items()):
                values = accuracy.sel(epoch=epoch, moment=moment, score=method)
                _line(panel, values, look, i - (len(marks) - 1) / 2)
            _compressions(panel, found["compression"].values)
            panel.set_ylim(0, 1.03)
        panels[0].set_ylabel(f"accuracy {moment} fine-tuning")
    _epochs(grid, epochs)
    handles = [_entry(method, look) for method, look in marks.items()]
    handles.append(Line2D([], [], color="black", linestyle="--", label="not pruned"))
    legend_below(figure, handles, OVER_SEEDS)
    title(figure, found.attrs)
    return figure


@reported("3 eigenvalue taken for 1", of="pruning")
def fixed_points(found: xr.Dataset) -> Figure:
    """Draw which eigenvalue is taken for 1, and whether the spectrum predicts the overlap.

    One mark is one seed. The two right panels ask whether Koopman and magnitude pruning keep the
    same where the eigenvalue is near 1, or where little of the weights is left to decay.

    Parameters
    ----------
    found
        As for :func:`overlap`, of which are used ``eigenvalue``, ``second_eigenvalue``,
        ``residual``, ``second_residual``, ``decaying_share`` (seed, epoch) and ``jaccard``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no seed.
    """
    names = ("eigenvalue", "second_eigenvalue", "residual", "second_residual", "decaying_share")
    require(found, "fixed points", "pruning", (*names, "jaccard"), dim="seed")
    epochs = found["epoch"].values
    marks = dict(zip(epochs, looks(map(str, epochs)).values(), strict=True))
    rows, columns = shape(4, 3.0, most=2)
    figure = new_figure(page_width(), 2.0 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    first, second = ((np.abs(found[n] - 1)) for n in ("eigenvalue", "second_eigenvalue"))
    taken = nearest(found["compression"].values.tolist(), MILD)
    jaccard = found["jaccard"].sel(pair=TAKEN, compression=taken)
    for place, epoch in enumerate(epochs):
        look = marks[epoch]
        at = {"epoch": epoch}
        for panel, low, high in (
            (panels[0], first, second),
            (panels[1], found["residual"], found["second_residual"]),
        ):
            _dots(panel, place, low.sel(at), look, filled=True)
            _dots(panel, place, high.sel(at), look, filled=False)
        for panel, against in ((panels[2], first), (panels[3], found["decaying_share"])):
            _dots(panel, against.sel(at).values, jaccard.sel(at), look, filled=True)
    for panel, said in zip(panels, ("|λ − 1|", "residual"), strict=False):
        panel.set(yscale="log", ylabel=said, xlabel="epoch")
        panel.set_xlim(-0.6, len(epochs) - 0.4)
        panel.set_xticks(range(len(epochs)), [str(e) for e in epochs])
        panel.yaxis.set_minor_formatter(NullFormatter())
    for panel, against, said in (
        (panels[2], first, "|λ − 1| of the eigenvalue taken for 1"),
        (panels[3], found["decaying_share"], "share that still decays"),
    ):
        panel.set(xscale="log", xlabel=said)
        panel.xaxis.set_minor_formatter(NullFormatter())
        low, high = np.log10(panel.get_xlim())
        # To whole powers of ten, or within a decade no tick would be named.
        panel.set_xlim(10 ** np.floor(low), 10 ** np.ceil(high))
        panel.set_ylabel(f"Jaccard index at {taken:g}")
        panel.set_title(_correlation(against, jaccard))
    handles = [_entry(f"epoch {epoch}", look, line="") for epoch, look in marks.items()]
    for said, face in (("taken for 1", NEUTRAL), ("next nearest 1", "none")):
        handles.append(
            Line2D(
                [], [], linestyle="", marker="o", color=NEUTRAL, markerfacecolor=face, label=said
            )
        )
    said = "each mark is one seed; Jaccard index: of koopman_magnitude with magnitude"
    legend_below(figure, handles, f"{said}; ρ: rank correlation over seeds and epochs")
    title(figure, found.attrs)
    return figure


@reported("4 what each layer keeps", of="pruning")
def kept_by_layer(found: xr.Dataset) -> Figure:
    """Draw the share of each layer's weights that stays, by method and epoch.

    Parameters
    ----------
    found
        As for :func:`overlap`, of which is used ``kept`` (seed, epoch, score, compression, layer).

    Raises
    ------
    InputError
        If it is missing, or there is no seed.
    """
    require(found, "layers", "pruning", ("score", "layer", "kept"), dim="seed")
    compression = nearest(found["compression"].values.tolist(), SHARP)
    epochs = found["epoch"].values
    layers = [layer.removesuffix(".weight") for layer in strings(found["layer"])]
    methods = strings(found["score"]).tolist()
    # More than these hide each other; the layer-wise ones are flat lines.
    methods = [m for m in methods if not m.startswith("layer_") and not m.endswith("_shuffled")]
    # Names upright along the panels take a line of text each.
    rows, columns = shape(len(epochs), 0.13 * len(layers) + 0.5)
    panel_width = (page_width() - 0.5) / columns
    figure = new_figure(page_width(), 2.6 * rows)
    panels = panels_of(figure, len(epochs), rows, columns, sharey=True)
    marks = looks(methods)
    smallest = 1 / compression
    for panel, epoch in zip(panels, epochs, strict=True):
        for offset, (method, look) in zip(
            np.linspace(-0.25, 0.25, len(methods)), marks.items(), strict=True
        ):
            values = found["kept"].sel(epoch=epoch, compression=compression, score=method)
            middle, low, high = mean_interval(values.transpose("seed", "layer").values)
            x = np.arange(len(layers)) + offset
            style = {"color": look.colour, "marker": look.marker, "markersize": 4}
            panel.plot(x, middle, linestyle="", **style)
            # An interval may reach below 0, where a log axis ends.
            panel.vlines(x, np.maximum(low, 1e-6), high, color=look.colour, linewidth=0.8)
            shown = middle[np.isfinite(middle) & (middle > 0)]
            smallest = min([smallest, *shown])
        panel.axhline(1 / compression, color="black", linestyle=":", linewidth=0.9)
        panel.set_title(f"epoch {epoch}")
        panel.set_yscale("log")
        name_ticks(panel.xaxis, range(len(layers)), layers, panel_width - 0.3)
        panel.yaxis.set_major_formatter(PLAIN)
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.grid(axis="x", visible=False)
    panels[0].set_ylim(smallest / 2, 1.4)
    for panel in panels[::columns]:
        panel.set_ylabel(f"share kept at compression {compression:g}")
    handles = [_entry(method, look, line="") for method, look in marks.items()]
    said = "the same share of each layer"
    handles.append(Line2D([], [], color="black", linestyle=":", label=said))
    legend_below(figure, handles, f"{OVER_SEEDS}; layers that lose all are not shown")
    title(figure, found.attrs)
    return figure


def _line(panel: Axes, values: xr.DataArray, look: Look, place: float = 0.0) -> None:
    """Draw means over seeds with their intervals; ``place`` moves a lone one out of others' way."""
    middle, low, high = mean_interval(values.transpose("seed", "compression").values)
    x = values["compression"].values
    if np.isfinite(middle).sum() == 1:
        x = x * 1.12**place
        panel.vlines(x, low, high, color=look.colour, linewidth=1)
    else:
        panel.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0)
    style = {"marker": look.marker, "markersize": 3.5, "linewidth": 1.1}
    panel.plot(x, middle, color=look.colour, linestyle=look.line, **style)


def _dots(panel: Axes, x: float | np.ndarray, y: xr.DataArray, look: Look, filled: bool) -> None:
    spread = np.linspace(-0.2, 0.2, y.size) if y.size > 1 else np.zeros(1)
    place = x + spread if np.ndim(x) == 0 else x
    face = look.colour if filled else "none"
    style = {"marker": look.marker, "markersize": 5, "markerfacecolor": face}
    panel.plot(place, y.values, linestyle="", color=look.colour, **style)


def _correlation(one: xr.DataArray, other: xr.DataArray) -> str:
    x, y = (values.transpose("seed", "epoch").values.ravel() for values in (one, other))
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 4 or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return ""
    return f"ρ = {spearmanr(x[known], y[known]).statistic:.2f} (n = {known.sum()})"


def _compressions(panel: Axes, compression_ratios: Iterable[float]) -> None:
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(list(compression_ratios)))
    panel.xaxis.set_major_formatter(FixedFormatter([f"{c:g}" for c in compression_ratios]))
    panel.xaxis.set_minor_locator(NullLocator())


def _epochs(grid: np.ndarray, epochs: np.ndarray) -> None:
    for panel, epoch in zip(grid[0], epochs, strict=True):
        # Above the words on a row of panels.
        panel.set_title(f"epoch {epoch}", pad=16)
    for panel in grid[-1]:
        panel.set_xlabel("compression")


def _entry(label: str, look: Look, line: str | None = None) -> Line2D:
    return Line2D(
        [],
        [],
        color=look.colour,
        linestyle=look.line if line is None else line,
        marker=look.marker,
        markersize=4,
        label=label,
    )
