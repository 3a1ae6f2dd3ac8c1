import numpy as np
import pytest

from koopscope.compare.metrics import METRICS, hausdorff, metric_matrix, transported
from koopscope.compare.transport import distance_matrix
from koopscope.errors import InputError
from koopscope.koopman.trust import RESIDUAL_LIMIT

# 1 stays, 0.5 goes to 0.8.
SPECTRA = [np.array([1, 0.5]), np.array([1, 0.8])]
EQUAL = [np.ones(2), np.ones(2)]


def between(name, residuals=EQUAL, amplitudes=EQUAL):
    return metric_matrix(name, SPECTRA, residuals, amplitudes)[0, 1]


def test_the_metrics_are_these_and_the_first_is_the_verdicts():
    assert list(METRICS) == ["wasserstein", "residual_weighted", "amplitude_weighted", "hausdorff"]
    nothing = [np.full(2, np.nan)] * 2
    found = metric_matrix("wasserstein", SPECTRA, nothing, nothing)
    np.testing.assert_array_equal(found, distance_matrix(SPECTRA))


def test_an_eigenvalue_counts_half_at_the_scale_of_residuals_and_less_beyond():
    assert between("residual_weighted", [np.array([0, 0.1])] * 2) == pytest.approx(0.3 / 3)
    assert between("residual_weighted", [np.array([0, 0.3])] * 2) == pytest.approx(0.3 / 11)
    assert between("residual_weighted", [np.array([0, 1e200])] * 2) == pytest.approx(0, abs=1e-12)
    assert between("residual_weighted", [np.array([0, np.inf])] * 2) == pytest.approx(0, abs=1e-12)


def test_the_scale_of_residuals_is_the_limit_of_trust():
    assert between("residual_weighted", [np.array([0, RESIDUAL_LIMIT])] * 2) == pytest.approx(0.1)


def test_residuals_far_below_the_scale_leave_equal_masses():
    assert between("residual_weighted", [np.array([1e-9, 1e-4])] * 2) == pytest.approx(0.15, 1e-5)


def test_eigenvalues_count_as_the_size_of_their_amplitudes():
    assert between("amplitude_weighted", EQUAL, [np.array([3, 1])] * 2) == pytest.approx(0.3 / 4)
    turned = [np.array([3j, -1]), np.array([6, 2])]
    assert between("amplitude_weighted", EQUAL, turned) == pytest.approx(0.3 / 4)


def test_one_stray_eigenvalue_decides_hausdorff_and_repetition_does_not():
    spectra = [np.array([0, 1]), np.array([0, 1, 1, 9j]), np.array([0, 0, 1])]
    expected = [[0, np.hypot(9, 0), 0], [9, 0, 9], [0, 9, 0]]
    np.testing.assert_allclose(hausdorff(spectra), expected)


def test_only_a_spectrum_whose_own_weights_are_unknown_gets_equal_ones():
    mixed = [np.array([3, 1]), np.array([np.nan, 1])]
    # ¾ and ¼ against ½ and ½: ¼ of the mass goes from 1 to 0.8, ¼ from 0.5 to 0.8.
    assert between("amplitude_weighted", EQUAL, mixed) == pytest.approx((0.2 + 0.3) / 4)


def test_no_spectra_have_an_empty_matrix():
    for name in METRICS:
        assert metric_matrix(name, [], [], []).shape == (0, 0)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: between("energy"), "metric: unknown 'energy'; give one of wasserstein, residual_"),
        (
            lambda: between("residual_weighted", EQUAL[:1]),
            "residuals: 1 arrays; give one for each of 2",
        ),
        (
            lambda: between("amplitude_weighted", EQUAL, [np.ones(2), np.ones(3)]),
            r"amplitudes\[1\]: shape is \(3,\); give one for each of 2",
        ),
        (
            lambda: transported(SPECTRA, [np.ones(2), np.array([1, -1])]),
            r"weights\[1\]: give finite numbers, none negative",
        ),
        (
            lambda: hausdorff([SPECTRA[0], np.array([1, np.nan])]),
            r"spectra\[1\]: eigenvalue 1 is .*nan.*; leave out what is not finite",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, match):
    with pytest.raises(InputError, match=match):
        call()
