"""Trajectories on disk: their layout, their bytes, and the runs that diverged."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import zarr

from koopscope.artefacts import store
from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.data.dataset import standardised
from koopscope.data.loading import load
from koopscope.experiments.equivalence.curves import training_curves
from koopscope.experiments.equivalence.study import Study, Variant
from koopscope.training import ensemble, recording
from koopscope.training.batches import initial_weights, sample_order
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.online import trajectories as online_trajectories

DIGITS = DataSpec("digits", "digits")
SETUP = NetworkSetup(
    DIGITS, hidden_widths=(5, 4), steps=25, seeds=(3, 8), initialisations=3, evaluate_every=10
)


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def recorded(setup, data, path):
    with store.staged(path, {"kind": "trajectories"}) as folder:
        recording.record(setup, data, folder, "cpu")
    return store.read(path, "trajectories").load()


def too_large(seed, init):
    def weights_of(setup, of):
        weights = initial_weights(setup, of)
        if of == seed:
            weights["hidden1"][init] *= np.float32(1e30)
        return weights

    return weights_of


@pytest.mark.parametrize("observable", [("output",), ("hidden2",), ("output", "hidden1"), ("all",)])
def test_each_recorded_weight_is_the_one_its_coordinates_name(data, tmp_path, observable):
    setup = replace(SETUP, observable=observable, steps=6)
    found = recorded(setup, data, tmp_path / "runs.zarr")
    networks = NetworkEnsemble(
        setup, [initial_weights(setup, s) for s in setup.seeds], torch.device("cpu")
    )
    images = torch.as_tensor(standardised(data, "train"))
    labels = torch.as_tensor(data["train_labels"].values.astype(np.int64))
    orders = np.stack([sample_order(setup, s, len(images)) for s in setup.seeds])
    names = found["layer"].attrs["flag_meanings"]
    assert set(names) == set(setup.layers if observable == ("all",) else observable)
    layer, row, column = (found[c].values for c in ("layer", "row", "column"))
    assert len(set(zip(layer, row, column, strict=True))) == found.sizes["weight"]
    assert found.sizes["weight"] == sum(np.prod(setup.shapes[n]) for n in names)
    for step in range(6):
        networks.descend(images[orders[:, step]], labels[orders[:, step]])
        at = found["weights"].sel(step=step + 1).values
        for index, name in enumerate(names):
            of = layer == index
            expected = networks.weights(name).numpy()[:, :, row[of], column[of]]
            np.testing.assert_array_equal(at[:, :, of], expected)


def test_the_store_is_zarr_3_with_a_chunk_for_all_initialisations_of_one_seed(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr(recording, "CHUNK_BYTES", 4 * 3 * 40 * 10)
    found = recorded(SETUP, data, tmp_path / "runs.zarr")
    group = zarr.open_group(tmp_path / "runs.zarr", mode="r")
    weights = group["weights"]
    assert weights.metadata.zarr_format == 3
    assert weights.shape == (2, 3, 25, 40)
    assert weights.chunks == (1, 3, 10, 40)
    assert weights.dtype == np.float32
    assert group["loss"].chunks == (1, 3, 25)
    assert found["weights"].dims == ("seed", "init", "step", "weight")
    assert found["loss"].dims == ("seed", "init", "step")
    assert found["accuracy"].dims == ("seed", "init", "evaluation")
    assert found["diverged_at"].dims == ("seed", "init")
    assert found["seed"].values.tolist() == [3, 8]
    assert found["step"].values.tolist() == list(range(1, 26))
    assert found["evaluation"].values.tolist() == [0, 10, 20, 25]
    assert found.attrs["loss_name"] == "training loss"
    assert np.isfinite(found["weights"]).all()
    assert (found["diverged_at"] == -1).all()


def test_recording_twice_gives_the_same_bytes(data, tmp_path):
    for name in ("a", "b"):
        recorded(SETUP, data, tmp_path / name)
    assert store.sealed_digest(tmp_path / "a") == store.sealed_digest(tmp_path / "b")
    recorded(replace(SETUP, learning_rate=0.11), data, tmp_path / "c")
    assert store.sealed_digest(tmp_path / "a") != store.sealed_digest(tmp_path / "c")


def test_the_size_of_a_chunk_changes_no_number(data, tmp_path, monkeypatch):
    setup = replace(SETUP, steps=6)
    whole = recorded(setup, data, tmp_path / "whole")
    monkeypatch.setattr(recording, "CHUNK_BYTES", 1)
    assert recording.steps_per_chunk(setup) == 1
    assert recorded(setup, data, tmp_path / "single").equals(whole)


def test_progress_counts_every_step_of_every_network(data, tmp_path):
    counts = []
    recording.record(SETUP, data, tmp_path, "cpu", counts.append)
    assert sum(counts) == 2 * 3 * 25


def test_divergence_is_marked_at_its_step_and_kept_up_to_it(data, tmp_path, monkeypatch):
    # One chunk a step: the step is found across the chunks' borders too.
    monkeypatch.setattr(recording, "CHUNK_BYTES", 4 * 3 * 40 * 3)
    setup = replace(SETUP, activation="identity", learning_rate=20.0)
    found = recorded(setup, data, tmp_path / "runs.zarr")
    weights = found["weights"].values
    for s in range(2):
        for i in range(3):
            step = int(found["diverged_at"][s, i])
            assert 2 < step < 25
            assert np.isfinite(weights[s, i, : step - 1]).all()
            assert np.isnan(weights[s, i, step - 1 :]).all()


def test_curves_leave_out_what_diverged_and_say_how_many(data, tmp_path, monkeypatch):
    whole = recorded(SETUP, data, tmp_path / "whole")
    monkeypatch.setattr(ensemble, "initial_weights", too_large(8, 1))
    runs = recorded(SETUP, data, tmp_path / "runs")
    assert (runs["diverged_at"].values >= 0).tolist() == [[False] * 3, [False, True, False]]
    study = Study("s", "Why?", (Variant("a", SETUP),), ())
    curves = training_curves(study, {"a": runs})
    assert curves["diverged"].values.tolist() == [0, 1]
    kept = whole.isel(init=[0, 2]).sel(seed=8)
    np.testing.assert_allclose(curves["loss"][1], kept["loss"].mean("init"), rtol=1e-6)
    np.testing.assert_allclose(curves["accuracy"][1], kept["accuracy"].mean("init"), rtol=1e-6)
    expected = whole.sel(seed=3)["loss"].mean("init")
    np.testing.assert_allclose(curves["loss"][0], expected, rtol=1e-6)


def test_curves_join_variants_of_unequal_length(data, tmp_path):
    short = replace(SETUP, steps=10, seeds=(4,))
    study = Study("s", "Why?", (Variant("long", SETUP), Variant("short", short)), ())
    trajectories = {
        "long": recorded(SETUP, data, tmp_path / "long"),
        "short": recorded(short, data, tmp_path / "short"),
    }
    curves = training_curves(study, trajectories)
    assert curves["variant"].values.tolist() == ["long", "long", "short"]
    assert curves["seed"].values.tolist() == [3, 8, 4]
    finite = np.isfinite(curves["loss"]).sum("step")
    assert finite.values.tolist() == [25, 25, 10]
    assert curves["evaluation_step"].values.tolist() == [0, 10, 20, 25]
    assert np.isfinite(curves["accuracy"].values[2]).tolist() == [True, True, False, False]
    assert curves.attrs["loss_name"] == "training loss"


def test_curves_of_online_optimisers_have_no_accuracy():
    setup = OnlineSetup("omd", states=12, initialisations=4)
    runs = online_trajectories(setup)
    curves = training_curves(Study("s", "Why?", (Variant("omd", setup),), ()), {"omd": runs})
    assert "accuracy" not in curves
    assert curves.attrs["loss_name"] == "f(x)"
    np.testing.assert_allclose(curves["loss"][0], runs["loss"][0].mean("init"))
