"""Models as people have them: wrapped, tied, masked, normed, without numbers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.monitor.monitor import KoopmanMonitor
from koopscope.recording.checkpoints import from_checkpoints
from koopscope.recording.included import unwrapped
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots
from koopscope.recording.weights import prunable


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


def trained(model, path, include=None, steps=2):
    """Recording of a short training, and the monitor that watched it."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    monitor = KoopmanMonitor(model, window=3, include=include)
    monitor.follow(optimizer, every=1)
    with Recorder(model, path, optimizer, include=include):
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.ones(5, 4)).square().mean().backward()
            optimizer.step()
    found = open_snapshots(path).load()
    # What one keeps the other watches.
    np.testing.assert_array_equal(monitor.window.last, found["weights"][-1])
    return found


def names(found):
    return list(found["layer"].attrs["flag_meanings"])


PLAIN = ["0.weight", "0.bias", "2.weight", "2.bias"]


def compiled(model):
    return torch.compile(model, backend="eager")


def with_a_compiled_layer(model):
    model[2] = compiled(model[2])
    return model


@pytest.mark.parametrize(
    "wrap",
    [
        compiled,
        nn.DataParallel,
        lambda model: nn.DataParallel(compiled(model)),
        lambda model: compiled(nn.DataParallel(model)),
        with_a_compiled_layer,
    ],
)
def test_names_in_wrappers_are_the_plain_models(wrap, tmp_path):
    found = trained(wrap(network()), tmp_path / "run")
    plain = trained(network(), tmp_path / "plain")
    assert names(found) == PLAIN
    np.testing.assert_array_equal(found["weights"], plain["weights"])
    open_snapshots(tmp_path / "run", network())


def test_names_of_checkpoints_lose_every_wrapper():
    for name in ("module._orig_mod.0.weight", "_orig_mod.module.0.weight", "0._orig_mod.weight"):
        assert unwrapped(name) == "0.weight"
    assert unwrapped("module.module") == "module"
    assert unwrapped("head.module.weight") == "head.module.weight"


def test_a_part_that_is_called_module_is_no_wrapper_beside_others(tmp_path):
    model = nn.ModuleDict({"module": nn.Linear(2, 1), "weight": nn.Linear(1, 1)})
    with Recorder(model, tmp_path / "run") as recorder:
        recorder.snapshot()
    found = open_snapshots(tmp_path / "run", model)
    assert names(found)[:2] == ["module.weight", "module.bias"]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


@pytest.mark.parametrize("include", [None, ["*.weight"], ["a.weight", "b.weight"]])
def test_shared_weights_count_once(include, tmp_path):
    found = trained(Tied(), tmp_path / "run", include)
    assert (names(found), found.sizes["weight"]) == (["a.weight"], 16)
    assert list(prunable(Tied(), include)) == ["a.weight"]


def test_a_shared_weight_goes_by_its_other_name_too(tmp_path):
    assert names(trained(Tied(), tmp_path / "run", ["b.weight"])) == ["b.weight"]


def test_a_masked_weight_is_recorded_masked_after_the_step_by_its_plain_name(tmp_path):
    model = network()
    prune.random_unstructured(model[0], "weight", 0.5)
    found = trained(model, tmp_path / "run")
    assert sorted(names(found)) == sorted(PLAIN)
    expected = (model[0].weight_orig * model[0].weight_mask).detach().flatten()
    at = found["layer"].values == names(found).index("0.weight")
    np.testing.assert_array_equal(found["weights"].values[-1, at], expected)
    open_snapshots(tmp_path / "run", network())


@pytest.mark.parametrize(
    "norm",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
def test_a_normed_weight_is_that_after_the_step_and_looking_changes_no_training(norm, tmp_path):
    model, untouched = network(), network()
    norm(model[0])
    torch.manual_seed(0)
    norm(untouched[0])
    untouched.load_state_dict(model.state_dict())
    found = trained(model, tmp_path / "run", ["0.weight"])
    optimizer = torch.optim.SGD(untouched.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad()
        untouched(torch.ones(5, 4)).square().mean().backward()
        optimizer.step()
    for name, value in untouched.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])
    assert model.training and all(part.training for part in model.modules())
    # In evaluation nothing more is changed, and the layer answers with these weights.
    model.eval()(torch.ones(5, 4))
    np.testing.assert_allclose(
        found["weights"][-1], model[0].weight.detach().flatten(), rtol=1e-6, atol=1e-7
    )
    with pytest.raises(InputError, match="^0.weight: is made in each forward pass, as by a weight"):
        prunable(model)


def emptied():
    model = nn.Linear(2, 2)
    for parameter in model.parameters():
        parameter.data = torch.empty(0)
    return model


