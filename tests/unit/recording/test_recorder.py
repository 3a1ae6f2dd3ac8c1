"""Recordings of weights while a network trains: what they hold, and what a crash leaves of them."""

import os
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning.scores import koopman_magnitude
from koopscope.recording import recorder
from koopscope.recording.recorder import SnapshotRecorder, open_snapshots, window


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 5)
    )


def train(model, optimizer, steps, seen=None):
    images, labels = torch.randn(6, 1, 4, 4), torch.arange(6) % 5
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        if seen is not None:
            seen.append(np.concatenate([model[i].weight.detach().numpy().ravel() for i in (0, 4)]))


def recorded(path, steps=9, **choices):
    model, seen = network(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with SnapshotRecorder(model, path, **choices) as running:
        running.follow(optimizer)
        train(model, optimizer, steps, seen)
    return open_snapshots(path, model), np.array(seen)


@pytest.mark.parametrize("steps", [2, 3, 4, 9])
def test_each_step_is_recorded_whatever_the_size_of_a_block(tmp_path, monkeypatch, steps):
    monkeypatch.setattr(recorder, "STEPS", 3)
    monkeypatch.setattr(recorder, "WEIGHTS", 20)
    found, seen = recorded(tmp_path / "run.zarr", steps)
    np.testing.assert_array_equal(found["weights"], seen)
    assert found["weights"].dtype == np.float32
    assert found["step"].values.tolist() == list(range(1, steps + 1))
    assert found.attrs["complete"] is True


def test_the_weights_before_the_first_step_and_the_place_of_each_are_kept(tmp_path):
    found, _ = recorded(tmp_path / "run.zarr")
    model = network()
    names = found["layer"].attrs["flag_meanings"]
    assert list(names) == ["0.weight", "4.weight"]
    for value, layer, index in zip(
        found["initial"].values, found["layer"].values, found["index"].values, strict=True
    ):
        assert value == model.get_parameter(names[layer]).detach().flatten()[index]


def test_every_keeps_one_of_so_many_and_include_names_parameters(tmp_path):
    found, seen = recorded(tmp_path / "run.zarr", every=4, include=["4.weight"])
    np.testing.assert_array_equal(found["weights"], seen[[3, 7], 27:])
    assert found["step"].values.tolist() == [4, 8]


def test_half_precision_states_the_error_that_it_made(tmp_path):
    found, seen = recorded(tmp_path / "run.zarr", dtype="float16")
    errors = np.abs(found["weights"].values.astype(np.float32) - seen)
    assert found["weights"].dtype == np.float16
    assert found.attrs["largest_error"] == errors.max() > 0
    assert (errors <= found.attrs["relative_error"] * np.abs(seen) + 1e-7).all()


def test_after_the_recording_the_optimiser_is_left_alone(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with SnapshotRecorder(model, tmp_path / "run.zarr") as running:
        running.follow(optimizer)
        train(model, optimizer, 2)
    train(model, optimizer, 2)
    assert open_snapshots(tmp_path / "run.zarr").sizes["step"] == 2


KILLED = """
import os, signal, sys, time
import torch
from torch import nn
from koopscope.recording import SnapshotRecorder, recorder
recorder.STEPS = 4
model = nn.Linear(30, 20)
with SnapshotRecorder(model, sys.argv[1]) as running:
    for step in range(1, 11):
        with torch.no_grad():
            model.weight.fill_(step)
        running.snapshot()
    while (running._writer._times[:] > 0).sum() < 8:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_kill_9_the_whole_blocks_are_readable_and_known_to_be_incomplete(tmp_path):
    store = tmp_path / "run.zarr"
    command = [sys.executable, "-c", KILLED, str(store)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(command, env=environment, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(InputError, match="was cut short; give unfinished=True"):
        open_snapshots(store)
    found = open_snapshots(store, unfinished=True)
    assert found.attrs["complete"] is False
    assert found["step"].values.tolist() == list(range(1, 9))
    assert (found["weights"].values == np.arange(1, 9)[:, None]).all()
    assert window(found).sizes == {"step": 8, "weight": 600}
    with (
        pytest.raises(InputError, match="is an unfinished recording"),
        SnapshotRecorder(nn.Linear(30, 20), store),
    ):
        pass


def test_a_training_that_fails_leaves_what_was_recorded_unsealed(tmp_path):
    store = tmp_path / "run.zarr"
    model = nn.Linear(3, 2)
    with pytest.raises(KeyError, match="loader"), SnapshotRecorder(model, store) as running:
        running.snapshot()
        raise KeyError("loader")
    assert not store.exists()
    assert open_snapshots(store, unfinished=True).sizes["step"] == 1


def test_weights_that_are_not_finite_end_the_recording_before_them(tmp_path):
    store = tmp_path / "run.zarr"
    model = nn.Linear(3, 2)
    with (
        pytest.raises(InputError, match="^weights: not finite in float32 at step 3; the recording"),
        SnapshotRecorder(model, store) as running,
    ):
        for step in range(5):
            with torch.no_grad():
                model.weight.fill_(np.nan if step == 2 else step)
            running.snapshot()
    assert not store.exists()
    assert open_snapshots(store, unfinished=True)["step"].values.tolist() == [1, 2]


def test_a_weight_too_large_for_half_precision_is_said_to_be(tmp_path):
    model = nn.Linear(3, 2)
    running = SnapshotRecorder(model, tmp_path / "run.zarr", dtype="float16")
    with pytest.raises(InputError, match="not finite in float16 at step 1"), running:
        with torch.no_grad():
            model.weight.fill_(1e5)
        running.snapshot()


def test_a_model_that_changes_its_shape_is_refused(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2))
    running = SnapshotRecorder(model, tmp_path / "run.zarr")
    message = r"^0\.weight: shape is \(4, 3\) at step 1 but was \(2, 3\)"
    with pytest.raises(InputError, match=message), running:
        model[0] = nn.Linear(3, 4)
        running.snapshot()


def test_what_cannot_be_recorded_is_refused_in_one_line(tmp_path):
    model = nn.Linear(3, 2)
    for choices, message in (
        ({"every": 0}, "every: 0; give a whole number"),
        ({"dtype": "int8"}, "dtype: unknown 'int8'; give one of float32, float16"),
        ({"include": ["fc.weight"]}, "weights: the model has no 'fc.weight'"),
        ({"include": []}, r"include: \[\]; give one or more"),
    ):
        with pytest.raises(InputError, match=message):
            SnapshotRecorder(model, tmp_path / "run.zarr", **choices)
    with pytest.raises(InputError, match="include: the model has no linear or convolution layer"):
        SnapshotRecorder(nn.ReLU(), tmp_path / "run.zarr")
    with SnapshotRecorder(model, tmp_path / "run.zarr") as running:
        running.snapshot()
    again = SnapshotRecorder(model, tmp_path / "run.zarr")
    with pytest.raises(InputError, match="exists; give another name or delete it"), again:
        pass
    found = open_snapshots(tmp_path / "run.zarr")
    with pytest.raises(InputError, match="^window: 1 of 1 snapshots; give at least 2"):
        window(found)
    for last in (0, -3):
        with pytest.raises(InputError, match=f"^window: {last} of 1 snapshots; give at least 2"):
            window(found, last=last)
    with pytest.raises(InputError, match=r"^weight: shape is \(3, 3\) in the model but \(2, 3\)"):
        open_snapshots(tmp_path / "run.zarr", nn.Linear(3, 3))
    with pytest.raises(InputError, match="the model has no 'weight'"):
        open_snapshots(tmp_path / "run.zarr", nn.Sequential(nn.Linear(3, 2)))


def test_a_recordings_mode_never_needs_the_whole_window_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "WEIGHTS", 1024)
    monkeypatch.setattr("koopscope.koopman.dmd.GRAM_BLOCK_BYTES", 2**21)
    monkeypatch.setattr("koopscope.koopman.spectrum.BLOCK_BYTES", 2**21)
    model = nn.Linear(200, 400)
    first = model.weight.detach().clone()
    with SnapshotRecorder(model, tmp_path / "run.zarr") as running:
        for step in range(150):
            with torch.no_grad():
                model.weight.copy_(first * (1 + 0.9**step * torch.linspace(0, 1, 200)))
            running.snapshot()
    snapshots = window(open_snapshots(tmp_path / "run.zarr"))
    koopman_magnitude(snapshots.isel(weight=slice(100)).copy())  # what imports and caches take
    tracemalloc.start()
    found = koopman_magnitude(snapshots)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = first.abs().flatten().numpy()
    ratio = found.values / np.linalg.norm(found) - expected / np.linalg.norm(expected)
    np.testing.assert_allclose(ratio, 0, atol=1e-6)
    assert peak < snapshots.nbytes / 3
