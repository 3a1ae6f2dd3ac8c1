"""Exact symmetries of optimisers on quadratics, and spectra that are known beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from koopscope.experiments.known_answers.systems import quadratics
from koopscope.experiments.known_answers.systems.pools import orthogonal
from koopscope.koopman.fitting import fit

SEEDS = (0, 1, 2)
SIZE = len(quadratics.CURVATURES)


def gap(found, expected):
    """Largest distance of the best one-to-one matching."""
    costs = np.abs(np.asarray(found)[:, None] - np.asarray(expected)[None])
    assert costs.shape[0] == costs.shape[1]
    return costs[linear_sum_assignment(costs)].max()


def companion(curvature, rate, momentum):
    return np.array([[1 + momentum - rate * curvature, -momentum], [1, 0]])


@pytest.mark.parametrize("momentum", [0.5, 0.8, 0.9])
def test_eigenvalues_are_those_of_the_map_of_two_states(momentum):
    for curvature in (0.05, 1.0, 4.0, 18.0):
        expected = np.linalg.eigvals(companion(curvature, 0.1, momentum))
        assert gap(quadratics.eigenvalues([curvature], 0.1, momentum), expected) < 1e-12
    assert quadratics.eigenvalues([1.0, 18.0]).tolist() == pytest.approx([0.9, -0.8])


@pytest.mark.parametrize("coordinates", ["raw", "standardised", f"whitened:{SIZE}"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"rate": 0.2},
        {"curvatures": quadratics.SHARP},
        {"momentum": 0.9},
        {"momentum": 0.8},
    ],
    ids=str,
)
def test_known_spectra_are_found_in_every_coordinate_without_noise(how, coordinates):
    curvatures = how.get("curvatures", quadratics.CURVATURES)
    turn = orthogonal(3, SIZE)
    settings = {key: value for key, value in how.items() if key != "curvatures"}
    runs = quadratics.descended(
        np.random.default_rng(0).normal(size=(25, SIZE)),
        np.zeros((25, 30, SIZE)),
        turn * np.array(curvatures) @ turn.T,
        **settings,
    )
    expected = quadratics.eigenvalues(curvatures, **settings)
    delays = 1 if "momentum" in how else 0
    if coordinates != "raw":
        # Off the fixed point, what is linear is affine: one delay more, and the eigenvalue 1.
        expected, delays = np.append(expected, 1), delays + 1
    found = fit(list(runs), delays, rank=len(expected), solver="full", coordinates=coordinates)
    assert gap(found.eigenvalues, expected) < 1e-8


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.9]))
def test_a_rotation_carries_runs_to_runs_with_the_same_loss(seed, momentum):
    rng = np.random.default_rng(seed)
    starts, noise = rng.normal(size=(3, SIZE)), 0.1 * rng.normal(size=(3, 40, SIZE))
    hessian, turn = np.diag(quadratics.CURVATURES), orthogonal(seed, SIZE)
    turned_hessian = turn @ hessian @ turn.T
    runs = quadratics.descended(starts, noise, hessian, momentum=momentum)
    turned = quadratics.descended(
        starts @ turn.T, noise @ turn.T, turned_hessian, momentum=momentum
    )
    np.testing.assert_allclose(turned @ turn, runs, atol=1e-12)
    np.testing.assert_allclose(
        quadratics.energy(turned, turned_hessian), quadratics.energy(runs, hessian), atol=1e-11
    )


def test_heavy_ball_adds_momentum_times_the_last_step():
    runs = quadratics.descended(
        np.array([[1.0]]), np.full((1, 4, 1), 0.5), np.array([[2.0]]), momentum=0.9
    )
    x = [1.0, 1 - 0.1 * 2.5]
    for _ in range(2):
        x.append(x[-1] - 0.1 * (2 * x[-1] + 0.5) + 0.9 * (x[-1] - x[-2]))
    np.testing.assert_allclose(runs[0, :, 0], x, rtol=1e-14)


def test_penalty_and_decoupled_decay_are_one_step_without_momentum_alone():
    how = {"penalty": {"penalty": quadratics.DECAY}, "decay": {"decay": quadratics.DECAY}}
    penalty, decay = (quadratics.descent(SEEDS, **of) for of in how.values())
    np.testing.assert_allclose(penalty["weights"], decay["weights"], atol=1e-12)
    np.testing.assert_allclose(penalty["loss"], decay["loss"], atol=1e-12)
    plain = quadratics.descent(SEEDS)
    assert np.abs(plain["weights"] - decay["weights"]).max() > 0.1


def test_ten_times_the_loss_at_a_tenth_of_the_rate_gives_the_same_weights():
    plain = quadratics.descent(SEEDS)
    scaled = quadratics.descent(SEEDS, factor=10.0, rate=quadratics.RATE / 10)
    np.testing.assert_allclose(scaled["weights"], plain["weights"], atol=1e-12)
    np.testing.assert_allclose(scaled["loss"], 10 * plain["loss"], rtol=1e-9)


def test_adam_sees_no_factor_of_the_loss_but_for_its_epsilon():
    plain, scaled = quadratics.adam(SEEDS), quadratics.adam(SEEDS, factor=10.0)
    gaps = np.abs(scaled["weights"] - plain["weights"]).values
    assert 0 < gaps.max() < 1e-5
    np.testing.assert_allclose(scaled["loss"], 10 * plain["loss"], rtol=1e-3)
    # Gradient descent at one rate would see it.
    assert (
        np.abs(quadratics.descent(SEEDS, factor=4.0) - quadratics.descent(SEEDS))["weights"].max()
        > 0.1
    )


def test_adams_steps_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    weights = quadratics.adam([5])["weights"].values[0, 0, :40]
    turn = orthogonal(0, SIZE)
    hessian = torch.tensor(turn * np.array(quadratics.CURVATURES) @ turn.T)
    draw = np.random.default_rng([5, quadratics.NOISE])
    noise = quadratics.GRADIENT_NOISE * draw.normal(size=(quadratics.STATES, SIZE))
    x = torch.nn.Parameter(torch.tensor(weights[0]))
    optimizer = torch.optim.Adam([x], lr=quadratics.ADAM_RATE)
    for step in range(1, len(weights)):
        x.grad = hessian @ x.detach() + torch.tensor(noise[step - 1])
        optimizer.step()
        np.testing.assert_allclose(x.detach().numpy(), weights[step], atol=1e-12)
