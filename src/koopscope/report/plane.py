"""Eigenvalues of many runs in one panel of the complex plane."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.style import NEUTRAL

# The right half of the disc and what grows; others lie on the border, as triangles.
REAL, IMAGINARY = (-0.35, 1.35), (-0.85, 0.85)
BLUE = "#0173b2"


def draw_plane(
    panel: Axes, eigenvalues: np.ndarray, residuals: np.ndarray, colour: str = BLUE
) -> None:
    """Draw eigenvalues, filled where the residual is at most the limit, with the unit circle.

    Parameters
    ----------
    panel
        Where.
    eigenvalues, residuals
        Same shape; NaN for none.
    colour
        Of the marks.
    """
    known = np.isfinite(eigenvalues)
    values, trusted = eigenvalues[known], residuals[known] <= RESIDUAL_LIMIT
    x, y = np.clip(values.real, *REAL), np.clip(values.imag, *IMAGINARY)
    outside = (x != values.real) | (y != values.imag)
    # Fewer points bear stronger colours.
    alpha = float(np.clip(8 / np.sqrt(max(len(values), 1)), 0.25, 0.8))
    panel.add_patch(Circle((0, 0), 1, fill=False, edgecolor="0.4", linewidth=0.8))
    panel.plot(1, 0, marker="+", color="black", markersize=9, zorder=1)
    for chosen, face in ((~trusted, "none"), (trusted, colour)):
        for marker, part in (("o", chosen & ~outside), ("^", chosen & outside)):
            style = {"marker": marker, "markersize": 3.6, "markerfacecolor": face}
            panel.plot(
                x[part], y[part], linestyle="", color=colour, alpha=alpha, zorder=2, **style,
                markeredgewidth=0.7,
            )  # fmt: skip
    panel.set_xlim(REAL[0] - 0.06, REAL[1] + 0.06)
    panel.set_ylim(IMAGINARY[0] - 0.06, IMAGINARY[1] + 0.06)
    panel.set_aspect("equal")


def plane_handles(colour: str = NEUTRAL) -> list[Artist]:
    """Entries of a legend for :func:`draw_plane`."""
    style = {"linestyle": "", "markersize": 4.5, "color": colour}
    return [
        Line2D([], [], marker="o", label=f"residual ≤ {RESIDUAL_LIMIT:g}", **style),
        Line2D([], [], marker="o", markerfacecolor="none", label="larger residual", **style),
        Line2D([], [], marker="^", label="beyond the panel", **style),
    ]
