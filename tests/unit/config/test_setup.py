"""Setups and studies: digests, sharing, round trips, and what is refused."""

import json
from dataclasses import replace

import pytest

from koopscope.artefacts.provenance import digest
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.setup import NetworkSetup, OnlineSetup, setup_from_dict
from koopscope.errors import InputError

DIGITS = DataSpec("digits", "digits")
TWIN = DataSpec("twin", "synthetic", like=DIGITS, difficulty=0.3, seed=4)


# If these change, every stored result gets another name: only a new field may do that.
def test_digests_are_those_they_always_were():
    network = NetworkSetup(DIGITS, hidden_widths=(5,), seeds=(1, 2))
    assert json.dumps(network.to_dict(), sort_keys=True) == (
        '{"network": {"activation": "relu", "batch_size": 60, "data": {"kind": "digits"}, "evalua'
        'te_every": 250, "hidden_widths": [5], "initialisations": 10, "learning_rate": 0.1, "mome'
        'ntum": null, "observable": ["output"], "optimizer": "sgd", "perturbation_scale": 0.001, '
        '"probe": 0, "seeds": [1, 2], "shuffle": true, "sketch": 0, "steps": 1000, "weight_decay"'
        ": 0.0}}"
    )
    assert network.id == "mlp-h5-sgd-lr0.1-b60-relu-digits.41dd5775"
    assert OnlineSetup("omd").id == "omd-tan-d2-eta0.01-grid.5dcce391"
    assert FitSpec(8, 10).id == "d8-r10-auto.05794c33"
    assert TWIN.id == "twin.8a4d4357"


def test_the_name_of_a_data_set_does_not_count_but_its_definition_does():
    named = replace(DIGITS, name="numerals")
    assert NetworkSetup(named).to_dict() == NetworkSetup(DIGITS).to_dict()
    assert NetworkSetup(TWIN).to_dict() != NetworkSetup(DIGITS).to_dict()
    assert NetworkSetup(replace(TWIN, seed=5)).to_dict() != NetworkSetup(TWIN).to_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_widths": (6,)},
        {"activation": "gelu"},
        {"learning_rate": 0.2},
        {"batch_size": 30},
        {"steps": 999},
        {"observable": ("all",)},
        {"seeds": (0, 1)},
        {"initialisations": 9},
        {"perturbation_scale": 0.01},
        {"shuffle": False},
        {"evaluate_every": 100},
        {"optimizer": "momentum"},
        {"optimizer": "nesterov", "momentum": 0.5},
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"sketch": 8},
        {"probe": 20},
        {"data": TWIN},
    ],
)
def test_whatever_changes_the_runs_changes_the_id(change):
    setup = NetworkSetup(DIGITS)
    assert replace(setup, **change).id != setup.id


def test_shapes_and_recorded_weights_follow_from_the_architecture():
    setup = NetworkSetup(DIGITS, hidden_widths=(7, 5))
    assert setup.layers == ("hidden1", "hidden2", "output")
    assert setup.shapes == {"hidden1": (64, 7), "hidden2": (7, 5), "output": (5, 10)}
    assert setup.weights == 50
    assert replace(setup, observable=("all",)).weights == 64 * 7 + 35 + 50
    assert replace(setup, observable=("output", "hidden2")).recorded == ("hidden2", "output")
    assert NetworkSetup(DataSpec("mnist", "mnist")).shapes["hidden1"] == (784, 40)


def test_observables_have_as_many_features_as_is_recorded_of_them():
    setup = NetworkSetup(DIGITS, hidden_widths=(7, 5), sketch=3, probe=4)
    expected = {"weights": 50, "sketch": 27, "sketch:hidden2": 9, "probe": 41}
    assert {name: setup.features(name) for name in expected} == expected
    for other, name in (
        (setup, "sketch:hidden3"),
        (setup, "probe:output"),
        (NetworkSetup(DIGITS), "sketch"),
        (OnlineSetup("omd"), "probe"),
    ):
        assert other.features(name) == 0


@pytest.mark.parametrize(
    "setup",
    [
        NetworkSetup(DIGITS, hidden_widths=(7, 5), observable=("hidden1", "output"), seeds=(3, 1)),
        NetworkSetup(DataSpec("mnist", "mnist"), shuffle=False),
        NetworkSetup(DIGITS, optimizer="nesterov", weight_decay=0.1, sketch=3, probe=2),
        OnlineSetup("ogd", initial_points="random", seeds=(1, 2)),
        OnlineSetup("bisection", "cubic", dimension=3, initialisations=27),
    ],
)
def test_a_setup_comes_back_from_its_json(setup):
    again = setup_from_dict(json.loads(json.dumps(setup.to_dict())))
    assert again == setup
    assert again.id == setup.id


def test_a_setup_on_a_synthetic_data_set_comes_back_but_for_its_name():
    setup = NetworkSetup(TWIN)
    again = setup_from_dict(json.loads(json.dumps(setup.to_dict())))
    assert again == replace(setup, data=replace(TWIN, name="synthetic"))
    assert digest(again.to_dict()) == digest(setup.to_dict())


