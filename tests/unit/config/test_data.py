"""Definitions of modular arithmetic and of what is made from it."""

import json
from dataclasses import replace

import pytest

from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.reading import data_specs
from koopscope.config.setup import NetworkSetup, setup_from_dict
from koopscope.errors import InputError

DIGITS = DataSpec("digits", "digits")
SUMS = DataSpec("sums", "modular")
TOKENS = DataSpec("words", "modular", encoding="tokens")


# If these change, every stored result gets another name.
@pytest.mark.parametrize(
    ("spec", "data", "setup"),
    [
        (DataSpec("mnist", "mnist"), "mnist.bcbfbccb", "b783ac2f"),
        (DIGITS, "digits.15c5803c", "8b6fba81"),
        (DataSpec("cifar10", "cifar10"), "cifar10.59951cb2", "2c97374e"),
        (
            DataSpec("synthetic", "synthetic", like=DIGITS, seed=3, difficulty=0.9),
            "synthetic.a0ad4d3b",
            "35155ffe",
        ),
        (DataSpec("permuted", "permuted", like=DIGITS, seed=1), "permuted.4c1a8079", "670b8749"),
        (
            DataSpec("relabelled", "relabelled", like=DIGITS, seed=2),
            "relabelled.bdb8b3e7",
            "d9177410",
        ),
    ],
)
def test_names_of_data_sets_of_ten_classes_are_those_before_there_were_others(spec, data, setup):
    assert spec.id == data
    assert NetworkSetup(spec).id.rpartition(".")[2] == setup
    assert spec.classes == 10 and not spec.tokens
    assert set(spec.to_dict()) <= {"kind", "like", "seed", "difficulty"}


def test_sizes_follow_from_the_modulus_the_share_and_the_encoding():
    spec = replace(SUMS, modulus=113, train_share=0.3)
    assert (spec.pixels, spec.train_samples, spec.test_samples) == (226, 3831, 8938)
    assert spec.classes == 113
    tokens = replace(spec, encoding="tokens")
    assert (tokens.pixels, tokens.classes) == (3, 113)
    control = DataSpec("c", "renamed", like=DataSpec("b", "renamed", like=tokens))
    sizes = (control.pixels, control.train_samples, control.test_samples, control.classes)
    assert sizes == (3, 3831, 8938, 113)
    assert control.tokens and not DataSpec("d", "permuted", like=spec).tokens


@pytest.mark.parametrize(
    "change",
    [
        {"modulus": 113},
        {"operation": "multiply"},
        {"train_share": 0.3},
        {"encoding": "tokens"},
        {"seed": 1},
    ],
)
def test_whatever_changes_the_data_changes_the_id_and_comes_back_from_json(change):
    spec = replace(SUMS, **change)
    assert spec.id != SUMS.id
    again = data_from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == replace(spec, name="modular")
    control = DataSpec("other", "renamed", like=spec, seed=3)
    again = data_from_dict(json.loads(json.dumps(control.to_dict())))
    assert again.to_dict() == control.to_dict()
    assert again.to_dict()["like"] == spec.to_dict()


def test_a_network_has_an_output_for_each_class():
    control = DataSpec("other", "renamed", like=replace(SUMS, modulus=23))
    for data in (control.like, control, DataSpec("p", "permuted", like=control)):
        setup = NetworkSetup(data, hidden_widths=(7, 5), probe=4)
        assert setup.shapes == {"hidden1": (46, 7), "hidden2": (7, 5), "output": (5, 23)}
        assert setup.features("probe") == 1 + 4 * 23
        assert setup.per_step("epoch") == 60 / 264
        assert setup_from_dict(json.loads(json.dumps(setup.to_dict()))).to_dict() == setup.to_dict()


@pytest.mark.parametrize("data", [TOKENS, DataSpec("other", "renamed", like=TOKENS)])
def test_a_network_takes_no_tokens(data):
    with pytest.raises(InputError, match=f"data: {data.name} has tokens.*; give it enc.*onehot$"):
        NetworkSetup(data)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"batch_size": 25}, "batch_size: 25, but small has 24 training samples; give at most that"),
        ({"probe": 26}, "probe: 26, but small has 25 test samples; give at most that"),
    ],
)
def test_a_network_takes_no_more_samples_than_there_are_pairs(fields, said):
    small = DataSpec("small", "modular", modulus=7)
    NetworkSetup(small, batch_size=24, probe=25)
    with pytest.raises(InputError, match=f"^{said}$"):
        NetworkSetup(small, **{"batch_size": 24, **fields})


