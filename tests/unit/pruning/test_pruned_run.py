"""Networks that lose units under training: as if these had never been, and every step counted."""

import re

import pytest
import torch
from fixtures.places import DOCS
from torch import nn

from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.pruning.compaction import fully_connected, layer_masks
from koopscope.pruning.pruned_run import PrunedRun


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
    with pytest.raises(InputError, match="^optimizer: Adam of 1 groups; only momentum is carried"):
        PrunedRun(model, torch.optim.Adam(model.parameters()), torch.zeros(1, 6))
    groups = [{"params": [p], "lr": 0.1} for p in model.parameters()]
    with pytest.raises(InputError, match="^optimizer: SGD of 4 groups"):
        PrunedRun(model, torch.optim.SGD(groups), torch.zeros(1, 6))


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
