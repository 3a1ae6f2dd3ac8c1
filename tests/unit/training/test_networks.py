"""The ensemble against autograd and against a plain PyTorch loop, on real digits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from koopscope.config.data import DataSpec
from koopscope.config.setup import ACTIVATIONS, NetworkSetup
from koopscope.data.dataset import standardised
from koopscope.data.loading import load
from koopscope.errors import InputError
from koopscope.training import ensemble, memory
from koopscope.training.batches import initial_weights, sample_order
from koopscope.training.devices import choose_device
from koopscope.training.ensemble import train
from koopscope.training.loop import Accuracy, Block, evaluation_steps
from koopscope.training.networks import NetworkEnsemble

CPU = torch.device("cpu")
DIGITS = DataSpec("digits", "digits")
SETUP = NetworkSetup(DIGITS, hidden_widths=(6,), steps=20, seeds=(3, 5), initialisations=3)
PLAIN = {
    "relu": torch.nn.ReLU,
    "gelu": torch.nn.GELU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "silu": torch.nn.SiLU,
    "identity": torch.nn.Identity,
}


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def plain_network(setup, weights, init, dtype):
    """One network of ``torch.nn`` layers from the initial weights of a seed."""
    parts = []
    for layer in setup.layers:
        matrix = torch.as_tensor(weights[layer][init])
        linear = torch.nn.Linear(*matrix.shape, bias=False)
        linear.weight.data = matrix.T.clone()
        parts += [linear, PLAIN[setup.activation]()]
    return torch.nn.Sequential(*parts[:-1]).to(dtype)


def matrices(network):
    return [p.T.detach().numpy() for p in network.parameters()]


def batches(setup, data, seed, dtype):
    images = torch.as_tensor(standardised(data, "train")).to(dtype)
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    for batch in sample_order(setup, seed, len(images)):
        yield images[batch], labels[batch]


def plain_losses(setup, data, seed, init, dtype):
    """Train one network with plain SGD; return it and its losses."""
    network = plain_network(setup, initial_weights(setup, seed), init, dtype)
    optimizer = torch.optim.SGD(network.parameters(), lr=setup.learning_rate)
    losses = []
    for images, labels in batches(setup, data, seed, dtype):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return network, losses


def trained(setup, data, steps_per_block=7):
    """Weights, losses and accuracies of a whole training, joined."""
    sizes = (len(setup.seeds), setup.initialisations)
    weights = np.empty((*sizes, setup.steps, setup.weights), np.float32)
    losses = np.empty((*sizes, setup.steps), np.float32)
    accuracies = {}
    for piece in train(setup, data, steps_per_block, CPU):
        if isinstance(piece, Accuracy):
            accuracies.setdefault(piece.step, np.empty(sizes))[piece.seeds] = piece.values
        else:
            assert isinstance(piece, Block)
            weights[piece.seeds, :, piece.steps] = piece.observed["weights"]
            losses[piece.seeds, :, piece.steps] = piece.losses
    return weights, losses, accuracies


def test_every_activation_is_there():
    assert set(PLAIN) == set(ACTIVATIONS)


@pytest.mark.parametrize("hidden_widths", [(6,), (7, 5)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_by_hand_are_those_of_autograd(data, activation, hidden_widths):
    setup = replace(SETUP, activation=activation, hidden_widths=hidden_widths)
    weights = [initial_weights(setup, seed) for seed in setup.seeds]
    networks = NetworkEnsemble(setup, weights, CPU, torch.float64)
    firsts = [next(batches(setup, data, seed, torch.float64)) for seed in setup.seeds]
    images, labels = (torch.stack(x) for x in zip(*firsts, strict=True))
    losses, signal, deeper = networks.gradients(images, labels)
    first = (images.mT @ signal).unflatten(2, (3, -1)).permute(0, 2, 1, 3)
    found = [first, *(g.unflatten(0, (2, 3)) for g in deeper)]
    for s in range(2):
        for i in range(3):
            network = plain_network(setup, weights[s], i, torch.float64)
            loss = torch.nn.functional.cross_entropy(network(images[s]), labels[s])
            loss.backward()
            assert losses[s, i].item() == pytest.approx(loss.item(), abs=1e-12)
            for gradient, parameter in zip(found, network.parameters(), strict=True):
                assert parameter.grad.abs().max() > 1e-4
                torch.testing.assert_close(gradient[s, i], parameter.grad.T, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("hidden_widths", [(6,), (7, 5)])
def test_twenty_steps_equal_a_plain_loop_in_double_precision(data, hidden_widths):
    setup = replace(SETUP, hidden_widths=hidden_widths)
    weights = [initial_weights(setup, seed) for seed in setup.seeds]
    networks = NetworkEnsemble(setup, weights, CPU, torch.float64)
    streams = [batches(setup, data, seed, torch.float64) for seed in setup.seeds]
    for parts in zip(*streams, strict=True):
        networks.descend(*(torch.stack(x) for x in zip(*parts, strict=True)))
    for s, seed in enumerate(setup.seeds):
        for i in range(3):
            network, _ = plain_losses(setup, data, seed, i, torch.float64)
            for layer, matrix in zip(setup.layers, matrices(network), strict=True):
                found = networks.weights(layer)[s, i].numpy()
                assert np.abs(matrix - weights[s][layer][i]).max() > 1e-3
                np.testing.assert_allclose(found, matrix, atol=1e-11)


def test_training_in_single_precision_equals_a_plain_loop_to_rounding(data):
    weights, losses, accuracies = trained(SETUP, data)
    test_images = torch.as_tensor(standardised(data, "test"))
    for s, seed in enumerate(SETUP.seeds):
        for i in range(3):
            network, expected = plain_losses(SETUP, data, seed, i, torch.float32)
            np.testing.assert_allclose(losses[s, i], expected, atol=1e-4)
            output = matrices(network)[-1]
            np.testing.assert_allclose(weights[s, i, -1].reshape(6, 10), output, atol=1e-4)
            answers = network(test_images).argmax(dim=1).numpy()
            accuracy = (answers == data["test_labels"].values).mean()
            assert accuracies[20][s, i] == pytest.approx(accuracy, abs=2 / len(answers))


def test_numbers_do_not_depend_on_how_many_seeds_train_side_by_side(data, monkeypatch):
    setup = replace(SETUP, seeds=(1, 2, 3, 4, 5))
    together = trained(setup, data)
    monkeypatch.setattr(memory, "CACHE_BYTES", 1)
    assert memory.seeds_per_block(setup, 7, CPU) == 1
    alone = trained(setup, data)
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)
    np.testing.assert_allclose(alone[1], together[1], atol=1e-5)
    assert alone[2].keys() == together[2].keys()


def test_numbers_do_not_depend_on_the_steps_of_a_block(data):
    for a, b in zip(trained(SETUP, data, 3)[:2], trained(SETUP, data, 20)[:2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_seeds_side_by_side_fit_the_cache():
    networks = 4 * 3 * (64 * 6 + 6 * 10)
    setup = replace(SETUP, seeds=tuple(range(1000)))
    assert memory.seeds_per_block(setup, 7, CPU) == memory.CACHE_BYTES // networks
    assert memory.seeds_per_block(SETUP, 7, CPU) == 2


def test_accuracy_is_measured_at_the_start_on_the_grid_and_at_the_end(data):
    assert evaluation_steps(replace(SETUP, steps=10, evaluate_every=4)) == [0, 4, 8, 10]
    assert evaluation_steps(replace(SETUP, steps=10, evaluate_every=5)) == [0, 5, 10]
    assert evaluation_steps(replace(SETUP, steps=3, evaluate_every=9)) == [0, 3]
    accuracies = trained(replace(SETUP, evaluate_every=8), data)[2]
    assert sorted(accuracies) == [0, 8, 16, 20]
    assert accuracies[0].mean() < 0.2 < 0.3 < accuracies[20].mean()


def test_a_digits_ensemble_learns(data):
    setup = replace(SETUP, hidden_widths=(20,), steps=300, evaluate_every=300)
    _, losses, accuracies = trained(setup, data, 100)
    assert accuracies[300].min() > 0.8
    assert losses[:, :, -20:].mean() < 0.2 * losses[:, :, :5].mean()


def test_initial_weights_are_drawn_as_pytorch_draws_linear_layers():
    setup = replace(SETUP, hidden_widths=(40,))
    weights = initial_weights(setup, 7)
    for layer, inputs in (("hidden1", 64), ("output", 40)):
        first = weights[layer][0]
        assert first.dtype == np.float32
        assert first.shape == setup.shapes[layer]
        bound = 1 / np.sqrt(inputs)
        assert kstest(first.ravel() * np.sqrt(inputs), "uniform", (-1, 2)).pvalue > 0.01
        linear = torch.nn.Linear(inputs, 1000, bias=False).weight.detach().numpy()
        assert np.abs(linear).max() == pytest.approx(bound, rel=1e-3)


def test_the_other_networks_of_a_seed_are_the_first_with_relative_noise_of_the_spread():
    setup = replace(SETUP, hidden_widths=(40,), perturbation_scale=0.02, initialisations=4)
    for matrices_of in initial_weights(setup, 7).values():
        noise = matrices_of[1:].astype(float) / matrices_of[0] - 1
        assert kstest(noise.ravel() / 0.02, "uniform", (-1, 2)).pvalue > 0.01
        assert np.abs(np.corrcoef(noise.reshape(3, -1)) - np.eye(3)).max() < 0.2
    alike = initial_weights(replace(setup, perturbation_scale=0.0), 7)["output"]
    np.testing.assert_array_equal(alike, np.broadcast_to(alike[0], alike.shape))


def test_a_seeds_first_network_is_the_same_for_every_number_of_initialisations():
    for count in (1, 2, 9):
        setup = replace(SETUP, hidden_widths=(8, 4), initialisations=count)
        for layer, matrix in initial_weights(setup, 7).items():
            expected = initial_weights(replace(setup, initialisations=3), 7)[layer][0]
            np.testing.assert_array_equal(matrix[0], expected)
            assert not np.isin(matrix, initial_weights(setup, 8)[layer]).any()


def test_each_epoch_sees_each_sample_once_in_a_new_order():
    setup = replace(SETUP, batch_size=5, steps=8)
    order = sample_order(setup, 3, 20)
    assert order.shape == (8, 5)
    first, second = order[:4].ravel(), order[4:].ravel()
    assert sorted(first) == sorted(second) == list(range(20))
    assert (first != second).any()
    np.testing.assert_array_equal(order, sample_order(setup, 3, 20))
    assert (order != sample_order(setup, 4, 20)).any()


def test_longer_training_starts_with_the_same_batches():
    order = sample_order(replace(SETUP, batch_size=5, steps=9), 3, 20)
    longer = sample_order(replace(SETUP, batch_size=5, steps=23), 3, 20)
    np.testing.assert_array_equal(longer[:9], order)


def test_without_shuffling_the_stored_order_is_kept():
    setup = replace(SETUP, batch_size=3, steps=4, shuffle=False)
    assert sample_order(setup, 1, 7).tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5]]


def test_samples_that_fill_no_batch_are_left_out():
    setup = replace(SETUP, batch_size=6, steps=6)
    order = sample_order(setup, 1, 20)
    assert order.shape == (6, 6)
    for epoch in (order[:3], order[3:]):
        assert len(set(epoch.ravel())) == 18


def test_data_that_do_not_fit_are_refused(data):
    with pytest.raises(InputError, match="batch_size: 1438 is more than the 1437 training"):
        next(train(replace(SETUP, batch_size=1438), data, 5, CPU))
    mnist = replace(SETUP, data=DataSpec("mnist", "mnist"))
    with pytest.raises(InputError, match="data: 64 pixels, but the setup is for 784"):
        next(train(mnist, data, 5, CPU))


def test_a_device_that_is_not_there_is_refused_in_one_line():
    assert choose_device("cpu") == CPU
    for name in ("gpu0", "cuda:77"):
        with pytest.raises(InputError, match=f"device: '{name}' cannot be used .*auto or cpu") as e:
            choose_device(name)
        assert "\n" not in str(e.value)


def first_not_finite(setup, data, seed, init):
    """Step, counted from 1, whose loss or weights a plain loop finds not finite first."""
    network = plain_network(setup, initial_weights(setup, seed), init, torch.float32)
    optimizer = torch.optim.SGD(network.parameters(), lr=setup.learning_rate)
    for step, (images, labels) in enumerate(batches(setup, data, seed, torch.float32), 1):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        output = list(network.parameters())[-1]
        if not (loss.isfinite() and output.isfinite().all()):
            return step
    return None


def test_a_huge_learning_rate_diverges_at_the_step_where_a_plain_loop_does(data):
    setup = replace(SETUP, activation="identity", learning_rate=20.0)
    weights, losses, accuracies = trained(setup, data)
    for s, seed in enumerate(setup.seeds):
        for i in range(3):
            step = first_not_finite(setup, data, seed, i)
            assert 2 < step < 15
            assert np.isfinite(weights[s, i, : step - 1]).all()
            assert np.isnan(weights[s, i, step - 1 :]).all()
    assert np.isnan(accuracies[20]).all()
    assert np.isfinite(accuracies[0]).all()


def test_a_run_that_diverges_leaves_the_others_untouched(data, monkeypatch):
    undisturbed = trained(SETUP, data)

    def with_one_too_large(setup, seed):
        weights = initial_weights(setup, seed)
        if seed == 5:
            weights["hidden1"][1] *= np.float32(1e30)
        return weights

    monkeypatch.setattr(ensemble, "initial_weights", with_one_too_large)
    weights, losses, accuracies = trained(SETUP, data)
    assert np.isnan(weights[1, 1]).any()
    assert np.isnan(accuracies[20][1, 1])
    others = np.ones((2, 3), bool)
    others[1, 1] = False
    np.testing.assert_array_equal(weights[others], undisturbed[0][others])
    np.testing.assert_array_equal(losses[others], undisturbed[1][others])
    np.testing.assert_array_equal(accuracies[20][others], undisturbed[2][20][others])


def test_renaming_the_elements_of_modular_arithmetic_only_moves_rows_and_columns():
    """A run on either set is one on the other, from the same weights in another order."""
    sums = DataSpec("sums", "modular", modulus=7, train_share=0.6)
    other = DataSpec("other", "renamed", like=sums, seed=1)
    setup = NetworkSetup(
        sums, hidden_widths=(6,), optimizer="adamw", weight_decay=0.1, batch_size=29, steps=40
    )
    data, renamed = load(sums), load(other)
    pairs = zip(data["train_labels"].values, renamed["train_labels"].values, strict=True)
    name = dict(pairs)
    names = np.array([name[element] for element in range(7)])
    weights = initial_weights(setup, 0)
    moved = {layer: np.empty_like(w) for layer, w in weights.items()}
    moved["hidden1"][:, np.concatenate([names, 7 + names])] = weights["hidden1"]
    moved["output"][:, :, names] = weights["output"]
    losses, last = [], []
    for ds, start in ((data, weights), (renamed, moved)):
        networks = NetworkEnsemble(setup, [start], CPU, torch.float64)
        images = torch.as_tensor(standardised(ds, "train")).double()
        labels = torch.as_tensor(ds["train_labels"].values.astype(np.int64))
        losses.append(
            torch.stack([networks.descend(images[None], labels[None]) for _ in range(setup.steps)])
        )
        last.append(networks.weights("output").numpy())
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-9, atol=0)
    np.testing.assert_allclose(last[1][..., names], last[0], rtol=1e-6, atol=1e-9)
    assert losses[0][-1].mean() < losses[0][0].mean()
