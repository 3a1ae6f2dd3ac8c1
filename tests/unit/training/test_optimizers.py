"""Every optimiser against ``torch.optim`` on the same networks and batches, and what it needs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from koopscope.config.data import DataSpec
from koopscope.config.setup import OPTIMIZERS, NetworkSetup
from koopscope.data.dataset import standardised
from koopscope.data.loading import load
from koopscope.training import memory
from koopscope.training.batches import initial_weights, sample_order
from koopscope.training.memory import seed_bytes, seeds_per_block, seeds_that_fit
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.optimizers import Optimizer, state_copies

CPU = torch.device("cpu")
DIGITS = DataSpec("digits", "digits")
SETUP = NetworkSetup(DIGITS, hidden_widths=(7, 5), steps=12, seeds=(3, 5), initialisations=2)
PYTORCH = {
    "sgd": (torch.optim.SGD, {}, {}),
    "sgd, decay": (torch.optim.SGD, {"optimizer": "sgd", "weight_decay": 0.02}, {}),
    "momentum": (torch.optim.SGD, {}, {"momentum": 0.9}),
    "momentum, decay": (
        torch.optim.SGD,
        {"optimizer": "momentum", "momentum": 0.7, "weight_decay": 0.02},
        {"momentum": 0.7},
    ),
    "nesterov": (torch.optim.SGD, {}, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {}, {}),
    "adam, decay": (torch.optim.Adam, {"optimizer": "adam", "weight_decay": 0.02}, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.02}, {}),
    "rmsprop": (torch.optim.RMSprop, {}, {}),
    "rmsprop, decay": (torch.optim.RMSprop, {"optimizer": "rmsprop", "weight_decay": 0.02}, {}),
}


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def batches(setup, data, seed):
    images = torch.as_tensor(standardised(data, "train")).double()
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    for batch in sample_order(setup, seed, len(images)):
        yield images[batch], labels[batch]


def by_pytorch(setup, data, seed, init, make, options):
    """Matrices of one network that autograd and ``torch.optim`` train."""
    weights = initial_weights(setup, seed)
    matrices = [torch.as_tensor(weights[layer][init]).double() for layer in setup.layers]
    matrices = [matrix.requires_grad_() for matrix in matrices]
    optimizer = make(matrices, lr=setup.learning_rate, weight_decay=setup.weight_decay, **options)
    for values, labels in batches(setup, data, seed):
        for matrix in matrices[:-1]:
            values = torch.relu(values @ matrix)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(values @ matrices[-1], labels).backward()
        optimizer.step()
    return [matrix.detach() for matrix in matrices]


def ensemble_of(setup, dtype=torch.float64):
    return NetworkEnsemble(setup, [initial_weights(setup, s) for s in setup.seeds], CPU, dtype)


def trained(setup, data):
    networks = ensemble_of(setup)
    for parts in zip(*(batches(setup, data, seed) for seed in setup.seeds), strict=True):
        networks.descend(*(torch.stack(x) for x in zip(*parts, strict=True)))
    return networks


def test_every_optimiser_is_there():
    assert set(OPTIMIZERS) == {name.partition(",")[0] for name in PYTORCH}


@pytest.mark.parametrize("case", PYTORCH)
def test_each_network_is_trained_as_by_pytorch(data, case):
    make, fields, options = PYTORCH[case]
    rate = 0.1 if make is torch.optim.SGD else 0.01
    setup = replace(SETUP, **{"optimizer": case, "learning_rate": rate} | fields)
    networks = trained(setup, data)
    start = ensemble_of(setup)
    for s, seed in enumerate(setup.seeds):
        for i in range(2):
            expected = by_pytorch(setup, data, seed, i, make, options)
            for layer, matrix in zip(setup.layers, expected, strict=True):
                assert (matrix - start.weights(layer)[s, i]).abs().max() > 0.01
                found = networks.weights(layer)[s, i]
                torch.testing.assert_close(found, matrix, atol=1e-12, rtol=0)


def test_plain_descent_has_no_state_and_its_fused_step_is_the_rule(data):
    networks = trained(SETUP, data)
    assert networks.optimizer is None
    by_rule = ensemble_of(SETUP)
    by_rule.optimizer = Optimizer(SETUP, [by_rule.first, *by_rule.deeper])
    for parts in zip(*(batches(SETUP, data, seed) for seed in SETUP.seeds), strict=True):
        by_rule.descend(*(torch.stack(x) for x in zip(*parts, strict=True)))
    for layer in SETUP.layers:
        torch.testing.assert_close(
            networks.weights(layer), by_rule.weights(layer), atol=1e-13, rtol=0
        )


@pytest.mark.parametrize("name", ["momentum", "adam", "rmsprop"])
def test_a_run_that_diverges_leaves_the_state_of_the_others_untouched(data, name):
    setup = replace(SETUP, optimizer=name, learning_rate=0.01)
    networks, undisturbed = ensemble_of(setup), trained(setup, data)
    networks.weights("hidden1")[1, 0] = torch.nan
    for parts in zip(*(batches(setup, data, seed) for seed in setup.seeds), strict=True):
        networks.descend(*(torch.stack(x) for x in zip(*parts, strict=True)))
    for layer in setup.layers:
        assert networks.weights(layer)[1, 0].isnan().any()
        for place in ((0, 0), (0, 1), (1, 1)):
            found, expected = networks.weights(layer)[place], undisturbed.weights(layer)[place]
            torch.testing.assert_close(found, expected, atol=0, rtol=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_memory_that_is_counted_is_that_of_the_states(name):
    setup = replace(SETUP, optimizer=name, weight_decay=0.1)
    networks = ensemble_of(setup, torch.float32)
    of_weights = 4 * 2 * sum(a * b for a, b in setup.shapes.values())
    networks.optimizer.step([torch.ones_like(w) for w in networks.optimizer.weights])
    states = networks.optimizer.rule.state.values()
    kept = [t for state in states for t in state.values() if torch.is_tensor(t) and t.ndim]
    found = sum(4 * t.numel() for t in kept)
    assert found == 2 * state_copies(name) * of_weights
    assert seed_bytes(setup, 7) - seed_bytes(SETUP, 7) == state_copies(name) * of_weights


def test_a_seed_is_counted_with_weights_activations_snapshots_order_and_batch():
    setup = replace(SETUP, hidden_widths=(6,), batch_size=60, sketch=2, probe=3)
    weights, units, features = 64 * 6 + 6 * 10, 6 + 10, 60 + 2 * 4 + 31
    floats = 2 * (4 * weights + 4 * 1000 * units + 7 * features) + 60 * 64
    assert seed_bytes(setup, 7) == 4 * floats + 8 * 12 * 60
    more = replace(setup, probe=2000)
    assert seed_bytes(more, 7) - seed_bytes(setup, 7) == 4 * 2 * (
        4 * 1000 * units + 7 * (1997 * 10)
    )


def test_as_many_seeds_as_fit_half_the_free_memory_train_side_by_side_but_at_least_one():
    setup = replace(SETUP, optimizer="adam", seeds=tuple(range(9)))
    one = seed_bytes(setup, 7)
    for free, expected in ((0, 1), (2 * one, 1), (8 * one - 1, 3), (8 * one, 4), (99 * one, 9)):
        assert seeds_that_fit(setup, 7, free) == expected


def test_a_gpu_is_asked_for_its_free_memory(monkeypatch):
    setup = replace(SETUP, seeds=tuple(range(9)))
    free = 6 * seed_bytes(setup, 7)
    monkeypatch.setattr(memory.torch.cuda, "mem_get_info", lambda device: (free, 10 * free))
    assert seeds_per_block(setup, 7, torch.device("cuda")) == 3
