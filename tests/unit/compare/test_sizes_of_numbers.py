"""Distances of spectra of any size, and what makes no distance."""

import numpy as np
import pytest

from koopscope.compare import compare, wasserstein
from koopscope.compare.transport import distance_matrix, matching
from koopscope.errors import InputError

A, B, C = [0.9, 0.5], [0.8, 0.4j], [0.7, 0.2, 0.1]


@pytest.mark.parametrize("power", [-1000, -530, 530, 1000])
def test_a_distance_scales_with_the_spectra_up_to_the_ends_of_the_numbers(power):
    unit = np.ldexp(1.0, power)
    spectra = [A, B, C]
    large = [np.array(s) * unit for s in spectra]
    for other in (1, 2):
        found = wasserstein(large[0], large[other])
        assert found == pytest.approx(wasserstein(A, spectra[other]) * unit, rel=1e-12)
    np.testing.assert_allclose(
        distance_matrix(large) / unit, distance_matrix(spectra), rtol=1e-12, atol=1e-15
    )
    assert matching(large[0], large[1]).tolist() == matching(A, B).tolist()


@pytest.mark.parametrize("bad", [-1.0, np.inf])
def test_distances_that_are_none_are_refused(bad):
    distances = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    distances[0, 1] = distances[1, 0] = bad
    with pytest.raises(InputError, match="distances: some are negative or infinite"):
        compare(distances, range(3), range(3, 6))


@pytest.mark.parametrize("name", ["permutations", "bootstrap", "seed"])
@pytest.mark.parametrize("bad", [-1, 2.5, "9", None, True, np.array([3, 4])])
def test_numbers_of_draws_are_whole(name, bad):
    distances = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    with pytest.raises(InputError, match=f"{name}: .*; give a whole number"):
        compare(distances, range(3), range(3, 6), **{name: bad})
