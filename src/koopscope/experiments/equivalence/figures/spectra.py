"""Eigenvalues in the complex plane, and how far each can be trusted."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from scipy.stats import chi2

from koopscope.compare.barycentre import matched_modes
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.datasets import require, samples_by_variant, strings
from koopscope.report.style import (
    CHARACTER,
    LETTER,
    MANY,
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

# Beyond this the unit circle would be too small to read: such eigenvalues are counted instead.
LARGEST_VIEW = 2.0
# The zoom shows all eigenvalues if they lie this close to 1, or else the nearest ones, this share.
CROWD_RADIUS = 0.1
ZOOM_SHARE, ZOOM_RADIUS = 0.6, 0.5
# Side of the inset with the whole circle, as a part of the panel's.
INSET = 0.3
# A Gaussian ellipse through fewer points than this says more than they do.
ELLIPSE_SEEDS = 5
ELLIPSE_SCALE = np.sqrt(chi2.ppf(0.95, df=2))
OTHERS = {"linestyle": "", "marker": "2", "color": "0.5", "zorder": 1.5}
OTHERS |= {"markersize": 4.5, "markeredgewidth": 0.7}
CLOUD = {"markersize": 2.2, "markeredgewidth": 0, "alpha": 0.3, "zorder": 1.2, "rasterized": True}
OTIMES = {"color": NEUTRAL, "markersize": 8, "markeredgewidth": 0}
CROSS = {"linestyle": "", "marker": "x", "markersize": 4.6, "markeredgewidth": 0.6}


@reported("4 spectra", of="comparison")
def spectra(comparison: xr.Dataset) -> Figure:
    """Draw all eigenvalues of all seeds with the unit circle, a panel a variant.

    The cross is the mean over seeds of the eigenvalues that an optimal matching (the one of the
    1-Wasserstein distance) puts together, the ellipse their Gaussian 95 % region. Eigenvalues
    with a residual above :data:`koopscope.koopman.trust.RESIDUAL_LIMIT` are spurious, hollow and
    crossed through; those without one are hollow. Where many eigenvalues crowd near 1, panels show
    the same window around them, and the whole circle is an inset in which a square is that window.

    Parameters
    ----------
    comparison
        ``eigenvalue`` and ``residual`` (sample, mode), padded with NaN; coordinates ``variant``
        and ``seed`` (sample). Perhaps ``cloud`` (sample_cloud, resample, mode), refits of one seed
        with the coordinate ``cloud_variant``, drawn lightly; perhaps the attribute ``reference``,
        the variant whose means the other panels repeat.

    Raises
    ------
    InputError
        If a variable is missing or there is no sample.

    References
    ----------
    Redman et al. (2024), "Identifying Equivalent Training Dynamics", NeurIPS.
    """
    groups, eigenvalue, residual = read_spectra(comparison, "spectra")
    clouds = _clouds(comparison)
    everything = eigenvalue[np.isfinite(eigenvalue)]
    farthest = max(np.abs(values).max(initial=0) for values in (everything, *clouds.values()))
    view = min(max(1.1, 1.05 * farthest), LARGEST_VIEW)
    window = window_near_1(everything)
    centres = {name: matched_modes(eigenvalue[at]) for name, at in groups.items()}
    repeated = _repeated(comparison, groups)
    rows, columns = shape(len(groups), 1.7, most=4 if len(groups) <= MANY else 5)
    side = min(2.9, (page_width() - 0.5) / columns)
    figure = new_figure(page_width(), (side + 0.4) * rows)
    panels = panels_of(figure, len(groups), rows, columns, sharex=True, sharey=True)
    corner = _free_corner(everything, window)
    letters = int(side / CHARACTER / 1.25)
    for i, (panel, (name, look)) in enumerate(zip(panels, looks(groups).items(), strict=True)):
        values = eigenvalue[groups[name]]
        others = [_means(centres[other]) for other in repeated if other != name]
        # Summaries of what crowds would hide it in the whole circle; they are drawn in the panel.
        near = [_inside(np.mean(mode), window) for mode in centres[name]]
        whole = panel if window is None else panel.inset_axes(corner)
        for axes, wanted in ((panel, window is not None), (whole, False)):
            cloud = clouds.get(name, np.array([]))
            axes.plot(cloud.real, cloud.imag, ".", color=look.colour, **CLOUD)
            _plane(axes, values, residual[groups[name]], look, name, 13 if axes is panel else 4)
            others_means = np.concatenate([*others, np.array([])])
            axes.plot(others_means.real, others_means.imag, **OTHERS)
            # The window is square, so this is one scale for both axes.
            axes.set_box_aspect(1)
            _summarise(axes, [m for m, n in zip(centres[name], near, strict=True) if n == wanted])
            if window is None:
                break
        panel.set(xlabel="Re λ" if i + columns >= len(groups) else "")
        panel.set(ylabel="" if i % columns else "Im λ")
        panel.tick_params(labelbottom=i + columns >= len(groups))
        seeds = len(values)
        heading = f"{name} ({seeds} seed{'s' if seeds > 1 else ''})"
        panel.set_title(heading if len(heading) <= letters else heading.replace(" (", "\n("))
        whole.set(xlim=(-view, view), ylim=(-view, view))
        _say_what_is_outside(panel, values, view)
        if window is not None:
            _zoom(panel, whole, window)
    unknown = bool((np.isfinite(eigenvalue) & ~np.isfinite(residual)).any())
    counts = [len(at) for at in groups.values()]
    handles = [*_residual_legend(unknown), *_legend(counts)]
    if window is not None:
        label = "inset: the whole circle, and the window of the panel"
        square = {"marker": "s", "markerfacecolor": "none", "markeredgecolor": "black"}
        handles.append(_mark(label, markersize=6, markeredgewidth=0.7, **square))
    if len(groups) > 1 and repeated:
        of = "means" if max(counts) > 1 else "eigenvalues"
        whose = "the other variants" if len(repeated) > 1 else f"the reference {repeated[0]}"
        handles.append(Line2D([], [], label=f"{of} of {whose}", **OTHERS))
    if clouds:
        label = "one seed, refitted on resampled initialisations"
        look = CLOUD | {"markersize": 5, "alpha": 0.6}
        handles.append(Line2D([], [], color=NEUTRAL, marker=".", linestyle="", label=label, **look))
    legend_below(figure, handles)
    title(figure, comparison.attrs)
    return figure


def read_spectra(
    comparison: xr.Dataset, name: str
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Variants' samples, eigenvalues and residuals (sample, mode) of a comparison store."""
    require(comparison, name, "comparison", ("variant", "seed", "eigenvalue", "residual"))
    eigenvalue = comparison["eigenvalue"].transpose("sample", "mode").values
    residual = comparison["residual"].transpose("sample", "mode").values
    return samples_by_variant(comparison), np.asarray(eigenvalue), np.asarray(residual, float)


