"""Distances between spectra, within and between variants."""

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from koopscope.experiments.equivalence.wording import distance_name
from koopscope.report.datasets import require, samples_by_variant, strings
from koopscope.report.style import (
    LETTER,
    MANY,
    NEUTRAL,
    PLAIN,
    looks,
    name_ticks,
    new_figure,
    page_width,
    reported,
    shape,
    title,
)

# Numbers fit into cells of a matrix that are so wide in inches, and so many dots into a row.
ANNOTATED = 0.36
STRIP = 2500
# Distances that span more than this ratio are drawn on a log axis.
LOG_RATIO = 30.0


@reported("3 distances", of="comparison")
def distances(comparison: xr.Dataset) -> Figure:
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
    require(comparison, "distances", "comparison", names)
    groups = samples_by_variant(comparison)
    distance = np.asarray(comparison["distance"].transpose("sample", "other").values, dtype=float)
    order = _order(comparison, groups)
    rows = _distributions(comparison, distance, groups)
    # Names of many variants need the page's whole width beside the matrix.
    below, beside = shape(2, 2.4) if len(groups) <= MANY else (2, 1)
    matrix = page_width() / beside - 1.3
    list_of_rows = max(2.2, (0.24 if len(rows) <= 20 else 0.17) * len(rows) + 0.8)
    if beside == 2:
        figure = new_figure(page_width(), max(matrix + 0.6, list_of_rows))
        left, right = figure.subplots(1, 2)
    else:
        figure = new_figure(page_width(), matrix + 0.9 + list_of_rows)
        left, right = figure.subplots(2, 1, height_ratios=(matrix + 0.6, list_of_rows))
    measured = distance_name(comparison.attrs)
    _heat_map(left, distance[np.ix_(order, order)], groups, f"{measured} of spectra", matrix)
    _boxes(right, rows, f"{measured} of two seeds' spectra")
    title(figure, comparison.attrs)
    return figure


def _order(comparison: xr.Dataset, groups: dict[str, np.ndarray]) -> np.ndarray:
    seed = np.asarray(comparison["seed"].values)
    return np.concatenate([at[np.argsort(seed[at], kind="stable")] for at in groups.values()])


def _heat_map(
    axes: Axes, distance: np.ndarray, groups: dict[str, np.ndarray], label: str, inches: float
) -> None:
    few = inches / len(distance) >= ANNOTATED
    sns.heatmap(
        distance,
        ax=axes,
        square=True,
        cmap="mako_r",
        vmin=0,
        annot=few,
        fmt=".2g",
        annot_kws={"fontsize": LETTER},
        rasterized=True,
        xticklabels=False,
        yticklabels=False,
        # An inset, because a bar beside the panel would not follow the square's height.
        cbar_ax=axes.inset_axes((1.03, 0, 0.04, 1)),
        cbar_kws={"label": label},
    )
    edges = np.cumsum([0, *map(len, groups.values())])
    for edge in edges[1:-1]:
        axes.axhline(edge, color="white", linewidth=1.6)
        axes.axvline(edge, color="white", linewidth=1.6)
    middles = (edges[1:] + edges[:-1]) / 2
    name_ticks(axes.xaxis, middles, list(groups), inches)
    name_ticks(axes.yaxis, middles, list(groups), inches)
    axes.tick_params(axis="y", rotation=0)
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


def _boxes(axes: Axes, rows: list[tuple[str, np.ndarray, str]], label: str) -> None:
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
                fontsize=LETTER,
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
    axes.set(xlabel=label)
    axes.xaxis.set_major_formatter(PLAIN)
    axes.set_title(
        "dots: two seeds each\nbox: quartiles; whiskers: 5 % to 95 %",
        fontweight="normal",
        fontsize=LETTER,
    )
