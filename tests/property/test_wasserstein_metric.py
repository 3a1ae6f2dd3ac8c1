"""What makes the distance between spectra a metric, for any spectra."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from koopscope.compare.transport import matching, wasserstein
from koopscope.compare.verdict import swapped_pair_control

MODEST = settings(max_examples=60, deadline=None)
POINTS = st.complex_numbers(max_magnitude=10, allow_nan=False, allow_infinity=False)
WEIGHTS = st.integers(0, 8)


def spectra(size=None, largest=7):
    low, high = (1, largest) if size is None else (size, size)
    return st.lists(POINTS, min_size=low, max_size=high).map(np.array)


@st.composite
def of_one_size(draw, count):
    size = draw(st.integers(1, 7))
    return [draw(spectra(size)) for _ in range(count)]


@st.composite
def weighted(draw):
    points = draw(spectra())
    weights = draw(st.lists(WEIGHTS, min_size=len(points), max_size=len(points)))
    assume(sum(weights) > 0)
    return points, np.array(weights, float)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@MODEST
@given(spectra(), st.randoms(use_true_random=False))
def test_a_spectrum_has_no_distance_to_itself_in_any_order(a, random):
    shuffled = list(a)
    random.shuffle(shuffled)
    assert wasserstein(a, shuffled) == close(0)


@MODEST
@given(spectra(), spectra())
def test_it_is_symmetric_and_not_negative(a, b):
    assert wasserstein(a, b) == close(wasserstein(b, a))
    assert wasserstein(a, b) >= 0


@MODEST
@given(of_one_size(2))
def test_it_is_zero_for_no_two_unlike_spectra(pair):
    a, b = pair
    apart = min(max(abs(a - b[list(order)])) for order in permutations(range(len(a))))
    assert wasserstein(a, b) >= apart / len(a) - 1e-12


@MODEST
@given(spectra(), spectra(), spectra())
def test_the_triangle_inequality_holds_for_any_sizes(a, b, c):
    assert wasserstein(a, c) <= wasserstein(a, b) + wasserstein(b, c) + 1e-9


@MODEST
@given(weighted(), weighted(), weighted())
def test_the_triangle_inequality_holds_with_weights(a, b, c):
    def distance(x, y):
        return wasserstein(x[0], y[0], x[1], y[1])

    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9


@MODEST
@given(spectra(), spectra(), POINTS)
def test_moving_both_changes_nothing_and_moving_one_moves_as_far(a, b, by):
    assert wasserstein(a + by, b + by) == close(wasserstein(a, b))
    assert wasserstein(a, a + by) == close(abs(by))


@MODEST
@given(spectra(), spectra(), POINTS)
def test_scaling_and_turning_both_scales_the_distance(a, b, by):
    assert wasserstein(by * a, by * b) == pytest.approx(abs(by) * wasserstein(a, b), abs=1e-7)


@MODEST
@given(of_one_size(2))
def test_conjugating_both_changes_nothing(pair):
    a, b = pair
    assert wasserstein(a.conj(), b.conj()) == close(wasserstein(a, b))


@MODEST
@given(spectra(), spectra(), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(a, b, random):
    shuffled = list(b)
    random.shuffle(shuffled)
    assert wasserstein(a, shuffled) == close(wasserstein(a, b))


@MODEST
@given(spectra(largest=4), spectra(largest=4), st.integers(2, 3))
def test_repeating_every_eigenvalue_of_one_or_both_changes_nothing(a, b, times):
    assert wasserstein(np.tile(a, times), np.tile(b, times)) == close(wasserstein(a, b))
    assert wasserstein(np.tile(a, times), b) == close(wasserstein(a, b))


@MODEST
@given(weighted(), spectra())
def test_a_whole_weight_is_that_many_copies(a, b):
    points, weights = a
    copies = np.repeat(points, weights.astype(int))
    assert wasserstein(points, b, weights) == close(wasserstein(copies, b))


@MODEST
@given(of_one_size(2))
def test_no_matching_is_better_than_the_one_found(pair):
    a, b = pair
    found = np.abs(a - b[matching(a, b)]).mean()
    assert found == close(wasserstein(a, b))
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert found <= np.abs(a - rng.permutation(b)).mean() + 1e-12


@MODEST
@given(of_one_size(2), st.integers(0, 2**32))
def test_swapping_matched_pairs_never_raises_the_distance(pair, seed):
    a, b = pair
    b = b[matching(a, b)]
    swap = np.random.default_rng(seed).random(len(a)) < 0.5
    shuffled = wasserstein(np.where(swap, b, a), np.where(swap, a, b))
    assert shuffled <= wasserstein(a, b) + 1e-12


@settings(max_examples=20, deadline=None)
@given(of_one_size(2))
def test_the_swapped_pair_control_counts_only_ties(pair):
    # A single pair ties whichever way it stands; equal spectra always tie.
    a, b = pair
    assert 0 <= swapped_pair_control(a, b, shuffles=20) <= 1
    assert swapped_pair_control(a[:1], b[:1], shuffles=20) == 1
    assert swapped_pair_control(a, a, shuffles=20) == 1