def window_near_1(values: np.ndarray) -> tuple[float, float, float] | None:
    """Left, lower and side of the square that holds the eigenvalues that crowd near 1."""
    if values.size < 4:
        return None
    radius = np.abs(values - 1).max()
    if radius > CROWD_RADIUS:
        radius = np.quantile(np.abs(values - 1), ZOOM_SHARE)
    if not 0 < radius < ZOOM_RADIUS:
        return None
    near = values[np.abs(values - 1) <= radius]
    right = max(near.real.max(), 1.0)
    side = 1.2 * max(right - near.real.min(), 2 * np.abs(near.imag).max())
    return (right + near.real.min() - side) / 2, -side / 2, side


def _free_corner(
    values: np.ndarray, window: tuple[float, float, float] | None
) -> tuple[float, float, float, float]:
    """Place of the inset, in parts of a panel: the corner in which the fewest eigenvalues lie."""
    corners = [(x, y) for x in (0.02, 0.98 - INSET) for y in (0.98 - INSET, 0.02)]
    if window is not None:
        left, lower, side = window
        at = np.column_stack([values.real - left, values.imag - lower]) / side - INSET / 2
        corners.sort(key=lambda place: (np.abs(at - place) < INSET / 2).all(axis=1).sum())
    return (*corners[0], INSET, INSET)


def _plane(
    axes: Axes, values: np.ndarray, residual: np.ndarray, look: Look, name: str, size: float
) -> None:
    trust = residual <= RESIDUAL_LIMIT
    exists = np.isfinite(values)
    alpha = opacity(len(values))
    circle = Circle((0, 0), 1, fill=False, edgecolor=NEUTRAL, linewidth=0.8, zorder=1)
    axes.add_patch(circle)
    drawn = {"s": size, "marker": look.marker, "zorder": 2}
    good, poor = values[exists & trust], values[exists & ~trust]
    axes.scatter(
        good.real,
        good.imag,
        color=look.colour,
        linewidths=0,
        alpha=alpha,
        label=f"{name}: trusted",
        **drawn,
    )
    axes.scatter(
        poor.real,
        poor.imag,
        facecolors="none",
        edgecolors=look.colour,
        linewidths=0.7,
        alpha=max(alpha, 0.7),
        label=f"{name}: hollow",
        **drawn,
    )

    crossed = values[exists & (residual > RESIDUAL_LIMIT)]
    axes.plot(
        crossed.real, crossed.imag, color=look.colour, alpha=max(alpha, 0.7), zorder=2, **CROSS
    )


