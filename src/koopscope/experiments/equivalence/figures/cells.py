"""Tables whose cells hold an effect: as colour, as numbers, and with the sign of its verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from koopscope.experiments.equivalence.figures.verdicts import SIGNS, verdict_look
from koopscope.report.numbers import number
from koopscope.report.style import LETTER

# Purple below the middle, orange above: told apart with any colour vision, and by the numbers.
# Without the darkest ends: black signs, filled or hollow, have to be seen on every colour.
COLOURS = ListedColormap(mpl.colormaps["PuOr_r"](np.linspace(0.2, 0.8, 256)), "effects")
# Effects closer to the middle than this factor never get the strongest colours.
LEAST_REACH = 2.0
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 50, 100, 200, 500)
UNKNOWN = "0.93"


@dataclass(frozen=True)
class Scale:
    """Colours of effects on a log scale, white at ``middle``."""

    middle: float
    reach: float

    @classmethod
    def of(cls, effects: Iterable[float], smallest: float | None) -> "Scale":
        """Scale that holds all these effects, white at the smallest one of interest, or at 1."""
        middle = float(smallest or 1)
        values = np.asarray(list(effects), dtype=float)
        values = values[np.isfinite(values) & (values > 0)]
        reach = np.abs(np.log(values / middle)).max(initial=np.log(LEAST_REACH))
        return cls(middle, float(reach))

    @property
    def colours(self) -> ScalarMappable:
        """Map from the logarithm of an effect to its colour."""
        middle = np.log(self.middle)
        return ScalarMappable(Normalize(middle - self.reach, middle + self.reach), COLOURS)

    def fill(self, effect: float) -> Any:
        """Colour of a cell."""
        if not (np.isfinite(effect) and effect > 0):
            return UNKNOWN
        return self.colours.to_rgba(np.log(effect))

    def bar(self, figure: Figure, axes: Axes) -> None:
        """Add the colour bar, with plain numbers."""
        low, high = self.middle * np.exp(-self.reach), self.middle * np.exp(self.reach)
        ticks = [t for t in TICKS if low <= t <= high and not 0.8 < t / self.middle < 1.25]
        ticks = sorted([*ticks[:: 1 + len(ticks) // 9], self.middle])
        bar = figure.colorbar(
            self.colours, ax=axes, ticks=np.log(ticks), fraction=0.03, pad=0.02, aspect=25
        )
        bar.ax.set_yticklabels([f"{tick:g}" for tick in ticks])
        bar.ax.minorticks_off()
        bar.ax.grid(visible=False)
        of_interest = "" if self.middle == 1 else ";\nwhite: smallest of interest"
        bar.set_label(f"effect (log scale{of_interest})")


def cell(axes: Axes, x: float, y: float, effect: float, text: str, scale: Scale) -> None:
    """Fill the unit square around (x, y) with the colour of an effect, and write into it."""
    fill = scale.fill(effect)
    square = Rectangle(
        (x - 0.5, y - 0.5), 1, 1, facecolor=fill, edgecolor="white", linewidth=1.5, zorder=1
    )
    if fill == UNKNOWN:
        square.set(hatch="////", edgecolor="0.8", linewidth=0.5)
    axes.add_patch(square)
    # A patch of the cell's colour, since hatching or lines behind letters are hard to read.
    patch = {"facecolor": fill, "edgecolor": "none", "pad": 1}
    axes.text(x, y, text, ha="center", va="center", fontsize=LETTER, bbox=patch, zorder=4)


def outline(axes: Axes, x: float, y: float, style: str = "-") -> None:
    """Draw a black frame inside the unit square around (x, y)."""
    frame = Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, fill=False, edgecolor="black")
    frame.set(linewidth=1.6, linestyle=style, zorder=3)
    axes.add_patch(frame)


def frame_entry(label: str, style: str = "-") -> Patch:
    """Legend entry of :func:`outline`."""
    return Patch(facecolor="none", edgecolor="black", linewidth=1.6, linestyle=style, label=label)


def numbers(effect: float, low: float, high: float, verdict: str) -> str:
    """Sign of the verdict with the effect, and its interval in the next line."""
    verdict_look(verdict)
    if not np.isfinite(effect):
        return f"{SIGNS[verdict]} –"
    said = f"{SIGNS[verdict]} {number(effect)}"
    if np.isfinite(low) and np.isfinite(high):
        said += f"\n[{number(low, 2)}, {number(high, 2)}]"
    return said


def signs_said(found: Iterable[str]) -> str:
    """Say what the signs of these verdicts mean."""
    found = set(found)
    return "   ".join(f"{sign} {word}" for word, sign in SIGNS.items() if word in found)


def table_axes(axes: Axes, columns: int, rows: int) -> None:
    """Prepare axes whose unit squares are the cells, the first row on top."""
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
