"""Distances between spectra, and what they say of each pair of variants."""

import math
from typing import Any

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from koopscope.figures.style import NEUTRAL, PLAIN, looks, new_figure, styled, title
from koopscope.summary import (
    EXPECTED_WORDS,
    TOO_FEW,
    interval,
    number,
    outcome,
    pairs,
    require,
    samples_by_variant,
    strings,
)

# Numbers fit into the cells of a matrix of so many samples, and dots into a row of so many.
ANNOTATED = 12
STRIP = 2500
# Distances that span more than this ratio are drawn on a log axis.
LOG_RATIO = 30.0
MARKS = {"as expected": "✓", "not as expected": "✗", "no expectation": "", "not judged": ""}


@styled
def distance_matrix(comparison: xr.Dataset) -> Figure:
    """Draw the distance between every two seeds, and its distributions within and between variants.

    Parameters
    ----------
    comparison
        ``distance`` (sample, other); coordinates ``variant``, ``seed`` (sample), ``first`` and
        ``second`` (pair).

    Raises
    ------
    InputError
        If a variable is missing or there is no sample.
    """
    names = ("variant", "seed", "distance", "first", "second")
    require(comparison, "distance_matrix", "comparison", names)
    groups = samples_by_variant(comparison)
    distance = np.asarray(comparison["distance"].transpose("sample", "other").values, dtype=float)
    order = _order(comparison, groups)
    rows = _distributions(comparison, distance, groups)
    figure = new_figure(11.5, max(4.6, 0.32 * len(rows) + 1.6))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
    _heat_map(left, distance[np.ix_(order, order)], groups)
    _boxes(right, rows)
    title(figure, comparison.attrs)
    return figure


@styled
def verdicts(comparison: xr.Dataset) -> Figure:
    """Draw the effect of each pair with its interval, and write its verdict beside it.

    Parameters
    ----------
    comparison
        Dimension ``pair`` with the variables and coordinates of a verdict.

    Raises
    ------
    InputError
        If one of them is missing, or if there is no sample or no pair.
    """
    require(comparison, "verdicts", "comparison", ("variant", "seed"))
    rows = pairs(comparison)
    longest = max(len(row["name"]) for row in rows)
    figure = new_figure(13.5, 1.7 + 0.36 * len(rows))
    forest, table = figure.subplots(1, 2, width_ratios=(1, 1.9), sharey=True)
    for y, row in enumerate(rows):
        _effect(forest, y, row)
        _write(table, y, row)
    forest.axvline(1, color="black", linewidth=0.9)
    forest.set_ylim(len(rows) - 0.5, -0.5)
    forest.set_yticks(
        range(len(rows)), [row["name"] for row in rows], fontsize=9 if longest < 28 else 7
    )
    forest.grid(axis="y", visible=False)
    _effect_axis(forest, rows)
    _heads(table)
    figure.supxlabel(_how_judged(comparison.attrs), fontsize=8)
    title(figure, comparison.attrs)
    return figure


def _order(comparison: xr.Dataset, groups: dict[str, np.ndarray]) -> np.ndarray:
    seed = np.asarray(comparison["seed"].values)
    return np.concatenate([at[np.argsort(seed[at], kind="stable")] for at in groups.values()])


def _heat_map(axes: Axes, distance: np.ndarray, groups: dict[str, np.ndarray]) -> None:
    few = len(distance) <= ANNOTATED
    sns.heatmap(
        distance,
        ax=axes,
        square=True,
        cmap="mako_r",
        vmin=0,
        annot=few,
        fmt=".2g",
        annot_kws={"fontsize": 8},
        rasterized=True,
        xticklabels=False,
        yticklabels=False,
        # An inset, because a bar beside the panel would not follow the square's height.
        cbar_ax=axes.inset_axes((1.03, 0, 0.04, 1)),
        cbar_kws={"label": "1-Wasserstein distance of spectra"},
    )
    edges = np.cumsum([0, *map(len, groups.values())])
    for edge in edges[1:-1]:
        axes.axhline(edge, color="white", linewidth=1.6)
        axes.axvline(edge, color="white", linewidth=1.6)
    middles = (edges[1:] + edges[:-1]) / 2
    slanted = max(map(len, groups)) * len(groups) > 36
    axes.set_xticks(
        middles, list(groups), rotation=35 if slanted else 0, ha="right" if slanted else "center"
    )
    axes.set_yticks(middles, list(groups), rotation=0)
    axes.tick_params(length=0)
    axes.set_anchor("N")
    axes.grid(visible=False)
    axes.collections[0].colorbar.ax.grid(visible=False)
    axes.set_title("seed against seed, by variant")


def _distributions(
    comparison: xr.Dataset, distance: np.ndarray, groups: dict[str, np.ndarray]
) -> list[tuple[str, np.ndarray, str]]:
    """Label, finite distances and colour of each row: within each variant, then between pairs."""
    shown = looks(groups)
    rows = []
    for name, at in groups.items():
        block = distance[np.ix_(at, at)][np.triu_indices(len(at), k=1)]
        rows.append((f"within {name}", block[np.isfinite(block)], shown[name].colour))
    for a, b in zip(strings(comparison["first"]), strings(comparison["second"]), strict=True):
        if a in groups and b in groups:
            block = distance[np.ix_(groups[a], groups[b])].ravel()
            rows.append((f"{a} / {b}", block[np.isfinite(block)], NEUTRAL))
    return rows


