"""Experiments of a configuration: what they become, and what is refused before work starts."""

import json
import subprocess
import sys

import pytest

from koopscope.data import signals
from koopscope.errors import InputError
from koopscope.hsvr import experiment as library
from koopscope.hsvr import scales
from koopscope.planning import check_names
from koopscope.plans import hsvr as experiments
from koopscope.plans.hsvr import Baselines, experiment_from, experiments_from


def planned(**changes):
    entry = {"question": "Where?", "signals": {"tones": 201, "rings": 31}} | changes
    return experiments_from({"studies": {"width": {}}, "hsvr": {"depth": entry}})["depth"]


def test_an_experiment_comes_back_from_its_json():
    found = planned(noise=[0, 0.1], seeds=[1, 2], rules=["fft"], baselines={"signals": ["rings"]})
    assert found.signals == (("tones", 201), ("rings", 31))
    assert found.baselines == Baselines(("rings",))
    canonical, others = (
        json.loads(json.dumps(x)) for x in (found.canonical(), found.canonical_baselines())
    )
    assert experiment_from(canonical, others) == found
    assert experiment_from(canonical).baselines is None


def test_without_the_section_there_is_no_experiment():
    assert experiments_from({"studies": {}}) == {}


def test_names_are_those_of_the_library():
    assert set(experiments.SIGNALS) == set(signals.SIGNALS)
    assert experiments.RULES == scales.METHODS
    assert experiments.REGRESSORS == library.REGRESSORS


def test_planning_needs_no_numerical_library():
    script = "import koopscope.plans.hsvr, sys; print('numpy' in sys.modules)"
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


def test_a_name_that_another_question_has_is_refused():
    sections = ["studies", "hsvr", "pruning"]
    with pytest.raises(InputError, match="^hsvr.width: a study has this name too; rename one"):
        check_names({"studies": {"width": {}}, "hsvr": {"width": {}}}, sections)
    with pytest.raises(InputError, match="^pruning.depth: hsvr.depth has this name too; rename"):
        check_names({"hsvr": {"depth": {}}, "pruning": {"depth": {}}}, sections)
    check_names({"studies": {"width": {}}, "hsvr": {"depth": {}}}, sections)
