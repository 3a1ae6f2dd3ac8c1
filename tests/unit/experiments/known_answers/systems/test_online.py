"""Mirror descent in its own and in the dual variable, and how far gradient descent is from it."""

import numpy as np
import pytest

from koopscope.experiments.known_answers.names import BENT_LOSSES, LOSSES, MIRROR_MAPS
from koopscope.experiments.known_answers.systems import online
from koopscope.training.online import FUNCTIONS

SEEDS = (0, 1, 2)
STEP = 0.01


@pytest.mark.parametrize("name", LOSSES)
def test_mirror_descent_with_the_log_barrier_is_the_librarys(name):
    ours = online.mirror_descent(SEEDS, "barrier", name)
    library = online.recorded(SEEDS, "omd", name)
    np.testing.assert_allclose(ours["weights"], library["weights"], rtol=1e-12)
    np.testing.assert_allclose(ours["loss"], library["loss"], rtol=1e-12)


@pytest.mark.parametrize("name", BENT_LOSSES)
@pytest.mark.parametrize("mirror", MIRROR_MAPS)
def test_the_dual_variable_takes_gradient_steps_and_shows_the_same_runs(mirror, name):
    to_dual, to_primal = online.GRADIENTS[mirror]
    primal = online.mirror_descent(SEEDS, mirror, name)
    dual = online.mirror_descent(SEEDS, mirror, name, dual=True)
    np.testing.assert_allclose(to_dual(primal["weights"].values), dual["weights"], rtol=1e-13)
    np.testing.assert_array_equal(primal["loss"], dual["loss"])
    x = primal["weights"].values
    steps = np.diff(dual["weights"], axis=2)
    np.testing.assert_allclose(steps, -STEP * FUNCTIONS[name][1](x[:, :, :-1]), rtol=1e-9)
    np.testing.assert_allclose(to_primal(to_dual(x)), x, rtol=1e-14)
    # Inside the box that the projection is onto, so there is nothing to project.
    assert 1 / x.shape[2] < x.min() and x.max() < 1


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_descent_is_mirror_descent_to_half_the_squares_of_its_steps(name):
    u = online.gradient_descent(SEEDS, name)["weights"].values
    log_x = online.recorded(SEEDS, "omd", name, observable="log")["weights"].values
    np.testing.assert_allclose(u[:, :, 0], log_x[:, :, 0], rtol=1e-14)
    x = np.exp(u)
    steps = np.diff(u, axis=2)
    np.testing.assert_allclose(steps, (-STEP * FUNCTIONS[name][1](x) * x)[:, :, :-1], rtol=1e-9)
    # Both steps move less where x is smaller, so what one is ahead by is never added to.
    ahead = log_x - u
    assert (ahead[:, :, 1:] > 0).all()
    assert (ahead[:, :, 1:] <= (steps**2 / 2).cumsum(axis=2)).all()
    assert ahead.max() < 2 * STEP


def test_bisections_loss_is_its_distance_from_the_root_down_to_rounding():
    losses = online.recorded(SEEDS, "bisection", "tan")["loss"].values
    assert losses.min() == np.finfo(float).eps
    assert np.median(losses[:, :, -1]) < 1e-15 < 1e-3 < losses[:, :, 0].max()


def test_other_starts_are_lower_and_equal_starts_are_not():
    omd = online.recorded(range(20), "omd", "tan")["loss"].values[:, :, 0].mean()
    equal = online.gradient_descent(range(20, 40), "tan")["loss"].values[:, :, 0].mean()
    other = online.recorded(range(20, 40), "ogd", "tan")["loss"].values[:, :, 0].mean()
    assert equal == pytest.approx(omd, rel=0.05)
    assert other < 0.8 * omd