def sparse():
    model = nn.Linear(2, 2)
    model.weight = nn.Parameter(model.weight.detach().to_sparse())
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LazyLinear(2), "^weight: has no shape yet; run the model once"),
        (lambda: nn.Linear(2, 2, device="meta"), "^weight: is meta here, with no numbers"),
        (sparse, "^weight: is torch.sparse_coo here, with no numbers"),
        (emptied, "^weight: is empty here, with no numbers"),
        (lambda: nn.Linear(2, 2, dtype=torch.complex64), "^weight: torch.complex64; only real"),
    ],
)
@pytest.mark.parametrize("taker", ["recorder", "monitor", "pruning"])
def test_what_has_no_real_numbers_is_refused_alike_and_leaves_nothing(
    make, message, taker, tmp_path
):
    take = {
        "recorder": lambda model: Recorder(model, tmp_path / "run").__enter__(),
        "monitor": KoopmanMonitor,
        "pruning": prunable,
    }[taker]
    with pytest.raises(InputError, match=message):
        take(make())
    assert not list(tmp_path.iterdir())


def test_transposed_convolutions_are_among_the_layers_that_are_pruned():
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ConvTranspose1d(2, 1, 3))
    assert list(prunable(model)) == ["0.weight", "1.weight"]


def test_a_recorder_that_fails_on_entry_leaves_nothing_behind(tmp_path):
    model, optimizer = network(), object()
    with pytest.raises(InputError, match="^optimizer: a object; give one of PyTorch, or call snap"):
        Recorder(model, tmp_path / "run", optimizer).__enter__()
    assert not list(tmp_path.iterdir())
    with torch.no_grad():
        model[0].weight[0, 0] = np.nan
    with pytest.raises(InputError, match="^weights: not finite before the first step"):
        Recorder(model, tmp_path / "run").__enter__()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [SystemExit(1), OSError(28, "No space left on device")])
def test_a_writer_that_failed_is_an_error_at_the_next_call(error, tmp_path, monkeypatch):
    monkeypatch.setattr("koopscope.recording.writer.STEPS", 2)
    model = network()
    expected, message = (
        (InputError, "^store: cannot be written .*No space left")
        if isinstance(error, OSError)
        else (SystemExit, "1")
    )
    with pytest.raises(expected, match=message), Recorder(model, tmp_path / "run") as recorder:
        monkeypatch.setattr(recorder._writer, "_append", lambda *_: (_ for _ in ()).throw(error))
        for _ in range(300):
            recorder.snapshot()
        pytest.fail("nobody said so")


def test_a_writer_whose_thread_is_gone_is_an_error_at_the_next_call(tmp_path):
    recorder = Recorder(network(), tmp_path / "run").__enter__()
    recorder.snapshot()
    writer = recorder._writer
    writer._waiting.put(None)
    writer._thread.join()
    with pytest.raises(InputError, match="^recording: the thread that writes has ended"):
        recorder.snapshot()
    with pytest.raises(InputError, match="^recording: the thread that writes has ended"):
        recorder.__exit__(None, None, None)


def test_whole_numbers_and_settings_of_numpy_are_taken(tmp_path):
    n = np.int64
    weights = {"w": np.ones((2, 5))}
    choices = {"every": n(1), "projection": n(3), "projection_seed": n(1), "step": n(4)}
    told = {"seed": n(7), "settings": {"width": n(3), "rates": np.array([0.5, 0.25])}}
    with Recorder(weights, tmp_path / "run", seeds=np.arange(2), **choices, **told) as recorder:
        recorder.snapshot(weights)
    found = open_snapshots(tmp_path / "run").attrs
    assert (found["seed"], found["settings"]) == (7, '{"rates":[0.5,0.25],"width":3}')
    monitor = KoopmanMonitor(network(), n(8), n(16), n(2), rank=n(3))
    torch.save(monitor.state_dict(), tmp_path / "state.pt")
    monitor.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    with pytest.raises(InputError, match="^every: 0; give a whole number of at least 1"):
        monitor.count_step(0)
    with pytest.raises(InputError, match="^seeds: 'a'; give a whole number"):
        Recorder(weights, tmp_path / "other", seeds=["a", 1])


def test_checkpoints_of_a_pruned_model_are_what_was_recorded(tmp_path):
    model = network()
    prune.random_unstructured(model[0], "weight", 0.5)
    for step in (1, 2):
        torch.save(model.state_dict(), tmp_path / f"step-{step}.pt")
    for given in (None, model):
        found = from_checkpoints(tmp_path, tmp_path / f"run-{given is None}", model=given)
        assert sorted(names(found)) == sorted(PLAIN)
        at = found["layer"].values == names(found).index("0.weight")
        expected = (model[0].weight_orig * model[0].weight_mask).detach().flatten()
        np.testing.assert_array_equal(found["weights"].values[0, at], expected)
