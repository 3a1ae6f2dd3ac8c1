"""Would another reasonable choice have given another verdict?"""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from koopscope.experiments.equivalence.figures.cells import (
    Scale,
    cell,
    frame_entry,
    numbers,
    outline,
    signs_said,
    table_axes,
)
from koopscope.experiments.equivalence.figures.verdicts import SIGNS, verdict_look
from koopscope.experiments.equivalence.wording import EXPECTED_WORDS
from koopscope.report.datasets import require, strings
from koopscope.report.style import (
    CHARACTER,
    LETTER,
    WIDTHS,
    legend_below,
    new_figure,
    reported,
    title,
)

NUMBERS = ("effect", "effect_low", "effect_high")
# Least width in inches of a cell that holds an interval.
INTERVAL = 0.62


@reported("7 other ways to estimate", of="sensitivity")
def sensitivity(alternates: xr.Dataset) -> Figure:
    """Draw the effect and the verdict of every pair under every alternate choice.

    Frames mark the verdicts that differ from those of the first row, the analysis as compared; the
    last row says in how many rows each pair keeps its verdict.

    Parameters
    ----------
    alternates
        Dims ``alternate`` (first: as compared) and ``pair`` (coordinates ``first``, ``second``,
        ``expected``): ``effect``, ``effect_low``, ``effect_high``, ``verdict``; ``changes``
        (alternate), what is other than as compared.

    Raises
    ------
    InputError
        If one of these is missing, there is no pair or no alternate, or a verdict is unknown.
    """
    names = ("first", "second", "expected", "alternate", "changes", "verdict", *NUMBERS)
    require(alternates, "sensitivity", "sensitivity", names, dim="pair")
    require(alternates, "sensitivity", "sensitivity", names, dim="alternate")
    verdict = _table(alternates, "verdict")
    effect, low, high = (_table(alternates, name).astype(float) for name in NUMBERS)
    rows, columns = verdict.shape
    heads, labels = _heads(alternates), _labels(alternates)
    longest, margin = (
        CHARACTER * 1.1 * max(len(line) for h in names for line in h.split("\n"))
        for names in (heads, labels)
    )
    side = (WIDTHS["double"] - margin - 0.9) / columns
    turned = longest > side
    # A cell too narrow for intervals holds the effect, one too narrow for that its sign.
    lines = slice(None) if side > INTERVAL else slice(1)
    figure = new_figure(
        WIDTHS["double"],
        (0.34 if side > INTERVAL else 0.2) * (rows + 1) + (longest if turned else 0.4),
    )
    axes = figure.subplots()
    scale = Scale.of(effect.ravel(), alternates.attrs.get("smallest_effect"))
    table_axes(axes, columns, rows + 1)
    for i, j in np.ndindex(rows, columns):
        text = numbers(effect[i, j], low[i, j], high[i, j], verdict[i, j])
        cell(axes, j, i, effect[i, j], "\n".join(text.split("\n")[lines]), scale)
        if verdict[i, j] != verdict[0, j]:
            outline(axes, j, i)
    _kept(axes, verdict)
    axes.xaxis.tick_top()
    axes.set_xticks(range(columns), heads, rotation=90 if turned else 0)
    axes.set_yticks(range(rows + 1), [*labels, "verdict as compared:\nkept in"])
    axes.get_yticklabels()[0].set_fontweight("bold")
    scale.bar(figure, axes)
    found = {*verdict.ravel(), *(EXPECTED_WORDS.get(e, e) for e in strings(alternates["expected"]))}
    heading = f"effect [95 % interval]   {signs_said(found)}"
    legend_below(figure, [frame_entry("other verdict than as compared")], heading)
    title(figure, alternates.attrs)
    return figure


def _table(alternates: xr.Dataset, name: str) -> np.ndarray:
    values = alternates[name].transpose("alternate", "pair")
    return np.array([strings(row) for row in values]) if name == "verdict" else values.values


def _heads(alternates: xr.Dataset) -> list[str]:
    named = (strings(alternates[name]) for name in ("first", "second", "expected"))
    signs = {word: SIGNS.get(said, said) for word, said in EXPECTED_WORDS.items()}
    return [
        f"{first} /\n{second}\nexpected: {signs.get(str(expected), expected)}"
        for first, second, expected in zip(*named, strict=True)
    ]


def _labels(alternates: xr.Dataset) -> list[str]:
    both = zip(strings(alternates["alternate"]), strings(alternates["changes"]), strict=True)
    return [f"{name}\n{what}" if what and what != name else str(name) for name, what in both]


def _kept(axes: Axes, verdict: np.ndarray) -> None:
    """Write the last row: how often each pair keeps the verdict that it has as compared."""
    rows, columns = verdict.shape
    axes.axhline(rows - 0.5, color="black", linewidth=1.2)
    for j in range(columns):
        verdict_look(verdict[0, j])
        same = int((verdict[:, j] == verdict[0, j]).sum())
        often = f"all {rows}" if same == rows else f"{same} of {rows}"
        weight = "bold" if same == rows else "normal"
        axes.text(
            j,
            rows,
            f"{SIGNS[verdict[0, j]]} {often}",
            ha="center",
            va="center",
            fontsize=LETTER,
            fontweight=weight,
        )
