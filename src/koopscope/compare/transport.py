"""Distances between spectra: optimal transport in the complex plane."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from koopscope.errors import InputError, shown
from koopscope.koopman.inputs import complex_array, real_array

if TYPE_CHECKING:
    from koopscope.koopman.spectrum import Spectrum

# Distances between points that are held at once: 8 MB, about a processor's cache.
BLOCK = 1_000_000
# Powers of two up to which numbers can be squared.
SAFE = 400


def wasserstein(
    a: "ArrayLike | Spectrum",
    b: "ArrayLike | Spectrum",
    weights_a: ArrayLike | None = None,
    weights_b: ArrayLike | None = None,
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
    >>> from koopscope.compare import wasserstein
    >>> round(wasserstein([1, 0.5], [0.8, 0.5]), 6)
    0.1
    >>> round(wasserstein([1, 0.5], [0.8, 0.5], [3, 1], [3, 1]), 6)
    0.15
    """
    a, b = _points("a", a), _points("b", b)
    (a, b), exponent = scaled(a, b)
    costs = cdist(a, b)
    if weights_a is None and weights_b is None and len(a) == len(b):
        return float(np.ldexp(costs[linear_sum_assignment(costs)].mean(), exponent))
    p, q = masses("weights_a", weights_a, len(a)), masses("weights_b", weights_b, len(b))
    return float(np.ldexp(transport_cost(p, q, costs), exponent))


def swapped(a: np.ndarray, b: np.ndarray, swaps: np.ndarray) -> np.ndarray:
    """1-Wasserstein distances of two spectra of one size, some of whose eigenvalues are swapped.

    Parameters
    ----------
    a, b
        Eigenvalues, shape (mode,).
    swaps
        Places at which both have exchanged theirs, shape (case, mode).

    Returns
    -------
    numpy.ndarray
        As :func:`wasserstein` gives them, shape (case,).

    Raises
    ------
    InputError
        If a spectrum is empty or not finite.
    """
    (points,), exponent = scaled(np.concatenate([_points("a", a), _points("b", b)]))
    # All pairs at once: of each case the costs are some of these.
    costs, place = cdist(points, points), np.arange(len(a))
    distances = []
    for swap in swaps:
        first = place + len(a) * swap
        case = costs[first[:, None], place + len(a) * ~swap]
        distances.append(case[linear_sum_assignment(case)].mean())
    return np.ldexp(np.array(distances), exponent)


def matching(a: "ArrayLike | Spectrum", b: "ArrayLike | Spectrum") -> np.ndarray:
    """Index into ``b`` of the eigenvalue matched with each of ``a``, for equal sizes.

    It is the one-to-one matching of least mean distance.

    Parameters
    ----------
    a, b
        Eigenvalues, as many of each; shape (mode,).

    Returns
    -------
    numpy.ndarray
        Whole numbers, shape (mode,).

    Raises
    ------
    InputError
        If the sizes differ, or a spectrum is empty or not finite.

    Examples
    --------
    >>> from koopscope.compare import matching
    >>> matching([1, 0.5, 0.5j], [0.4, 0.9, 0.6j]).tolist()
    [1, 0, 2]
    """
    a, b = _points("a", a), _points("b", b)
    if len(a) != len(b):
        raise InputError(f"a, b: {len(a)} and {len(b)} eigenvalues; a matching needs equal sizes")
    (a, b), _ = scaled(a, b)
    return linear_sum_assignment(cdist(a, b))[1]


def distance_matrix(spectra: "Sequence[ArrayLike | Spectrum]") -> np.ndarray:
    """Pairwise :func:`wasserstein` distances, shape (n, n), symmetric with a zero diagonal.

    A spectrum without eigenvalues (every run of its seed diverged) has distance NaN to the others.

    Parameters
    ----------
    spectra
        Spectra, or the eigenvalues of each, shape (mode,), any numbers of them.

    Returns
    -------
    numpy.ndarray
        In the unit of the eigenvalues.

    Raises
    ------
    InputError
        If an eigenvalue is not finite.

    Examples
    --------
    >>> from koopscope.compare import distance_matrix
    >>> distance_matrix([[1, 0.9], [1, 0.8], [1, 0.5]]).round(6).tolist()
    [[0.0, 0.05, 0.2], [0.05, 0.0, 0.15], [0.2, 0.15, 0.0]]
    """
    if isinstance(spectra, str | bytes) or not isinstance(spectra, Iterable):
        raise InputError(f"spectra: {shown(spectra)}; give a list of them")
    eigenvalues = [_eigenvalues(spectrum) for spectrum in spectra]
    parts, exponent = scaled(*(v.view(float) for v in eigenvalues))
    eigenvalues = [part.view(complex) for part in parts]
    distances = empty_matrix(eigenvalues)
    for i, others, costs in cost_blocks(eigenvalues):
        if costs.shape[1] == costs.shape[2]:
            columns = np.stack([linear_sum_assignment(c)[1] for c in costs])
            found = np.take_along_axis(costs, columns[:, :, None], axis=2).mean(axis=(1, 2))
        else:
            p, q = (np.full(size, 1 / size) for size in costs.shape[1:])
            found = [transport_cost(p, q, c) for c in costs]
        distances[i, others] = distances[others, i] = found
    return np.ldexp(distances, exponent)


