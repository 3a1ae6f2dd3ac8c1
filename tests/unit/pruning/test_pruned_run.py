"""Networks that lose units under training: as if these had never been, and every step counted."""

import re
from contextlib import nullcontext

import pytest
import torch
from fixtures.places import DOCS
from torch import nn

from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.monitor.monitor import KoopmanMonitor
from koopscope.pruning.compaction import fully_connected, layer_masks
from koopscope.pruning.pruned_run import PrunedRun
from koopscope.recording.recorder import Recorder


def network(biases=True):
    model = fully_connected((6, 5, 4, 3), 0)
    for layer in model[::2]:
        layer.bias = layer.bias if biases else None
    return model


def a_run(biases=True):
    model = network(biases)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    return PrunedRun(model, optimizer, torch.zeros(1, 6))


def some_batches(count):
    rng = torch.Generator().manual_seed(0)
    return [
        (torch.randn(8, 6, generator=rng), torch.randint(3, (8,), generator=rng))
        for _ in range(count)
    ]


@pytest.mark.parametrize("biases", [True, False])
def test_training_goes_on_with_momentum_as_if_the_removed_units_had_never_been(biases):
    """A pruned run equals one of plain PyTorch in which the pruned weights are held at 0."""
    here, data = a_run(biases), some_batches(8)
    masks = layer_masks(None, here.model)
    masks["0"][[0, 3]] = False
    masks["2"][:, [0, 3]] = False
    masks["2"][1, 2] = False
    plain = network(biases)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    here.train(data[:3])
    here.apply_masks(masks)
    for step, (x, y) in enumerate(data):
        optimizer.zero_grad()
        nn.functional.cross_entropy(plain(x), y).backward()
        optimizer.step()
        if step >= 2:
            with torch.no_grad():
                for name, mask in masks.items():
                    plain.get_submodule(name).weight *= mask
    here.train(data[3:])
    assert here.hidden_units == 7
    x = torch.randn(20, 6)
    torch.testing.assert_close(here.model(x), plain(x), rtol=1e-5, atol=1e-6)
    weight = here.model[2].weight
    assert weight[1, 1] == 0 and (weight != 0).sum() == weight.numel() - 1
    assert here.costs["multiply_adds"] == 8 * (
        3 * (3 * (30 + 20 + 12) - 30) + 5 * (3 * (18 + 12 + 12) - 18)
    )


def test_a_rate_that_a_schedule_has_changed_stays_changed():
    here = a_run()
    schedule = torch.optim.lr_scheduler.StepLR(here.optimizer, 1, gamma=0.5)
    here.train(some_batches(1))
    schedule.step()
    here.apply_masks(here.masks)
    (group,) = here.optimizer.param_groups
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.05, 0.9, True)


def test_an_optimiser_whose_state_would_be_lost_is_refused():
    model = fully_connected((6, 5, 3), 0)
    with pytest.raises(InputError, match="^optimizer: Adam; only momentum is carried"):
        PrunedRun(model, torch.optim.Adam(model.parameters()), torch.zeros(1, 6))


def without_a_unit(run):
    masks = layer_masks(None, run.model)
    masks["2"][1] = False
    masks["4"][:, 1] = False
    return masks


def test_a_schedule_goes_on_after_units_are_gone():
    here = a_run()
    schedule = torch.optim.lr_scheduler.StepLR(here.optimizer, 1, gamma=0.5)
    for _ in range(3):
        here.train(some_batches(1))
        schedule.step()
        here.apply_masks(without_a_unit(here) if here.hidden_units == 9 else here.masks)
    assert here.hidden_units == 8
    assert here.optimizer.param_groups[0]["lr"] == schedule.get_last_lr()[0] == 0.1 / 8


