"""Pruning while training: what is kept, what it costs, and what is said of a target not reached."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.monitor.compaction import fully_connected, layer_masks
from koopscope.monitor.pruned_run import COUNTS, PrunedRun
from koopscope.monitor.pruned_training import run, score_weights, select, to_target
from koopscope.plans.pruned_training import METHODS, PrunedTraining, pruned_training_from
from koopscope.pruning.scores import magnitude
from koopscope.pruning.weights import coordinates, prunable, vector
from koopscope.specs import DataSpec

PLAN = PrunedTraining(
    DataSpec("digits", "digits"),
    hidden=(24, 12),
    methods=("dense", "koopman", "koopman_spent:units", "magnitude:units", "random"),
    epochs=3,
    target=0.8,
    batch_size=40,
    train_samples=600,
    seeds=(3,),
)
WEIGHTS = 64 * 24 + 24 * 12 + 12 * 10


@pytest.fixture(scope="module")
def data():
    return digits.load()


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    return run(PLAN, data, 3, tmp_path_factory.mktemp("windows"))


def test_every_method_starts_alike_and_is_tested_as_often(found):
    assert dict(found.sizes) == {"pruner": 5, "evaluation": 7, "pruning": 2}
    assert found["epoch"].values.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    # Until the first pruning, after epoch 1, nothing tells the methods apart.
    first = found["accuracy"].isel(evaluation=slice(0, 2))
    assert (first == first.isel(pruner=0)).all()
    assert (found["accuracy"].sel(pruner="dense").diff("evaluation") != 0).any()


def test_so_many_weights_are_kept_as_the_compressions_say(found):
    single = found["weights_kept"].sel(pruner=["koopman", "random"]) * WEIGHTS
    # Dead units that are taken out lose weights beyond that.
    budget = np.array([WEIGHTS // 2, WEIGHTS // 4])
    assert (single <= budget).all() and (single > 0.97 * budget).all()
    units = found["weights_kept"].sel(pruner=["koopman_spent:units", "magnitude:units"])
    assert (units <= [0.5, 0.25]).all() and (units > [0.4, 0.15]).all()
    assert (found["units_kept"].sel(pruner="magnitude:units") < 0.7).all()
    assert (found.sel(pruner="dense")[["weights_kept", "units_kept"]] == 1).all().to_array().all()
    assert (found["refused"] == "").all()


def test_operations_are_counted_by_hand_for_the_dense_network_and_for_masks(found):
    step = 3 * WEIGHTS - 64 * 24
    dense = found.sel(pruner="dense")
    assert dense["multiply_adds"].values[[2, 6]].tolist() == [600 * step, 3 * 600 * step]
    assert (dense["multiply_adds"] == dense["multiply_adds_nonzero"]).all()
    random = found.sel(pruner="random")
    assert random["multiply_adds"].values[2] == 600 * step
    assert (random["multiply_adds_nonzero"] <= random["multiply_adds"]).all()
    # 15 snapshots: their inner products, and one complex mode.
    koopman = found["multiply_adds"].sel(pruner="koopman").values[2]
    assert koopman == 600 * step + WEIGHTS * 15 * (15 + 2)
    times = found[["seconds", "processor_seconds"]].to_array()
    assert (times.diff("evaluation") > 0).all()


def test_nothing_of_the_windows_is_left_behind(data, tmp_path):
    plan = replace(PLAN, methods=("koopman",), epochs=2, prune_after=(1,), compressions=(2,))
    run(plan, data, 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_accuracies(data, found, tmp_path):
    again = run(PLAN, data, 3, tmp_path)
    xr.testing.assert_equal(again["accuracy"], found["accuracy"])
    xr.testing.assert_equal(again["weights_kept"], found["weights_kept"])


def test_what_a_target_costs_is_read_at_the_first_test_that_reaches_it(found):
    curves = xr.Dataset(
        {"accuracy": (("pruner", "evaluation"), [[0.1, 0.6, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4]])}
        | {name: ("evaluation", [0.0, 1, 2, 3]) for name in COUNTS},
        coords={"epoch": ("evaluation", [0.0, 0.5, 1, 1.5])},
    )
    needed = to_target(curves, 0.5)
    assert needed["reached"].values.tolist() == [True, False]
    np.testing.assert_array_equal(needed["seconds"], [1, np.nan])
    np.testing.assert_array_equal(needed["epoch_needed"], [0.5, np.nan])
    never = to_target(found, 0.9999)
    assert not never["reached"].any() and never["seconds"].isnull().all()
    for wrong in (0, 1, 95):
        with pytest.raises(InputError, match=f"^target: {wrong} is no accuracy between 0 and 1"):
            to_target(found, wrong)


def a_run(masks=None):
    model = fully_connected((6, 5, 4, 3), 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    return PrunedRun(model, optimizer, torch.zeros(1, 6))


def some_batches(count):
    rng = torch.Generator().manual_seed(0)
    return [
        (torch.randn(8, 6, generator=rng), torch.randint(3, (8,), generator=rng))
        for _ in range(count)
    ]


def test_training_goes_on_with_momentum_as_if_the_removed_units_had_never_been():
    """A pruned run equals one of plain PyTorch in which the pruned weights are held at 0."""
    here, data = a_run(), some_batches(8)
    masks = layer_masks(None, here.model)
    masks["0"][[0, 3]] = False
    masks["2"][:, [0, 3]] = False
    masks["2"][1, 2] = False
    plain = fully_connected((6, 5, 4, 3), 0)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    here.train(data[:3])
    here.wear(masks)
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
    here.wear(here.masks)
    (group,) = here.optimizer.param_groups
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.05, 0.9, True)


def test_an_optimiser_whose_state_would_be_lost_is_refused():
    model = fully_connected((6, 5, 3), 0)
    with pytest.raises(InputError, match="^optimizer: Adam of 1 groups; only momentum is carried"):
        PrunedRun(model, torch.optim.Adam(model.parameters()), torch.zeros(1, 6))
    groups = [{"params": [p], "lr": 0.1} for p in model.parameters()]
    with pytest.raises(InputError, match="^optimizer: SGD of 4 groups"):
        PrunedRun(model, torch.optim.SGD(groups), torch.zeros(1, 6))


def test_scores_of_another_network_are_refused():
    here = a_run()
    other = fully_connected((6, 7, 4, 3), 0)
    scores = score_weights("magnitude", other, None)
    with pytest.raises(InputError, match=r"^0.weight: shape is \(5, 6\) in the model but \(7, 6\)"):
        select("magnitude", scores, here.model, here.masks, 20)
    with pytest.raises(InputError, match="^0: the mask is not of this layer"):
        here.wear(layer_masks(None, other))


def test_pruned_weights_stay_pruned():
    here = a_run()
    scores = magnitude(vector(prunable(here.model)))
    masks = select("magnitude", scores, here.model, here.masks, 30)
    assert sum(int(m.sum()) for m in masks.values()) == 30
    again = select("random", scores.copy(data=1 / scores.values), here.model, masks, 20)
    assert sum(int(m.sum()) for m in again.values()) == 20
    assert not any((again[name] & ~masks[name]).any() for name in masks)


def test_spent_transients_and_a_zero_limit_make_a_score_small():
    """θ_t = θ* + Σ 0.9ᵗ, 0.5ᵗ: the score is |θ*| plus what is left of the transients."""
    model = fully_connected((3, 2, 2), 0)
    rng = np.random.default_rng(0)
    limit, transients = rng.normal(size=10), rng.normal(size=(2, 10))
    time = np.arange(30)[:, None]
    values = limit + 0.9**time * transients[0] + 0.5**time * transients[1]
    shapes = {"0.weight": (2, 3), "2.weight": (2, 2)}
    window = xr.DataArray(values, dims=("step", "weight"), coords=coordinates(shapes))
    scores = score_weights("koopman_spent:units", model, window)
    left = 0.9**29 * transients[0] + 0.5**29 * transients[1]
    np.testing.assert_allclose(scores, np.abs(limit) + np.abs(left), rtol=1e-6)
    alone = score_weights("koopman", model, window)
    np.testing.assert_allclose(alone / alone.max(), np.abs(limit) / np.abs(limit).max(), rtol=1e-6)


def test_a_window_that_drifts_prunes_nothing_and_says_why(data, tmp_path, monkeypatch):
    def refused(*_):
        raise InputError("window: no eigenvalue within 0.05 of 1")

    monkeypatch.setattr("koopscope.monitor.pruned_training.score_weights", refused)
    plan = replace(PLAN, methods=("koopman",), epochs=2, prune_after=(1,), compressions=(2,))
    found = run(plan, data, 1, tmp_path)
    assert found["refused"].values.tolist() == [["window: no eigenvalue within 0.05 of 1"]]
    assert found["weights_kept"].item() == 1


def test_a_run_that_diverges_ends_in_one_line(data, tmp_path):
    plan = replace(PLAN, methods=("dense",), learning_rate=1e9)
    with pytest.raises(InputError, match="^learning_rate: dense, seed 1 diverged by epoch 0.5"):
        run(plan, data, 1, tmp_path)


def test_convolutional_networks_are_pruned_too(data, tmp_path):
    plan = replace(
        PLAN, network="mnistnet", methods=("koopman:units",), epochs=2, prune_after=(1,),
        compressions=(4,), train_samples=160, test_samples=40, evaluations=1,
    )  # fmt: skip
    found = run(plan, data, 1, tmp_path)
    assert found["refused"].item() == ""
    assert 0.2 < found["weights_kept"].item() <= 0.25
    assert found["units_kept"].item() < 0.6


def test_a_plan_comes_back_from_its_canonical_form():
    again = pruned_training_from(PLAN.canonical())
    assert again == PLAN
    assert len(METHODS) == 11


WRONG = {
    "an epoch beyond the run": ({"prune_after": (1, 3)}, "prune_after: epoch 3 is not before the"),
    "epoch 0": ({"prune_after": (0, 1)}, "prune_after: 0 is not a positive whole number"),
    "an epoch twice": ({"prune_after": (1, 1)}, "prune_after: 1 stands twice; give each once"),
    "falling epochs": ({"prune_after": (2, 1)}, "prune_after: .* give ascending epochs"),
    "compressions missing": ({"compressions": (2,)}, "compressions: 1 for 2 prunings; give one"),
    "compression below 1": ({"compressions": (0.5, 2)}, "compressions: .* of at least 1"),
    "target 1": ({"target": 1.0}, "target: 1.0 is no accuracy between 0 and 1"),
    "target in per cent": ({"target": 95}, "target: 95 is no accuracy between 0 and 1"),
    "unknown method": ({"methods": ("snip",)}, "methods: unknown 'snip'; give one of dense"),
    "a method twice": ({"methods": ("dense", "dense")}, "methods: dense stands twice"),
    "no seed": ({"seeds": ()}, "seeds: none; give at least one"),
    "unknown network": ({"network": "vgg"}, "network: unknown 'vgg'; give one of fcn, mnistnet"),
    "no layer": ({"hidden": ()}, "hidden: no layer; give at least one width"),
    "too few snapshots": ({"every": 10}, "every: 10 leaves less than two snapshots of an epoch"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_run_is_refused_in_one_line(case):
    changes, match = WRONG[case]
    with pytest.raises(InputError, match=f"^{match}") as refused:
        replace(PLAN, **changes)
    assert "\n" not in str(refused.value)


def test_the_example_of_the_docs_runs(data, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs/pruned-training.md").read_text()
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
