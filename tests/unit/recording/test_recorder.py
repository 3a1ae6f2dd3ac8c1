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
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.pruning.scores import koopman_magnitude
from koopscope.recording import writer
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots, window
from koopscope.recording.weights import prunable


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
    with Recorder(model, path, optimizer, **{"include": prunable(model), **choices}):
        train(model, optimizer, steps, seen)
    return open_snapshots(path, model), np.array(seen)


@pytest.mark.parametrize("steps", [2, 3, 4, 9])
def test_each_step_is_recorded_whatever_the_size_of_a_block(tmp_path, monkeypatch, steps):
    monkeypatch.setattr(writer, "STEPS", 3)
    monkeypatch.setattr(writer, "WEIGHTS", 20)
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
    with Recorder(model, tmp_path / "run.zarr") as running:
        running.follow(optimizer)
        train(model, optimizer, 2)
    train(model, optimizer, 2)
    assert open_snapshots(tmp_path / "run.zarr").sizes["step"] == 2


KILLED = """
import os, signal, sys, time
import torch
from torch import nn
from koopscope.recording import Recorder, writer
writer.STEPS = 4
model = nn.Linear(30, 20, bias=False)
with Recorder(model, sys.argv[1]) as running:
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
    with pytest.raises(InputError, match="was cut short, or is being written; give unf"):
        open_snapshots(store)
    found = open_snapshots(store, unfinished=True)
    assert found.attrs["complete"] is False
    assert found["step"].values.tolist() == list(range(1, 9))
    assert (found["weights"].values == np.arange(1, 9)[:, None]).all()
    assert window(found).sizes == {"step": 8, "weight": 600}
    with (
        pytest.raises(InputError, match="is an unfinished recording"),
        Recorder(nn.Linear(30, 20, bias=False), store),
    ):
        pass


def test_a_training_that_fails_leaves_what_was_recorded_unsealed(tmp_path):
    store = tmp_path / "run.zarr"
    model = nn.Linear(3, 2, bias=False)
    with pytest.raises(KeyError, match="loader"), Recorder(model, store) as running:
        running.snapshot()
        raise KeyError("loader")
    assert not store.exists()
    assert open_snapshots(store, unfinished=True).sizes["step"] == 1


def test_weights_that_are_not_finite_end_the_recording_before_them(tmp_path):
    store = tmp_path / "run.zarr"
    model = nn.Linear(3, 2, bias=False)
    with (
        pytest.raises(InputError, match="^weights: not finite in float32 at step 3; the recording"),
        Recorder(model, store) as running,
    ):
        for step in range(5):
            with torch.no_grad():
                model.weight.fill_(np.nan if step == 2 else step)
            running.snapshot()
    assert not store.exists()
    assert open_snapshots(store, unfinished=True)["step"].values.tolist() == [1, 2]


def test_a_weight_too_large_for_half_precision_is_said_to_be(tmp_path):
    model = nn.Linear(3, 2, bias=False)
    running = Recorder(model, tmp_path / "run.zarr", dtype="float16")
    with pytest.raises(InputError, match="not finite in float16 at step 1"), running:
        with torch.no_grad():
            model.weight.fill_(1e5)
        running.snapshot()


def test_a_model_that_changes_its_shape_is_refused(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    running = Recorder(model, tmp_path / "run.zarr")
    message = r"^0\.weight: shape is \(4, 3\) at step 1 but was \(2, 3\)"
    with pytest.raises(InputError, match=message), running:
        model[0] = nn.Linear(3, 4)
        running.snapshot()


def test_what_cannot_be_recorded_is_refused_in_one_line(tmp_path):
    model = nn.Linear(3, 2, bias=False)
    for choices, message in (
        ({"every": 0}, "every: 0; give a whole number"),
        ({"every": True}, "every: True; give a whole number"),
        ({"dtype": "int8"}, "dtype: unknown 'int8'; give one of float32, float16, float64"),
        ({"include": ["fc.weight"]}, "include: the model has no 'fc.weight'; it has weight$"),
        ({"include": []}, r"include: \[\]; give one or more"),
    ):
        with pytest.raises(InputError, match=message):
            Recorder(model, tmp_path / "run.zarr", **choices)
    with pytest.raises(InputError, match="^model: no parameter is trained; name what"):
        Recorder(nn.ReLU(), tmp_path / "run.zarr")
    with Recorder(model, tmp_path / "run.zarr") as running:
        running.snapshot()
    again = Recorder(model, tmp_path / "run.zarr")
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
        open_snapshots(tmp_path / "run.zarr", nn.Sequential(nn.Linear(3, 2, bias=False)))


def test_a_recordings_mode_never_needs_the_whole_window_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "WEIGHTS", 1024)
    monkeypatch.setattr("koopscope.koopman.dmd.GRAM_BLOCK_BYTES", 2**21)
    monkeypatch.setattr("koopscope.koopman.spectrum.BLOCK_BYTES", 2**21)
    model = nn.Linear(200, 400, bias=False)
    first = model.weight.detach().clone()
    with Recorder(model, tmp_path / "run.zarr") as running:
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


def small():
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def stepped(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()


def names(found):
    return list(found["layer"].attrs["flag_meanings"])


def test_all_that_is_trained_is_recorded_and_buffers_where_asked_for(tmp_path):
    model = small()
    model[0].bias.requires_grad_(False)
    model[2].weight = nn.Parameter(model[2].weight.detach())
    for path, choices in (("a", {}), ("b", {"buffers": True}), ("c", {"include": ["1.*"]})):
        with Recorder(model, tmp_path / path, **choices) as running:
            running.snapshot()
    trained = ["0.weight", "1.weight", "1.bias", "2.weight", "2.bias"]
    assert names(open_snapshots(tmp_path / "a")) == trained
    means = ["1.running_mean", "1.running_var"]
    assert names(open_snapshots(tmp_path / "b")) == [*trained, *means]
    assert names(open_snapshots(tmp_path / "c")) == ["1.weight", "1.bias", *means]


def test_tied_weights_are_recorded_once(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    with Recorder(model, tmp_path / "run") as running:
        running.snapshot()
    assert open_snapshots(tmp_path / "run").sizes["weight"] == 9


def test_of_a_pruned_layer_the_weights_after_the_step_are_recorded(tmp_path):
    model = nn.Linear(4, 3, bias=False)
    prune.random_unstructured(model, "weight", amount=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Recorder(model, tmp_path / "run", optimizer, include=prunable(model)):
        stepped(model, optimizer, 3)
    expected = (model.weight_orig * model.weight_mask).detach().flatten()
    np.testing.assert_array_equal(open_snapshots(tmp_path / "run")["weights"][-1], expected)


def test_names_are_those_without_wrappers(tmp_path):
    model = nn.Linear(4, 3)
    with Recorder(nn.ModuleDict({"module": model}), tmp_path / "run") as running:
        running.snapshot()
    assert names(open_snapshots(tmp_path / "run", model)) == ["weight", "bias"]


def test_what_is_logged_stands_with_the_snapshot_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "STEPS", 2)
    model = small()
    with Recorder(model, tmp_path / "run", every=2) as running:
        running.log(loss=99)
        for step in range(1, 11):
            running.snapshot()
            running.log(loss=torch.tensor(float(step)), **({"late": step} if step > 5 else {}))
    found = open_snapshots(tmp_path / "run")
    assert found["loss"].values.tolist() == [2, 4, 6, 8, 10]
    np.testing.assert_array_equal(found["late"], [np.nan, np.nan, 6, 8, 10])
    with Recorder(model, tmp_path / "other") as running:
        for wrong, message in (
            ({"loss": "low"}, "^log: loss is 'low'; give a number"),
            ({"loss": [1, 2]}, r"^log: loss is \[1, 2\]; give a number"),
            ({"step": 1}, "^log: 'step' is a name of the store's own"),
        ):
            with pytest.raises(InputError, match=message):
                running.log(**wrong)


def test_a_recording_says_what_it_is_of(tmp_path):
    with Recorder(small(), tmp_path / "run", name="sgd", seed=3, settings={"rate": 0.1}) as running:
        running.snapshot()
    found = open_snapshots(tmp_path / "run").attrs
    assert (found["name"], found["seed"], found["settings"]) == ("sgd", 3, '{"rate":0.1}')
    with pytest.raises(InputError, match="^settings: .*; give numbers"):
        Recorder(small(), tmp_path / "other", settings={"rate": torch.ones(2)})


def test_a_projection_is_the_same_for_every_run_and_keeps_small_layers(tmp_path):
    model = nn.Sequential(nn.Linear(50, 20), nn.Linear(20, 2))
    for path in ("a", "b"):
        with Recorder(model, tmp_path / path, projection=64) as running:
            running.snapshot()
    found = open_snapshots(tmp_path / "a")
    assert "weights" not in found and found["sketch"].dims == ("step", "feature")
    assert np.bincount(found["layer"]).tolist() == [64, 20, 40, 2]
    np.testing.assert_array_equal(found["sketch"], open_snapshots(tmp_path / "b")["sketch"])
    sketch = found["sketch"].values[0]
    np.testing.assert_array_equal(sketch[64:84], model[0].bias.detach())
    # Of a count sketch, the expected square is that of what it is of.
    assert sketch[:64] @ sketch[:64] == pytest.approx(
        model[0].weight.detach().square().sum().item(), rel=0.5
    )
    with pytest.raises(InputError, match="holds a projection"):
        open_snapshots(tmp_path / "a", model)


def test_arrays_of_any_library_give_what_tensors_give(tmp_path):
    model = nn.Linear(50, 20)
    arrays = {name: tensor.detach().numpy() for name, tensor in model.named_parameters()}
    for path, values, choices in (
        ("torch", None, {}),
        ("numpy", arrays, {}),
        ("sketched torch", None, {"projection": 64}),
        ("sketched numpy", arrays, {"projection": 64}),
    ):
        with Recorder(model if values is None else arrays, tmp_path / path, **choices) as running:
            running.snapshot(values)
    for name, rtol in (("weights", 0), ("sketch", 1e-5)):
        before = "sketched " if name == "sketch" else ""
        found = [open_snapshots(tmp_path / f"{before}{of}")[name] for of in ("torch", "numpy")]
        np.testing.assert_allclose(*found, rtol=rtol, atol=rtol)
    with Recorder(arrays, tmp_path / "other") as running:
        with pytest.raises(InputError, match="^snapshot: no values; give the arrays"):
            running.snapshot()
        with pytest.raises(InputError, match="^snapshot: 'weight' is missing"):
            running.snapshot({"bias": arrays["bias"]})
        with pytest.raises(InputError, match=r"^bias: shape is \(3,\) at step 3 but was \(20,\)"):
            running.snapshot(arrays | {"bias": np.ones(3)})


def test_runs_side_by_side_share_a_store(tmp_path):
    weights = {"w": np.arange(6.0).reshape(3, 2)}
    with Recorder(weights, tmp_path / "run", seeds=[5, 6, 7]) as running:
        for step in range(4):
            running.snapshot({"w": weights["w"] + step})
            running.log(loss=[1, 2, step])
    found = open_snapshots(tmp_path / "run")
    assert found["weights"].dims == ("seed", "step", "weight")
    assert found["weights"].sel(seed=6).values.tolist() == [[2 + s, 3 + s] for s in range(4)]
    assert found["loss"].sel(seed=7).values.tolist() == [0, 1, 2, 3]
    assert found["initial"].dims == ("seed", "weight")
    with pytest.raises(InputError, match=r"^seeds: 2, but w has the shape \(3, 2\)"):
        Recorder(weights, tmp_path / "other", seeds=[1, 2])


def test_a_run_that_was_cut_short_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "STEPS", 4)
    weights = {"w": np.zeros(3)}
    whole, store = tmp_path / "whole", tmp_path / "run"

    def go_on(path, begin, end, fails=False, **choices):
        with Recorder(weights, path, every=2, step=begin, resume=True, **choices) as running:
            for step in range(begin + 1, end + 1):
                running.snapshot({"w": weights["w"] + step})
                running.log(loss=step)
            if fails:
                raise KeyError("power")

    go_on(whole, 0, 20)
    with pytest.raises(KeyError):
        go_on(store, 0, 13, fails=True)
    with pytest.raises(InputError, match="^step: 15, but the recording .* ends at step 12; go on"):
        go_on(store, 15, 20)
    with pytest.raises(InputError, match="was recorded of other weights, or in another way"):
        go_on(store, 9, 20, dtype="float64")
    go_on(store, 9, 20)
    found, expected = open_snapshots(store), open_snapshots(whole)
    assert found["step"].values.tolist() == list(range(2, 21, 2))
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name], expected[name])


def test_outside_of_its_block_a_recorder_says_so(tmp_path):
    running = Recorder(small(), tmp_path / "run")
    message = "^recording: .*run is not open; call this inside of the with block"
    for call in (running.snapshot, lambda: running.log(loss=1)):
        with pytest.raises(InputError, match=message):
            call()
    with running:
        running.snapshot()
    with pytest.raises(InputError, match=message):
        running.snapshot()


def test_what_has_no_numbers_is_refused_and_leaves_nothing(tmp_path):
    empty = nn.Linear(2, 2)
    empty.weight = nn.Parameter(torch.empty(0))
    for model, message in (
        (nn.LazyLinear(2), "^weight: has no shape yet; run the model once"),
        (nn.Linear(2, 2, device="meta"), "^weight: is meta here, with no numbers"),
        (empty, "^weight: is empty here, with no numbers"),
        (nn.Linear(2, 2, dtype=torch.complex64), "^weight: torch.complex64; only real"),
        ({"w": np.ones(2, complex)}, "^w: complex128 of 2 numbers; give real numbers"),
        ({"w": ["a"]}, "^w: <U1 of 1 numbers; give real numbers"),
        ({}, "^model: an empty mapping"),
        ([1, 2], "^model: a list; give a PyTorch module or a mapping"),
    ):
        with pytest.raises(InputError, match=message), Recorder(model, tmp_path / "run"):
            pass
    with pytest.raises(InputError, match="^include: 'weight' is one text; give a list"):
        Recorder(small(), tmp_path / "run", include="weight")
    assert not list(tmp_path.iterdir())


def test_chunks_hardly_pad(tmp_path):
    with Recorder({"w": np.ones(8832)}, tmp_path / "run") as running:
        running.snapshot({"w": np.ones(8832)})
    chunks = open_snapshots(tmp_path / "run")["weights"].encoding["chunks"]
    assert chunks == (64, 2944)
