"""Pruning experiments of a configuration: what they become, and what is refused before work."""

import json
import subprocess
import sys

import pytest

from koopscope.errors import InputError
from koopscope.experiments.pruning.epochs import included
from koopscope.experiments.pruning.names import METHODS
from koopscope.experiments.pruning.protocol import protocol_from_dict
from koopscope.experiments.registry import read
from koopscope.training import models
from koopscope.training.names import MODELS


def planned(**changes):
    entry = {"question": "Which?", "data": "digits", "seeds": [1, 2]} | changes
    config = {"data": {"digits": {"kind": "digits"}, "mnist": {"kind": "mnist"}}}
    config["data"]["sums"] = {"kind": "modular", "modulus": 32}
    return read(config | {"pruning": {"early": entry}})["early"]


def test_an_experiment_comes_back_from_its_json():
    found = planned(epochs=[1, 5], compression_ratios=[2, 8.5], evaluated=["magnitude"], rank=12)
    assert found.seeds == (1, 2)
    assert found.protocol.epochs == (1, 5)
    assert found.protocol.methods == METHODS
    assert protocol_from_dict(json.loads(json.dumps(found.to_dict("pruning")))) == found.protocol


def test_experiments_share_runs_that_train_alike():
    one = planned(epochs=[1, 5]).run
    assert one == planned(epochs=[1, 5], compression_ratios=[2, 4], methods=["random"]).run
    others = [
        planned(epochs=[1, 6]),
        planned(epochs=[1, 5], learning_rate=0.1),
        planned(epochs=[1, 5], train_samples=500),
        planned(epochs=[1, 5], data="mnist"),
    ]
    assert len({one, *(other.run for other in others)}) == 5
    recorded = protocol_from_dict(planned(epochs=[1, 5], compression_ratios=[2]).training())
    assert recorded.compression_ratios == (4.0,)
    assert recorded.epochs == (1, 5)


def test_without_the_section_there_is_no_experiment():
    assert read({"data": {}}) == {}


def test_the_networks_are_those_of_the_library():
    assert list(MODELS) == list(models.MODELS)
    for name, known in MODELS.items():
        model = models.build(name, 0)
        sizes = {key: model.get_parameter(key).numel() for key in included(model, classifier=True)}
        assert model.image == known.image
        assert sum(p.numel() for p in model.parameters()) == known.parameters
        assert sum(sizes.values()) == known.weights
        assert sizes[model.classifier] == known.classifier
        assert len(sizes) == known.layers
        assert sizes.keys() - {model.classifier} == set(included(model, classifier=False))


def test_planning_needs_no_numerical_library():
    script = "import koopscope.experiments.pruning.plan, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n"


CASES = {
    "unknown data": ({"data": "cifar"}, "^pruning.early.data: unknown 'cifar'; give one of digits"),
    "seed twice": ({"seeds": [1, 1]}, "^pruning.early.seeds: 1 stands twice; give each once"),
    "too many samples": (
        {"train_samples": 9999},
        "^pruning.early.train_samples: 9999, but digits has 1437; give at most that",
    ),
    "unknown method": (
        {"methods": ["best"]},
        "^pruning.early.methods: unknown 'best'; give one of koopman_magnitude, ",
    ),
    "too far": (
        {"compression_ratios": [1e6]},
        r"^pruning.early.compression_ratios: 1e\+06 leaves less than a weight for each layer of "
        "mnistnet; give at most 738",
    ),
    "not enough": (
        {"compression_ratios": [0.5]},
        "^pruning.early.compression_ratios.0.: 0.5 is not a number",
    ),
    "too many classes": (
        {"data": "sums"},
        "^pruning.early.data: sums has 32 classes; mnistnet needs 10; give another data set",
    ),
    "momentum": (
        {"momentum": 1},
        "^pruning.early.momentum: 1 is not a number of at least 0",
    ),
    "rate": ({"learning_rate": 0}, "^pruning.early.learning_rate: 0 is not a number above 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_run_is_refused_in_one_line(case):
    changes, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        planned(**changes)
    assert "\n" not in str(refused.value)
