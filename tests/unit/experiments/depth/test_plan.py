"""Questions on depth: what they become, and what is refused before any work starts."""

import json
from dataclasses import replace

import pytest

from koopscope.config.data import DataSpec
from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.depth.names import PREDICTORS, SAID
from koopscope.experiments.depth.plan import (
    Classification,
    DepthFamily,
    Regression,
    family_from_dict,
    from_dict,
)
from koopscope.experiments.depth.setup import members, network
from koopscope.experiments.registry import read

TASKS = {
    "digits": {"data": "digits", "width": 8},
    "tones": {"signal": "tones", "points": 101, "noise": 0.1},
}
SMALL = Regression("tones", points=41, width=6, steps=30, pilot_steps=20, probe=4)
FAMILY = DepthFamily(SMALL, depths=(1, 2, 3), seeds=(1, 2, 3), delays=2, rank=4)
DIGITS = Classification(DataSpec("digits", "digits"), width=12, steps=60, pilot_steps=24, probe=3)


def planned(**changes):
    entry = {"kind": "depth", "question": "How many?", "depths": [1, 2, 3], "tasks": TASKS}
    data = {"digits": {"kind": "digits"}, "mnist": {"kind": "mnist"}}
    data["words"] = {"kind": "modular", "encoding": "tokens"}
    return read({"data": data, "monitor": {"one": entry | changes}})["one"]


def test_a_question_comes_back_from_its_json():
    plan = planned()
    again = from_dict(json.loads(json.dumps(plan.to_dict("depth"))))
    assert again.to_dict("depth") == plan.to_dict("depth")
    assert (again.kind, again.name, again.question) == ("depth", "one", "How many?")
    assert again.stores == ("depth",)


def test_only_what_needs_a_data_set_asks_for_one():
    assert [data.name for data in planned().data_sets] == ["digits"]
    assert planned(tasks={"tones": {"signal": "tones"}}).data_sets == ()


def test_every_depth_of_every_task_is_work():
    assert planned().work("depth") == (6, "depths")


def test_tasks_are_classifications_or_regressions_with_their_own_defaults():
    (_, first), (_, second) = planned().families
    assert first.task == Classification(first.task.data, width=8)
    assert second.task == Regression("tones", points=101, noise=0.1)
    assert first.depths == second.depths == (1, 2, 3)


def test_every_signal_of_the_library_can_be_a_task_and_every_predictor_can_be_said():
    tasks = {name: {"signal": name, "points": 15, "probe": 2} for name in SIGNALS}
    assert [family.task.signal for _, family in planned(tasks=tasks).families] == list(SIGNALS)
    assert set(SAID) == set(PREDICTORS)


def test_a_family_comes_back_from_its_canonical_form():
    for made in (FAMILY, DepthFamily(DIGITS)):
        assert family_from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_no_two_depths_share_a_seed():
    seeds = [members(FAMILY, depth) for depth in FAMILY.depths]
    assert len({seed for of_depth in seeds for seed in of_depth}) == 9
    setup = network(DepthFamily(DIGITS), 3)
    assert setup.hidden_widths == (12, 12, 12) and setup.seeds == members(DepthFamily(DIGITS), 3)


ENTRIES = {
    "no tasks": ({"tasks": {}}, "tasks: none; give one or more"),
    "data and signal": (
        {"tasks": {"a": {"data": "digits", "signal": "tones"}}},
        "tasks.a.data: a task needs data or signal, and not both",
    ),
    "neither": ({"tasks": {"a": None}}, "tasks.a.data: a task needs data or signal"),
    "unknown data": (
        {"tasks": {"a": {"data": "cifar"}}},
        "tasks.a.data: unknown 'cifar'; give one of digits, mnist",
    ),
    "tokens": (
        {"tasks": {"a": {"data": "words"}}},
        "tasks.a.data: words has tokens, whose numbers are no quantities; give it encoding: onehot",
    ),
    "unknown signal": (
        {"tasks": {"a": {"signal": "sine"}}},
        "tasks.a.signal: unknown 'sine'; give one of tone, ",
    ),
    "a key of the other kind of task": (
        {"tasks": {"a": {"data": "digits", "points": 9}}},
        "tasks.a.points: unknown key of a task with data; ",
    ),
    "a task that cannot be trained": (
        {"tasks": {"a": {"data": "digits", "pilot_steps": 5000}}},
        "tasks.a.pilot_steps: 5000 steps are more than the full 1000",
    ),
    "too many observed samples": (
        {"tasks": {"a": {"data": "digits", "probe": 361}}},
        "tasks.a.probe: 361, but digits has 360 test samples; give at most that",
    ),
    "a batch of more than all samples": (
        {"tasks": {"a": {"data": "digits", "batch_size": 2000}}},
        "tasks.a.batch_size: 2000, but digits has 1437 train samples; give at most",
    ),
    "noise without bounds": (
        {"tasks": {"a": {"signal": "tones", "noise": float("inf")}}},
        "tasks.a.noise: inf is not a number of at least 0",
    ),
    "depth 0": ({"depths": [0, 1]}, "depths\\[0\\]: 0 is not a whole number of at least 1"),
    "a key of another kind": (
        {"target": 0.9},
        "target: unknown key of a question of kind depth; ",
    ),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_what_cannot_be_asked_is_refused_in_one_line(case):
    changes, match = ENTRIES[case]
    with pytest.raises(InputError, match=f"^monitor.one.{match}") as refused:
        planned(**changes)
    assert "\n" not in str(refused.value)


WRONG = {
    "depth 0": ({"depths": (0, 1)}, "depths\\[0\\]: 0 is not a whole number of at least 1"),
    "a depth twice": ({"depths": (1, 2, 2)}, "depths: 2 stands twice; give each once"),
    "one depth": ({"depths": (3,)}, "depths: 3; give at least 2, each once"),
    "falling depths": ({"depths": (2, 1)}, r"depths: \[2, 1\]; give them ascending"),
    "one seed": ({"seeds": (1,)}, "seeds: 1; give at least 2, each once"),
    "a large seed": (
        {"seeds": (1, 10_000)},
        "seeds\\[1\\]: 10000 is not a whole number of at least 0",
    ),
    "delays": ({"delays": 18}, "delays: 18 in a window of 20 steps; give 0 to 17"),
    "tolerance": ({"tolerance": 0}, "tolerance: 0 is not a number above 0"),
    "effect": ({"smallest_effect": 0.9}, "smallest_effect: 0.9 is not a number of at least 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_compared_is_refused_in_one_line(case):
    changes, match = WRONG[case]
    with pytest.raises(InputError, match=f"^{match}") as refused:
        replace(FAMILY, **changes)
    assert "\n" not in str(refused.value)


def test_tasks_that_cannot_be_trained_are_refused():
    for changes, match in (
        ({"pilot_steps": 31}, "pilot_steps: 31 steps are more than the full 30; give less"),
        ({"width": 0}, "width: 0 is not a whole number of at least 1"),
        ({"points": 9}, "points: 9 is not a whole number of at least 15"),
        ({"activation": "sine"}, "activation: unknown 'sine'; give one of relu"),
        ({"noise": -1}, "noise: -1 is not a number of at least 0"),
    ):
        with pytest.raises(InputError, match=f"^{match}"):
            replace(SMALL, **changes)
