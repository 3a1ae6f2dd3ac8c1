"""Two groups of spectra, whichever way they are given: distances, and places in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from koopscope.compare.transport import distance_matrix
from koopscope.errors import InputError, shown
from koopscope.koopman.inputs import any_array, real_array


def placed(distances: Any, first: Any, second: Any) -> tuple[np.ndarray, Any, Any]:
    """Distances with the places of two groups, whichever way they are given."""
    takes = "give two lists of spectra, or distances (n, n) with the places of two groups"
    if second is None:
        groups = [
            list(group) if isinstance(group, Sequence) else None for group in (distances, first)
        ]
        if groups[0] is None or groups[1] is None:
            raise InputError(f"compare: a {type(distances).__name__} and no second group; {takes}")
        count = len(groups[0])
        distances = distance_matrix([*groups[0], *groups[1]])
        first, second = np.arange(count), np.arange(count, len(distances))
    try:
        matrix = real_array("distances", distances)
    except InputError:
        matrix = np.empty(0)
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise InputError(f"compare: shape {matrix.shape} is no matrix of distances; {takes}")
    # Infinity less infinity is no number.
    if (matrix < 0).any() or np.isinf(matrix).any():
        raise InputError("distances: some are negative or infinite; give finite ones of at least 0")
    return matrix, first, second


def places(name: str, given: Any, count: int) -> np.ndarray:
    """Places of a group among so many spectra: whole numbers, or a mask of all."""
    found = any_array(name, list(given) if isinstance(given, range) else given)
    if found.dtype == bool and found.shape == (count,):
        return np.flatnonzero(found)
    whole = found.ndim == 1 and (found.dtype.kind in "iu" or not found.size)
    if not whole or not ((found >= 0) & (found < count)).all():
        raise InputError(
            f"{name}: {shown(given)}; give places from 0 to {count - 1}, or a mask of {count}"
        )
    return found.astype(int)


def known(local: np.ndarray) -> np.ndarray:
    """Places of spectra that have a distance to others; NaN is that of one without eigenvalues."""
    if not np.isnan(local).any():
        return np.arange(len(local))
    others = ~np.eye(len(local), dtype=bool)
    kept = np.flatnonzero((~np.isnan(local) & others).any(axis=1))
    if np.isnan(local[np.ix_(kept, kept)]).any():
        raise InputError("distances: some are NaN between spectra that have others; give all")
    return kept
