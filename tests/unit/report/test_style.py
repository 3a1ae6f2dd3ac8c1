"""Legends under figures break lines where they must and where a label says so."""

from matplotlib.lines import Line2D

from koopscope.report.style import legend_below, new_figure


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
    assert max(map(len, lines)) <= 78