REFUSED = [
    ({"kind": "digits", "modulus": 113}, "modulus: 113 says nothing of digits; remove it"),
    ({"kind": "digits", "operation": "multiply"}, "operation: multiply says nothing of digits"),
    ({"kind": "mnist", "train_share": 0.3}, "train_share: 0.3 says nothing of mnist; remove it"),
    ({"kind": "mnist", "encoding": "tokens"}, "encoding: tokens says nothing of mnist; remove it"),
    ({"kind": "renamed", "like": SUMS, "modulus": 5}, "modulus: 5 says nothing of renamed"),
    ({"kind": "modular", "difficulty": 0.3}, "difficulty: 0.3 says nothing of modular; remove it"),
    ({"kind": "modular", "path": "a"}, "path: a says nothing of modular; remove it"),
    ({"kind": "modular", "like": DIGITS}, "like: 'digits'; a synthetic, .*, renamed data set"),
    ({"kind": "renamed"}, "like: None; a synthetic, permuted, relabelled, renamed data set"),
    ({"kind": "modular", "modulus": 2}, "modulus: 2 is not a whole number of at least 3 and of at"),
    ({"kind": "modular", "modulus": 251}, "modulus: 251 is not a whole number .* at most 250;"),
    ({"kind": "modular", "operation": "xor"}, "operation: unknown 'xor'; give one of add, sub"),
    ({"kind": "modular", "encoding": "bits"}, "encoding: unknown 'bits'; give one of onehot, tok"),
    ({"kind": "modular", "train_share": 0.0}, "train_share: 0 is not a number above 0 and below"),
    (
        {"kind": "modular", "modulus": 3, "train_share": 0.05},
        "train_share: 0.05 of 9 pairs leaves none to train; give 0.111111 to 0.888889",
    ),
    (
        {"kind": "modular", "modulus": 3, "train_share": 0.95},
        "train_share: 0.95 of 9 pairs leaves none to test; give 0.111111 to 0.888889",
    ),
    (
        {"kind": "renamed", "like": DIGITS},
        "like: 'digits' is digits, but only elements .* or kind: permuted or relabelled$",
    ),
    (
        {"kind": "renamed", "like": DataSpec("p", "permuted", like=SUMS)},
        "like: 'p' is permuted, but only elements",
    ),
    ({"kind": "synthetic", "like": SUMS}, "like: 'sums' is modular arithmetic, .*; give another"),
    ({"kind": "permuted", "like": TOKENS}, "like: 'words' has tokens, .* or kind: renamed$"),
    ({"kind": "relabelled", "like": TOKENS}, "like: 'words' has tokens, .* encoding: onehot"),
    (
        {"kind": "relabelled", "like": DataSpec("r", "renamed", like=TOKENS)},
        "like: 'r' has tokens",
    ),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED)
def test_what_makes_no_data_set_is_refused_in_one_line(fields, said):
    with pytest.raises(InputError, match=said) as refused:
        DataSpec("x", **fields)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("modulus", [3, 4, 97, 113, 250])
def test_the_shares_that_a_refusal_offers_are_taken(modulus):
    least, most = f"{1 / modulus**2:g}", f"{1 - 1 / modulus**2:g}"
    assert replace(SUMS, modulus=modulus, train_share=float(least)).train_samples == 1
    assert replace(SUMS, modulus=modulus, train_share=float(most)).test_samples == 1


def test_a_configuration_names_them():
    entries = {
        "sums": {"kind": "modular", "modulus": 13, "train_share": 0.3, "seed": 4},
        "other": {"kind": "renamed", "like": "sums", "seed": 2},
    }
    sums = DataSpec("sums", "modular", modulus=13, train_share=0.3, seed=4)
    found = data_specs({"data": entries})
    assert found == {"sums": sums, "other": DataSpec("other", "renamed", like=sums, seed=2)}
    entries["other"]["encoding"] = "tokens"
    with pytest.raises(InputError, match="^data.other.encoding: tokens says nothing of renamed"):
        data_specs({"data": entries})
