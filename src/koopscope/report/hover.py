"""Eigenvalues to look at one by one: a page that opens offline, with Chart.js inside."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.style import Look

# Of what the page holds; points that far apart are one on a screen.
DIGITS = 6
# Half the side of the smallest window, about 1.
LEAST = 1e-3
SAID = (
    "Each mark is an eigenvalue of one seed’s Koopman spectrum. Point at it, or tap it, for its "
    "numbers; choose a name below to hide or to show all of it. Filled: a residual of at most "
    f"{RESIDUAL_LIMIT:g}; hollow: a larger one, or none."
)


@dataclass(frozen=True)
class Series:
    """Eigenvalues of one variant.

    Attributes
    ----------
    name, look
        Of the variant.
    eigenvalue, residual, amplitude
        Each (seed, mode); NaN for none.
    seed
        Of each row.
    """

    name: str
    look: Look
    eigenvalue: np.ndarray
    residual: np.ndarray
    amplitude: np.ndarray
    seed: np.ndarray


def plane_page(title: str, series: Iterable[Series], view: float, window: float) -> str:
    """HTML of the complex plane with every eigenvalue.

    Parameters
    ----------
    title
        What it is about.
    series
        A variant each.
    view, window
        Half the side of the largest window, about 0, and of the one to begin with, about 1.
    """
    folder = files("koopscope.report")
    library = folder.joinpath("chart", "chart.umd.min.js").read_text(encoding="utf-8")
    given = {
        "series": [_points(one) for one in series],
        "limit": RESIDUAL_LIMIT,
        "whole": view,
        "first": max(min(window, view), LEAST),
        "least": LEAST,
    }
    text = json.dumps(given, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Template(folder.joinpath("hover.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        said=SAID,
        # Its last line names a file that is not there.
        library=library.partition("\n//# sourceMappingURL")[0],
        given=text.replace("<", "\\u003c"),
    )


def _points(of: Series) -> dict[str, object]:
    """What the page knows of a variant."""
    row, mode = np.nonzero(np.isfinite(of.eigenvalue))
    value, residual = of.eigenvalue[row, mode], of.residual[row, mode]
    amplitude, seed = np.abs(of.amplitude[row, mode]), of.seed[row]
    numbers = zip(value.real, value.imag, residual, amplitude, strict=True)
    points = [[*map(_short, four), int(i)] for four, i in zip(numbers, seed, strict=True)]
    return {
        "name": of.name,
        "seeds": len(of.seed),
        "colour": of.look.colour,
        "marker": of.look.marker,
        "points": points,
    }


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
