"""How often the test errs, and how often it sees: over draws of seeds from known pairs."""

import json
from collections.abc import Iterable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.stats import binom, binomtest

from koopscope.compare.words import DISTINGUISHED
from koopscope.report.datasets import require, strings
from koopscope.report.numbers import number
from koopscope.report.style import (
    LETTER,
    NEUTRAL,
    Look,
    legend_below,
    looks,
    new_figure,
    page_width,
    panels_of,
    reported,
    shape,
    title,
)

# Bands of more pairs than this would hide each other; sizes that span more have a log axis.
BANDS = 6
LOG_RATIO = 8.0
PAIRS = ("first", "second", "expected", "size", "metric")
RATES = ("rate", "rate_low", "rate_high")
# The two controls where both are drawn: the test as filled circles, the paper's as hollow squares.
TEST = {"marker": "o", "color": "black", "markerfacecolor": "black"}
SWAPPED = {"marker": "s", "color": NEUTRAL, "markerfacecolor": "white"}
TEST_NAME = "permutation test over seeds"
SWAPPED_NAME = "swapped pairs, the paper's control"


@reported("7 false positives", of="error_rates")
def false_positives(error_rates: xr.Dataset) -> Figure:
    """Draw how often pairs that are equivalent come out with p ≤ alpha, and how their p spread.

    Parameters
    ----------
    error_rates
        Dims ``pair`` (coordinates ``first``, ``second``, ``expected``), ``size`` (seeds per
        group), ``metric`` (the first is the verdict's), ``draw``: ``p_value`` (pair, size, metric,
        draw), ``swapped_pair_p`` (pair, size, draw); ``rate``, ``rate_low``, ``rate_high``
        (pair, size, metric). Attributes ``alpha``, perhaps ``pool``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no pair or no draw.
    """
    _require(error_rates, "false_positives", (*RATES, "p_value", "swapped_pair_p"))
    null, alpha = _chosen(error_rates, ["equivalent"]), _alpha(error_rates)
    rows = [(i, j) for i in range(null.sizes["pair"]) for j in range(null.sizes["size"])]
    height = max(2.3, 0.24 * len(rows) + 0.7)
    if shape(3, 2.2)[0] == 1:
        figure = new_figure(page_width(), height)
        forest, *panels = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    else:
        figure = new_figure(page_width(), height + 5.0)
        forest, *panels = figure.subplots(3, 1, height_ratios=(height, 2.5, 2.5))
    if not rows:
        _say(forest, "no pair is expected to be equivalent")
    names, sizes = _names(null), null["size"].values
    for y, (i, j) in enumerate(rows):
        at = null.isel(pair=i, size=j)
        _share(forest, y - 0.14, _rate(at), TEST)
        _share(forest, y + 0.14, share(at["swapped_pair_p"].values, alpha), SWAPPED)
    forest.axvline(alpha, color="black", linewidth=0.9, linestyle="--")
    forest.set_yticks(range(len(rows)), [f"{names[i]}, {sizes[j]} seeds" for i, j in rows])
    forest.set(ylim=(max(1, len(rows)) - 0.5, -0.5), xlabel=f"share of draws with p ≤ {alpha:g}")
    forest.set_xlim(-0.02, max(4 * alpha, 1.05 * forest.dataLim.x1 if rows else 0))
    forest.grid(axis="y", visible=False)
    forest.set_title("false positives [95 % interval]")
    largest = null.isel(size=-1)
    tested = largest["p_value"].isel(metric=0).transpose("pair", "draw").values
    swapped = largest["swapped_pair_p"].transpose("pair", "draw").values
    titles = (TEST_NAME, SWAPPED_NAME.replace(", ", ",\n"))
    for panel, p, name in zip(panels, (tested, swapped), titles, strict=True):
        _distribution(panel, p, looks(names), alpha)
        panel.set_title(f"{name}\n{sizes[-1]} seeds per group")
    panels[0].set_ylabel("share of draws with p at most this")
    handles = [Line2D([], [], label=name, **look) for name, look in _controls()]
    handles += [
        Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker, label=name)
        for name, look in looks(names).items()
    ]
    handles.append(Line2D([], [], color="black", linestyle="--", label=f"alpha {alpha:g}"))
    handles.append(Line2D([], [], color="black", linewidth=0.9, label="uniform p: as it should be"))
    label = "95 % of draws of uniform p, at each p"
    handles.append(Patch(facecolor="0.85", label=label))
    legend_below(figure, handles, _how_drawn(error_rates), columns=4)
    title(figure, error_rates.attrs)
    return figure


