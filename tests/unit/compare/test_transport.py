import numpy as np
import pytest

from koopscope.compare.transport import distance_matrix, matching, swapped, wasserstein
from koopscope.errors import InputError
from koopscope.koopman.fitting import fit


def test_equal_sizes_give_the_mean_distance_of_the_best_matching():
    # 1 → 1.1 and i → 0.8i, whatever their order.
    assert wasserstein([1, 1j], [0.8j, 1.1]) == pytest.approx((0.1 + 0.2) / 2)
    # The nearest of all is not in the best matching.
    assert wasserstein([0, 1], [1.1, 2.1]) == pytest.approx(1.1)
    assert matching([0, 1, 5], [5.5, 0.1, 2]).tolist() == [1, 2, 0]


def test_distances_are_taken_in_the_complex_plane():
    assert wasserstein([0.3 + 0.4j], [0]) == pytest.approx(0.5)
    assert wasserstein([1j], [-1j]) == pytest.approx(2)


def test_unequal_sizes_share_their_mass():
    # Half of the mass of 0 goes to each of -1 and 3.
    assert wasserstein([0], [-1, 3]) == pytest.approx(2)
    assert wasserstein([0, 1, 2], [1]) == pytest.approx(2 / 3)


def test_repeated_eigenvalues_count_as_often_as_they_stand():
    assert wasserstein([0, 0, 1], [0, 1, 1]) == pytest.approx(1 / 3)
    assert wasserstein([0, 0, 1], [0, 1]) == pytest.approx(1 / 6)


def test_weights_move_mass_and_are_scaled_to_one():
    assert wasserstein([0, 1], [0, 1], [3, 1], [1, 3]) == pytest.approx(0.5)
    assert wasserstein([0, 1], [0, 1], [0.3, 0.1], None) == pytest.approx(0.25)
    assert wasserstein([0, 1, 9], [0, 1], [1, 1, 0], None) == pytest.approx(0, abs=1e-12)


def test_spectra_are_taken_as_they_are():
    decay = np.array([0.9, 0.5]) ** np.arange(20)[:, None]
    spectrum = fit([decay])
    assert wasserstein(spectrum, [0.5, 0.9]) == pytest.approx(0, abs=1e-9)
    among = distance_matrix([spectrum, [0.5, 0.9], [0.5, 1]])
    np.testing.assert_allclose(among[0], [0, 0, 0.05], atol=1e-9)


def test_the_matrix_holds_every_pair_and_nan_for_spectra_without_eigenvalues():
    spectra = [np.array([1, 0.5]), np.array([]), np.array([0.9]), np.array([1j, 0])]
    found = distance_matrix(spectra)
    for i in range(4):
        for j in range(4):
            if i == j:
                assert found[i, j] == 0
            elif 1 in (i, j):
                assert np.isnan(found[i, j])
            else:
                assert found[i, j] == pytest.approx(wasserstein(spectra[i], spectra[j]))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([], [1]), "a: no eigenvalues; a distance needs at least one"),
        (([1], [1, np.nan, 2]), "b: eigenvalue 1 is .*nan.*; leave out what is not finite"),
        (([np.inf], [1]), "a: eigenvalue 0 is .*inf"),
        (([1, 2], [1], [1]), r"weights_a: shape is \(1,\); give one for each of 2"),
        (([1], [1, 2], None, [1, -1]), "weights_b: give finite numbers, none negative"),
        (([1], [1, 2], None, [0, 0]), "weights_b: .*not all 0"),
        (([1], [1, 2], [np.nan], None), "weights_a: give finite numbers"),
    ],
)
def test_what_has_no_distance_is_refused(arguments, match):
    with pytest.raises(InputError, match=match):
        wasserstein(*arguments)


def test_a_matching_of_unequal_sizes_is_refused():
    with pytest.raises(InputError, match="a, b: 1 and 2 eigenvalues; a matching needs equal"):
        matching([1], [1, 2])


@pytest.mark.parametrize("scale", [1.0, 1e-200])
def test_distances_of_swapped_spectra_are_those_of_the_spectra_that_come_of_it(scale):
    rng = np.random.default_rng(0)
    a, b = scale * (rng.normal(size=(2, 6)) + 1j * rng.normal(size=(2, 6)))
    swaps = rng.random((20, 6)) < 0.5
    expected = [wasserstein(np.where(s, b, a), np.where(s, a, b)) for s in swaps]
    np.testing.assert_allclose(swapped(a, b, swaps), expected, rtol=1e-12)
