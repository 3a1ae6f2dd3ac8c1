"""Which settings generalise, and how well and how early that is predicted."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    LETTER,
    legend_below,
    looks,
    name_ticks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

NEEDED = ("setting", "setting_generalised_at", "auc", "auc_within", "chance", "runs_at_risk")


@reported("4 prediction of generalising", of="grokking", when="prediction")
def grokking_prediction(found: xr.Dataset) -> Figure:
    """Draw when the runs of each setting generalise, and the areas under the curve by horizon.

    Parameters
    ----------
    found
        As :func:`koopscope.experiments.grokking.run.run` gives it, of which are used
        ``setting_memorised_at`` and ``setting_generalised_at`` (setting, run), ``auc`` and
        ``auc_within`` (horizon, predictor, bound), ``chance`` and ``chance_within`` (horizon,
        quantile).

    Raises
    ------
    InputError
        If one of these is missing, or there is no setting.
    """
    require(found, "prediction", "grokking", NEEDED, dim="setting")
    settings = strings(found["setting"])
    marks = looks(strings(found["predictor"]))
    least = 0.2 * len(settings) + 0.6
    if shape(3, 2.2)[0] == 1:
        figure = new_figure(page_width(), max(2.5, least))
        left, *others = figure.subplots(1, 3, width_ratios=(1.1, 1, 1))
    else:
        figure = new_figure(page_width(), least + 4.6)
        left, *others = figure.subplots(3, 1, height_ratios=(least, 2.3, 2.3))
    steps = float(found.attrs["steps"])
    for k in range(len(settings)):
        for name, face, shift in (("memorised_at", "none", -0.16), ("generalised_at", None, 0.16)):
            at = found[f"setting_{name}"].values[k]
            known = at[np.isfinite(at)]
            style = {"marker": "o", "linestyle": "", "markersize": 4, "alpha": 0.8}
            colour = "#0173b2" if face else "#d55e00"
            if face:
                style["markerfacecolor"] = face
            left.plot(known, np.full(len(known), k + shift), color=colour, **style)
            if len(known) < len(at):
                left.annotate(
                    f"{len(at) - len(known)} never", (steps * 1.03, k + shift), fontsize=LETTER,
                    va="center", color=colour, annotation_clip=False,
                )  # fmt: skip
    for horizon in found["horizon"].values:
        left.axvline(horizon, color="0.85", linewidth=0.8, zorder=0)
    name_ticks(left.yaxis, range(len(settings)), settings.tolist(), 0.26 * len(settings))
    left.set_ylim(len(settings) - 0.5, -0.5)
    left.set_xlim(0, steps)
    left.set_xlabel("step")
    left.set_title("when runs memorise and generalise")
    places = np.arange(found.sizes["horizon"])
    offsets = np.linspace(-0.33, 0.33, len(marks))
    mixed = found["settings_mixed"].values
    for panel, name, said, counts in (
        (others[0], "auc", "settings held out", found["runs_at_risk"].values),
        (others[1], "auc_within", "within settings", mixed),
    ):
        drawn = found[name.replace("auc", "chance")].transpose("quantile", "horizon").values
        for place, (middle, low, high) in enumerate(drawn.T):
            panel.fill_between([place - 0.42, place + 0.42], low, high, color="0.9", linewidth=0)
            panel.hlines(middle, place - 0.42, place + 0.42, color="0.6", linewidth=1)
        for offset, (predictor, look) in zip(offsets, marks.items(), strict=True):
            at = found[name].isel(predictor=list(marks).index(predictor))
            middle, low, high = at.transpose("bound", "horizon").values
            panel.vlines(places + offset, low, high, color=look.colour, linewidth=1.1)
            panel.plot(
                places + offset, middle, linestyle="", marker=look.marker, color=look.colour,
                markersize=4.5,
            )  # fmt: skip
        panel.axhline(0.5, color="black", linestyle=":", linewidth=1)
        panel.set_ylim(-0.03, 1.03)
        named = "runs" if name == "auc" else "mixed settings"
        pairs = zip(found["horizon"].values, counts, strict=True)
        panel.set_xticks(places, [f"{step}\n{count}" for step, count in pairs])
        panel.set_xlabel(f"predicted at step\n(below it, {named})")
        panel.set_title(said)
        panel.set_ylabel("area under the curve")
        panel.set_xlim(-0.5, len(places) - 0.5)
        panel.grid(axis="x", visible=False)
    handles = [
        Line2D([], [], marker="o", markerfacecolor="none", linestyle="", color="#0173b2",
               label="training accuracy 0.99"),
        Line2D([], [], marker="o", linestyle="", color="#d55e00", label="test accuracy 0.95"),
        *(
            Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=name)
            for name, look in marks.items()
        ),
    ]  # fmt: skip
    handles.append(Patch(color="0.9", label="chance: 5–95 % of draws, median"))
    said = "95 % intervals over resampled settings; grey lines: horizons"
    legend_below(figure, handles, said)
    title(figure, found.attrs)
    return figure