def _clouds(comparison: xr.Dataset) -> dict[str, np.ndarray]:
    """Finite eigenvalues of each variant's refits, if the store has any."""
    if "cloud" not in comparison:
        return {}
    require(comparison, "spectra", "comparison", ("cloud_variant",), dim="sample_cloud")
    values = comparison["cloud"].transpose("sample_cloud", ...).values
    found: dict[str, list[np.ndarray]] = {}
    for name, rows in zip(strings(comparison["cloud_variant"]), values, strict=True):
        found.setdefault(str(name), []).append(rows[np.isfinite(rows)])
    return {name: np.concatenate(rows) for name, rows in found.items()}


def _repeated(comparison: xr.Dataset, groups: dict[str, np.ndarray]) -> list[str]:
    """Variants whose means the others' panels repeat: the reference alone, or all of a few."""
    reference = str(comparison.attrs.get("reference", ""))
    if reference in groups:
        return [reference]
    return list(groups) if len(groups) <= MANY else []


def _inside(point: complex, window: tuple[float, float, float] | None) -> bool:
    if window is None:
        return False
    left, lower, side = window
    return left <= point.real <= left + side and lower <= point.imag <= lower + side


def _summarise(axes: Axes, modes: list[np.ndarray]) -> None:
    # The mean of one seed is that seed, and a cross would only hide it.
    means = _means([mode for mode in modes if len(mode) > 1])
    axes.plot(means.real, means.imag, "+", color="black", markersize=5, markeredgewidth=0.8)
    wide = [mode for mode in modes if len(mode) >= ELLIPSE_SEEDS]
    if not wide:
        return
    shapes = []
    for mode in wide:
        spread, directions = np.linalg.eigh(np.cov(mode.real, mode.imag))
        width, height = 2 * ELLIPSE_SCALE * np.sqrt(np.maximum(spread[::-1], 0))
        shapes.append((width, height, np.degrees(np.arctan2(*directions[::-1, 1]))))
    centres = _means(wide)
    widths, heights, angles = np.array(shapes).T
    axes.add_collection(
        EllipseCollection(
            widths,
            heights,
            angles,
            units="xy",
            offsets=np.column_stack([centres.real, centres.imag]),
            offset_transform=axes.transData,
            facecolors="none",
            edgecolors="black",
            linewidths=0.6,
            zorder=3,
        )
    )


def _zoom(panel: Axes, whole: Axes, window: tuple[float, float, float]) -> None:
    left, lower, side = window
    panel.set(xlim=(left, left + side), ylim=(lower, lower + side))
    panel.locator_params(nbins=4)
    whole.add_patch(
        Rectangle((left, lower), side, side, fill=False, edgecolor="black", linewidth=0.7, zorder=4)
    )
    whole.set(xticks=[], yticks=[])
    whole.patch.set_alpha(0.85)
    whole.spines[:].set(visible=True, linewidth=0.4, edgecolor=NEUTRAL)


def _say_what_is_outside(axes: Axes, values: np.ndarray, view: float) -> None:
    values = values[np.isfinite(values)]
    outside = int(((np.abs(values.real) > view) | (np.abs(values.imag) > view)).sum())
    if outside:
        largest = np.abs(values).max()
        text = f"{outside} outside, |λ| up to {largest:.3g}"
        axes.text(0.03, 0.03, text, transform=axes.transAxes, fontsize=LETTER)


def _mark(label: str, **look: object) -> Line2D:
    return Line2D([], [], label=label, **{"linestyle": ""} | look)


def _residual_legend(unknown: bool) -> list[Line2D]:
    hollow = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": NEUTRAL}
    handles = [
        _mark(f"residual ≤ {RESIDUAL_LIMIT:g}", marker="o", color=NEUTRAL, markeredgewidth=0),
        _mark(f"residual > {RESIDUAL_LIMIT:g}: spurious", marker=r"$\otimes$", **OTIMES),
    ]
    if unknown:
        handles.append(_mark("residual unknown", **hollow))
    return handles


def _legend(counts: list[int]) -> list[Line2D]:
    handles = [_mark("unit circle", linestyle="-", color=NEUTRAL)]
    if max(counts) > 1:
        handles.append(_mark("mean over seeds, modes matched", marker="+", color="black"))
    if max(counts) >= ELLIPSE_SEEDS:
        ring = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": "black"}
        handles.append(_mark("95 % of seeds, Gaussian", markersize=9, markeredgewidth=0.6, **ring))
    if min(counts) == 1:
        handles.append(_mark("one seed: no spread to show", marker=""))
    return handles


def _means(modes: list[np.ndarray]) -> np.ndarray:
    return np.array([np.mean(mode) for mode in modes], dtype=complex)


def opacity(seeds: int) -> float:
    """Opacity of the points of so many seeds: the more there are, the fainter each."""
    return float(np.clip(2.0 / np.sqrt(seeds), 0.3, 0.9))
