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
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from koopscope.artefacts.provenance import digest, short

# In points: the least of any letter, of names along axes, and of what stands over a panel. Figures
# are printed as wide as they are drawn.
LETTER, LABEL, HEADING = 7.0, 7.5, 8.0
STYLE = {
    "axes.grid": True,
    "axes.labelsize": LABEL,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": HEADING,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "figure.labelsize": LABEL,
    "figure.titlesize": HEADING,
    "font.family": "DejaVu Sans",
    "font.size": LABEL,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "legend.fontsize": LETTER,
    "legend.frameon": False,
    "legend.title_fontsize": LETTER,
    # TrueType in PDF and PostScript: text stays text, and journals take it.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    # Letters as wide at every resolution, so that a layout fits all of them.
    "text.hinting": "none",
    "xtick.labelsize": LETTER,
    "ytick.labelsize": LETTER,
}
# Of a figure in inches, by the columns that it takes of a journal's page: 89 and 183 mm.
WIDTHS = {"single": 3.5, "double": 7.2}
NEUTRAL = "0.45"
# More variants than shapes that the eye keeps apart go on with letters.
MARKERS = (*"osD^vPX<>*", *(f"${letter}$" for letter in "ABCEFGHKLMNRSTUZ"))
LINES = ("-", "--", "-.", ":")
# With more variants than this, figures give each one a panel or leave out what would only crowd.
MANY = 10
# Of PNGs, 1,152 pixels wide on a page; with 200 dots they take a third more bytes.
PNG_DPI, COLOURS, GREYS = 160, 80, 16
# Of red, green and blue: what differs by no more is grey.
UNSEEN = 4
# Width of a legend's character in inches, a little above the mean of text in this font.
CHARACTER = 0.056
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

    It runs under :data:`STYLE`, and the caller's settings stay as they were. It takes ``width``
    too, a name of :data:`WIDTHS`: how wide the figure shall be, which :func:`page_width` says
    inside. The planner reads these marks off the source (:mod:`koopscope.experiments.registry`),
    so the arguments are plain strings.

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
        def under_style(*arguments: Any, width: str = "double") -> Figure:
            with mpl.rc_context():
                mpl.rcdefaults()
                mpl.rcParams.update(STYLE | {"figure.figsize": (WIDTHS[width], 1)})
                return function(*arguments)

        return under_style

    return mark


def page_width(least: float = 0.0) -> float:
    """Width in inches that the figure shall have; that of a page if it needs more than a column."""
    asked = float(mpl.rcParams["figure.figsize"][0])
    return asked if asked >= least else WIDTHS["double"]


