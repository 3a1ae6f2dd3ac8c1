"""Effect of each window against the last: all layers, and each by itself."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.compare.words import DISTINGUISHED
from koopscope.config.controls import RECODED, kind_of
from koopscope.experiments.early_phase.figures.panels import (
    BLUE,
    NEEDED,
    arranged,
    draw_effects,
    draw_point,
    entries,
    said,
    scaled,
    window_names,
)
from koopscope.report.datasets import require, strings
from koopscope.report.style import legend_below, new_figure, panels_of, reported, title

CONTROLS = ("control_effect", "control_low", "control_high", "control_verdict")
# Marks of control lines, which stand to the right of the windows.
MARKS = {True: "s", False: "X"}


@reported("1 windows of training against the last one", of="early_phase")
def early_phase(found: xr.Dataset) -> Figure:
    """Draw the effect of each window against the last, a panel a part of the network.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.early_phase.run.run` gives it.

    Raises
    ------
    InputError
        If a variable is missing, or there is no window.
    """
    require(found, "early phase", "early_phase", (*NEEDED, *CONTROLS), dim="window")
    spectral = found.isel(measure=np.flatnonzero(found["spectral"].values))
    names, parts = window_names(found), strings(spectral["measure"])
    width, rows, columns = arranged(len(parts))
    figure = new_figure(width, 1.95 * rows)
    panels = panels_of(figure, len(parts), rows, columns, sharey=True)
    top = scaled(panels, spectral)
    for place, (panel, name) in enumerate(zip(panels, parts, strict=True)):
        at = found.isel(measure=place)
        draw_effects(panel, at, top)
        lines = _draw_controls(panel, found.isel(part=place), len(names), top)
        panel.set_title(f"{name}\n{said(at)}")
        panel.set_xticks([*range(len(names)), *lines], [*names, *lines.values()], rotation=90)
        panel.grid(axis="x", visible=False)
        if place % columns == 0:
            panel.set_ylabel("effect")
    legend_below(figure, [*entries(), *_control_entries(found)], _heading(found))
    title(figure, found.attrs)
    return figure


def _draw_controls(panel: Axes, found: xr.Dataset, windows: int, top: float) -> dict[float, str]:
    """Draw the control lines of a part; their names by place."""
    lines, place = {}, windows - 0.4
    for window in found["controlled"].values if found.sizes["control"] else ():
        panel.axvline(place + 0.2, color="black", linewidth=0.6)
        for k, control in enumerate(strings(found["control"])):
            place += 1
            at = found.sel(controlled=window).isel(control=k)
            numbers = [float(at[f"control_{name}"]) for name in ("low", "effect", "high")]
            told = at["control_verdict"].item() == DISTINGUISHED
            draw_point(panel, place, numbers, told, MARKS[kind_of(control) == RECODED], BLUE, top)
            lines[place] = window_names(found)[window]
        place += 0.4
    return lines


def _control_entries(found: xr.Dataset) -> list[Line2D]:
    kinds = {kind_of(name) for name in strings(found["control"])} if found.sizes["control"] else {}
    said_of = {
        True: "window recoded: must not be distinguished",
        False: "surrogate of the window: should be",
    }
    return [
        Line2D(
            [], [], linestyle="", marker=MARKS[recoded], color=BLUE, markerfacecolor="white",
            label=label,
        )
        for recoded, label in said_of.items()
        if any((kind == RECODED) == recoded for kind in kinds)
    ]  # fmt: skip


def _heading(found: xr.Dataset) -> str:
    return (
        f"effect: distance of spectra between two windows ÷ between seeds, over "
        f"{found.sizes['member']} seeds; bars: 95 % intervals"
    )
