"""Linear networks in rotated bases are the same networks."""

import numpy as np
import pytest

from koopscope.experiments.known_answers.systems import linear_networks as linear
from koopscope.experiments.known_answers.systems.pools import orthogonal

SEEDS = (0, 1, 2)


def matrices(pool):
    """W1 and W2, shapes (seed, step, …)."""
    weights = pool["weights"].values[:, 0]
    first, second = np.split(weights, [linear.HIDDEN * linear.INPUTS], axis=2)
    shape = weights.shape[:2]
    return (
        first.reshape(*shape, linear.HIDDEN, linear.INPUTS),
        second.reshape(*shape, linear.OUTPUTS, linear.HIDDEN),
    )


@pytest.mark.parametrize("minibatches", [False, True])
def test_turned_back_the_hidden_basis_leaves_no_trace(minibatches):
    turn = orthogonal(7, linear.HIDDEN)
    plain = linear.networks(SEEDS, minibatches)
    turned = linear.networks(SEEDS, minibatches, hidden=turn)
    (first, second), (first_turned, second_turned) = matrices(plain), matrices(turned)
    np.testing.assert_allclose(turn.T @ first_turned, first, atol=1e-11)
    np.testing.assert_allclose(second_turned @ turn, second, atol=1e-11)
    np.testing.assert_allclose(turned["loss"], plain["loss"], rtol=1e-9)
    assert np.abs(first_turned - first).max() > 0.1


@pytest.mark.parametrize("minibatches", [False, True])
def test_turned_back_the_input_basis_leaves_no_trace(minibatches):
    turn = orthogonal(8, linear.INPUTS)
    plain = linear.networks(SEEDS, minibatches)
    turned = linear.networks(SEEDS, minibatches, inputs=turn)
    (first, second), (first_turned, second_turned) = matrices(plain), matrices(turned)
    np.testing.assert_allclose(first_turned @ turn, first, atol=1e-11)
    np.testing.assert_allclose(second_turned, second, atol=1e-11)
    np.testing.assert_allclose(turned["loss"], plain["loss"], rtol=1e-9)
    assert np.abs(first_turned - first).max() > 0.1


def test_a_turn_that_is_no_rotation_leaves_one():
    scaled = linear.networks(SEEDS, hidden=2 * orthogonal(7, linear.HIDDEN))
    plain = linear.networks(SEEDS)
    assert np.abs(scaled["loss"] / plain["loss"] - 1).max() > 0.1


@pytest.mark.parametrize("batch", [None, [3, 3, 50]])
def test_a_step_descends_the_loss_of_its_samples(batch):
    x, y = linear.task()
    first, second = (w[:, 0] for w in matrices(linear.networks([0])))
    taken = None if batch is None else np.broadcast_to(batch, (1, linear.STATES, len(batch)))
    weights, _ = linear.trained(first, second, x, y, taken)
    seen, wanted = (x, y) if batch is None else (x[batch], y[batch])

    def loss(flat):
        w1 = flat[: first.size].reshape(first.shape[1:])
        w2 = flat[first.size :].reshape(second.shape[1:])
        return 0.5 * np.mean(np.sum((seen @ (w2 @ w1).T - wanted) ** 2, axis=1))

    start, size = weights[0, 0], 1e-6
    slope = [
        (loss(start + size * unit) - loss(start - size * unit)) / (2 * size)
        for unit in np.eye(len(start))
    ]
    np.testing.assert_allclose(weights[0, 1] - start, -linear.RATE * np.array(slope), atol=1e-8)


def test_units_start_at_unlike_scales_so_that_a_turn_changes_the_law_of_the_weights():
    turn = orthogonal(linear.HIDDEN_TURN, linear.HIDDEN)
    spreads = [
        matrices(linear.networks(range(200), hidden=hidden))[0][:, 0].std(axis=(0, 2))
        for hidden in (None, turn)
    ]
    expected = linear.SCALES / np.sqrt(linear.INPUTS)
    np.testing.assert_allclose(spreads[0], expected, rtol=0.1)
    np.testing.assert_allclose(spreads[1], np.sqrt(turn**2 @ expected**2), rtol=0.1)
    assert np.abs(spreads[1] / spreads[0] - 1).max() > 0.3


def test_runs_learn():
    losses = linear.networks(range(20), minibatches=True)["loss"].values[:, 0]
    noise = 0.5 * linear.OUTPUTS * linear.LABEL_NOISE**2
    assert (losses[:, -1] < 0.1 * losses[:, 0]).mean() > 0.9
    assert losses.min() > 0.8 * noise
