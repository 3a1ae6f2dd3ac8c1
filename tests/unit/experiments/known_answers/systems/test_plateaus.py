"""A plateau that is just a minimum catches runs; one that is just none lets them pass."""

import numpy as np
import pytest

from koopscope.experiments.known_answers.systems import plateaus

SEEDS = tuple(range(10))


@pytest.mark.parametrize("offset", [-1e-3, 2e-4])
def test_a_step_descends_the_potential(offset):
    x, size = np.linspace(-0.9, 1.1, 41), 1e-5
    slope = (plateaus.potential(x + size, offset) - plateaus.potential(x - size, offset)) / (
        2 * size
    )
    np.testing.assert_allclose(plateaus.stepped(x, offset), x - plateaus.RATE * slope, atol=1e-9)
    assert plateaus.potential(0.0, offset) == pytest.approx(plateaus.LEAST_LOSS + 1 / 12)
    least = plateaus.potential(np.linspace(-3, 3, 601), offset).min()
    assert least == pytest.approx(plateaus.LEAST_LOSS - offset / 2, rel=1e-3)


def test_below_0_there_is_a_fixed_point_of_the_known_slope_and_above_0_there_is_none():
    x = np.linspace(-0.8, 0.8, 1601)
    assert (plateaus.stepped(x, plateaus.PASSING) > x).all()
    root = -np.sqrt(plateaus.PASSED)
    assert plateaus.stepped(root, -plateaus.PASSED) == pytest.approx(root, rel=1e-12)
    size = 1e-6
    slope = np.diff(plateaus.stepped(root + np.array([-size, size]), -plateaus.PASSED)) / (2 * size)
    assert slope == pytest.approx(1 + 2 * plateaus.RATE * root * (1 - root), rel=1e-6)


def test_runs_are_caught_or_pass_in_the_time_of_the_normal_form_or_are_still_passing():
    caught = plateaus.plateau(SEEDS, -plateaus.PASSED)["weights"].values
    np.testing.assert_allclose(caught[..., -1, :], -np.sqrt(plateaus.PASSED), atol=0.01)
    passed = plateaus.plateau(SEEDS, plateaus.PASSED)["weights"].values
    np.testing.assert_allclose(passed[..., -1, :], 1, atol=0.01)
    took = (passed < 0.5).sum(axis=2)
    expected = np.pi / (plateaus.RATE * np.sqrt(plateaus.PASSED))
    assert took.mean() == pytest.approx(expected, rel=0.1)
    passing = plateaus.plateau(SEEDS, plateaus.PASSING)["weights"].values
    assert np.abs(passing[..., -1, :]).max() < 0.1
    still = plateaus.plateau(SEEDS, -plateaus.PASSING)["weights"].values
    assert (still[..., -1, :] < 0).all()


def test_another_variable_shows_the_same_runs():
    plain = plateaus.plateau(SEEDS)
    other = plateaus.plateau(SEEDS, variable=plateaus.exponential)
    np.testing.assert_allclose(np.log(other["weights"]) / 2, plain["weights"], atol=1e-14)
    np.testing.assert_array_equal(other["loss"], plain["loss"])
