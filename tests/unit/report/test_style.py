"""Legends under figures break lines where they must and where a label says so."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from PIL import Image

from koopscope.config.entries import keys
from koopscope.config.reading import settings
from koopscope.config.settings import SECTIONS
from koopscope.errors import InputError
from koopscope.report.style import (
    PNG_DPI,
    STYLE,
    WIDTHS,
    legend_below,
    looks,
    new_figure,
    page_width,
    reported,
    save,
    settle,
    shape,
)


def labels(*names: str, heading: str | None = None) -> list[str]:
    figure = new_figure(6, 3)
    figure.subplots()
    legend = legend_below(figure, [Line2D([], [], label=name) for name in names], heading)
    found = [text.get_text() for text in legend.get_texts()]
    return [*found, legend.get_title().get_text()] if heading else found


def test_labels_and_headings_keep_their_own_lines():
    assert labels("one", "two\nlines", heading="above\nbelow") == [
        "one",
        "two\nlines",
        "above\nbelow",
    ]


def test_what_is_too_long_for_the_figure_is_broken_too():
    (found,) = labels("two\n" + "word " * 30)
    lines = found.split("\n")
    assert lines[0] == "two" and len(lines) > 2
    assert max(map(len, lines)) <= 90


@pytest.mark.parametrize("width", WIDTHS.values())
@pytest.mark.parametrize("count", [1, 3, 14])
def test_legends_lie_within_the_figure_which_grows_by_their_height(width, count):
    names = [f"a name {'of some length ' * (k % 3)}" for k in range(count)]
    with mpl.rc_context(STYLE):
        figure = new_figure(width, 2)
        panel = figure.subplots()
        handles = [Line2D([], [], label=name) for name in names]
        legend = legend_below(figure, handles, "what " * 40)
        settle(figure)
        box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert 1.4 < panel.get_window_extent().height / figure.dpi < 2.1


def test_the_widths_of_the_configuration_are_those_of_figures():
    (field,) = keys(SECTIONS["figures"]).values()
    assert field.key.one_of == tuple(WIDTHS) and field.default in WIDTHS
    with pytest.raises(InputError, match="width: "):
        settings({"figures": {"width": "triple"}})


@pytest.mark.parametrize(("width", "inches"), WIDTHS.items())
def test_a_figure_is_as_wide_as_asked_unless_it_needs_the_page(width, inches):
    found = reported("1 a", of="b")(lambda least: page_width(least))
    assert found(2, width=width) == inches
    assert found(5, width=width) == WIDTHS["double"]
    assert found(9) == WIDTHS["double"]


@pytest.mark.parametrize(
    ("count", "grid"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 3)), (6, (2, 3)), (9, (3, 3))]
)
def test_the_last_row_of_panels_is_nearly_full(count, grid):
    arrange = reported("1 a", of="b")(lambda: shape(count, 1.6))
    assert arrange() == grid
    rows, columns = arrange(width="single")
    assert columns <= 2 and rows * columns - count < columns


def test_images_are_small_and_keep_their_colours_and_their_origin(tmp_path):
    figure = new_figure(3, 2)
    panel = figure.subplots()
    panel.imshow(np.arange(200).reshape(10, 20), cmap="viridis", extent=(0, 10, 5, 10))
    for x, look in enumerate(looks(map(str, range(10))).values()):
        # One small mark of each, among many shades of others.
        panel.plot(x, 2, look.marker, color=look.colour, markersize=4)
    panel.axhspan(2.5, 4.5, color="0.93")
    save(figure, tmp_path / "a", {"kind": "figure"})
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P" and image.size == (3 * PNG_DPI, 2 * PNG_DPI)
        assert image.text["Description"].startswith("koopscope ")
        few = np.asarray(image.convert("RGB"), dtype=int)
    with mpl.rc_context(STYLE):
        figure.savefig(tmp_path / "full.png", dpi=PNG_DPI)
    full = np.asarray(Image.open(tmp_path / "full.png").convert("RGB"), dtype=int)
    assert np.abs(few - full).max() <= 32
    grey = np.ptp(full, axis=2) == 0
    assert grey.any() and not np.ptp(few[grey], axis=1).any()
    assert (tmp_path / "a.png").stat().st_size < 0.7 * (tmp_path / "full.png").stat().st_size


@pytest.mark.parametrize("colour", ["white", "black", "0.5", "tab:red"])
def test_an_image_of_one_colour_keeps_it(tmp_path, colour):
    figure = new_figure(2, 1)
    figure.subplots().set_axis_off()
    figure.set_facecolor(colour)
    save(figure, tmp_path / "a", {"kind": "figure"})
    found = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"), dtype=int).reshape(-1, 3)
    assert np.abs(found - np.round(255 * np.array(to_rgb(colour)))).max() <= 9