NETWORK_CASES = [
    (
        {"hidden_widths": (-5,)},
        r"hidden_widths\[0\]: -5 is not a whole number of at least 1; .*; default \[40\]\)$",
    ),
    ({"hidden_widths": (5, 0)}, r"hidden_widths\[1\]: 0 is not a whole number of at least 1"),
    ({"hidden_widths": (2.5,)}, r"hidden_widths\[0\]: 2.5 is not a whole number of at least 1"),
    ({"hidden_widths": ()}, "hidden_widths: no layer; give at least one width"),
    ({"activation": "rleu"}, "activation: unknown 'rleu'; give one of relu, gelu"),
    ({"optimizer": "lion"}, "optimizer: unknown 'lion'; give one of sgd"),
    ({"momentum": 0.9}, "momentum: 0.9, but sgd has none; remove it"),
    ({"optimizer": "nesterov", "momentum": 1.0}, "momentum: 1 is not a number above 0 and below 1"),
    ({"weight_decay": -0.1}, "weight_decay: -0.1 is not a number of at least 0"),
    ({"optimizer": "adamw"}, "weight_decay: 0 leaves adamw nothing to decouple; give one"),
    ({"sketch": -2}, "sketch: -2 is not a whole number of at least 0"),
    ({"probe": 2.5}, "probe: 2.5 is not a whole number of at least 0"),
    (
        {"learning_rate": 0.0},
        r"learning_rate: 0 is not a number above 0; .* \(per step; default 0.1\)",
    ),
    ({"learning_rate": float("nan")}, "learning_rate: nan is not a number above 0"),
    ({"batch_size": 0}, "batch_size: 0 is not a whole number of at least 1"),
    ({"steps": -1}, "steps: -1 is not a whole number of at least 1"),
    ({"steps": True}, "steps: true is not a whole number of at least 1"),
    ({"initialisations": 0}, "initialisations: 0 is not a whole number of at least 1"),
    ({"evaluate_every": 0}, "evaluate_every: 0 is not"),
    ({"seeds": ()}, "seeds: none; give at least 1, each once"),
    ({"seeds": (1, 2, 1)}, "seeds: 1 stands twice; give each once"),
    (
        {"perturbation_scale": 1.0},
        "perturbation_scale: 1 is not a number of at least 0 and below 1",
    ),
    (
        {"perturbation_scale": -0.1},
        "perturbation_scale: -0.1 is not a number of at least 0 and below 1",
    ),
    ({"observable": ("hidden2",)}, "observable: unknown 'hidden2'; give one of hidden1, output"),
    ({"observable": ("output", "output")}, "observable: output stands twice; give each once"),
]
ONLINE_CASES = [
    ({"method": "adam"}, "method: unknown 'adam'; give one of omd, ogd, bisection"),
    ({"loss": "square"}, "loss: unknown 'square'; give one of tan, linear, cubic, sinh"),
    ({"initial_points": "here"}, "initial_points: unknown 'here'; give one of grid, random"),
    ({"initialisations": 24}, "initialisations: 24 points make no grid in 2 dimensions; .* 5\\^2"),
    ({"seeds": (1, 2)}, "seeds: .* would all give the same grid; give one seed, or starts"),
    ({"step_size": -1.0}, "step_size: -1 is not a number above 0"),
    ({"states": 0}, "states: 0 is not a whole number of at least 2"),
]


@pytest.mark.parametrize(("change", "match"), NETWORK_CASES)
def test_a_network_that_cannot_be_trained_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        NetworkSetup(DIGITS, **change)


@pytest.mark.parametrize(("change", "match"), ONLINE_CASES)
def test_an_optimiser_that_cannot_be_run_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        OnlineSetup(**{"method": "omd", **change})


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ({"kind": "cifar"}, "kind: unknown 'cifar'; give one of mnist, digits, cifar10"),
        ({"kind": "synthetic"}, "like: None; a synthetic, permuted, relabelled, renamed data set"),
        (
            {"kind": "digits", "like": DIGITS},
            "like: 'digits'; a synthetic, permuted, relabelled, renamed data set",
        ),
        (
            {"kind": "synthetic", "like": DIGITS, "difficulty": 1.0},
            "difficulty: 1 is not a number of at least 0 and below 1",
        ),
    ],
)
def test_a_data_set_that_cannot_be_made_is_refused(spec, match):
    with pytest.raises(InputError, match=match):
        DataSpec("x", **spec)


@pytest.mark.parametrize(
    ("fit", "match"),
    [
        ({"delays": -1}, "delays: -1 is not a whole number of at least 0"),
        ({"rank": 0}, "rank: 0 is not a whole number of at least 1"),
        ({"solver": "qr"}, "solver: unknown 'qr'; give one of auto, full, lanczos, gram"),
        ({"observable": "loss"}, "observable: unknown 'loss'; give one of weights, sketch, probe"),
        ({"stride": 0}, "stride: 0 is not a whole number of at least 1"),
        ({"start": 5, "stop": 5}, "start, stop: 5, 5 is no window of a run"),
        ({"initialisations": 0}, "initialisations: 0 is not a whole number of at least 1"),
    ],
)
def test_a_fit_that_no_data_could_serve_is_refused(fit, match):
    with pytest.raises(InputError, match=match):
        FitSpec(**fit)
