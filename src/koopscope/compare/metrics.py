"""Distances between spectra beside the verdict's, to see whether an answer depends on the choice.

Each takes all spectra of a study and returns the whole matrix; :func:`metric_matrix` also finds the
weights that two of them need.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from koopscope.compare.transport import (
    cost_blocks,
    distance_matrix,
    empty_matrix,
    masses,
    transport_cost,
)
from koopscope.errors import InputError
from koopscope.koopman.trust import RESIDUAL_LIMIT

Arrays = Sequence[np.ndarray]


def transported(spectra: Arrays, weights: Arrays | None = None) -> np.ndarray:
    """1-Wasserstein distances of weighted spectra, shape (n, n).

    Parameters
    ----------
    spectra
        Eigenvalues of each, finite; NaN is the distance of a spectrum without any to the others.
    weights
        One for each eigenvalue, not negative, scaled to sum 1 within a spectrum; all equal by
        default (:func:`koopscope.compare.distance_matrix`).

    Returns
    -------
    numpy.ndarray
        Symmetric with a zero diagonal, in the unit of the eigenvalues.

    Raises
    ------
    InputError
        If an eigenvalue is not finite, or weights do not fit.
    """
    if weights is None:
        return distance_matrix(spectra)
    _paired("weights", weights, spectra)
    shares = [
        masses(f"weights[{i}]", w, len(spectrum)) if len(spectrum) else np.empty(0)
        for i, (w, spectrum) in enumerate(zip(weights, spectra, strict=True))
    ]
    distances = empty_matrix(spectra)
    for i, others, costs in cost_blocks(spectra):
        pairs = zip(others, costs, strict=True)
        found = [transport_cost(shares[i], shares[j], cost) for j, cost in pairs]
        distances[i, others] = distances[others, i] = found
    return distances


def hausdorff(spectra: Arrays, weights: Arrays | None = None) -> np.ndarray:
    """Hausdorff distances, shape (n, n): how far any eigenvalue is from the other spectrum.

    One stray eigenvalue decides it, and repeated ones count once. Weights play no part.

    Parameters
    ----------
    spectra
        Eigenvalues of each, finite; NaN is the distance of a spectrum without any to the others.
    weights
        Not looked at.

    Returns
    -------
    numpy.ndarray
        Symmetric with a zero diagonal, in the unit of the eigenvalues.

    Raises
    ------
    InputError
        If an eigenvalue is not finite.
    """
    distances = empty_matrix(spectra)
    for i, others, costs in cost_blocks(spectra):
        there, back = costs.min(axis=2).max(axis=1), costs.min(axis=1).max(axis=1)
        distances[i, others] = distances[others, i] = np.maximum(there, back)
    return distances


METRICS: Mapping[str, Callable[[Arrays, Arrays | None], np.ndarray]] = {
    "wasserstein": transported,
    "residual_weighted": transported,
    "amplitude_weighted": transported,
    "hausdorff": hausdorff,
}


def metric_matrix(
    name: str, eigenvalues: Arrays, residuals: Arrays, amplitudes: Arrays
) -> np.ndarray:
    """Distances between spectra by the metric of a name, shape (n, n), in eigenvalues' unit.

    - ``"wasserstein"``: equal masses, as the verdict takes it.
    - ``"residual_weighted"``: masses fall with the residual r as 1 / (1 + (r / 0.1)²). The rule is
      ours: for a normal operator a true eigenvalue lies within r, so this is the weight of a
      measurement with spread r, to which 0.1 is added in quadrature. Residuals far below 0.1, as
      all are at full rank, leave the masses equal.
    - ``"amplitude_weighted"``: masses as the amplitudes, so that what moves the weights most counts
      most.
    - ``"hausdorff"``: :func:`hausdorff`.

    A spectrum whose weights are not known (NaN) or all 0 gets equal masses.

    Parameters
    ----------
    name
        A key of ``METRICS``.
    eigenvalues
        Of each spectrum, finite, shape (mode,); none gives NaN to the others.
    residuals, amplitudes
        In the same order and of the same shapes; only those that the metric needs are looked at.

    Returns
    -------
    numpy.ndarray
        Symmetric with a zero diagonal.

    Raises
    ------
    InputError
        If the name is unknown, an eigenvalue is not finite, or residuals or amplitudes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.compare import METRICS, metric_matrix
    >>> spectra = [np.array([1, 0.5]), np.array([1, 0.8])]
    >>> residuals = [np.array([0, 0.1]), np.array([0, 0.1])]
    >>> amplitudes = [np.array([3, 1]), np.array([3, 1])]
    >>> for name in METRICS:
    ...     print(name, metric_matrix(name, spectra, residuals, amplitudes)[0, 1].round(6))
    wasserstein 0.15
    residual_weighted 0.1
    amplitude_weighted 0.075
    hausdorff 0.3
    """
    if name not in METRICS:
        raise InputError(f"metric: unknown {name!r}; give one of {', '.join(METRICS)}")
    weights = None
    if name == "residual_weighted":
        _paired("residuals", residuals, eigenvalues)
        # The square comes last: what is too small for it is 0, without a word.
        weights = [(1 / np.hypot(1, r / RESIDUAL_LIMIT)) ** 2 for r in residuals]
    elif name == "amplitude_weighted":
        _paired("amplitudes", amplitudes, eigenvalues)
        weights = [np.abs(a) for a in amplitudes]
    if weights is not None:
        weights = [w if np.isfinite(w).all() and w.any() else np.ones_like(w) for w in weights]
    return METRICS[name](eigenvalues, weights)


def _paired(name: str, values: Arrays, spectra: Arrays) -> None:
    """Refuse what is not one array for each spectrum, with one number for each eigenvalue."""
    if len(values) != len(spectra):
        raise InputError(f"{name}: {len(values)} arrays; give one for each of {len(spectra)}")
    for i, (array, spectrum) in enumerate(zip(values, spectra, strict=True)):
        if np.shape(array) != (len(spectrum),):
            raise InputError(
                f"{name}[{i}]: shape is {np.shape(array)}; give one for each of {len(spectrum)}"
            )
