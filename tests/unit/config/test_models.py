"""Setups of networks of any module: what they depend on, what is known of them beforehand."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from koopscope.config.data import DataSpec
from koopscope.config.models import ModelSetup, recorded_names
from koopscope.config.setups import setup_from_dict
from koopscope.errors import InputError

DIGITS = DataSpec("digits", "digits")
TOKENS = DataSpec("pairs", "modular", modulus=7, encoding="tokens")
SETUP = ModelSetup(
    DIGITS,
    architecture="mlp",
    options={"hidden_widths": [7, 5], "bias": False},
    optimizer="adam",
    optimizer_options={"betas": [0.9, 0.98]},
    learning_rate=0.01,
    steps=100,
    record_every=5,
    seeds=(1, 2),
)


def test_a_setup_is_the_same_again_from_its_canonical_form():
    again = setup_from_dict(json.loads(json.dumps(SETUP.to_dict())))
    assert again == SETUP and again.id == SETUP.id
    assert SETUP.id.startswith("model-mlp-adam-lr0.01-b60-digits.")


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"hidden_widths": (7, 6), "bias": False}},
        {"optimizer_options": {}},
        {"initial_scale": 2.0},
        {"norm_kept": 0.8},
        {"record_every": 10},
        {"loss": "squared_error"},
        {"batch_size": None},
        {"sketch": 3},
        {"together": False},
    ],
)
def test_whatever_is_changed_gives_another_name(change):
    assert replace(SETUP, **change).id != SETUP.id


def test_the_order_in_which_options_are_written_does_not_matter():
    swapped = {"bias": False, "hidden_widths": (7, 5)}
    assert replace(SETUP, options=swapped).id == SETUP.id


def test_numbers_of_a_snapshot_are_known_beforehand():
    assert SETUP.parameters == SETUP.weights == 64 * 7 + 7 * 5 + 5 * 10
    output = replace(SETUP, observable=("output.*",), probe=4)
    assert (output.weights, output.features("weights"), output.features("probe")) == (50, 50, 41)
    assert replace(SETUP, sketch=40).weights == 40 + 35 + 40
    assert SETUP.features("sketch") == SETUP.features("probe") == 0
    assert SETUP.states == 20
    assert [SETUP.per_step(unit) for unit in ("step", "epoch", "rate")] == [
        5,
        pytest.approx(5 * 60 / 1437),
        pytest.approx(0.05),
    ]


def test_names_are_patterns_in_the_networks_order():
    names = {"conv1.weight": 1, "conv1.bias": 1, "fc.weight": 1}
    assert recorded_names(names, ("fc.*", "conv1.w*")) == ("conv1.weight", "fc.weight")
    assert recorded_names(names, ("all",)) == tuple(names)


def test_planning_with_an_architecture_loads_nothing_numerical():
    code = (
        "import sys\n"
        "from koopscope.config.data import DataSpec\n"
        "from koopscope.config.models import ModelSetup\n"
        "setup = ModelSetup(DataSpec('digits', 'digits'), architecture='lenet')\n"
        "assert setup.parameters == 61706\n"
        "print(sorted({'torch', 'numpy', 'xarray'} & set(sys.modules)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_transformer_takes_tokens_and_nothing_else_does():
    setup = ModelSetup(TOKENS, architecture="transformer", batch_size=None)
    assert setup.shapes["embedding"] == (8, 64)
    with pytest.raises(InputError, match=r"^architecture: transformer takes tokens, digits has no"):
        ModelSetup(DIGITS, architecture="transformer")
    with pytest.raises(InputError, match=r"^architecture: mlp takes pixels or numbers, pairs has"):
        ModelSetup(TOKENS, architecture="mlp", batch_size=None)
    with pytest.raises(InputError, match=r"^options.heads: 3 do not divide the width 64$"):
        ModelSetup(TOKENS, architecture="transformer", options={"heads": 3}, batch_size=None)
