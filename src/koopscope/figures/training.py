"""Loss and accuracy while training."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from koopscope.figures.style import PLAIN, Look, looks, new_figure, quantiles, styled, title
from koopscope.summary import require, samples_by_variant

# Below this ratio of largest to smallest loss a log axis only bends what is nearly flat.
LOG_RATIO = 3.0


@styled
def training_curves(curves: xr.Dataset) -> Figure:
    """Draw loss and test accuracy against the step: median over seeds, 5 % to 95 % as a band.

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
    require(curves, "training_curves", "curves", ("variant", "seed", "step", "loss", "diverged"))
    accurate = "accuracy" in curves and bool(np.isfinite(curves["accuracy"].values).any())
    if accurate:
        require(curves, "training_curves", "curves", ("evaluation_step",))
    groups = samples_by_variant(curves)
    rows = -(-len(groups) // 3)
    figure = new_figure(9.5 if accurate else 6.5, 3.9 + 0.2 * rows)
    axes = figure.subplots(1, 2 if accurate else 1, squeeze=False)[0]
    for name, look in looks(groups).items():
        samples = curves.isel(sample=groups[name])
        label = _label(name, samples, curves.attrs.get("initialisations"))
        _band(axes[0], samples["step"].values, samples["loss"], look, label)
        if accurate:
            _band(axes[1], samples["evaluation_step"].values, samples["accuracy"], look, label)
    _loss_axis(axes[0], curves)
    if accurate:
        axes[1].set(xlabel="training step", ylabel="test accuracy")
        axes[1].set_ylim(max(0.0, axes[1].get_ylim()[0]), 1.0)
    many = any(len(at) > 1 for at in groups.values())
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(groups), 3),
        title="median over seeds; band: 5 % to 95 % of seeds"
        if many
        else "one seed a variant: no band to show",
    )
    title(figure, curves.attrs)
    return figure


def _band(axes: Axes, x: np.ndarray, values: xr.DataArray, look: Look, label: str) -> None:
    y = np.asarray(values.transpose("sample", ...).values, dtype=float)
    y = np.where(np.isfinite(y), y, np.nan)
    low, middle, high = quantiles(y)
    axes.plot(x, middle, color=look.colour, linestyle=look.line, linewidth=1.3, label=label)
    if len(y) > 1:
        axes.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0)


def _loss_axis(axes: Axes, curves: xr.Dataset) -> None:
    axes.set(xlabel="training step", ylabel=str(curves.attrs.get("loss_name") or "loss"))
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
