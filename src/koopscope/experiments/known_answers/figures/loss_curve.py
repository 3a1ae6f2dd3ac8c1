"""Where a spectrum says more than a loss curve, and where less."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.compare.words import NEITHER
from koopscope.experiments.known_answers.deciding import (
    CANDIDATES,
    CORE,
    LOSS_CURVE,
    OTHER,
    PLAIN,
    by_group,
    compared,
    decided,
)
from koopscope.experiments.known_answers.figures.families import LOOKS
from koopscope.experiments.known_answers.rates import ALPHA
from koopscope.report.datasets import strings
from koopscope.report.style import (
    HEADING,
    NEUTRAL,
    legend_below,
    new_figure,
    page_width,
    reported,
    title,
)

SIDES = (LOOKS[CANDIDATES], LOOKS[PLAIN])
# Height of the heading of a kind of cases, in rows.
ABOVE = 1.2


@reported("3 spectrum against loss curve", of="known_answers")
def spectrum_against_loss_curve(answers: xr.Dataset) -> Figure:
    """Draw the cases of which the spectrum or the loss curve says more than the other.

    Parameters
    ----------
    answers
        As :func:`koopscope.experiments.known_answers.run.run` gives them.

    Raises
    ------
    InputError
        If the dataset lacks a variable, or has no method, case, size or draw.
    """
    found = decided(answers, "spectrum against loss curve")
    against = compared(found)
    if against is None:
        return _nothing(found, "no spectrum and loss curve to compare")
    apart = against.isel(case=np.flatnonzero(against["word"] != NEITHER))
    groups = by_group(apart)
    if not groups:
        return _nothing(found, "no case in which one says more than the other")
    rows = apart.sizes["case"] + ABOVE * len(groups)
    figure = new_figure(page_width(5), 0.2 * rows + 0.6)
    panel = figure.subplots()
    top, places = 0.0, []
    for group, of_group in groups.items():
        wanted = "fewer" if group in (CORE, OTHER) else "more"
        panel.text(
            0, top + 0.95, f"{group}: {wanted} is better", weight="bold", fontsize=HEADING,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        for row in range(of_group.sizes["case"]):
            y = top + ABOVE + row + 0.5
            places.append(y)
            for side, off, look in zip(("spectrum", LOSS_CURVE), (-0.17, 0.17), SIDES, strict=True):
                at = 100 * of_group["rate"].sel(side=side).isel(case=row)
                middle, low, high = at.transpose("bound").values
                panel.hlines(y + off, low, high, color=look.colour, linewidth=1.3)
                panel.plot(middle, y + off, marker=look.marker, color=look.colour, markersize=5)
        top += ABOVE + of_group.sizes["case"]
    panel.axvline(100 * ALPHA, color="black", linewidth=0.9, linestyle=":")
    panel.set(xlim=(-2, 102), ylim=(top + 0.2, 0), xlabel="share of draws called different, %")
    panel.set_yticks(places, strings(apart["case"]).tolist())
    panel.grid(axis="y", visible=False)
    names = (against.attrs["spectrum"], LOSS_CURVE)
    handles = [
        Line2D([], [], marker=look.marker, color=look.colour, label=name)
        for name, look in zip(names, SIDES, strict=True)
    ]
    handles.append(Line2D([], [], color="black", linestyle=":", label="5 %: by chance"))
    kept = f"{apart.sizes['case']} of {against.sizes['case']} cases"
    heading = (
        f"groups of {found.attrs['deciding']} seeds; bars: 95 % intervals\n"
        f"{kept}: the others differ by no more than their interval"
    )
    legend_below(figure, handles, heading)
    title(figure, found.attrs)
    return figure


def _nothing(found: xr.Dataset, said: str) -> Figure:
    figure = new_figure(page_width(), 1.0)
    panel = figure.subplots()
    panel.axis("off")
    panel.text(0.5, 0.5, said, ha="center", va="center", transform=panel.transAxes, color=NEUTRAL)
    title(figure, found.attrs)
    return figure
