"""Questions on depth and on pruning while training: what they become, and what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from koopscope import schema
from koopscope.errors import InputError
from koopscope.monitor.depth_rules import PREDICTORS
from koopscope.plans import depth, hsvr, monitor, pruned_training
from koopscope.plans.depth import Classification, Regression
from koopscope.plans.monitor import plan_from, plans_from
from koopscope.summary import depth as words
from koopscope.summary.monitor import FACTS
from koopscope.training import models

ROOT = Path(__file__).parents[2]
DATA = {"digits": {"kind": "digits"}, "mnist": {"kind": "mnist"}}
ENTRIES = {
    "depth": {
        "question": "How many?",
        "depths": [1, 2, 3],
        "tasks": {
            "digits": {"data": "digits", "width": 8},
            "tones": {"signal": "tones", "points": 101, "noise": 0.1},
        },
    },
    "pruned_training": {"question": "Cheaper?", "data": "digits", "target": 0.9},
}


def planned(kind, **changes):
    entry = {"kind": kind} | ENTRIES[kind] | changes
    entry = {key: value for key, value in entry.items() if value is not None}
    return plans_from({"data": DATA, "monitor": {"one": entry}})["one"]


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_question_comes_back_from_its_json(kind):
    plan = planned(kind)
    again = plan_from(json.loads(json.dumps(plan.canonical())))
    assert again.canonical() == plan.canonical()
    assert (again.kind, again.name, again.question) == (kind, "one", ENTRIES[kind]["question"])
    assert kind in FACTS and len(plan.figures) == 1


def test_only_what_needs_a_data_set_asks_for_one():
    assert [run.data.name for run in planned("depth").runs] == ["digits"]
    assert [run.data.name for run in planned("pruned_training").runs] == ["digits"]
    signals = planned("depth", tasks={"tones": {"signal": "tones"}})
    assert signals.runs == ()


def test_tasks_are_classifications_or_regressions_with_their_own_defaults():
    (_, first), (_, second) = planned("depth").families
    assert first.task == Classification(first.task.data, width=8)
    assert second.task == Regression("tones", points=101, noise=0.1)
    assert first.depths == second.depths == (1, 2, 3)


def test_names_are_those_of_the_library():
    assert depth.SIGNALS is hsvr.SIGNALS
    assert set(pruned_training.NETWORKS) - {"fcn"} <= set(models.MODELS)
    assert set(words.SAID) == set(PREDICTORS)
    assert set(ENTRIES) < set(monitor.KINDS)


WRONG = {
    "no tasks": ("depth", {"tasks": None}, "monitor.one.tasks: none; give one or more"),
    "data and signal": (
        "depth",
        {"tasks": {"a": {"data": "digits", "signal": "tones"}}},
        "monitor.one.tasks.a: needs data or signal, and not both",
    ),
    "neither": ("depth", {"tasks": {"a": None}}, "monitor.one.tasks.a: needs data or signal"),
    "unknown data": (
        "depth",
        {"tasks": {"a": {"data": "cifar"}}},
        "monitor.one.tasks.a.data: unknown 'cifar'; give one of digits, mnist",
    ),
    "unknown signal": (
        "depth",
        {"tasks": {"a": {"signal": "sine"}}},
        "monitor.one.tasks.a.signal: unknown 'sine'; give one of tone, ",
    ),
    "a key of the other kind of task": (
        "depth",
        {"tasks": {"a": {"data": "digits", "points": 9}}},
        "monitor.one.tasks.a.points: no key of this kind of task; it has data, width",
    ),
    "a task that cannot be trained": (
        "depth",
        {"tasks": {"a": {"data": "digits", "short": 5000}}},
        "monitor.one.tasks.a.short: 5000 steps are more than the full 1000",
    ),
    "too many observed samples": (
        "depth",
        {"tasks": {"a": {"data": "digits", "probe": 361}}},
        "monitor.one.tasks.a.probe: 361, but digits has 360 test samples; give at most that",
    ),
    "a batch of more than all samples": (
        "depth",
        {"tasks": {"a": {"data": "digits", "batch_size": 2000}}},
        "monitor.one.tasks.a.batch_size: 2000, but digits has 1437 train samples; give at most",
    ),
    "noise without bounds": (
        "depth",
        {"tasks": {"a": {"signal": "tones", "noise": float("inf")}}},
        "monitor.one.tasks.a.noise: inf is not a finite number of at least 0",
    ),
    "depth 0": ("depth", {"depths": [0, 1]}, "monitor.one.depths: 0 is not a positive"),
    "a key of another kind": (
        "depth",
        {"target": 0.9},
        "monitor.one.target: no key of a question of kind depth; it has depths",
    ),
    "no data": (
        "pruned_training",
        {"data": None},
        "monitor.one.data: unknown None; give one of digits, mnist",
    ),
    "a key of depth": (
        "pruned_training",
        {"depths": [1, 2]},
        "monitor.one.depths: no key of a question of kind pruned_training; it has data",
    ),
    "pruning beyond the run": (
        "pruned_training",
        {"epochs": 2},
        "monitor.one.prune_after: epoch 2 is not before the end of a run of 2",
    ),
    "a compression that is no number": (
        "pruned_training",
        {"compressions": [float("nan"), float("nan")]},
        r"monitor.one.compressions: \[nan, nan\]; give ascending numbers of at least 1",
    ),
    "target in per cent": (
        "pruned_training",
        {"target": 95},
        "monitor.one.target: 95 is no accuracy between 0 and 1",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_run_is_refused_in_one_line(case):
    kind, changes, match = WRONG[case]
    with pytest.raises(InputError, match=f"^{match}") as refused:
        planned(kind, **changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["smoke", "config", "paper"])
def test_shipped_configurations_ask_both_and_fit_the_schema(name):
    rules = schema.load_yaml(ROOT / "workflow/schemas/config.schema.yaml")
    config = schema.check(schema.load_yaml(ROOT / f"config/{name}.yaml"), rules)
    assert set(ENTRIES) <= {plan.kind for plan in plans_from(config).values()}


def test_the_page_of_findings_asks_for_what_the_papers_scale_runs():
    from koopscope.summary.findings import PARTS, PLACE

    asked = yaml.safe_load((ROOT / "config/paper.yaml").read_text())["monitor"]
    places = PLACE.findall((ROOT / "docs/findings-depth.md").read_text())
    assert places
    for _, name, part, _ in places:
        assert name in asked and part in PARTS
