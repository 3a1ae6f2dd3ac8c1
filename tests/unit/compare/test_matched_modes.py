"""Modes of several seeds, and what moved, with numbers by hand."""

import numpy as np
import pytest

from koopscope.compare.barycentre import matched_modes
from koopscope.compare.modes import moved_most, padded

NAN = np.nan


def test_modes_are_matched_across_seeds_whatever_their_order():
    found = matched_modes(np.array([[1, 0.5], [0.52, 0.98], [0.99, 0.48]], complex))
    assert sorted([sorted(mode.real) for mode in found]) == [[0.48, 0.5, 0.52], [0.98, 0.99, 1]]


def test_there_are_as_many_modes_as_the_longest_spectrum_has():
    found = matched_modes(np.array([[1, NAN, NAN], [0.2, 1, 0.6], [NAN, NAN, NAN]], complex))
    assert sorted([len(mode) for mode in found]) == [1, 1, 2]
    assert matched_modes(np.full((3, 2), NAN, complex)) == []
    assert matched_modes(np.empty((0, 2), complex)) == []


def test_the_start_is_the_seed_nearest_to_all_others_and_then_means_decide():
    # From the outlier alone 0.4 would be its first mode's; the nearest to all has 0 and 1.
    rows = np.array([[0, 1], [0.1, 1.1], [0.4, 2.2]], complex)
    found = sorted(matched_modes(rows), key=lambda mode: mode.mean().real)
    np.testing.assert_allclose(found[0], [0, 0.1, 0.4])
    np.testing.assert_allclose(found[1], [1, 1.1, 2.2])


def test_moves_are_the_distance_of_means_beside_the_spread_of_seeds():
    first = [np.array([0.9, 0.2]), np.array([0.94, 0.2])]
    second = [np.array([0.8, 0.21]), np.array([0.8, 0.21]), np.array([0.77, 0.21])]
    found = moved_most(first, second)
    assert [len(moved_most(first, second, most=k)) for k in (1, 2, 3)] == [1, 2, 2]
    assert found[0].distance == pytest.approx(0.92 - 0.79)
    # Two seeds 0.02 off their mean, two 0.01 and one 0.02 off theirs.
    assert found[0].spread == pytest.approx((0.02 + 0.02 + 0.01 + 0.01 + 0.02) / 5)
    assert found[1].distance == pytest.approx(0.01)
    assert found[1].spread == pytest.approx(0, abs=1e-12)


def test_times_are_medians_with_the_least_and_the_greatest_in_steps():
    values = [0.5, 0.8, 0.9]
    (found,) = moved_most([[v] for v in values], [[0.1]], spacing=4)
    expected = -4 / np.log(values)
    np.testing.assert_allclose(found.first.time_constant, [expected[1], expected[0], expected[2]])
    assert found.first.eigenvalue == pytest.approx(np.mean(values))
    assert found.second.time_constant == (pytest.approx(-4 / np.log(0.1)),) * 3
    (edge,) = moved_most([[1.0]], [[-0.5]])
    assert edge.first.time_constant == (np.inf,) * 3 and edge.first.period == (np.inf,) * 3
    # A negative eigenvalue alternates: two steps a period.
    assert edge.second.period == (pytest.approx(2),) * 3


def test_of_a_pair_the_upper_one_stands_with_its_period():
    turning = 0.9 * np.exp(0.5j)
    (found,) = moved_most([[turning, turning.conjugate()]] * 2, [[0.8j, -0.8j]] * 2, spacing=3)
    assert found.first.eigenvalue == pytest.approx(turning)
    assert found.second.eigenvalue == pytest.approx(0.8j)
    np.testing.assert_allclose(found.first.period, 3 * 2 * np.pi / 0.5)
    np.testing.assert_allclose(found.second.period, 3 * 4)
    said = found.to_dict()
    assert said["first"]["imag"] == pytest.approx(turning.imag)
    assert said["second"]["real"] == pytest.approx(0, abs=1e-12)
    assert "eigenvalue" not in said["first"]


def test_padding_fills_up_to_the_longest():
    rows = padded([np.array([1]), np.array([2, 3, 4j]), np.array([])])
    assert rows.shape == (3, 3)
    assert rows[1].tolist() == [2, 3, 4j] and rows[0, 0] == 1
    assert np.isnan(rows[0, 1:]).all() and np.isnan(rows[2]).all()
    assert padded([]).shape == (0, 0)
