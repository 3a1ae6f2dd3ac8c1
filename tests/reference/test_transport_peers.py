"""Agreement of the distance with SciPy and POT."""

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance, wasserstein_distance_nd

from koopscope.compare.transport import wasserstein


def plane(values):
    return np.column_stack([np.real(values), np.imag(values)])


def spectrum(rng, size):
    return rng.normal(size=size) + 1j * rng.normal(size=size)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (10, 10), (10, 7), (3, 11), (40, 40)])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_pots_distance_for_any_sizes(seed, m, n):
    rng = np.random.default_rng(seed)
    a, b = spectrum(rng, m), spectrum(rng, n)
    expected = ot.emd2(ot.unif(m), ot.unif(n), cdist(plane(a), plane(b)))
    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("m", "n"), [(10, 10), (4, 9)])
def test_it_is_pots_distance_with_weights(m, n):
    rng = np.random.default_rng(2)
    a, b, p, q = spectrum(rng, m), spectrum(rng, n), rng.random(m), rng.random(n)
    costs = cdist(plane(a), plane(b))
    expected = ot.emd2(p / p.sum(), q / q.sum(), costs)
    assert wasserstein(a, b, p, q) == pytest.approx(expected, rel=1e-9)
    expected = ot.emd2(p / p.sum(), ot.unif(n), costs)
    assert wasserstein(a, b, p) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("m", "n"), [(5, 5), (4, 6)])
def test_it_is_scipys_distance_in_the_plane(m, n):
    rng = np.random.default_rng(3)
    a, b, p, q = spectrum(rng, m), spectrum(rng, n), rng.random(m), rng.random(n)
    expected = wasserstein_distance_nd(plane(a), plane(b))
    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-7)
    expected = wasserstein_distance_nd(plane(a), plane(b), p, q)
    assert wasserstein(a, b, p, q) == pytest.approx(expected, rel=1e-7)


def test_it_is_scipys_distance_on_a_line():
    rng = np.random.default_rng(4)
    for m, n in ((12, 12), (30, 7)):
        a, b = rng.normal(size=m), rng.normal(size=n)
        assert wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b), rel=1e-9)
        turned = wasserstein(a * np.exp(0.7j), b * np.exp(0.7j))
        assert turned == pytest.approx(wasserstein_distance(a, b), rel=1e-9)