@reported("8 power", of="error_rates")
def power(error_rates: xr.Dataset) -> Figure:
    """Draw how often pairs that differ, or may, are seen with so many seeds per group.

    Parameters
    ----------
    error_rates
        As for :func:`false_positives`, with ``verdict`` (pair, size, draw) and ``true_effect``
        (pair) and without ``swapped_pair_p``.

    Raises
    ------
    InputError
        If one of these is missing, or there is no pair or no draw.
    """
    _require(error_rates, "power", (*RATES, "verdict", "true_effect"))
    known, alpha = _chosen(error_rates, ["different", "open"]), _alpha(error_rates)
    sizes = known["size"].values
    grid = shape(2, 2.4)
    figure = new_figure(page_width(), 2.5 * grid[0])
    tested, judged = figure.subplots(*grid, sharey=True, squeeze=False).ravel()
    if not known.sizes["pair"]:
        _say(tested, "no pair is expected to be different, or open")
    handles, banded = [], known.sizes["pair"] <= BANDS
    for i, look in enumerate(looks(map(str, range(known.sizes["pair"]))).values()):
        at = known.isel(pair=i)
        seen = [strings(row) == DISTINGUISHED for row in at["verdict"].transpose("size", "draw")]
        shares = [_rate(at.isel(size=j)) for j in range(len(sizes))]
        told = [_of(row.sum(), row.size) for row in seen]
        _against_size(tested, sizes, np.array(shares), look, banded)
        _against_size(judged, sizes, np.array(told), look, banded)
        effect = number(float(at["true_effect"]))
        label = f"{_names(known)[i]}: effect {effect}, {at['expected'].item()}"
        handles.append(
            Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker, label=label)
        )
    tested.axhline(alpha, color="black", linewidth=0.9, linestyle="--")
    tested.set(ylabel="share of draws", ylim=(-0.02, 1.02))
    tested.set_title(f"p ≤ {alpha:g}")
    judged.set_title("verdict: distinguished")
    for axes in (tested, judged):
        if sizes.max() > LOG_RATIO * sizes.min():
            axes.set_xscale("log")
            axes.minorticks_off()
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.set_xlabel("seeds per group")
    handles.append(Line2D([], [], color="black", linestyle="--", label=f"alpha {alpha:g}"))
    heading = f"{'band' if banded else 'bar'}: 95 % interval of the share; effect: over all seeds"
    legend_below(figure, handles, f"{heading}\n{_how_drawn(error_rates)}", columns=3)
    title(figure, error_rates.attrs)
    return figure


@reported("9 other distances", of="error_rates")
def metrics(error_rates: xr.Dataset) -> Figure:
    """Draw which distance tells known pairs apart best, at an equal rate of false positives.

    Parameters
    ----------
    error_rates
        As for :func:`false_positives`, with ``equal_rate`` (pair, size, metric): share of draws
        of a different pair with p below the alpha-quantile of the equivalent pairs' p.

    Raises
    ------
    InputError
        If one of these is missing, or there is no pair or no draw.
    """
    _require(error_rates, "metrics", ("p_value", "equal_rate"))
    known, alpha = _chosen(error_rates, ["different", "open"]), _alpha(error_rates)
    sizes, names, metric = known["size"].values, _names(known), strings(known["metric"])
    rate = known["equal_rate"].transpose("pair", "size", "metric").values
    draws = np.isfinite(known["p_value"].transpose("pair", "size", "metric", "draw").values).sum(-1)
    grid = shape(len(sizes), 1.6)
    height = (0.22 + (0.13 if len(names) <= 6 else 0.09) * max(2, len(names))) * len(metric) + 0.7
    figure = new_figure(page_width(), height * grid[0])
    panels = panels_of(figure, len(sizes), *grid, sharex=True, sharey=True)
    if not names:
        _say(panels[0], "no pair is expected to be different, or open")
    spread = 0.7 * (np.arange(len(names)) + 0.5) / max(1, len(names)) - 0.35
    for j, axes in enumerate(panels):
        for k in range(len(metric)):
            found = [_of(rate[i, j, k] * draws[i, j, k], draws[i, j, k]) for i in range(len(names))]
            middles = [middle for middle, _, _ in found if np.isfinite(middle)]
            if not middles:
                _share(axes, k, (np.nan,) * 3, {})
                continue
            axes.vlines(np.mean(middles), k - 0.42, k + 0.42, color="black", linewidth=2, zorder=1)
            for up, share_of_pair, look in zip(spread, found, looks(names).values(), strict=True):
                marked = {"marker": look.marker, "color": look.colour, "markersize": 5}
                _share(axes, k + up, share_of_pair, marked)
        axes.axvline(alpha, color="black", linewidth=0.9, linestyle="--")
        for k in range(1, len(metric)):
            axes.axhline(k - 0.5, color="0.85", linewidth=0.7)
        axes.set_title(f"{sizes[j]} seeds per group")
        axes.grid(axis="y", visible=False)
        axes.set(xlim=(-0.03, 1.03), ylim=(len(metric) - 0.5, -0.5), xlabel="share told apart")
    labels = [f"{name}\n(the verdict's)" if k == 0 else name for k, name in enumerate(metric)]
    panels[0].set_yticks(range(len(metric)), labels)
    handles = [
        Line2D([], [], linestyle="", marker=look.marker, color=look.colour, label=name)
        for name, look in looks(names).items()
    ]
    handles.append(Line2D([], [], color="black", linewidth=2, label="mean over pairs"))
    label = f"alpha {alpha:g}: false positives"
    handles.append(Line2D([], [], color="black", linestyle="--", label=label))
    heading = f"told apart: p below the {alpha:g}-quantile of the equivalent pairs' p"
    heading += f"; bar: 95 % interval of the share\n{_how_drawn(error_rates)}"
    legend_below(figure, handles, heading, columns=4)
    title(figure, error_rates.attrs)
    return figure


