"""Questions on pruning while training: what they become, and what is refused before any work."""

import json
from dataclasses import replace

import pytest
import torch

from koopscope.config.data import DataSpec
from koopscope.errors import InputError
from koopscope.experiments.pruned_training.names import METHODS, NETWORKS
from koopscope.experiments.pruned_training.plan import PrunedTraining, from_dict
from koopscope.experiments.pruned_training.run import _new
from koopscope.experiments.registry import read
from koopscope.pruning.compaction import chain_of
from koopscope.training.models import build

PLAN = PrunedTraining(
    DataSpec("digits", "digits"),
    hidden_widths=(24, 12),
    methods=("dense", "koopman", "koopman_spent:structured", "magnitude:structured", "random"),
    epochs=3,
    target_accuracy=0.8,
    batch_size=40,
    train_samples=600,
    seeds=(3,),
)


def planned(**changes):
    entry = {
        "kind": "pruned_training",
        "question": "Cheaper?",
        "data": "digits",
        "target_accuracy": 0.9,
    }
    data = {"digits": {"kind": "digits"}, "mnist": {"kind": "mnist"}}
    data |= {"sums": {"kind": "modular"}, "words": {"kind": "modular", "encoding": "tokens"}}
    entry = {key: value for key, value in (entry | changes).items() if value is not None}
    return read({"data": data, "monitor": {"one": entry}})["one"]


def test_a_question_comes_back_from_its_json():
    plan = planned(methods=["dense", "random:structured"], hidden_widths=[30])
    again = from_dict(json.loads(json.dumps(plan.to_dict("pruned_training"))))
    assert again == plan
    assert again.to_dict("pruned_training") == plan.to_dict("pruned_training")
    assert (again.kind, again.name, again.question) == ("pruned_training", "one", "Cheaper?")
    assert again.stores == ("pruned_training",)


def test_a_question_reads_its_data_set_and_trains_every_method_from_every_seed():
    plan = planned(seeds=[1, 2, 3])
    assert [data.name for data in plan.data_sets] == ["digits"]
    assert len(METHODS) == 11
    assert plan.work("pruned_training") == (33, "runs")


def test_networks_that_a_plan_may_name_are_chains():
    assert "mlp" in NETWORKS
    for name in set(NETWORKS) - {"mlp"}:
        model = build(name, 0)
        assert len(chain_of(model)) > 2
        assert model(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


ENTRIES = {
    "no data": ({"data": None}, "data: is missing; it gives the name of a data set"),
    "a key of depth": (
        {"depths": [1, 2]},
        "depths: unknown key of a question of kind pruned_training",
    ),
    "pruning beyond the run": (
        {"epochs": 2},
        "prune_after: epoch 2 is not before the end of a run of 2",
    ),
    "a compression that is no number": (
        {"compression_ratios": [float("nan"), float("nan")]},
        r"compression_ratios\[0\]: nan is not a number of at least 1",
    ),
    "target in per cent": (
        {"target_accuracy": 95},
        "target_accuracy: 95 is not a number above 0 and below 1",
    ),
    "tokens": ({"data": "words"}, "data: words has tokens, whose numbers are no quantities; give"),
    "too many classes": (
        {"data": "sums", "model": "mnistnet"},
        "data: sums has 97 classes; mnistnet needs 10; give another data set",
    ),
}


def test_a_fully_connected_network_has_an_output_for_each_class():
    plan = planned(data="sums", hidden_widths=[8], train_samples=500).plan
    assert _new(plan, 0, plan.data.pixels)(torch.zeros(1, 194)).shape == (1, 97)


@pytest.mark.parametrize("case", ENTRIES)
def test_what_cannot_be_asked_is_refused_in_one_line(case):
    changes, match = ENTRIES[case]
    with pytest.raises(InputError, match=f"^monitor.one.{match}") as refused:
        planned(**changes)
    assert "\n" not in str(refused.value)


WRONG = {
    "an epoch beyond the run": ({"prune_after": (1, 3)}, "prune_after: epoch 3 is not before the"),
    "epoch 0": (
        {"prune_after": (0, 1)},
        "prune_after\\[0\\]: 0 is not a whole number of at least 1",
    ),
    "an epoch twice": ({"prune_after": (1, 1)}, "prune_after: 1 stands twice; give each once"),
    "falling epochs": ({"prune_after": (2, 1)}, r"prune_after: \[2, 1\]; give them ascending"),
    "compression_ratios missing": (
        {"compression_ratios": (2,)},
        "compression_ratios: 1 for 2 prunings; give one",
    ),
    "compression below 1": (
        {"compression_ratios": (0.5, 2)},
        "compression_ratios\\[0\\]: 0.5 is not a number of at least 1",
    ),
    "target 1": (
        {"target_accuracy": 1.0},
        "target_accuracy: 1 is not a number above 0 and below 1",
    ),
    "target in per cent": (
        {"target_accuracy": 95},
        "target_accuracy: 95 is not a number above 0 and below 1",
    ),
    "unknown method": ({"methods": ("snip",)}, "methods: unknown 'snip'; give one of dense"),
    "a method twice": ({"methods": ("dense", "dense")}, "methods: dense stands twice"),
    "no seed": ({"seeds": ()}, "seeds: none; give at least 1, each once"),
    "unknown network": ({"model": "vgg"}, "model: unknown 'vgg'; give one of mlp, mnistnet"),
    "no layer": ({"hidden_widths": ()}, "hidden_widths: no layer; give at least one width"),
    "too few snapshots": (
        {"record_every": 10},
        "record_every: 10 leaves less than two snapshots of an epoch",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_run_is_refused_in_one_line(case):
    changes, match = WRONG[case]
    with pytest.raises(InputError, match=f"^{match}") as refused:
        replace(PLAN, **changes)
    assert "\n" not in str(refused.value)
