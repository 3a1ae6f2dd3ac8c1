"""How far from the reference each setup lies, over the factors that a study varies."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.cells import (
    Scale,
    cell,
    frame_entry,
    numbers,
    outline,
    signs_said,
    table_axes,
)
from koopscope.experiments.equivalence.figures.verdicts import (
    effect_lines,
    effect_scale,
    verdict_legend,
    verdict_look,
)
from koopscope.experiments.equivalence.pairs import pairs
from koopscope.report.datasets import require, samples_by_variant, strings
from koopscope.report.numbers import number
from koopscope.report.style import (
    LETTER,
    NEUTRAL,
    PLAIN,
    legend_below,
    new_figure,
    page_width,
    reported,
    title,
)

# Values of a factor that span more than this ratio are drawn on a log axis.
LOG_RATIO = 8.0
# Least width and height of a cell, and height of a line in it, in inches.
SIDE, ROW, LINE = 0.75, 0.55, 1.25 * LETTER / 72


@dataclass(frozen=True)
class Place:
    """One variant: where it lies, and the pair that it forms with the reference, if any."""

    name: str
    at: tuple[float, ...]
    pair: dict[str, Any] | None


@reported("1 effect along the factors", of="comparison", when="scan")
def scan(comparison: xr.Dataset) -> Figure:
    """Draw the effect between each variant and the reference over the factors that vary.

    One factor is the horizontal axis. Two factors span a plane of cells; lines join the cells with
    one ratio of the first factor to the second, and frames mark those with the reference's ratio.

    Parameters
    ----------
    comparison
        The variables of a verdict (pair); ``factor_value`` (sample, factor) with the coordinate
        ``factor`` (names), and ``variant``, ``seed`` (sample). Attribute ``reference``: the variant
        that the others are paired with. Perhaps ``smallest_effect``.

    Raises
    ------
    InputError
        If something is missing, no factor or more than two vary, or no pair has the reference.
    """
    require(comparison, "scan", "comparison", ("variant", "seed", "factor", "factor_value"))
    reference = str(comparison.attrs.get("reference", ""))
    names, places = _places(comparison, reference)
    if len(names) == 1:
        figure = _line(names[0], places, reference, comparison.attrs)
    else:
        figure = _plane(names, places, reference, comparison.attrs)
    title(figure, comparison.attrs)
    return figure


def _places(comparison: xr.Dataset, reference: str) -> tuple[list[str], list[Place]]:
    groups = samples_by_variant(comparison)
    if reference not in groups:
        given = ", ".join(groups)
        raise InputError(f"scan: reference: unknown variant {reference!r}; give one of {given}")
    values = np.asarray(comparison["factor_value"].transpose("sample", "factor").values, float)
    values = np.array([values[at[0]] for at in groups.values()])
    names = strings(comparison["factor"])
    if not np.isfinite(values).all():
        i, j = np.argwhere(~np.isfinite(values))[0]
        name = list(groups)[i]
        raise InputError(f"scan: {name}: {names[j]} is {values[i, j]}; give each variant a number")
    varies = np.flatnonzero((values != values[:1]).any(axis=0))
    if not 1 <= len(varies) <= 2:
        which = ", ".join(map(str, names[varies])) or "none"
        raise InputError(f"scan: {len(varies)} factors vary ({which}); give a study of 1 or 2")
    found = {}
    for row in pairs(comparison):
        both = [row["first"], row["second"]]
        if reference in both:
            found[both[1 - both.index(reference)]] = row
    if not found:
        raise InputError(
            f"scan: no pair has the reference {reference!r}; pair the variants with it"
        )
    places = [
        Place(name, tuple(map(float, values[i, varies])), found.get(name))
        for i, name in enumerate(groups)
    ]
    return [str(name) for name in names[varies]], places


def _line(name: str, places: list[Place], reference: str, attrs: dict[str, Any]) -> Figure:
    figure = new_figure(page_width(), min(2.9, 0.75 * page_width()))
    axes = figure.subplots()
    x = sorted({place.at[0] for place in places})
    smallest = attrs.get("smallest_effect")
    logarithmic = x[0] > 0 and x[-1] > LOG_RATIO * x[0]
    axes.set_yscale("log")
    if logarithmic:
        axes.set_xscale("log")
    _ticks(axes, x, logarithmic)
    drawn = [place for place in places if place.pair and place.pair["effect"] is not None]
    shown = [place.pair[n] for place in drawn for n in ("effect", "effect_low", "effect_high")]
    axes.set_ylim(effect_scale(axes.yaxis, [*shown, smallest]))
    (origin,) = (place.at[0] for place in places if place.name == reference)
    for place, offset in _beside(drawn, origin):
        _point(axes, place, offset)
    axes.plot(origin, 1, linestyle="", marker="*", color="black", markersize=10, zorder=4)
    effect_lines(axes.axhline, smallest)
    axes.set(xlabel=_words(name), ylabel="effect = between ÷ within (log scale)")
    star = {"linestyle": "", "marker": "*", "color": "black", "markersize": 10}
    entries = [Line2D([], [], label=f"reference {reference}, drawn at 1", **star)]
    entries += verdict_legend({place.pair["verdict"] for place in drawn}, smallest)
    heading = f"effect against {reference}, 95 % bootstrap interval"
    legend_below(figure, entries, "\n".join([heading, *_unknown(places, reference)]))
    return figure


def _ticks(axes: Axes, x: list[float], logarithmic: bool) -> None:
    # All values while they have room; else those that lie far enough from the last one shown.
    at = np.log(x) if logarithmic else np.asarray(x)
    margin = 0.06 * (at[-1] - at[0])
    ends = np.array([at[0] - margin, at[-1] + margin])
    axes.set_xlim(np.exp(ends) if logarithmic else ends)
    room = 0.045 * (at[-1] - at[0])
    kept = [0]
    kept += [i for i in range(1, len(x)) if at[i] - at[i - 1] >= room]
    axes.set_xticks([x[i] for i in kept])
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())


def _beside(places: list[Place], origin: float) -> list[tuple[Place, float]]:
    """Places with an offset in points, where several share a value, or have the reference's."""
    shared = {origin: 1}
    found = []
    for place in places:
        count = shared.get(place.at[0], 0)
        shared[place.at[0]] = count + 1
        found.append((place, 9.0 * count))
    return found