def share(p: np.ndarray, alpha: float) -> tuple[float, float, float]:
    """Share of known p at most alpha, with its 95 % Clopper-Pearson interval; NaN for none."""
    known = p[np.isfinite(p)]
    return _of((known <= alpha).sum(), known.size)


def _of(count: float, total: int) -> tuple[float, float, float]:
    if not total or not np.isfinite(count):
        return np.nan, np.nan, np.nan
    interval = binomtest(round(count), total).proportion_ci(0.95, method="exact")
    return count / total, interval.low, interval.high


def _require(error_rates: xr.Dataset, purpose: str, names: Iterable[str]) -> None:
    for dim in ("pair", "size", "metric", "draw"):
        require(error_rates, purpose, "error_rates", (*PAIRS, *names), dim=dim)


def _chosen(error_rates: xr.Dataset, expected: list[str]) -> xr.Dataset:
    return error_rates.isel(
        pair=np.flatnonzero(np.isin(strings(error_rates["expected"]), expected))
    )


def _names(error_rates: xr.Dataset) -> list[str]:
    both = zip(strings(error_rates["first"]), strings(error_rates["second"]), strict=True)
    return [f"{first} / {second}" for first, second in both]


def _alpha(error_rates: xr.Dataset) -> float:
    return float(error_rates.attrs.get("alpha", 0.05))


def _rate(at: xr.Dataset) -> tuple[float, ...]:
    return tuple(float(at[name].isel(metric=0)) for name in RATES)


def _share(axes: Axes, y: float, found: tuple[float, ...], look: dict[str, str]) -> None:
    middle, low, high = found
    if not np.isfinite(middle):
        axes.text(
            0.99,
            y,
            "not computed",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=LETTER,
            color=NEUTRAL,
        )
        return
    axes.hlines(y, low, high, color=look["color"], linewidth=1.6)
    axes.plot(middle, y, linestyle="", **{"markersize": 5.5} | look)


def _against_size(
    axes: Axes, sizes: np.ndarray, shares: np.ndarray, look: Look, banded: bool
) -> None:
    middle, low, high = shares.T
    if banded:
        axes.fill_between(sizes, low, high, color=look.colour, alpha=0.15, linewidth=0)
    # Bars too: a size between two unknown ones has no band.
    axes.vlines(sizes, low, high, color=look.colour, linewidth=0.8)
    axes.plot(
        sizes, middle, color=look.colour, linestyle=look.line, marker=look.marker, markersize=5
    )


def _distribution(axes: Axes, p: np.ndarray, shown: dict[str, Look], alpha: float) -> None:
    draws = int(np.isfinite(p).sum(axis=1).max(initial=0))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="p", aspect="equal", anchor="N")
    axes.axvline(alpha, color="black", linewidth=0.9, linestyle="--")
    if not draws:
        _say(axes, "not computed")
        return
    fine = np.linspace(0, 1, 201)
    low, high = (binom.ppf(q, draws, fine) / draws for q in (0.025, 0.975))
    axes.fill_between(fine, np.maximum(low, 0), high, color="0.85", linewidth=0, zorder=1)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.9)
    for values, look in zip(p, shown.values(), strict=True):
        known = np.sort(values[np.isfinite(values)])
        if not known.size:
            continue
        x = np.concatenate([[0], known, [1]])
        y = np.concatenate([[0], np.arange(1, known.size + 1) / known.size, [1]])
        axes.step(
            x,
            y,
            where="post",
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markersize=4,
            markevery=max(1, len(x) // 8),
        )


def _controls() -> list[tuple[str, dict[str, str]]]:
    return [(TEST_NAME, TEST | {"linestyle": ""}), (SWAPPED_NAME, SWAPPED | {"linestyle": ""})]


def _how_drawn(error_rates: xr.Dataset) -> str:
    said = f"{error_rates.attrs.get('draws', error_rates.sizes['draw'])} draws of seeds"
    pool = json.loads(str(error_rates.attrs.get("pool") or "{}"))
    counts = {name: n if isinstance(n, int) else len(n) for name, n in pool.items()}
    if counts:
        said += " from pools of " + ", ".join(f"{n} ({name})" for name, n in counts.items())
    return said + "; draws share seeds, so intervals are somewhat too narrow"


def _say(axes: Axes, text: str) -> None:
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=NEUTRAL,
    )
