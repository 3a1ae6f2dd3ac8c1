"""Questions about watched runs: what all kinds refuse before any work, and what they depend on."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from fixtures.places import ROOT
from fixtures.watching import planned

from koopscope.config.files import load
from koopscope.errors import InputError
from koopscope.experiments.registry import read, sections
from koopscope.experiments.watching.names import GREY_MODELS
from koopscope.training.models import build
from koopscope.training.names import MODELS


def test_the_name_of_a_data_set_does_not_count():
    entry = {"kind": "stopping", "question": "When?", "seeds": [1, 2, 3]}
    entry |= {"train_samples": 800, "validation_samples": 300, "test_samples": 300}
    entry |= {"runs": {"relu": {"data": "other", "hidden_widths": [20]}, "tanh": {"data": "other"}}}
    other = read({"data": {"other": {"kind": "digits"}}, "monitor": {"one": entry}})["one"]
    assert other.to_dict("stopping") == planned("stopping").to_dict("stopping")


def test_every_run_reads_its_data_set_and_counts_as_work():
    plan = planned("stopping", epochs=6)
    assert [data.name for data in plan.data_sets] == ["digits", "digits"]
    assert plan.work("stopping") == (2 * 3 * 6, "epochs")


def test_every_network_that_a_plan_may_name_takes_its_images():
    assert GREY_MODELS
    for name in GREY_MODELS:
        channels, side = MODELS[name].image
        assert (channels, MODELS[name].pixels) == (1, side**2)
        assert build(name, 0)(torch.zeros(2, 1, side, side)).shape == (2, 10)


def test_planning_imports_nothing_numerical():
    names = "{'numpy', 'torch', 'xarray'}"
    code = f"import sys, koopscope.experiments.watching.plan; print({names} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["smoke", "config", "paper"])
def test_shipped_configurations_ask_every_kind_of_question_and_can_be_planned(name):
    asked = {plan.kind for plan in read(load(ROOT / f"config/{name}.yaml")).values()}
    assert {kind.name for kind in sections()["monitor"]} <= asked


def test_without_the_section_there_is_no_question():
    assert read({"data": {}}) == {}


REFUSED = {
    "kind": ({"kind": "sometimes"}, "^monitor.one.kind: unknown 'sometimes'; give one of stopping"),
    "key of another kind": (
        {"checkpoints": [1]},
        "^monitor.one.checkpoints: unknown key of a question of kind stopping; ",
    ),
    "no runs": ({"runs": {}}, "^monitor.one.runs: none; give one or more networks, by name"),
    "seed twice": ({"seeds": [1, 1]}, "^monitor.one.seeds: 1 stands twice; give each once"),
    "one seed": ({"seeds": [1]}, "^monitor.one.seeds: 1; give at least 2, each once"),
    "too many samples": (
        {"train_samples": 1400},
        "^monitor.one.train_samples: 1400, and 300 for validation, but digits has 1437",
    ),
    "too many test samples": (
        {"test_samples": 361},
        "^monitor.one.test_samples: 361, but digits has 360; give at most that",
    ),
    "short epochs": (
        {"train_samples": 240},
        "^monitor.one.snapshots_per_epoch: 8, but in relu an epoch has 4 steps; give fewer",
    ),
    "unknown data": (
        {"runs": {"relu": {"data": "faces"}}},
        "^monitor.one.runs.relu.data: unknown 'faces'; give one of digits, mnist",
    ),
    "bad network": (
        {"runs": {"relu": {"data": "digits", "activation": "step"}}},
        "^monitor.one.runs.relu.activation: unknown 'step'; give one of relu",
    ),
    "small images": (
        {"runs": {"net": {"data": "digits", "model": "mnistnet"}}},
        "^monitor.one.runs.net.data: digits has 64 pixels; mnistnet needs 784",
    ),
    "optimiser of a model": (
        {"runs": {"net": {"data": "mnist", "model": "mnistnet", "optimizer": "adam"}}},
        "^monitor.one.runs.net.optimizer: unknown 'adam'; give one of sgd, momentum",
    ),
    "width of a model": (
        {"runs": {"net": {"data": "mnist", "model": "mnistnet", "hidden_widths": [3]}}},
        "^monitor.one.runs.net.hidden_widths: of mnistnet it is given; remove it",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_line(case):
    changes, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as refused:
        planned(**{"kind": "stopping"} | changes)
    assert "\n" not in str(refused.value)


def test_a_plan_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        planned("stopping").epochs = 3
