"""One look for all figures, and files whose bytes depend on their content alone."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from koopscope.artefacts.provenance import digest, short

STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    # TrueType in PDF and PostScript: text stays text, and journals take it.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
}
NEUTRAL = "0.45"
# More variants than shapes that the eye keeps apart go on with letters.
MARKERS = (*"osD^vPX<>*", *(f"${letter}$" for letter in "ABCEFGHKLMNRSTUZ"))
LINES = ("-", "--", "-.", ":")
# With more variants than this, figures give each one a panel or leave out what would only crowd.
MANY = 10
PNG_DPI = 200
# Width of a legend's character in inches, a little above the mean of text in this font.
CHARACTER = 0.064
# Plain numbers on log axes: ticks like 2·10⁰ make the reader do sums.
PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


@dataclass(frozen=True)
class Look:
    """Colour, marker and line of one variant.

    No two of 26 variants share a marker, so that none differ by colour alone; lines do repeat,
    and bear the markers where they meet others.
    """

    colour: str
    marker: str
    line: str


def looks(variants: Iterable[str]) -> dict[str, Look]:
    """Look of each variant by its place in the study, the same in every figure of the study."""
    colours = sns.color_palette("colorblind").as_hex()
    return {
        name: Look(colours[i % len(colours)], MARKERS[i % len(MARKERS)], LINES[i % len(LINES)])
        for i, name in enumerate(variants)
    }


def reported(label: str, of: str, when: str = "") -> Callable[[Callable], Callable]:
    """Mark what the report shows: a function that makes a figure or a table of a store.

    It runs under :data:`STYLE`, and the caller's settings stay as they were. The planner reads
    these marks off the source (:mod:`koopscope.experiments.registry`), so the arguments are plain
    strings.

    Parameters
    ----------
    label
        In the report, beginning with the place there; the name of the files is the function's.
    of
        Name of the store.
    when
        Attribute of a plan without which there is no such figure.
    """

    def mark(function: Callable[..., Figure]) -> Callable[..., Figure]:
        @wraps(function)
        def under_style(*arguments: Any) -> Figure:
            with mpl.rc_context():
                mpl.rcdefaults()
                mpl.rcParams.update(STYLE)
                return function(*arguments)

        return under_style

    return mark


def new_figure(width: float, height: float) -> Figure:
    """Figure of so many inches that pyplot does not know of, so that nothing has to close it."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def legend_below(
    figure: Figure, handles: Sequence[Artist], heading: str | None = None, columns: int = 6
) -> Legend:
    """Put a legend under all panels, with as many columns as its longest label leaves room for."""
    width = figure.get_figwidth()
    labels = [_filled(str(h.get_label()), int((width - 1) / CHARACTER)) for h in handles]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    fitting = int((width - 0.3) / (longest * CHARACTER + 0.55))
    heading = heading and _filled(heading, int((width - 0.3) / CHARACTER))
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=max(1, min(columns, fitting, len(handles))),
        title=heading,
        title_fontsize=8,
    )
    legend.get_title().set_multialignment("center")
    return legend


def _filled(text: str, columns: int) -> str:
    return "\n".join(textwrap.fill(line, columns) for line in text.split("\n"))


def name_ticks(axis: Axis, at: Iterable[float], names: Sequence[str], inches: float) -> None:
    """Write names along an axis of this length, turned and shrunk where they would collide."""
    room = inches / max(1, len(names))
    size = float(np.clip(72 * room / 1.25, 5, 9))
    horizontal = axis.axis_name == "x"
    turned = horizontal and max(map(len, names)) * CHARACTER * 1.15 > room
    upright = turned and room < 0.3
    axis.set_ticks(list(at), list(names), fontsize=size if upright or not horizontal else 9)
    if turned:
        axis.set_tick_params(rotation=90 if upright else 35)
        for label in axis.get_ticklabels():
            label.set_ha("center" if upright else "right")


def title(figure: Figure, attrs: Mapping[str, Any]) -> None:
    """Put the study and its question on top, in lines that fit."""
    text = ": ".join(str(attrs[name]) for name in ("study", "question") if attrs.get(name))
    if text:
        columns = int(figure.get_figwidth() * 13)
        figure.suptitle("\n".join(textwrap.wrap(text, columns)), fontsize=10)


def few_log_ticks(axis: Axis) -> None:
    """Name powers of ten on a log axis, and 2 and 5 times them where there are few of those."""
    low, high = np.log10(axis.get_view_interval())
    subs = (1, 2, 5) if high - low < 2 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axis.set_major_formatter(PLAIN)
    axis.set_minor_formatter(NullFormatter())


def quantiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """5 %, 50 % and 95 % over axis 0, NaN where no value is finite."""
    result = np.full((3, values.shape[1]), np.nan)
    finite = np.isfinite(values)
    every, some = finite.all(axis=0), finite.any(axis=0) & ~finite.all(axis=0)
    # The version for missing values takes a hundred times as long and more.
    result[:, every] = np.quantile(values[:, every], (0.05, 0.5, 0.95), axis=0)
    result[:, some] = np.nanquantile(values[:, some], (0.05, 0.5, 0.95), axis=0)
    return tuple(result)


def save(figure: Figure, stem: Path, provenance: Mapping[str, Any]) -> None:
    """Write ``stem``.pdf and ``stem``.png (200 dpi), the same bytes for the same figure.

    Parameters
    ----------
    figure
        What to write.
    stem
        Path without the suffix; its folder is made if it is missing.
    provenance
        Stamp of the figure as JSON values; the first eight characters of its digest go into the
        files' metadata.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    identity = f"koopscope {short(digest(provenance))}"
    # with_suffix would take the part of a name after a dot, such as a digest, for a suffix.
    with mpl.rc_context(STYLE):
        figure.savefig(
            stem.with_name(stem.name + ".pdf"),
            metadata={"Subject": identity, "CreationDate": None, "ModDate": None},
        )
        figure.savefig(
            stem.with_name(stem.name + ".png"),
            dpi=PNG_DPI,
            metadata={"Description": identity, "Creation Time": None},
        )
