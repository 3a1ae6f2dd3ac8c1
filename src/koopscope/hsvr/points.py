"""Where the points lie: their extent, their spacing, the grid that they form if they do."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from koopscope.errors import InputError

# Share of the spacing by which rounded coordinates may miss their grid.
UNEVEN = 1e-6


@dataclass(frozen=True)
class Grid:
    """An equidistant grid that some points form.

    Attributes
    ----------
    order
        Positions of the points in the order of the grid, last axis fastest; shape (point,).
    shape
        Grid points along each axis.
    spacing
        Distance of neighbours along each axis, in the unit of the coordinates.
    """

    order: np.ndarray
    shape: tuple[int, ...]
    spacing: tuple[float, ...]


def extent(points: np.ndarray) -> float:
    """Longest side of the box around the points (point, coordinate), in their unit."""
    return float(np.ptp(points, axis=0).max())


def even_spacing(x: np.ndarray) -> float:
    """Distance of neighbours in a sorted equidistant series, in its unit.

    Parameters
    ----------
    x
        Shape (point,).

    Raises
    ------
    InputError
        If there are fewer than two points, or they are unsorted, repeated or not equidistant.
    """
    x = np.asarray(x, dtype=float)
    if x.ndim != 1 or len(x) < 2:
        raise InputError(f"x: shape is {x.shape}; give (n,) with at least 2 points")
    if not np.isfinite(x).all():
        raise InputError(f"x: not finite at {np.argmin(np.isfinite(x))}; give finite values")
    steps = np.diff(x)
    if steps.min() < 0:
        raise InputError(f"x: falls after {x[np.argmin(steps)]:.6g}; sort x, and y with it")
    if steps.min() == 0:
        raise InputError(
            f"x: {x[np.argmin(steps)]:.6g} is there twice; average the values of equal points"
        )
    if not _even(steps):
        raise InputError(
            f"x: steps from {steps.min():.6g} to {steps.max():.6g}; give equidistant points, or "
            "method 'lomb-scargle'"
        )
    return float(np.ptp(x) / (len(x) - 1))


def find_grid(points: np.ndarray) -> Grid | None:
    """Return the equidistant grid that the points (point, coordinate) fill, or None.

    Their order does not matter.
    """
    axes = [np.unique(column) for column in points.T]
    shape = tuple(len(axis) for axis in axes)
    if np.prod(shape, dtype=float) != len(points) or min(shape) < 2:
        return None
    if not all(_even(np.diff(axis)) for axis in axes):
        return None
    order = np.lexsort(points.T[::-1])
    # As many points as the grid has, but not all different.
    if (np.diff(points[order], axis=0) == 0).all(axis=1).any():
        return None
    spacing = (float(np.ptp(axis) / (len(axis) - 1)) for axis in axes)
    return Grid(order, shape, tuple(spacing))


def neighbour_distance(points: np.ndarray) -> float:
    """Median distance of a point (point, coordinate) to the nearest other; 0 if all coincide."""
    distinct = np.unique(points, axis=0)
    if len(distinct) < 2:
        return 0.0
    distances, _ = NearestNeighbors(n_neighbors=1).fit(distinct).kneighbors()
    return float(np.median(distances[:, 0]))


def _even(steps: np.ndarray) -> bool:
    return bool(np.ptp(steps) <= 2 * UNEVEN * steps.mean())
