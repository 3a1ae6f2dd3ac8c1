"""Texts as arrays that stores hold."""

from collections.abc import Iterable

import numpy as np


def texts(values: Iterable[str]) -> np.ndarray:
    """Texts as objects, since NumPy's fixed-length text has no place in Zarr v3 yet."""
    return np.array(list(values), dtype=object)
