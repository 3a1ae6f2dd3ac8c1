"""How far each eigenvalue can be trusted."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.experiments.equivalence.figures.spectra import opacity, read_spectra
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.style import (
    LETTER,
    MANY,
    NEUTRAL,
    legend_below,
    looks,
    name_ticks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)


@reported("5 residuals", of="comparison")
def residuals(comparison: xr.Dataset) -> Figure:
    """Draw the residual of every eigenvalue against its modulus, and its spread by variant.

    Parameters
    ----------
    comparison
        As for :func:`spectra`.

    Raises
    ------
    InputError
        If a variable is missing, or there is no sample or no residual.
    """
    groups, eigenvalue, residual = read_spectra(comparison, "residuals")
    known = np.isfinite(eigenvalue) & np.isfinite(residual)
    positive = residual[known & (residual > 0)]
    # A residual of zero has no place on a log axis: it is drawn on the edge, and said so.
    floor = positive.min() / 3 if positive.size else 1e-16
    # Beside the cloud there is room for the boxes of a few variants.
    rows, columns = shape(2, 2.4) if len(groups) <= MANY else (2, 1)
    figure = new_figure(page_width(), 2.7 * rows)
    ratios = (1.7, 1) if columns == 2 else (1,)
    cloud, spread = figure.subplots(
        rows, columns, width_ratios=ratios, sharey=True, squeeze=False
    ).ravel()
    wide = page_width() / sum(ratios) - 0.6
    shown = looks(groups)
    for name, at in groups.items():
        x, y = np.abs(eigenvalue[at])[known[at]], residual[at][known[at]]
        cloud.scatter(
            x,
            np.maximum(y, floor),
            s=11,
            color=shown[name].colour,
            marker=shown[name].marker,
            alpha=opacity(len(at)),
            linewidths=0,
            label=f"{name} ({len(x)} eigenvalues)",
        )
    spread.boxplot(
        [np.maximum(residual[at][known[at]], floor) for at in groups.values()],
        whis=(5, 95),
        widths=0.55,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": "0.9"},
        medianprops={"color": "black"},
    )
    for axes in (cloud, spread):
        axes.set_yscale("log")
        axes.axhline(RESIDUAL_LIMIT, color=NEUTRAL, linestyle="--", linewidth=0.9)
    cloud.set(xlabel="|λ|", ylabel="residual")
    cloud.axvline(1, color=NEUTRAL, linewidth=0.7)
    spread.set_title("box: quartiles; whiskers: 5 % to 95 %", fontweight="normal", fontsize=LETTER)
    name_ticks(spread.xaxis, range(1, len(groups) + 1), list(groups), wide)
    handles, _ = cloud.get_legend_handles_labels()
    label = f"limit {RESIDUAL_LIMIT:g}: spurious above it"
    handles.append(Line2D([], [], color=NEUTRAL, linestyle="--", linewidth=0.9, label=label))
    zeros = int((residual[known] <= 0).sum())
    if zeros:
        label = f"{zeros} residuals are 0 (lower edge)"
        handles.append(Line2D([], [], linestyle="", label=label))
    for handle in legend_below(figure, handles).legend_handles:
        handle.set_alpha(1)
    title(figure, comparison.attrs)
    return figure
