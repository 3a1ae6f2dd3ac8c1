"""Questions on poor initialisations: what they become, and what is refused before any work."""

import json

import pytest
from fixtures.watching import planned

from koopscope.errors import InputError
from koopscope.experiments.restart.plan import from_dict
from koopscope.experiments.watching.names import INIT_SCHEMES


def test_a_question_comes_back_from_its_json():
    plan = planned("restart", init_schemes={"plain": 2, "dead": 1}, checkpoints=[1, 4])
    again = from_dict(json.loads(json.dumps(plan.to_dict("restart"))))
    assert again == plan
    assert again.to_dict("restart") == plan.to_dict("restart")
    assert (again.kind, again.stores) == ("restart", ("restart",))


def test_each_start_counts_as_often_as_asked():
    plan = planned("restart", init_schemes={"plain": 2, "dead": 1}, epochs=12)
    assert plan.init_schemes == (("plain", 2), ("dead", 1)) and plan.starts_of_a_seed == 3
    assert plan.work("restart") == (2 * 3 * 3 * 12, "epochs")
    # Without a word, all of them.
    assert tuple(dict(planned("restart").init_schemes)) == INIT_SCHEMES


RUNS = {"relu": {"data": "digits"}}
REFUSED = {
    "no window at a checkpoint": (
        {"snapshots_per_epoch": 1, "checkpoints": [1, 5]},
        "snapshots_per_epoch: 1 leaves no window at epoch 1; give 2 or more",
    ),
    "unknown start": (
        {"init_schemes": {"plain": 1, "cold": 1}},
        "init_schemes: unknown 'cold'; give one of plain, he, small",
    ),
    "no plain start": (
        {"init_schemes": {"he": 1, "dead": 1}},
        "init_schemes: he, dead; give plain, by which the others are measured",
    ),
    "a start never drawn": (
        {"init_schemes": {"plain": 1, "dead": 0}},
        "init_schemes.dead: 0 is not a whole number of at least 1",
    ),
    "one kind of runs": (
        {"runs": RUNS},
        "runs: 1; give at least two, so that each can be held out",
    ),
    "checkpoint at the end": (
        {"epochs": 10, "checkpoints": [1, 10]},
        r"checkpoints: \[1, 10\]; give epochs from 1 to 9, before the runs end",
    ),
    "checkpoints in disorder": (
        {"checkpoints": [2, 1]},
        r"checkpoints: \[2, 1\]; give them ascending",
    ),
    "no checkpoint": ({"checkpoints": []}, "checkpoints: none; give at least 1, each once"),
    "starts of a model": (
        {"runs": RUNS | {"net": {"data": "mnist", "model": "mnistnet"}}},
        "runs.net.model: mnistnet has no other starts; give mlp",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_line(case):
    changes, message = REFUSED[case]
    with pytest.raises(InputError, match=f"^monitor.one.{message}") as refused:
        planned("restart", **changes)
    assert "\n" not in str(refused.value)
