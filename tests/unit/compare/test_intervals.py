"""Means over seeds and their intervals, as SciPy gives them where it can."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from koopscope.compare.intervals import mean_interval


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9, unique=True))
def test_intervals_are_those_of_scipy(values):
    mean, low, high = mean_interval(np.array([*values, np.nan]))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([mean, low, high], [np.mean(values), *expected], atol=1e-9)


def test_one_value_has_a_mean_and_no_interval():
    mean, low, high = mean_interval(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    np.testing.assert_array_equal(mean, [1, np.nan])
    assert np.isnan(low).all() and np.isnan(high).all()