def _point(axes: Axes, place: Place, offset: float) -> None:
    row, look = place.pair, verdict_look(place.pair["verdict"])
    at = {"xy": (place.at[0], row["effect"]), "textcoords": "offset points"}
    moved = axes.transData
    if offset:
        moved = moved + ScaledTranslation(offset / 72, 0, axes.figure.dpi_scale_trans)
        axes.annotate(place.name, xytext=(offset + 6, -2), fontsize=LETTER, color=NEUTRAL, **at)
    x, low, high = place.at[0], row["effect_low"], row["effect_high"]
    if low is not None and high is not None:
        axes.vlines(x, low, high, color=look["color"], linewidth=2, transform=moved)
    axes.plot(x, row["effect"], linestyle="", markersize=7, zorder=3, transform=moved, **look)


def _plane(names: list[str], places: list[Place], reference: str, attrs: dict[str, Any]) -> Figure:
    first, second = (sorted({place.at[k] for place in places}) for k in (0, 1))
    cells: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        key = first.index(place.at[0]), second.index(place.at[1])
        cells.setdefault(key, []).append(place)
    words = {
        at: "\n".join(_said(place, reference, len(here) == 1) for place in here)
        for at, here in cells.items()
    }
    # Controls lie in the reference's cell, one below the other.
    high = max(ROW, LINE * (1 + max(text.count("\n") + 1 for text in words.values())))
    figure = new_figure(page_width(SIDE * len(first) + 1.6), high * len(second) + 0.7)
    axes = figure.subplots()
    table_axes(axes, len(first), len(second))
    axes.invert_yaxis()
    effects = [_effect(place) for place in places]
    scale = Scale.of(effects, attrs.get("smallest_effect"))
    for (i, j), here in cells.items():
        known = [effect for effect in map(_effect, here) if np.isfinite(effect)]
        if any(place.name == reference for place in here) and not known:
            known = [1.0]
        cell(axes, i, j, max(known, default=np.nan), words[i, j], scale)
    (origin,) = (place.at for place in places if place.name == reference)
    ratios = _ratio_lines(axes, first, second)
    for (i, j), here in cells.items():
        if any(place.name == reference for place in here):
            outline(axes, i, j, "--")
        elif ratios and np.isclose(first[i] / second[j], origin[0] / origin[1]):
            outline(axes, i, j)
    axes.set_xticks(range(len(first)), [f"{value:g}" for value in first])
    axes.set_yticks(range(len(second)), [f"{value:g}" for value in second])
    axes.set(xlabel=_words(names[0]), ylabel=_words(names[1]))
    scale.bar(figure, axes)
    entries = [frame_entry(f"reference {reference}", "--")]
    if ratios:
        ratio = f"{_words(names[0])} ÷ {_words(names[1])}"
        entries.append(frame_entry(f"{ratio} as the reference"))
        label = f"same {ratio}"
        entries.append(Line2D([], [], color=NEUTRAL, linewidth=0.8, linestyle=":", label=label))
    heading = f"effect against {reference} [95 % interval]; p adjusted"
    verdicts = [place.pair["verdict"] for place in places if place.pair]
    said = [heading, signs_said(verdicts), *_unknown(places, reference)]
    legend_below(figure, entries, "\n".join(said))
    return figure