def empty_matrix(spectra: Sequence[np.ndarray]) -> np.ndarray:
    """Matrix (n, n) to fill: zeros, and NaN between a spectrum without eigenvalues and others."""
    empty = np.array([len(spectrum) == 0 for spectrum in spectra], dtype=bool)
    distances = np.where(empty[:, None] | empty, np.nan, 0.0)
    np.fill_diagonal(distances, 0)
    return distances


def cost_blocks(spectra: Sequence[np.ndarray]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Distances between eigenvalues, for every pair of spectra once, many pairs at a time.

    Parameters
    ----------
    spectra
        Eigenvalues, finite; a spectrum without any is in no pair.

    Yields
    ------
    i, others, costs
        A spectrum; spectra before it, m of them and all of one size l; distances of its k
        eigenvalues to theirs, shape (m, k, l). No block but that of a single pair has more than
        ``BLOCK`` of them.

    Raises
    ------
    InputError
        If an eigenvalue is not finite.
    """
    sizes = np.array([len(spectrum) for spectrum in spectra], dtype=int)
    groups = {}
    for size in np.unique(sizes[sizes > 0]):
        members = np.flatnonzero(sizes == size)
        points = np.concatenate([_points(f"spectra[{j}]", spectra[j]) for j in members.tolist()])
        groups[size] = members, points.reshape(len(members), size, 2)
    for size, (members, points) in groups.items():
        for i, own in zip(members, points, strict=True):
            for other_size, (candidates, theirs) in groups.items():
                before = int(np.searchsorted(candidates, i))
                step = max(1, BLOCK // (size * other_size))
                for low in range(0, before, step):
                    chosen = slice(low, min(low + step, before))
                    costs = cdist(own, theirs[chosen].reshape(-1, 2))
                    costs = costs.reshape(size, -1, other_size).swapaxes(0, 1)
                    yield int(i), candidates[chosen], costs


def transport_cost(p: np.ndarray, q: np.ndarray, costs: np.ndarray) -> float:
    """Cost of optimal transport from masses (k,) to masses (l,) of sum 1 each; costs (k, l)."""
    # Imported here: most distances need only the matching, and POT takes a second to import.
    import ot

    # Its checks and its centred potentials take longer than the solution for ten eigenvalues.
    return float(ot.emd2(p, q, costs, check_marginals=False, center_dual=False))


def _eigenvalues(spectrum: "ArrayLike | Spectrum") -> np.ndarray:
    values = getattr(spectrum, "eigenvalues", spectrum)
    return np.atleast_1d(complex_array("spectrum", values)).ravel()


def _points(name: str, spectrum: "ArrayLike | Spectrum") -> np.ndarray:
    values = _eigenvalues(spectrum)
    if values.size == 0:
        raise InputError(f"{name}: no eigenvalues; a distance needs at least one")
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        raise InputError(f"{name}: eigenvalue {bad} is {values[bad]}; leave out what is not finite")
    return np.column_stack([values.real, values.imag])


def scaled(*points: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Real arrays divided by a common power of two if they cannot be squared, and its exponent."""
    largest = max((float(np.abs(p).max(initial=0)) for p in points), default=0.0)
    exponent = math.frexp(largest)[1]
    if not math.isfinite(largest) or abs(exponent) <= SAFE:
        return list(points), 0
    return [np.ldexp(p, -exponent) for p in points], exponent


def masses(name: str, weights: ArrayLike | None, count: int) -> np.ndarray:
    """Weights (count,) scaled to sum 1, equal ones for None; refused if they are no masses."""
    if weights is None:
        return np.full(count, 1 / count)
    given = real_array(name, weights)
    if given.shape != (count,):
        raise InputError(f"{name}: shape is {given.shape}; give one for each of {count}")
    if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
        raise InputError(f"{name}: give finite numbers, none negative, not all 0")
    given = given / given.max()
    return given / given.sum()
