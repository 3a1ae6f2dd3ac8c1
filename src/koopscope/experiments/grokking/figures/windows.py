"""How far each group is from the reference, by how much of the runs is seen."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    NEUTRAL,
    few_log_ticks,
    legend_below,
    looks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

NEEDED = ("line", "effect", "effect_low", "effect_high", "verdict", "margin", "expected")
FACES = {DISTINGUISHED: "full", NOT_DISTINGUISHED: "none", INCONCLUSIVE: "left"}
# Effects beyond these lie on the border.
LEAST, MOST = 0.5, 100


@reported("2 effect by window", of="grokking")
def grokking_windows(found: xr.Dataset) -> Figure:
    """Draw the effect of each line against the reference, by the end of the window.

    Groups stand in the left panel, what has a known answer in the right one.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.grokking.run.run` gives it, of which are used ``effect``,
        ``effect_low``, ``effect_high`` and ``verdict`` (window, line), ``margin`` (window).

    Raises
    ------
    InputError
        If one of these is missing, or there is no window.
    """
    require(found, "effect by window", "grokking", NEEDED, dim="window")
    lines = strings(found["line"])
    known = strings(found["expected"]) != "open"
    marks = looks(lines)
    grid = shape(2, 2.4)
    figure = new_figure(page_width(), 2.8 * grid[0])
    panels = figure.subplots(*grid, sharey=True, squeeze=False).ravel()
    windows = found["window"].values
    for panel, chosen, said in zip(
        panels, (~known, known), ("groups", "controls with a known answer"), strict=True
    ):
        # Side by side: windows are few, and intervals would hide one another.
        offsets = np.linspace(-0.3, 0.3, max(chosen.sum(), 2))
        for offset, k in zip(offsets, np.flatnonzero(chosen), strict=False):
            look = marks[lines[k]]
            at = found.isel(line=k)
            x = np.arange(len(windows)) + offset
            low, middle, high = (
                np.clip(at[name].transpose("window").values, LEAST, MOST)
                for name in ("effect_low", "effect", "effect_high")
            )
            panel.vlines(x, low, high, color=look.colour, linewidth=1.2)
            panel.plot(x, middle, color=look.colour, linewidth=0.6, alpha=0.5)
            for place, value, word in zip(x, middle, strings(at["verdict"]), strict=True):
                panel.plot(
                    place, value, linestyle="", marker=look.marker, color=look.colour,
                    markersize=6, fillstyle=FACES[word], markerfacecoloralt="white",
                )  # fmt: skip
        panel.plot(
            np.arange(len(windows)), found["margin"].values, color="black", linestyle="--",
            linewidth=0.9,
        )  # fmt: skip
        panel.set_xlim(-0.5, len(windows) - 0.5)
        panel.axhline(1, color=NEUTRAL, linestyle=":")
        panel.set_yscale("log")
        panel.set_title(said)
        panel.set_xlabel("window from step 1 to")
        mark = "\nbefore\nthe rise"
        named = [f"{end}{mark if before else ''}" for end, before in _windows(found)]
        panel.set_xticks(range(len(windows)), named)
        panel.grid(axis="x", visible=False)
        for place, (_, before) in enumerate(_windows(found)):
            if before:
                panel.axvspan(place - 0.5, place + 0.5, color="0.92", linewidth=0, zorder=0)
    few_log_ticks(panels[0].yaxis)
    panels[0].set_ylabel("effect: distance between ÷ within")
    point = {"color": "black", "linestyle": "", "markersize": 6, "marker": "o"}
    handles = [
        *(
            Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=name)
            for name, look in marks.items()
        ),
        *(
            Line2D([], [], fillstyle=face, markerfacecoloralt="white", label=word, **point)
            for word, face in FACES.items()
        ),
        Line2D([], [], color="black", linestyle="--", label="smallest effect that counts"),
        Line2D([], [], color=NEUTRAL, linestyle=":", label="as between seeds"),
    ]
    said = f"against {found.attrs['reference']}; 95 % intervals over seeds"
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure


def _windows(found: xr.Dataset) -> list[tuple[int, bool]]:
    ends, before = found["window"].values.tolist(), found["before"].values.tolist()
    return list(zip(ends, before, strict=True))
