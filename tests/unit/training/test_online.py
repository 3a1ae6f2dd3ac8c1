"""Online optimisers: published eigenvalues, boxes, grids and the change of variables."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from koopscope.compare.transport import wasserstein
from koopscope.config.setup import LOSSES, OnlineSetup
from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.training.online import FUNCTIONS, loss, run, starts, trajectories

# Published with "Identifying Equivalent Training Dynamics" (Redman et al., NeurIPS 2024), to five
# decimals, for T = 100, d = 2, η = 0.01, 25 initial points, 4 delays, full rank.
PUBLISHED = {
    "omd": [0.55814, 0.56513, 0.79254, 0.80117, 0.92458]
    + [0.93197, 0.97988, 0.98379, 0.99644, 0.99790],
    "ogd": [0.55551, 0.57102, 0.79991, 0.81756, 0.93482]
    + [0.94882, 0.98665, 0.99368, 0.99856, 1.00048],
}
# Bisection's data are rank deficient; these five of its published ones are no rounding noise.
TRUSTED = [
    -0.20703 + 0.23192j,
    -0.20703 - 0.23192j,
    0.17922 + 0.46644j,
    0.17922 - 0.46644j,
    0.43982,
]
OMD_OGD = 0.0080732
# At the numerical rank; the published 0.75345 and 0.74602 contain rounding noise.
OGD_BISECTION, OMD_BISECTION = 0.75157, 0.74465


@pytest.fixture(scope="module")
def spectra():
    methods = ("omd", "ogd", "bisection")
    return {m: fit(list(run(OnlineSetup(m), 0)[0]), delays=4) for m in methods}


def gap(found, expected):
    costs = np.abs(np.asarray(found)[:, None] - np.asarray(expected)[None])
    rows, columns = linear_sum_assignment(costs)
    return costs[rows, columns].max()


@pytest.mark.parametrize("method", PUBLISHED)
def test_the_ten_published_eigenvalues_are_found(spectra, method):
    found = spectra[method].eigenvalues
    assert len(found) == 10
    assert gap(found, PUBLISHED[method]) < 1e-5


def test_bisections_trusted_eigenvalues_are_found_and_one_is_1(spectra):
    found = spectra["bisection"].eigenvalues
    assert gap(found, TRUSTED) < 1e-5
    assert len(found) < 10
    assert gap(found, [1]) < 1e-5


def test_the_data_are_too_ill_conditioned_for_inner_products(spectra):
    assert spectra["omd"].condition_number > 1 / np.sqrt(1000 * np.finfo(float).eps)
    assert fit(list(run(OnlineSetup("omd"), 0)[0][::6]), delays=4, solver="gram").rank < 10


def test_distances_are_those_at_the_numerical_rank(spectra):
    omd, ogd = spectra["omd"], spectra["ogd"]
    assert wasserstein(omd, ogd) == pytest.approx(OMD_OGD, abs=1e-5)
    kept = spectra["bisection"].eigenvalues
    filled = np.concatenate([kept, np.zeros(10 - len(kept))])
    assert wasserstein(ogd, filled) == pytest.approx(OGD_BISECTION, abs=1e-4)
    assert wasserstein(omd, filled) == pytest.approx(OMD_BISECTION, abs=1e-4)


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [("omd", 0.1, 0.9), ("ogd", -2.3, -0.1), ("bisection", -25 / 42, 17 / 42)],
)
def test_runs_start_on_the_papers_grid(method, low, high):
    states, _ = run(OnlineSetup(method), 0)
    assert states.shape == (25, 100, 2)
    first = {tuple(point) for point in states[:, 0].round(12)}
    axis = np.linspace(low, high, 5).round(12)
    assert first == {(a, b) for a in axis for b in axis}


@pytest.mark.parametrize("method", ["omd", "ogd"])
def test_no_state_leaves_the_box_and_its_floor_is_reached_and_kept(method):
    # Large steps: every run hits the floor.
    setup = OnlineSetup(method, step_size=2.0, states=60)
    states, losses = run(setup, 0)
    x = np.exp(states) if method == "ogd" else states
    assert x.min() == pytest.approx(1 / 60, rel=1e-12)
    assert x.max() <= 1
    np.testing.assert_allclose(x[:, -1], 1 / 60)
    np.testing.assert_allclose(losses, np.tan(x).sum(axis=2))


def test_one_step_of_each_method_is_the_one_by_hand():
    x = run(OnlineSetup("omd"), 0)[0]
    before, after = x[:, 0], x[:, 1]
    np.testing.assert_allclose(-1 / after, -1 / before - 0.01 / np.cos(before) ** 2)
    u = run(OnlineSetup("ogd"), 0)[0]
    step = 1e-6
    slope = (np.tan(np.exp(u[:, 0] + step)) - np.tan(np.exp(u[:, 0] - step))) / (2 * step)
    np.testing.assert_allclose(u[:, 1], u[:, 0] - 0.01 * slope, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_mirror_descent_is_gradient_descent_in_the_other_variable_for_small_steps(name):
    # d(log x)/dt = -x g'(x) for both: one flow, that each follows but for the order of the step.
    slope = FUNCTIONS[name][1]
    gaps = []
    for halves in (1, 2):
        setup = {"step_size": 1e-4 / halves, "states": 199 * halves + 1, "initial_points": "random"}
        omd, ogd = (OnlineSetup(m, name, dimension=3, **setup) for m in ("omd", "ogd"))
        x, u = run(omd, 0)[0], run(ogd, 0)[0]
        flow = -x * slope(x)
        gaps.append(np.abs(np.diff(np.log(x), axis=1) / omd.step_size - flow[:, :-1]).max())
        flow = -np.exp(u) * slope(np.exp(u))
        np.testing.assert_allclose(np.diff(u, axis=1) / ogd.step_size, flow[:, :-1], rtol=1e-9)
    assert gaps[0] < 1e-3
    assert gaps[1] == pytest.approx(gaps[0] / 2, rel=0.05)


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_are_those_of_the_losses(name):
    g, slope = FUNCTIONS[name]
    x, step = np.linspace(-1.3, 1.2, 60), 1e-6
    np.testing.assert_allclose(slope(x), (g(x + step) - g(x - step)) / (2 * step), rtol=1e-6)
    assert g(np.zeros(1)) == 0
    assert (slope(x) > 0).all()


def test_with_the_linear_loss_mirror_descent_adds_the_step_to_1_over_x_and_ogd_a_little_more():
    omd, ogd = (run(OnlineSetup(m, loss="linear", states=1000), 0)[0] for m in ("omd", "ogd"))
    time = 0.01 * np.arange(1000)[:, None]
    np.testing.assert_allclose(1 / omd, 1 / omd[:, :1] + time, rtol=1e-12)
    # u - η x in 1/x is a factor exp(η x), whose second order is what the methods differ by.
    inverse = np.exp(-ogd)
    ahead = np.diff(inverse, axis=1) - 0.01
    np.testing.assert_allclose(ahead, 0.01**2 / 2 / inverse[:, :-1], rtol=0.01)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("name", LOSSES)
def test_bisection_halves_its_bracket_around_a_root(name, dimension):
    setup = OnlineSetup(
        "bisection", name, dimension, initial_points="random", initialisations=30, states=60
    )
    states, losses = run(setup, 0)
    moves = np.abs(np.diff(states, axis=1)).max(axis=2)
    # Both ends move at once along one line, so each step is half of the one before.
    np.testing.assert_allclose(moves[:, 1:20], moves[:, :19] / 2, rtol=1e-6)
    np.testing.assert_allclose(losses[:, -1], 0, atol=1e-12)


def test_random_starts_differ_by_seed_fill_the_box_and_repeat():
    setup = OnlineSetup("omd", initial_points="random", seeds=(1, 2), initialisations=400)
    unit = starts(setup, 1)
    assert unit.shape == (400, 2)
    assert 0 <= unit.min() < 0.02
    assert 0.98 < unit.max() < 1
    np.testing.assert_array_equal(unit, starts(setup, 1))
    assert not np.isin(unit, starts(setup, 2)).any()


def test_trajectories_have_the_form_of_networks_in_double_precision():
    setup = OnlineSetup(
        "ogd", "sinh", initial_points="random", seeds=(4, 2), initialisations=3, states=20
    )
    found = trajectories(setup)
    assert found["weights"].dims == ("seed", "init", "step", "weight")
    assert found["weights"].dtype == np.float64
    assert found["seed"].values.tolist() == [4, 2]
    assert (found["diverged_at"] == -1).all()
    states, losses = run(setup, 2)
    np.testing.assert_array_equal(found["weights"].sel(seed=2), states)
    np.testing.assert_array_equal(found["loss"].sel(seed=2), losses)
    np.testing.assert_allclose(losses, loss(np.exp(states), "sinh"))


@pytest.mark.parametrize(
    ("method", "observable", "change"), [("omd", "log", np.log), ("ogd", "exp", np.exp)]
)
def test_the_other_coordinates_are_the_same_runs(method, observable, change):
    own, other = (OnlineSetup(method, observable=o) for o in ("state", observable))
    (states, losses), (changed, same_losses) = run(own, 0), run(other, 0)
    np.testing.assert_array_equal(changed, change(states))
    np.testing.assert_array_equal(same_losses, losses)
    assert own.id != other.id


def test_an_observable_that_a_method_lacks_is_refused():
    with pytest.raises(InputError, match="observable: unknown 'log'; give one of state, exp"):
        OnlineSetup("ogd", observable="log")
