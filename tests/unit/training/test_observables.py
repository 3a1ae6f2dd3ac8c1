"""Sketches and probes of networks: what they are, what they share, how they are stored."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import zarr

from koopscope.artefacts import store
from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.controls import permute, relabel
from koopscope.data.dataset import standardised
from koopscope.data.loading import load
from koopscope.errors import InputError
from koopscope.training import ensemble, recording
from koopscope.training.batches import initial_weights, probe_samples, sample_order
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.observables import projection

DIGITS = DataSpec("digits", "digits")
SETUP = NetworkSetup(
    DIGITS, hidden_widths=(5, 4), steps=9, seeds=(3, 8), initialisations=3, sketch=2, probe=7
)


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def recorded(setup, data, path):
    with store.staged(path, {"kind": "trajectories"}) as folder:
        recording.record(setup, data, folder, "cpu")
    return store.read(path, "trajectories").load()


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    return recorded(SETUP, data, tmp_path_factory.mktemp("stores") / "runs.zarr")


@pytest.fixture(scope="module")
def states(data):
    """Matrices of each network after each step by layer, each (seed, init, inputs, outputs)."""
    networks = NetworkEnsemble(
        SETUP, [initial_weights(SETUP, s) for s in SETUP.seeds], torch.device("cpu")
    )
    images = torch.as_tensor(standardised(data, "train"))
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    orders = np.stack([sample_order(SETUP, s, len(images)) for s in SETUP.seeds])
    found = []
    for step in range(SETUP.steps):
        networks.descend(images[orders[:, step]], labels[orders[:, step]])
        found.append({name: networks.weights(name).numpy().copy() for name in SETUP.layers})
    return found


def test_a_sketch_is_the_projection_of_each_layer_from_both_sides(runs, states):
    assert runs["sketch"].dims == ("seed", "init", "step", "feature")
    assert runs["sketch"].dtype == np.float32
    assert runs["sketch_layer"].attrs["flag_meanings"] == ["hidden1", "hidden2", "output"]
    for step, weights in enumerate(states):
        for index, (layer, matrices) in enumerate(weights.items()):
            a, b = projection(SETUP, layer)
            of = runs["sketch_layer"].values == index
            found = runs["sketch"].isel(step=step).values[:, :, of]
            expected = (a.T @ matrices @ b).reshape(2, 3, 4)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_sketch_keeps_the_size_of_a_matrix_on_average():
    rng = np.random.default_rng(0)
    ratios = []
    # Each width has projections of its own.
    for width in range(1, 500):
        a, b = projection(replace(SETUP, hidden_widths=(width, width + 1), sketch=4), "hidden2")
        matrix = rng.normal(size=(width, width + 1)) * rng.exponential(size=(width, 1))
        ratios.append(((a.T @ matrix @ b) ** 2).sum() / (matrix**2).sum())
    assert np.mean(ratios) == pytest.approx(1, abs=4 * np.std(ratios) / np.sqrt(499))
    assert np.std(ratios) < 1.5


def test_entries_of_projections_have_variance_1_over_k():
    setup = replace(SETUP, hidden_widths=(3000, 2000), sketch=4)
    for side in (*projection(setup, "hidden1"), *projection(setup, "hidden2")):
        if len(side) > 1000:
            assert side.var() == pytest.approx(1 / 4, rel=0.05)
            assert side.mean() == pytest.approx(0, abs=0.03)


def test_setups_share_the_projections_of_layers_of_one_size():
    first, second = SETUP, replace(SETUP, hidden_widths=(6, 4), optimizer="adam", seeds=(1,))
    np.testing.assert_array_equal(projection(first, "hidden1")[0], projection(second, "hidden1")[0])
    for a, b in zip(projection(first, "output"), projection(second, "output"), strict=True):
        np.testing.assert_array_equal(a, b)
    square = replace(SETUP, hidden_widths=(10, 10))
    sides = [projection(square, layer) for layer in ("hidden2", "output")]
    np.testing.assert_array_equal(sides[0][0], sides[1][0])
    assert (sides[0][1] != sides[1][1]).all()
    assert not np.isin(sides[0][0], sides[0][1]).any()


def test_a_probe_is_the_mean_loss_and_the_logits_on_fixed_test_samples(runs, states, data):
    assert runs["probe"].dims == ("seed", "init", "step", "response")
    assert runs.sizes["response"] == 71
    chosen = probe_samples(7, data.sizes["test_sample"])
    images = torch.as_tensor(standardised(data, "test")[chosen])
    labels = torch.as_tensor(data["test_labels"].values[chosen].astype(np.int64))
    for step, weights in enumerate(states):
        for s in range(2):
            for i in range(3):
                values = images
                for layer in SETUP.layers:
                    values = torch.as_tensor(weights[layer][s, i]).T @ values.mT
                    values = values.mT if layer == "output" else torch.relu(values.mT)
                loss = torch.nn.functional.cross_entropy(values, labels)
                found = runs["probe"].values[s, i, step]
                assert found[0] == pytest.approx(loss.item(), abs=1e-5)
                np.testing.assert_allclose(found[1:], values.flatten(), atol=1e-5)


def test_a_larger_probe_begins_with_the_smaller_one():
    assert sorted(probe_samples(360, 360)) == list(range(360))
    np.testing.assert_array_equal(probe_samples(50, 360)[:20], probe_samples(20, 360))


def test_the_probe_of_a_control_holds_the_same_images(data):
    chosen = probe_samples(20, data.sizes["test_sample"])
    pixels = permute(data, 1).isel(test_sample=chosen)["test_images"].values
    order = np.random.default_rng(1).permutation(64)
    np.testing.assert_array_equal(pixels, data["test_images"].values[chosen][:, order])
    images = relabel(data, 1).isel(test_sample=chosen)["test_images"]
    np.testing.assert_array_equal(images, data["test_images"].values[chosen])


def test_a_probe_beyond_the_test_set_is_refused(data):
    setup = replace(SETUP, probe=361)
    with pytest.raises(InputError, match="probe: 361 is more than the 360 test samples"):
        next(ensemble.train(setup, data, 5, "cpu"))


def test_what_is_recorded_beside_the_weights_changes_none_of_them(runs, data, tmp_path):
    alone = recorded(replace(SETUP, sketch=0, probe=0), data, tmp_path / "alone")
    assert not {"sketch", "sketch_layer", "probe"} & set(alone.variables)
    for name in alone.variables:
        np.testing.assert_array_equal(alone[name], runs[name])


def test_chunks_are_those_of_the_widest_observable(data, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "CHUNK_BYTES", 4 * 3 * 71 * 4)
    whole = recorded(SETUP, data, tmp_path / "runs.zarr")
    group = zarr.open_group(tmp_path / "runs.zarr", mode="r")
    assert group["weights"].chunks == (1, 3, 4, 40)
    assert group["sketch"].chunks == (1, 3, 4, 12)
    assert group["probe"].chunks == (1, 3, 4, 71)
    assert np.isfinite(whole["probe"]).all()
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    assert recorded(SETUP, data, tmp_path / "single").equals(whole)


def test_sketch_and_probe_end_where_the_weights_diverge(data, tmp_path):
    setup = replace(SETUP, activation="identity", learning_rate=50.0, steps=20)
    found = recorded(setup, data, tmp_path / "runs.zarr")
    first = found["diverged_at"].values
    assert (first > 1).all()
    for name in ("weights", "sketch", "probe"):
        for s in range(2):
            for i in range(3):
                values = found[name].values[s, i]
                assert np.isfinite(values[: first[s, i] - 1]).all()
                assert np.isnan(values[first[s, i] - 1 :]).all()
