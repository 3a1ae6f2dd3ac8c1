"""Loss and accuracy while training."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from koopscope.report.datasets import require, samples_by_variant
from koopscope.report.style import (
    CHARACTER,
    LETTER,
    MANY,
    MARKERS,
    PLAIN,
    Look,
    legend_below,
    looks,
    new_figure,
    page_width,
    quantiles,
    reported,
    shape,
    title,
)

COLUMNS = 5
# Below this ratio of largest to smallest loss a log axis only bends what is nearly flat.
LOG_RATIO = 3.0


@reported("6 training", of="curves")
def training(curves: xr.Dataset) -> Figure:
    """Draw loss and test accuracy against the step: median over seeds, 5 % to 95 % as a band.

    More than :data:`koopscope.report.style.MANY` variants get a panel each, in which the medians
    of all others are grey.

    Parameters
    ----------
    curves
        ``loss`` (sample, step), ``diverged`` (sample) and, for networks, ``accuracy``
        (sample, evaluation); coordinates ``variant``, ``seed``, ``step``, ``evaluation_step``.

    Raises
    ------
    InputError
        If a variable is missing or there is no sample.
    """
    require(curves, "training", "curves", ("variant", "seed", "step", "loss", "diverged"))
    accurate = "accuracy" in curves and bool(np.isfinite(curves["accuracy"].values).any())
    if accurate:
        require(curves, "training", "curves", ("evaluation_step",))
    groups = samples_by_variant(curves)
    several = any(len(at) > 1 for at in groups.values())
    said = "median over seeds; band: 5 % to 95 % of seeds"
    said = said if several else "one seed a variant: no band to show"
    if len(groups) > MANY:
        return _small_panels(curves, groups, accurate, said)
    rows, columns = shape(2 if accurate else 1, 2.4)
    figure = new_figure(page_width(), 2.5 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for name, look in looks(groups).items():
        samples = curves.isel(sample=groups[name])
        label = _label(name, samples, curves.attrs.get("initialisations"))
        _band(axes[0], *_quantity(samples, "loss"), look, label)
        if accurate:
            _band(axes[1], *_quantity(samples, "accuracy"), look, label)
    _loss_axis(axes[0], curves)
    axes[0].set(xlabel="training step", ylabel=_loss_name(curves))
    if accurate:
        axes[1].set(xlabel="training step", ylabel="test accuracy")
        axes[1].set_ylim(max(0.0, axes[1].get_ylim()[0]), 1.0)
    legend_below(figure, axes[0].get_legend_handles_labels()[0], said)
    title(figure, curves.attrs)
    return figure


def _small_panels(
    curves: xr.Dataset, groups: dict[str, np.ndarray], accurate: bool, said: str
) -> Figure:
    rows, columns = shape(len(groups), 1.3, most=COLUMNS)
    blocks = ("loss", "accuracy") if accurate else ("loss",)
    letters = int(page_width() / columns / CHARACTER / 1.1)
    figure = new_figure(page_width(), (1.25 * rows + 0.3) * len(blocks))
    parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
    for part, what in zip(parts, blocks, strict=True):
        panels = part.subplots(rows, columns, sharex=True, sharey=True)
        for panel in panels.flat[len(groups) :]:
            panel.set_visible(False)
        lines = {name: _quantity(curves.isel(sample=at), what) for name, at in groups.items()}
        medians = [np.column_stack([x, quantiles(_finite(y))[1]]) for x, y in lines.values()]
        for panel, (name, look) in zip(panels.flat, looks(groups).items(), strict=False):
            panel.add_collection(
                LineCollection(medians, colors="0.85", linewidths=0.5, zorder=1), autolim=False
            )
            samples = curves.isel(sample=groups[name])
            heading = _label(name, samples, curves.attrs.get("initialisations"))
            _band(panel, *lines[name], look, heading)
            heading = heading if len(heading) <= letters else heading.replace(" (", "\n(")
            panel.set_title(heading, fontsize=LETTER, fontweight="normal")
        if what == "loss":
            _loss_axis(panels.flat[0], curves)
        part.supylabel(_loss_name(curves) if what == "loss" else "test accuracy")
        part.supxlabel("training step")
    grey = Line2D([], [], color="0.85", linewidth=0.8, label="medians of the other variants")
    legend_below(figure, [grey], said)
    title(figure, curves.attrs)
    return figure


def _quantity(samples: xr.Dataset, what: str) -> tuple[np.ndarray, np.ndarray]:
    x = samples["step" if what == "loss" else "evaluation_step"].values
    return x, np.asarray(samples[what].transpose("sample", ...).values, dtype=float)


def _finite(y: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(y), y, np.nan)


def _band(axes: Axes, x: np.ndarray, y: np.ndarray, look: Look, label: str) -> None:
    low, middle, high = quantiles(_finite(y))
    # Markers at places of their own, so that lines of one style differ by more than colour.
    every = max(1, len(x) // 6)
    start = MARKERS.index(look.marker) * every // MANY % every
    axes.plot(
        x,
        middle,
        color=look.colour,
        linestyle=look.line,
        linewidth=1.3,
        marker=look.marker,
        markersize=4.5,
        markevery=(start, every),
        label=label,
    )
    if len(y) > 1:
        axes.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0)


def _loss_name(curves: xr.Dataset) -> str:
    return str(curves.attrs.get("loss_name") or "loss")


def _loss_axis(axes: Axes, curves: xr.Dataset) -> None:
    loss = curves["loss"].values
    loss = loss[np.isfinite(loss)]
    if loss.size and loss.min() > 0 and loss.max() > LOG_RATIO * loss.min():
        axes.set_yscale("log")
        # Plain numbers also between the powers of ten, where most losses lie.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(PLAIN)
        axes.yaxis.set_minor_formatter(NullFormatter())


def _label(name: str, samples: xr.Dataset, initialisations: int | None) -> str:
    seeds = samples.sizes["sample"]
    label = f"{name} ({seeds} seed{'s' if seeds > 1 else ''}"
    diverged = int(samples["diverged"].sum())
    if diverged:
        runs = f" of {seeds * int(initialisations)}" if initialisations else ""
        label += f"; {diverged}{runs} runs diverged"
    return label + ")"
