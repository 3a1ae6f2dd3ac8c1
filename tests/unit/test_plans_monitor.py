"""Questions about watching training: what they become, and what is refused before any work."""

import dataclasses
import json
import subprocess
import sys

import pytest

from koopscope.errors import InputError
from koopscope.monitor import features, starts
from koopscope.plans.monitor import KINDS, MODELS, STARTS, WINDOW, Plan, plan_from, plans_from
from koopscope.training import models

DATA = {"digits": {"kind": "digits"}, "mnist": {"kind": "mnist"}}
SHARED = {"train": 800, "validation": 300, "test": 300, "seeds": [1, 2, 3]}


def planned(kind="stopping", **changes):
    runs = {"relu": {"data": "digits", "hidden": [20]}, "tanh": {"data": "digits"}}
    entry = {"kind": kind, "question": "When?", "runs": runs} | SHARED | changes
    return plans_from({"data": DATA, "monitor": {"one": entry}})["one"]


@pytest.mark.parametrize("kind", [name for name, cls in KINDS.items() if issubclass(cls, Plan)])
def test_a_question_comes_back_from_its_json(kind):
    plan = planned(kind)
    again = plan_from(json.loads(json.dumps(plan.canonical())))
    assert again == plan
    assert again.canonical() == plan.canonical()
    assert len(plan.figures) == len(set(plan.figures)) > 0


def test_the_name_of_a_data_set_does_not_count():
    data = {"other": {"kind": "digits"}}
    runs = {"relu": {"data": "other", "hidden": [20]}, "tanh": {"data": "other"}}
    entry = {"kind": "stopping", "question": "When?", "runs": runs} | SHARED
    other = plans_from({"data": data, "monitor": {"one": entry}})["one"]
    assert other.canonical() == planned().canonical()


def test_starts_are_a_list_with_each_kind_as_often_as_asked():
    plan = planned("restart", starts={"plain": 2, "dead": 1})
    assert plan.kinds == ("plain", "plain", "dead")
    # Without a word, all of them.
    assert set(planned("restart").kinds) == set(STARTS)


def test_networks_starts_and_windows_are_those_of_the_library():
    assert set(MODELS) <= set(models.MODELS)
    assert tuple(starts.STARTS) == STARTS
    assert features.WINDOW == WINDOW
    for name, pixels in MODELS.items():
        channels, side = models.MODELS[name].image
        assert channels * side**2 == pixels


def test_planning_imports_nothing_numerical():
    names = "{'numpy', 'torch', 'xarray'}"
    code = f"import sys, koopscope.plans.monitor; print({names} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_the_section_there_is_no_question():
    assert plans_from({"data": {}}) == {}


RUNS = {"relu": {"data": "digits"}}
REFUSED = {
    "kind": ({"kind": "sometimes"}, "^monitor.one.kind: unknown 'sometimes'; give one of stopping"),
    "key of another kind": (
        {"checkpoints": [1]},
        "^monitor.one.checkpoints: no key of a question of kind stopping; it has question, runs",
    ),
    "seed twice": (
        {"seeds": [1, 1]},
        r"^monitor.one.seeds: \[1, 1\]; give at least two, each once",
    ),
    "one seed": ({"seeds": [1]}, r"^monitor.one.seeds: \[1\]; give at least two"),
    "too many samples": (
        {"train": 1400},
        "^monitor.one.train: 1400, and 300 for validation, but digits has 1437; give at most that",
    ),
    "too many test samples": (
        {"test": 361},
        "^monitor.one.test: 361, but digits has 360; give at most that",
    ),
    "no window at a checkpoint": (
        {"kind": "restart", "snapshots": 1, "checkpoints": [1, 5]},
        "^monitor.one.snapshots: 1 an epoch leaves no window at epoch 1; give 2 or more",
    ),
    "short epochs": (
        {"train": 240},
        "^monitor.one.snapshots: 8 an epoch, but in relu it has 4 steps; give fewer snapshots",
    ),
    "no window": (
        {"epochs": 3},
        "^monitor.one.epochs: 3 epochs of 8 snapshots leave no three windows of 17; give more",
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
        {"runs": {"net": {"data": "mnist", "model": "mnistnet", "hidden": [3]}}},
        "^monitor.one.runs.net.hidden: of mnistnet it is given; remove it",
    ),
    "unknown start": (
        {"kind": "restart", "starts": {"plain": 1, "cold": 1}},
        "^monitor.one.starts: unknown 'cold'; give one of plain, he, small",
    ),
    "no plain start": (
        {"kind": "restart", "starts": {"he": 1, "dead": 1}},
        "^monitor.one.starts: he, dead; give plain, by which the others are measured",
    ),
    "one kind of runs": (
        {"kind": "restart", "runs": RUNS},
        "^monitor.one.runs: 1; give at least two, so that each can be held out",
    ),
    "checkpoint at the end": (
        {"kind": "restart", "epochs": 10, "checkpoints": [1, 10]},
        r"^monitor.one.checkpoints: \[1, 10\]; give epochs from 1 to 9, before the runs end",
    ),
    "checkpoints in disorder": (
        {"kind": "restart", "checkpoints": [2, 1]},
        r"^monitor.one.checkpoints: \[2, 1\]; give each in order",
    ),
    "starts of a model": (
        {
            "kind": "restart",
            "runs": RUNS | {"net": {"data": "mnist", "model": "mnistnet"}},
        },
        "^monitor.one.runs.net.model: mnistnet has no other starts; give fcn",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_line(case):
    changes, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as refused:
        planned(**changes)
    assert "\n" not in str(refused.value)


def test_a_plan_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        planned().epochs = 3