def _boxes(axes: Axes, rows: list[tuple[str, np.ndarray, str]]) -> None:
    # Seeded, so that the file's bytes do not depend on the session; the place across says nothing.
    jitter = np.random.default_rng(0)
    some = np.concatenate([values for _, values, _ in rows])
    for y, (_, values, colour) in enumerate(rows):
        if not values.size:
            axes.text(
                0.02,
                y,
                "one seed: no two to compare",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color=NEUTRAL,
            )
            continue
        if values.size <= STRIP:
            spread = 0.22 if values.size > 1 else 0.0
            axes.scatter(
                values,
                y + jitter.uniform(-spread, spread, values.size),
                s=4 if values.size > 1 else 22,
                color=colour,
                alpha=float(np.clip(6 / np.sqrt(values.size), 0.12, 1)),
                linewidths=0,
                rasterized=values.size > 1000,
            )
        if values.size > 1:
            axes.boxplot(
                values,
                positions=[y],
                orientation="horizontal",
                whis=(5, 95),
                widths=0.6,
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": "none", "edgecolor": "black"},
                medianprops={"color": "black", "linewidth": 1.6},
                manage_ticks=False,
            )
    if some.size and some.min() > 0 and some.max() > LOG_RATIO * some.min():
        axes.set_xscale("log")
    elif some.size:
        axes.set_xlim(0, None)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="1-Wasserstein distance of two seeds' spectra")
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_title(
        "dots: two seeds each\nbox: quartiles; whiskers: 5 % to 95 %",
        fontweight="normal",
        fontsize=8,
    )


def _effect(axes: Axes, y: int, row: dict[str, Any]) -> None:
    effect, low, high = row["effect"], row["effect_low"], row["effect_high"]
    if effect is None:
        few = row["verdict"] == TOO_FEW
        text = f"effect unknown: {TOO_FEW}" if few else "effect unknown: within is 0 or unknown"
        axes.text(
            0.03,
            y,
            text,
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            color=NEUTRAL,
        )
        return
    colour = sns.color_palette("colorblind").as_hex()[0 if row["verdict"] == "distinguished" else 7]
    if low is not None and high is not None:
        axes.hlines(y, low, high, color=colour, linewidth=2)
    filled = colour if row["verdict"] == "distinguished" else "white"
    axes.plot(effect, y, "o", color=colour, markerfacecolor=filled, markersize=6)


def _effect_axis(axes: Axes, rows: list[dict[str, Any]]) -> None:
    axes.set_title("effect, 95 % bootstrap interval")
    axes.set_xlabel("effect = between ÷ within (log scale); 1: as within")
    values = [row[name] for row in rows for name in ("effect", "effect_low", "effect_high")]
    values = [value for value in values if value is not None and value > 0]
    axes.set_xscale("log")
    low, high = min([*values, 0.8]), max([*values, 1.25])
    margin = (high / low) ** 0.08
    axes.set_xlim(low / margin, high * margin)
    fine = math.log10(high / low) < 1.2
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5) if fine else (1, 3)))
    axes.xaxis.set_major_formatter(PLAIN)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


COLUMNS = (
    (0.00, "between", lambda row: number(row["between"])),
    (0.09, "within", lambda row: number(row["within"])),
    (0.17, "effect [95 %]", interval),
    (0.37, "p", lambda row: number(row["p_value"], 2)),
    (0.44, "seeds", lambda row: f"{row['seeds_first']}, {row['seeds_second']}"),
    (0.52, "verdict", lambda row: row["verdict"]),
    (0.69, "expected", lambda row: EXPECTED_WORDS[row["expected"]] + _mark(row)),
)


def _mark(row: dict[str, Any]) -> str:
    said = outcome(row)
    if said == "no expectation":
        return ""
    return f": {MARKS[said]} {said}" if MARKS[said] else f": {said}"


def _write(axes: Axes, y: int, row: dict[str, Any]) -> None:
    for x, _, text in COLUMNS:
        bold = text(row) == "distinguished"
        axes.text(
            x,
            y,
            text(row),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            fontweight="bold" if bold else "normal",
        )


def _heads(axes: Axes) -> None:
    for x, head, _ in COLUMNS:
        axes.text(x, 1.01, head, transform=axes.transAxes, va="bottom", fontweight="bold")
    axes.set_axis_off()


def _how_judged(attrs: dict[str, Any]) -> str:
    said = []
    if "alpha" in attrs:
        said.append(f"distinguished: p ≤ {float(attrs['alpha']):g}")
    if "permutations" in attrs:
        said.append(f"{int(attrs['permutations'])} permutations of seed labels")
    if "bootstrap" in attrs:
        said.append(f"{int(attrs['bootstrap'])} bootstrap draws over seeds")
    return "; ".join([*said, "not distinguished: no difference seen with these seeds, no more"])