def _effect(place: Place) -> float:
    if place.pair is None or place.pair["effect"] is None:
        return np.nan
    return float(place.pair["effect"])


def _said(place: Place, reference: str, alone: bool) -> str:
    if place.name == reference:
        return "reference"
    if place.pair is None:
        return "not compared" if alone else f"{place.name}: not compared"
    row = place.pair
    low, high = (np.nan if row[n] is None else row[n] for n in ("effect_low", "effect_high"))
    said = numbers(_effect(place), low, high, row["verdict"])
    p = f"p {number(row['p_adjusted'], 2)}"
    return f"{said}\n{p}" if alone else f"{place.name}:\n{said.replace(chr(10), ' ')}"


def _ratio_lines(axes: Axes, first: list[float], second: list[float]) -> int:
    """Draw a line through the cells of each ratio that two or more have; says how many lines."""
    if first[0] <= 0 or second[0] <= 0:
        return 0
    x, y = np.log(first), np.log(second)
    ratios = np.round((x[:, None] - y[None, :]).ravel(), 9)
    found, counts = np.unique(ratios, return_counts=True)
    for ratio in found[counts > 1]:
        # In the table's own coordinates, in which cells of unequal ratios lie equally far apart.
        fine = np.unique(np.concatenate([y, x - ratio]))
        fine = fine[(fine >= y[0]) & (fine <= y[-1])]
        fine = fine[(fine + ratio >= x[0] - 1e-9) & (fine + ratio <= x[-1] + 1e-9)]
        across = np.interp(fine + ratio, x, np.arange(len(x)))
        axes.plot(
            across,
            np.interp(fine, y, np.arange(len(y))),
            color=NEUTRAL,
            linewidth=0.8,
            linestyle=":",
            zorder=2,
        )
    return int((counts > 1).sum())


def _unknown(places: list[Place], reference: str) -> list[str]:
    """Say which variants have no effect to draw."""
    names = [p.name for p in places if p.name != reference and not np.isfinite(_effect(p))]
    return [f"no effect known: {', '.join(names)}"] if names else []


def _words(name: str) -> str:
    return name.replace("_", " ")
