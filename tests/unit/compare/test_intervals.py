"""Means over seeds and their intervals, as SciPy gives them where it can."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from koopscope.compare.intervals import (
    bounds,
    expanded_tails,
    finite_mean,
    half_width,
    mean_interval,
    multiplicities,
    percentile_interval,
    places,
)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9, unique=True))
def test_intervals_are_those_of_scipy(values):
    mean, low, high = mean_interval(np.array([*values, np.nan]))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([mean, low, high], [np.mean(values), *expected], atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1])
def test_each_row_or_column_has_its_own_interval(axis):
    values = np.random.default_rng(1).normal(size=(4, 6))
    values[2, 3] = np.nan
    found = np.stack(mean_interval(values, axis))
    for i, one in enumerate(np.moveaxis(values, axis, 0).T):
        one = one[np.isfinite(one)]
        expected = stats.ttest_1samp(one, 0).confidence_interval(0.95)
        np.testing.assert_allclose(found[:, i], [one.mean(), *expected])


def test_one_value_has_a_mean_and_no_interval():
    mean, low, high = mean_interval(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    np.testing.assert_array_equal(mean, [1, np.nan])
    assert np.isnan(low).all() and np.isnan(high).all()


# Student's t as the tables give it: 12.706 of 1, 4.303 of 2, 2.306 of 8, 2.262 of 9, 2.069 of 23.
@pytest.mark.parametrize(
    ("counts", "t"),
    [((2,), 12.706), ((2, 2), 4.303), ((5, 5), 2.306), ((10,), 2.262), ((5, 20), 2.069)],
)
def test_an_interval_reaches_as_far_as_a_table_of_t_says_for_the_smallest_group(counts, t):
    least = min(counts)
    assert half_width(*counts) == pytest.approx(t * np.sqrt(least / (least - 1)), rel=3e-4)


def test_many_seeds_have_plain_percentiles_of_a_95_percent_interval():
    np.testing.assert_allclose(expanded_tails(10**7), [0.025, 0.975], atol=1e-6)
    # Hesterberg's table of ten: 0.0086 at each end.
    np.testing.assert_allclose(expanded_tails(10), [0.0086, 0.9914], atol=5e-5)


def test_a_percentile_interval_cuts_those_shares_off_both_ends():
    ramp = np.linspace(0, 1, 2001)
    np.testing.assert_allclose(percentile_interval(ramp, 10), expanded_tails(10))
    np.testing.assert_allclose(percentile_interval(ramp, 5, 7), expanded_tails(5, 7))
    with_unknown = np.concatenate([ramp, np.full(99, np.nan)])
    assert percentile_interval(with_unknown, 10) == percentile_interval(ramp, 10)
    few = percentile_interval(np.array([1.0, 2.0, np.inf]), 10, method="nearest")
    assert few == (1, np.inf)
    assert np.isnan(percentile_interval(np.array([np.nan]), 10)).all()


def test_a_group_of_one_has_no_interval_since_its_resamples_are_all_the_same():
    assert np.isnan(percentile_interval(np.ones(9), 4, 1)).all()
    mean, low, high = bounds(np.full(9, 2.0), 1)
    assert mean == 2
    assert np.isnan([low, high]).all()


def test_bounds_are_the_first_draw_and_the_interval_of_the_others():
    ramp = np.concatenate([[7.0], np.linspace(0, 1, 2001)])
    gaps = np.where(np.arange(len(ramp)) == 5, np.nan, ramp)
    found = bounds(np.stack([ramp, gaps, np.full(len(ramp), np.nan)]), 10)
    low, high = expanded_tails(10)
    np.testing.assert_allclose(found[0], [7, low, high])
    np.testing.assert_allclose(found[1], [7, low, high], atol=1e-3)
    assert np.isnan(found[2]).all()


def test_a_finite_mean_leaves_out_what_is_not():
    values = np.array([[1.0, 3.0, np.nan, np.inf], [np.nan] * 4])
    np.testing.assert_array_equal(finite_mean(values), [2, np.nan])
    np.testing.assert_array_equal(finite_mean(values[:, :2].T, axis=0), [2, np.nan])


def test_each_resample_draws_as_many_as_there_are_each_alike_likely():
    first, second = multiplicities((4, 7), 20_000, 3)
    assert first.shape == (20_000, 4) and second.shape == (20_000, 7)
    assert (first.sum(axis=1) == 4).all() and (second.sum(axis=1) == 7).all()
    # Of n draws among n the number of each is binomial, with mean 1 and variance 1 - 1/n.
    for drawn, n in ((first, 4), (second, 7)):
        np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.03)
        np.testing.assert_allclose(drawn.var(axis=0), 1 - 1 / n, atol=0.05)
    assert not np.array_equal(first, multiplicities((4,), 20_000, 4)[0])


def test_places_are_each_once_and_then_drawn_with_replacement():
    drawn = places(6, 20_000, 3)
    assert drawn.shape == (20_001, 6)
    assert drawn[0].tolist() == [0, 1, 2, 3, 4, 5]
    counts = (drawn[1:, :, None] == np.arange(6)).sum(axis=1)
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(counts.var(axis=0), 1 - 1 / 6, atol=0.05)
