"""One panel of effects by window, as all figures of the early phase draw it."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullFormatter

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE
from koopscope.experiments.early_phase.names import ENDS, NONE_SEEN, NOT_OVER
from koopscope.report.datasets import strings
from koopscope.report.style import NEUTRAL, PLAIN, page_width, shape

NEEDED = ("measure", "spectral", "start", "stop", "effect", "effect_low", "effect_high", "verdict")
NEEDED += ("end", "end_low", "end_high", "outcome", "margin", "next_effect", "matrix")
BLUE, ORANGE = "#0173b2", "#de8f05"
SHADE = "0.88"
# Effects of many times the distance between seeds are cut off here, with a mark.
CEILING = 30.0
# Panels of a row at most, and the least width of one in inches.
COLUMNS, PANEL = 3, 2.2
# Below this more values are named on the axis.
FEW = 4


def arranged(count: int) -> tuple[float, int, int]:
    """Width of a figure in inches, rows and columns of its panels, one a part of the network."""
    width = page_width(PANEL * min(count, 2))
    return width, *shape(count, PANEL, COLUMNS, width)


def window_names(found: xr.Dataset) -> list[str]:
    """Steps of each window."""
    pairs = zip(found["start"].values, found["stop"].values, strict=True)
    return [f"{start + 1}–{stop}" for start, stop in pairs]


def said(found: xr.Dataset) -> str:
    """Outcome of one measure, with the step and its interval."""
    outcome = str(found["outcome"].item())
    if outcome == INCONCLUSIVE or not np.isfinite(found["end"]):
        return INCONCLUSIVE
    if outcome == NONE_SEEN:
        return "no early phase seen"
    starts = found["start"].values
    step, low, high = (starts[int(found[name])] for name in ("end", "end_low", "end_high"))
    if outcome == NOT_OVER:
        return f"not over by step {step}"
    return f"ends at step {step}" + (f" [{low}, {high}]" if low != high else "")


def draw_effects(panel: Axes, found: xr.Dataset, top: float) -> None:
    """Draw the effects of one measure against the last window, and where the phase ends.

    Parameters
    ----------
    panel
        Where.
    found
        Of one measure.
    top
        Highest effect that the panel shows.
    """
    margin, count = float(found["margin"]), found.sizes["window"]
    if found["outcome"].item() == ENDS:
        low, high = (float(found[name]) - 0.5 for name in ("end_low", "end_high"))
        panel.axvspan(low - 0.06, high + 0.06, color=SHADE, linewidth=0, zorder=0)
        panel.axvline(float(found["end"]) - 0.5, color="black", linewidth=1.4, zorder=1)
    following = found["next_effect"].values[:-1]
    panel.plot(
        np.arange(count - 1) + 0.5, np.minimum(following, top), color=ORANGE, marker=".",
        markersize=4, linewidth=0.8, zorder=1.5,
    )  # fmt: skip
    for k, verdict in enumerate(strings(found["verdict"])):
        numbers = [float(found[name][k]) for name in ("effect_low", "effect", "effect_high")]
        halves = k == count - 1
        colour = NEUTRAL if halves else "black"
        draw_point(panel, k, numbers, verdict == DISTINGUISHED, "D" if halves else "o", colour, top)
    panel.axhline(margin, color="black", linestyle="--", linewidth=0.9)
    panel.axhline(1, color=NEUTRAL, linestyle=":", linewidth=0.9)


def draw_point(
    panel: Axes,
    at: float,
    numbers: Sequence[float],
    told: bool,
    marker: str,
    colour: str,
    top: float,
) -> None:
    """Draw an effect (lower bound, itself, upper bound), filled where it is distinguished."""
    low, middle, high = numbers
    if not np.isfinite(middle):
        return
    beyond = middle > top
    panel.plot([at] * 2, np.clip([low, high], None, 1.2 * top), color=colour, linewidth=1.2)
    panel.plot(
        at, min(middle, top), marker="^" if beyond else marker, color=colour, markersize=5,
        markerfacecolor=colour if told else "white", zorder=3,
    )  # fmt: skip


def scaled(panels: Sequence[Axes], found: xr.Dataset) -> float:
    """Give panels one log axis for these measures; its highest effect."""
    effects, lows = found["effect"].values, found["effect_low"].values
    known = effects[np.isfinite(effects)]
    largest = max([2.0, float(found["margin"].max()), *known])
    top = min(1.15 * largest, CEILING)
    least = min([0.8, *lows[np.isfinite(lows) & (lows > 0)]])
    for panel in panels:
        panel.set_yscale("log")
        panel.set_ylim(max(0.9 * least, 0.3), 1.25 * top)
        round_values = (0.5, 1, 1.5, 2, 3) if top < FEW else (0.5, 1, 2, 5, 10, 20)
        named = [value for value in round_values if value <= 1.25 * top]
        panel.yaxis.set_major_locator(FixedLocator(named))
        panel.yaxis.set_major_formatter(PLAIN)
        panel.yaxis.set_minor_formatter(NullFormatter())
    return top


def entries() -> list[Artist]:
    """What marks and lines mean."""
    point = {"color": "black", "linestyle": "", "markersize": 5}
    return [
        Line2D([], [], marker="o", label="window against the last: distinguished", **point),
        Line2D([], [], marker="o", markerfacecolor="white", label="not told apart", **point),
        Line2D(
            [], [], marker="D", markerfacecolor="white", color=NEUTRAL, linestyle="", markersize=5,
            label="last window, by halves of the seeds",
        ),
        Line2D([], [], color=ORANGE, marker=".", label="against the next window"),
        Line2D([], [], color="black", linestyle="--", label="smallest effect that counts"),
        Line2D([], [], color=NEUTRAL, linestyle=":", label="as seeds differ"),
        Line2D([], [], color="black", linewidth=1.4, label="end of the early phase"),
        Patch(color=SHADE, label="its 95 % interval"),
    ]  # fmt: skip
