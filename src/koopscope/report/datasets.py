"""What figures and tables read of a dataset, and what they refuse."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError


def require(
    dataset: xr.Dataset, purpose: str, store: str, names: Iterable[str], dim: str = "sample"
) -> None:
    """Refuse a dataset that lacks what ``purpose`` needs.

    Raises
    ------
    InputError
        Naming the variables that are missing, or the dimension that is absent or empty.
    """
    store = f"{'an' if store[0] in 'aeiou' else 'a'} {store} store"
    missing = [name for name in names if name not in dataset.variables]
    if missing:
        there = ", ".join(map(str, dataset.variables)) or "nothing"
        raise InputError(
            f"{purpose}: dataset lacks {', '.join(missing)} (it has {there}); give {store}"
        )
    if not dataset.sizes.get(dim):
        raise InputError(f"{purpose}: dataset has no {dim}s; give {store} with at least 1")


def samples_by_variant(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Positions along ``sample`` of each variant, in the order in which variants first appear."""
    variant = strings(dataset["variant"])
    return {str(name): np.flatnonzero(variant == name) for name in dict.fromkeys(variant)}


def strings(values: xr.DataArray) -> np.ndarray:
    """Text of any kind as NumPy's fixed-length text.

    Stores give object or variable-length arrays back, and the latter refuse a plain cast.
    """
    return np.array([str(value) for value in np.atleast_1d(values.values)], dtype=str)


def plain(value: Any) -> float | int | None:
    """A NumPy or Python number as a Python number; None for NaN or nothing."""
    return None if value is None or not np.isfinite(value) else np.asarray(value).item()