@pytest.mark.parametrize("watcher", ["monitor", "recorder"])
def test_who_follows_the_optimiser_goes_on_or_says_that_the_shapes_are_others(watcher, tmp_path):
    here, data = a_run(), some_batches(1)
    monitor = KoopmanMonitor(here.model, window=4)
    recorder = Recorder(here.model, tmp_path / "run")
    with recorder if watcher == "recorder" else nullcontext():
        (recorder if watcher == "recorder" else monitor).follow(
            here.optimizer, **({} if watcher == "recorder" else {"every": 1})
        )
        here.train(data)
        masks = layer_masks(None, here.model)
        masks["0"][0, 1] = False
        here.apply_masks(masks)
        here.train(data)
        assert (recorder.steps, monitor.snapshots) == ((2, 0) if watcher == "recorder" else (0, 3))
        here.apply_masks(without_a_unit(here))
        with pytest.raises(InputError, match=r"^(2|4)\.(bias|weight): .*(4,|\(3, 3\))"):
            here.train(data)


def test_frozen_layers_stay_frozen_and_others_stay_out_of_the_optimiser():
    model = network()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model[4].parameters(), lr=0.1, momentum=0.9)
    here = PrunedRun(model, optimizer, torch.zeros(1, 6))
    here.train(some_batches(1))
    here.apply_masks(without_a_unit(here))
    kept = [model[i].weight.detach().clone() for i in (0, 2, 4)]
    here.train(some_batches(2))
    moved = [not torch.equal(model[i].weight, old) for i, old in zip((0, 2, 4), kept, strict=True)]
    assert moved == [False, False, True]
    assert not model[0].weight.requires_grad and model[2].weight.requires_grad
    assert {id(p) for p in optimizer.param_groups[0]["params"]} == {
        id(p) for p in model[4].parameters()
    }


def test_groups_of_an_optimiser_keep_their_rates_and_their_parameters():
    model = network()
    groups = [{"params": [p], "lr": 0.01 * i} for i, p in enumerate(model.parameters())]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    here = PrunedRun(model, optimizer, torch.zeros(1, 6))
    here.train(some_batches(1))
    here.apply_masks(without_a_unit(here))
    for i, (group, parameter) in enumerate(
        zip(optimizer.param_groups, model.parameters(), strict=True)
    ):
        assert [id(p) for p in group["params"]] == [id(parameter)]
        assert group["lr"] == 0.01 * i
        assert optimizer.state[parameter]["momentum_buffer"].shape == parameter.shape
    assert len(optimizer.state) == 6


def test_layers_keep_their_precision_and_their_hooks():
    model = network().double()
    called = []
    model[2].register_forward_hook(lambda *_: called.append(True))
    here = PrunedRun(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.zeros(1, 6))
    here.apply_masks(without_a_unit(here))
    called.clear()
    assert model(torch.zeros(2, 6, dtype=torch.float64)).dtype == torch.float64
    assert called == [True] and model[2].out_features == 3 and model[4].in_features == 3


def test_an_answer_that_is_still_held_does_not_stop_the_training():
    here = a_run()
    held = here.model(torch.randn(4, 6)).sum()
    here.apply_masks(without_a_unit(here))
    here.train(some_batches(2))
    held.backward()


def test_masks_of_another_network_are_refused():
    with pytest.raises(InputError, match="^0: the mask is not of this layer"):
        a_run().apply_masks(layer_masks(None, fully_connected((6, 7, 4, 3), 0)))


def test_the_example_of_the_docs_runs(tmp_path, monkeypatch):
    data = digits.load()
    page = (DOCS / "pruned-training.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    images = torch.as_tensor(data["train_images"].values[:400] / 16, dtype=torch.float32)
    labels = torch.as_tensor(data["train_labels"].values[:400].astype(int))
    monkeypatch.chdir(tmp_path)
    names = {
        "model": fully_connected((64, 16, 10), 0),
        "image": images[:1],
        "batches": lambda: zip(images.split(40), labels.split(40), strict=True),
    }
    exec(code, names)
    assert names["run"].hidden_units == 4
    assert names["run"].costs["multiply_adds"] > 0
