"""Green's function of (1 − Δ)^s on the whole space: the kernel of scattered points."""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import gamma, kv


def bessel_kernel(points: np.ndarray, s: float) -> np.ndarray:
    """Values of the kernel of (1 − Δ)^{−s} between all points, in closed form.

    G(r) = r^{s−d/2} K_{s−d/2}(r) · 2^{1−s} / ((2π)^{d/2} Γ(s)): a Matérn covariance of smoothness
    s − d/2, with ∫G = 1. In one dimension G = e^{−r}/2 for s = 1.

    Parameters
    ----------
    points
        Shape (point, coordinate).
    s
        Above half the number of coordinates, so that the kernel is finite at 0.

    Returns
    -------
    numpy.ndarray
        Shape (point, point), positive semidefinite.

    References
    ----------
    Aronszajn and Smith, Ann. Inst. Fourier 11 (1961); Rasmussen and Williams, Gaussian Processes
    for Machine Learning (2006), 4.2.1.
    """
    dimension = points.shape[1]
    order = s - dimension / 2
    distance = cdist(points, points)
    with np.errstate(invalid="ignore", over="ignore"):
        shape = np.where(distance > 0, distance**order * kv(order, distance), 0.0)
    # The limit r^ν K_ν(r) → 2^{ν−1} Γ(ν), also where the product overflows.
    limit = 2 ** (order - 1) * gamma(order)
    shape = np.where((distance == 0) | ~np.isfinite(shape), limit, shape)
    return shape * 2 ** (1 - s) / ((2 * np.pi) ** (dimension / 2) * gamma(s))
