"""Real runs of small networks: what is seen of them, and the symmetry that renaming is."""

import numpy as np
import torch

from koopscope.config.data import DataSpec
from koopscope.config.models import ModelSetup
from koopscope.data.controls import derangement
from koopscope.data.modular import modular_arithmetic, rename
from koopscope.experiments.grokking.following import follow
from koopscope.training.modules import ModuleEnsemble

MODULUS, SEED, STEPS = 7, 3, 50
SPEC = DataSpec("sums", "modular", modulus=MODULUS, train_share=0.6)
SETUP = ModelSetup(
    SPEC,
    architecture="square_mlp",
    options={"width": 10},
    loss="squared_error",
    optimizer="adamw",
    learning_rate=0.005,
    weight_decay=1.0,
    batch_size=None,
    steps=STEPS,
    record_every=10,
    seeds=(1, 2),
)
DATA = modular_arithmetic(MODULUS, train_share=0.6)


def descended(data, initial):
    """Weights after some steps from these, in double precision."""
    networks = ModuleEnsemble(SETUP, SETUP.seeds, torch.device("cpu"), initial)
    images = torch.as_tensor(data["train_images"].values, dtype=torch.float32)
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    for _ in range(STEPS):
        networks.descend(images[None], labels[None])
    return {name: networks.weights(name).numpy() for name in networks.parameters}


def test_renamed_initial_weights_on_renamed_data_give_renamed_weights():
    names = derangement(MODULUS, SEED)
    own = np.argsort(names)
    columns = np.concatenate([own, MODULUS + own])
    fresh = ModuleEnsemble(SETUP, SETUP.seeds, torch.device("cpu"))
    initial = {name: fresh.weights(name).numpy().copy() for name in fresh.parameters}

    def renamed(weights):
        return {
            "hidden.weight": weights["hidden.weight"][..., columns],
            "output.weight": weights["output.weight"][..., own, :],
        }

    plain = descended(DATA, initial)
    other = descended(rename(DATA, SEED), renamed(initial))
    for name, values in renamed(plain).items():
        # Sums in another order: rounding, which fifty steps of Adam hardly widen.
        np.testing.assert_allclose(other[name], values, atol=2e-4)
        assert np.abs(plain[name] - initial[name]).max() > 0.05
        assert np.abs(other[name] - plain[name]).max() > 0.05


def test_lengths_and_accuracies_are_seen_at_every_snapshot():
    found = follow(SETUP, DATA)
    assert found["weights"].dims == ("seed", "step", "weight")
    assert found["weights"].shape == (2, 5, 2 * MODULUS * 10 + MODULUS * 10)
    assert found["step"].values.tolist() == [10, 20, 30, 40, 50]
    assert found["seed"].values.tolist() == [1, 2]
    lengths = np.linalg.norm(found["weights"].values, axis=2)
    np.testing.assert_allclose(found["length"], lengths, rtol=1e-5)
    for name in ("train_accuracy", "test_accuracy"):
        assert ((found[name] >= 0) & (found[name] <= 1)).all()
    # Accuracies are shares of the pairs of their own split.
    shares = found["test_accuracy"].values * SPEC.test_samples
    np.testing.assert_allclose(shares, shares.round(), atol=1e-4)


def test_a_kept_norm_is_kept():
    from dataclasses import replace

    found = follow(replace(SETUP, norm_kept=0.8), DATA)["length"].values
    np.testing.assert_allclose(found, found[:, :1] * np.ones(5), rtol=1e-5)
    free = follow(SETUP, DATA)["length"].values
    assert np.ptp(free, axis=1).min() > 0.1
