"""What holds for the distances between any spectra of a study, by each metric."""

from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from koopscope.compare import transport
from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.transport import distance_matrix, wasserstein

MODEST = settings(max_examples=40, deadline=None)
LARGEST = 6
POINTS = st.complex_numbers(max_magnitude=10, allow_nan=False, allow_infinity=False)
WEIGHTS = st.floats(0, 5)
ALL = pytest.mark.parametrize("name", METRICS)


class Spectra(NamedTuple):
    """Eigenvalues, residuals and amplitudes of some samples."""

    eigenvalues: list[np.ndarray]
    residuals: list[np.ndarray]
    amplitudes: list[np.ndarray]

    def by(self, name):
        return metric_matrix(name, *self)

    def each(self, change):
        return Spectra(*([change(i, x) for i, x in enumerate(column)] for column in self))


@st.composite
def spectra(draw, smallest=0, count=5):
    """Samples as a study holds them, padded with NaN, then stripped as it does."""
    padded = np.full((3, count, LARGEST), np.nan, dtype=complex)
    for i in range(count):
        size = draw(st.integers(smallest, LARGEST))
        for column, numbers in zip(padded, (POINTS, WEIGHTS, WEIGHTS), strict=True):
            column[i, :size] = draw(st.lists(numbers, min_size=size, max_size=size))
    kept = np.isfinite(padded[0])
    eigenvalues = [row[keep] for row, keep in zip(padded[0], kept, strict=True)]
    return Spectra(
        eigenvalues,
        *([row[keep].real for row, keep in zip(x, kept, strict=True)] for x in padded[1:]),
    )


@contextmanager
def block(size):
    before, transport.BLOCK = transport.BLOCK, size
    try:
        yield
    finally:
        transport.BLOCK = before


def one_by_one(eigenvalues):
    """The matrix by a plain double loop over SciPy's matching, and over pairs of unlike sizes."""
    n = len(eigenvalues)
    found = np.zeros((n, n))
    planes = [np.column_stack([x.real, x.imag]) for x in eigenvalues]
    for i in range(n):
        for j in range(i):
            a, b = planes[i], planes[j]
            if len(a) == 0 or len(b) == 0:
                distance = np.nan
            elif len(a) == len(b):
                costs = cdist(a, b)
                distance = costs[linear_sum_assignment(costs)].mean()
            else:
                distance = wasserstein(eigenvalues[i], eigenvalues[j])
            found[i, j] = found[j, i] = distance
    return found


@settings(max_examples=150, deadline=None)
@given(spectra(count=7), st.sampled_from([1, 40, 10**6]))
def test_blocks_give_the_numbers_of_a_plain_loop_to_the_last_bit(samples, size):
    with block(size):
        found = distance_matrix(samples.eigenvalues)
    np.testing.assert_array_equal(found, one_by_one(samples.eigenvalues))


@ALL
@MODEST
@given(spectra())
def test_a_matrix_is_symmetric_with_a_zero_diagonal_and_nan_only_beside_empty_spectra(
    name, samples
):
    found = samples.by(name)
    np.testing.assert_array_equal(found, found.T)
    empty = np.array([len(x) == 0 for x in samples.eigenvalues])
    unknown = (empty[:, None] | empty) & ~np.eye(len(empty), dtype=bool)
    np.testing.assert_array_equal(np.isnan(found), unknown)
    assert (found[~unknown] >= 0).all()
    assert not found.diagonal().any()


@ALL
@MODEST
@given(spectra(smallest=1))
def test_no_way_round_is_shorter(name, samples):
    found = samples.by(name)
    detours = found[:, :, None] + found[None, :, :]
    assert (found[:, None, :] <= detours + 1e-9).all()


@ALL
@MODEST
@given(spectra(smallest=1), st.randoms(use_true_random=False))
def test_the_order_of_the_eigenvalues_does_not_matter(name, samples, random):
    orders = [random.sample(range(len(x)), len(x)) for x in samples.eigenvalues]
    shuffled = samples.each(lambda i, x: x[orders[i]])
    np.testing.assert_allclose(shuffled.by(name), samples.by(name), rtol=1e-9, atol=1e-9)
    both = Spectra(*(a + b for a, b in zip(samples, shuffled, strict=True)))
    count = len(samples.eigenvalues)
    assert both.by(name)[np.arange(count), np.arange(count) + count] == pytest.approx(0, abs=1e-9)


@ALL
@MODEST
@given(spectra())
def test_conjugating_all_spectra_changes_nothing(name, samples):
    found = metric_matrix(name, [x.conj() for x in samples.eigenvalues], *samples[1:])
    np.testing.assert_allclose(found, samples.by(name), rtol=1e-9, atol=1e-9)


@ALL
@MODEST
@given(spectra(), st.permutations(range(5)))
def test_the_order_of_the_samples_orders_the_matrix(name, samples, order):
    found = Spectra(*([column[i] for i in order] for column in samples)).by(name)
    expected = samples.by(name)[np.ix_(order, order)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@MODEST
@given(spectra(smallest=1))
def test_no_transport_is_longer_than_the_farthest_pair_nor_hausdorff(samples):
    farthest = np.array(
        [[abs(a[:, None] - b).max() for b in samples.eigenvalues] for a in samples.eigenvalues]
    )
    for name in METRICS:
        assert (samples.by(name) <= farthest + 1e-9).all()


@pytest.mark.parametrize("unknown", [0.0, np.nan])
@pytest.mark.parametrize("name", ["residual_weighted", "amplitude_weighted"])
@MODEST
@given(spectra())
def test_weights_that_say_nothing_leave_equal_masses(name, unknown, samples):
    constant = [np.full(len(x), unknown) for x in samples.eigenvalues]
    found = metric_matrix(name, samples.eigenvalues, constant, constant)
    expected = distance_matrix(samples.eigenvalues)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@MODEST
@given(spectra(smallest=1), st.floats(1e-3, 1e3))
def test_the_unit_of_the_amplitudes_does_not_matter(samples, unit):
    assume(all(a.sum() == 0 or a.max() > 1e-100 for a in samples.amplitudes))
    scaled = samples._replace(amplitudes=[unit * a for a in samples.amplitudes])
    name = "amplitude_weighted"
    np.testing.assert_allclose(scaled.by(name), samples.by(name), rtol=1e-9, atol=1e-9)
