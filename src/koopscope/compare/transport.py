"""Distances between spectra: optimal transport in the complex plane."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from koopscope.errors import InputError
from koopscope.koopman import Spectrum


def wasserstein(
    a: np.ndarray | Spectrum,
    b: np.ndarray | Spectrum,
    weights_a: np.ndarray | None = None,
    weights_b: np.ndarray | None = None,
) -> float:
    """1-Wasserstein distance between two finite spectra in the complex plane.

    For spectra of one size without weights it is the mean distance over the best one-to-one
    matching (Redman et al. 2024); else it is the cost of optimal transport between the two
    measures, solved by POT.

    Parameters
    ----------
    a, b
        Eigenvalues, any numbers of them; repeated ones count as often as they stand.
    weights_a, weights_b
        Weight of each eigenvalue, not negative; each set is scaled to sum 1. All equal by default.

    Returns
    -------
    float
        In the unit of the eigenvalues.

    Raises
    ------
    InputError
        If a spectrum is empty or not finite, or weights do not fit it.

    Examples
    --------
    >>> round(wasserstein([1, 0.5], [0.5, 0.9j]), 6)
    0.672681
    """
    a, b = _points("a", a), _points("b", b)
    costs = cdist(a, b)
    if weights_a is None and weights_b is None and len(a) == len(b):
        return float(costs[linear_sum_assignment(costs)].mean())
    # Imported here: most distances need only the matching, and POT takes a second to import.
    import ot

    masses = _masses("weights_a", weights_a, len(a)), _masses("weights_b", weights_b, len(b))
    return float(ot.emd2(*masses, costs))


def matching(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Index into ``b`` of the eigenvalue matched with each of ``a``, for equal sizes.

    Raises
    ------
    InputError
        If the sizes differ, or a spectrum is empty or not finite.
    """
    a, b = _points("a", a), _points("b", b)
    if len(a) != len(b):
        raise InputError(f"a, b: {len(a)} and {len(b)} eigenvalues; a matching needs equal sizes")
    return linear_sum_assignment(cdist(a, b))[1]


def distance_matrix(spectra: Sequence[np.ndarray]) -> np.ndarray:
    """Pairwise :func:`wasserstein` distances, shape (n, n), symmetric with a zero diagonal.

    A spectrum without eigenvalues (every run of its seed diverged) has distance NaN to the others.
    """
    n = len(spectra)
    distances = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            empty = len(spectra[i]) == 0 or len(spectra[j]) == 0
            distance = np.nan if empty else wasserstein(spectra[i], spectra[j])
            distances[i, j] = distances[j, i] = distance
    return distances


def _points(name: str, spectrum: np.ndarray | Spectrum) -> np.ndarray:
    values = spectrum.eigenvalues if isinstance(spectrum, Spectrum) else spectrum
    values = np.atleast_1d(np.asarray(values, dtype=complex)).ravel()
    if values.size == 0:
        raise InputError(f"{name}: no eigenvalues; a distance needs at least one")
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        raise InputError(f"{name}: eigenvalue {bad} is {values[bad]}; leave out what is not finite")
    return np.column_stack([values.real, values.imag])


def _masses(name: str, weights: np.ndarray | None, count: int) -> np.ndarray:
    if weights is None:
        return np.full(count, 1 / count)
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (count,):
        raise InputError(f"{name}: shape is {weights.shape}; give one for each of {count}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise InputError(f"{name}: give finite numbers, none negative, not all 0")
    return weights / weights.sum()