def shape(count: int, inches: float, most: int = 4, width: float = 0.0) -> tuple[int, int]:
    """Rows and columns of so many panels, each at least so wide; the last row is nearly full."""
    columns = max(1, min(count, most, int((width or page_width()) / inches)))
    rows = -(-count // columns)
    return rows, -(-count // rows)


def new_figure(width: float, height: float) -> Figure:
    """Figure of so many inches that pyplot does not know of, so that nothing has to close it."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels_of(figure: Figure, count: int, rows: int, columns: int, **options: Any) -> list[Axes]:
    """So many panels of a grid row by row; what is left of its last row shows nothing.

    Parameters
    ----------
    **options
        Of ``matplotlib.figure.Figure.subplots``.
    """
    panels = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for panel in panels[count:]:
        panel.set_visible(False)
    return panels[:count]


def legend_below(
    figure: Figure, handles: Sequence[Artist], heading: str | None = None, columns: int = 6
) -> Legend:
    """Put a legend under all panels, in as many columns as there is room for.

    The figure grows by its height, as it does by that of a :func:`title`.
    """
    room = figure.get_figwidth() - 0.3
    labels = [_filled(str(h.get_label()), int((room - 0.7) / CHARACTER)) for h in handles]
    heading = heading and _filled(heading, int(room / CHARACTER))
    least, most = 1, min(columns, len(handles))
    fitting = (n for n in range(most, least, -1) if _inches(labels, n) <= room)
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=next(fitting, least),
        title=heading,
        columnspacing=1.4,
    )
    legend.get_title().set_multialignment("center")
    longest = max(map(_rows, np.array_split(labels, legend._ncols)), default=0)
    _grow(figure, 0.155 * longest + (0.125 * heading.count("\n") + 0.2 if heading else 0.05))
    return legend


def _inches(labels: Sequence[str], columns: int) -> float:
    """Width of a legend; its columns are filled one after the other."""
    widest = [
        max((len(line) for label in part for line in label.split("\n")), default=0)
        for part in np.array_split(labels, columns)
    ]
    return sum(CHARACTER * letters + 0.5 for letters in widest)


def _rows(labels: Sequence[str]) -> float:
    return sum(1 + 0.75 * str(label).count("\n") for label in labels)


def _grow(figure: Figure, inches: float) -> None:
    figure.set_figheight(figure.get_figheight() + inches)


def _filled(text: str, columns: int) -> str:
    return "\n".join(textwrap.fill(line, columns) for line in text.split("\n"))


def name_ticks(axis: Axis, at: Iterable[float], names: Sequence[str], inches: float) -> None:
    """Write names along an axis of this length, turned where they would collide."""
    room = inches / max(1, len(names))
    horizontal = axis.axis_name == "x"
    turned = horizontal and max(map(len, names)) * CHARACTER * 1.15 > room
    upright = turned and room < 0.3
    axis.set_ticks(list(at), list(names))
    if turned:
        axis.set_tick_params(rotation=90 if upright else 35)
        for label in axis.get_ticklabels():
            label.set_ha("center" if upright else "right")


def title(figure: Figure, attrs: Mapping[str, Any]) -> None:
    """Put the study and its question on top, in lines that fit."""
    text = ": ".join(str(attrs[name]) for name in ("study", "question") if attrs.get(name))
    if text:
        lines = textwrap.wrap(text, int(figure.get_figwidth() * 15))
        figure.suptitle("\n".join(lines))
        _grow(figure, 0.13 * len(lines) + 0.1)


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


def settle(figure: Figure) -> None:
    """Lay a figure out for good: panels of a fixed shape are not in their places at first."""
    layout = figure.get_layout_engine()
    if layout is not None:
        figure.draw_without_rendering()
        layout.execute(figure)
        figure.set_layout_engine("none")


def save(figure: Figure, stem: Path, provenance: Mapping[str, Any]) -> None:
    """Write ``stem``.pdf and ``stem``.png (160 dpi), the same bytes for the same figure.

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
        settle(figure)
        # By their canvases: `savefig` would draw each twice, for a layout that stands already.
        FigureCanvasPdf(figure).print_pdf(
            stem.with_name(stem.name + ".pdf"),
            metadata={"Subject": identity, "CreationDate": None, "ModDate": None},
        )
        figure.set_dpi(PNG_DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    said = PngInfo()
    said.add_text("Description", identity)
    _with_palette(np.asarray(canvas.buffer_rgba())[..., :3]).save(
        stem.with_name(stem.name + ".png"), optimize=True, pnginfo=said, dpi=(PNG_DPI, PNG_DPI)
    )


def _with_palette(pixels: np.ndarray) -> Image.Image:
    """Image of pixels (row, column, colour) with a palette: a fraction of the bytes."""
    # Greys apart: among colours a light one would take the tint of a variant.
    grey = np.ptp(pixels, axis=2) <= UNSEEN
    tones = np.rint(pixels[grey].mean(axis=1) * (GREYS - 1) / 255)
    # Colours that cover all there are: by how often they are those of variants would merge.
    image = Image.fromarray(np.where(grey[..., None], np.uint8(255), pixels)).quantize(
        COLOURS - GREYS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    colours = (image.getpalette() or [])[: 3 * (COLOURS - GREYS)]
    places = np.array(image)
    places[grey] = len(colours) // 3 + tones
    found = Image.fromarray(places, "P")
    found.putpalette([*colours, *np.repeat(np.rint(np.linspace(0, 255, GREYS)), 3).astype(int)])
    return found
