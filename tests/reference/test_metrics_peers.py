"""Agreement of whole matrices of distances with SciPy and POT, pair by pair."""

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, directed_hausdorff

from koopscope.compare.metrics import metric_matrix, transported
from koopscope.compare.transport import distance_matrix

SIZES = (10, 3, 10, 0, 10, 3, 1, 7, 10, 150, 150)


def spectra(rng):
    return [rng.normal(size=size) + 1j * rng.normal(size=size) for size in SIZES]


def pair_by_pair(eigenvalues, distance):
    planes = [np.column_stack([x.real, x.imag]) for x in eigenvalues]
    found = np.zeros((len(planes), len(planes)))
    for i, a in enumerate(planes):
        for j, b in enumerate(planes[:i]):
            known = len(a) and len(b)
            found[i, j] = found[j, i] = distance(i, j, a, b) if known else np.nan
    return found


def test_distances_of_equal_sizes_are_scipys_matching_to_the_last_bit():
    rng = np.random.default_rng(0)
    eigenvalues = [rng.normal(size=150) + 1j * rng.normal(size=150) for _ in range(12)]

    def matched(i, j, a, b):
        costs = cdist(a, b)
        return costs[linear_sum_assignment(costs)].mean()

    for some in (eigenvalues, [x[:10] for x in eigenvalues]):
        np.testing.assert_array_equal(distance_matrix(some), pair_by_pair(some, matched))


def test_distances_of_any_sizes_are_pots():
    eigenvalues = spectra(np.random.default_rng(1))
    expected = pair_by_pair(
        eigenvalues, lambda i, j, a, b: ot.emd2(ot.unif(len(a)), ot.unif(len(b)), cdist(a, b))
    )
    np.testing.assert_allclose(distance_matrix(eigenvalues), expected, rtol=1e-9)


def test_weighted_distances_are_pots():
    rng = np.random.default_rng(2)
    eigenvalues = spectra(rng)
    weights = [rng.random(size) * (rng.random(size) < 0.8) + 1e-9 for size in SIZES]
    masses = [w / w.sum() for w in weights]
    expected = pair_by_pair(
        eigenvalues, lambda i, j, a, b: ot.emd2(masses[i], masses[j], cdist(a, b))
    )
    np.testing.assert_allclose(transported(eigenvalues, weights), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["residual_weighted", "amplitude_weighted"])
def test_the_weights_are_those_that_the_metric_names(name):
    rng = np.random.default_rng(3)
    eigenvalues = spectra(rng)
    residuals, amplitudes = ([rng.random(size) for size in SIZES] for _ in range(2))
    weights = {
        "residual_weighted": [1 / (1 + 100 * r**2) for r in residuals],
        "amplitude_weighted": amplitudes,
    }[name]
    masses = [w / w.sum() for w in weights]
    expected = pair_by_pair(
        eigenvalues, lambda i, j, a, b: ot.emd2(masses[i], masses[j], cdist(a, b))
    )
    found = metric_matrix(name, eigenvalues, residuals, amplitudes)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_hausdorff_is_scipys_in_both_directions():
    eigenvalues = spectra(np.random.default_rng(4))
    expected = pair_by_pair(
        eigenvalues,
        lambda i, j, a, b: max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0]),
    )
    found = metric_matrix("hausdorff", eigenvalues, eigenvalues, eigenvalues)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
