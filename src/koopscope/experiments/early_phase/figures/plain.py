"""Plain markers of training, by step and by window, beside the end that spectra give."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.experiments.early_phase.figures.panels import (
    BLUE,
    NEEDED,
    draw_effects,
    entries,
    said,
    scaled,
    window_names,
)
from koopscope.experiments.early_phase.names import ALL, ENDS, LOSS, MARKERS
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    LETTER,
    few_log_ticks,
    legend_below,
    new_figure,
    page_width,
    quantiles,
    reported,
    title,
)

# Letters in a line under a panel.
UNIT = 22


@reported("2 plain markers of training", of="early_phase")
def plain_markers(found: xr.Dataset) -> Figure:
    """Draw each plain marker along the training, and its effects by window below.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.early_phase.run.run` gives it.

    Raises
    ------
    InputError
        If a variable is missing, or there is no window.
    """
    require(found, "plain markers", "early_phase", (*NEEDED, "curve", "step"), dim="window")
    markers = strings(found["marker"]).tolist()
    figure = new_figure(page_width(1.4 * len(markers)), 4.1)
    above, below = figure.subplots(2, len(markers), squeeze=False)
    measures = strings(found["measure"]).tolist()
    plain = found.isel(measure=[measures.index(name) for name in markers])
    top = scaled(list(below), plain)
    spectrum = found.isel(measure=measures.index(ALL))
    for place, name in enumerate(markers):
        at, panel = plain.isel(measure=place), above[place]
        _draw_curve(panel, found, name)
        for of, style in ((spectrum, {"color": BLUE, "linewidth": 2}), (at, {"color": "black"})):
            if of["outcome"].item() == ENDS:
                panel.axvline(found["start"].values[int(of["end"])], **style)
        panel.set_title(name)
        panel.set_xlabel(textwrap.fill(f"step ({MARKERS.get(name, '')})", UNIT))
        draw_effects(below[place], at, top)
        below[place].set_title(said(at), fontsize=LETTER)
        names = window_names(found)
        below[place].set_xticks(range(len(names)), names, rotation=90)
        below[place].grid(axis="x", visible=False)
        if place:
            below[place].tick_params(labelleft=False)
    above[0].set_ylabel("median, 5 to 95 % of seeds")
    below[0].set_ylabel("effect")
    own = Line2D([], [], color=BLUE, linewidth=2, label=f"end by spectra of {ALL}")
    heading = (
        "effect: difference of the means over two windows ÷ between seeds; bars: 95 % intervals\n"
        f"by spectra of {ALL}: {said(spectrum)}"
    )
    legend_below(figure, [own, *entries()], heading)
    title(figure, found.attrs)
    return figure


def _draw_curve(panel: Axes, found: xr.Dataset, name: str) -> None:
    values = found["curve"].sel(marker=name).transpose("member", "snapshot").values
    low, middle, high = quantiles(values.astype(float))
    steps = found["step"].values
    panel.fill_between(steps, low, high, color="0.8", linewidth=0)
    panel.plot(steps, middle, color="black", linewidth=0.9)
    if name == LOSS and np.nanmin(low) > 0:
        panel.set_yscale("log")
        few_log_ticks(panel.yaxis)
