"""Experiments of a configuration: what they become, and what is refused before work starts."""

import json
import subprocess
import sys

import pytest

from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.hsvr.names import REGRESSORS
from koopscope.experiments.hsvr.plan import MIN_POINTS, Baselines, from_dict
from koopscope.experiments.registry import read
from koopscope.hsvr.names import METHODS


def planned(**changes):
    entry = {"question": "Where?", "signals": {"tones": 201, "rings": 31}} | changes
    return read({"data": {}, "hsvr": {"depth": entry}})["depth"]


def test_an_experiment_comes_back_from_its_json():
    found = planned(noise=[0, 0.1], seeds=[1, 2], rules=["fft"], baselines={"signals": ["rings"]})
    assert found.signals == (("tones", 201), ("rings", 31))
    assert found.baselines == Baselines(("rings",))
    whole, alone = (
        from_dict(json.loads(json.dumps(found.to_dict(store))))
        for store in ("regressors", "transitions")
    )
    assert whole == found
    assert alone == planned(noise=[0, 0.1], seeds=[1, 2], rules=["fft"])


def test_without_the_section_there_is_no_experiment():
    assert read({"data": {}}) == {}


def test_other_regressors_are_a_store_of_their_own_with_fewer_signals():
    found = planned(noise=[0, 0.1], seeds=[1, 2, 3], baselines={"signals": ["rings"]})
    assert found.stores == ("transitions", "regressors")
    assert found.work("transitions") == (12, "signals")
    assert found.work("regressors") == (6, "signals")
    assert planned().stores == ("transitions",)


def test_every_name_of_the_library_can_be_planned():
    found = planned(
        signals=dict.fromkeys(SIGNALS, MIN_POINTS),
        rules=list(METHODS),
        baselines={"signals": list(SIGNALS), "regressors": list(REGRESSORS)},
    )
    assert found.baselines == Baselines(tuple(SIGNALS))
    assert found.rules == planned().rules == METHODS


def test_planning_needs_no_numerical_library():
    script = "import koopscope.experiments.hsvr.plan, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n"


CASES = {
    "unknown signal": (
        {"signals": {"sine": 201}},
        "hsvr.depth.signals: unknown 'sine'; give one of tone, tones, ",
    ),
    "too few points": (
        {"signals": {"tone": 14}},
        "hsvr.depth.signals.tone: 14 points an axis are too few .* give at least 15",
    ),
    "a level twice": ({"noise": [0.1, 0.1]}, "hsvr.depth.noise: 0.1 stands twice; give each once"),
    "a seed twice": ({"seeds": [3, 3]}, "hsvr.depth.seeds: 3 stands twice"),
    "unknown rule": (
        {"rules": ["wavelet"]},
        "hsvr.depth.rules: unknown 'wavelet'; give one of",
    ),
    "baselines of no signal": (
        {"baselines": {"signals": ["tone"]}},
        "hsvr.depth.baselines.signals: unknown 'tone'; give one of tones, rings",
    ),
    "unknown regressor": (
        {"baselines": {"signals": ["tones"], "regressors": ["lasso"]}},
        "hsvr.depth.baselines.regressors: unknown 'lasso'; give one of hsvr, ",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_run_is_refused_in_one_line(case):
    changes, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        planned(**changes)
    assert "\n" not in str(refused.value)
