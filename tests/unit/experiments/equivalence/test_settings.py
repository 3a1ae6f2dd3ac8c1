"""What names of variants stand for: the settings that set them apart, and nothing else."""

from koopscope.experiments.equivalence.settings import settings
from koopscope.experiments.registry import read

NETWORK = {"data": "digits", "hidden_widths": [5], "steps": 50, "seeds": [1, 2]}
DATA = {"digits": {"kind": "digits"}, "twin": {"kind": "synthetic", "like": "digits"}}


def told(variants, **more):
    entry = {"question": "Why?", "network": NETWORK, "variants": variants, "test": False, **more}
    return settings(read({"data": DATA, "studies": {"s": entry}})["s"])


def test_only_what_differs_is_told():
    assert told({"narrow": None, "deep": {"hidden_widths": [6, 7]}}) == {
        "narrow": "hidden widths 5",
        "deep": "hidden widths 6 × 7",
    }
    assert told({"real": None, "made": {"data": "twin"}}) == {
        "real": "data digits",
        "made": "data synthetic like digits, seed 0, difficulty 0.5",
    }


def test_a_setting_that_one_lacks_is_left_out_of_it():
    found = told({"plain": None, "heavy": {"optimizer": "momentum", "learning_rate": 0.01}})
    assert found["plain"] == "optimizer sgd, learning rate 0.1"
    assert found["heavy"] == "optimizer momentum, learning rate 0.01, momentum 0.9"


def test_what_is_recorded_beside_and_seeds_set_nothing_apart():
    found = told({"a": None, "b": {"sketch": 0, "probe": 0, "seeds": [3, 4]}})
    assert found == {"a": "", "b": ""}


def test_controls_do_not_count():
    variants = {"narrow": None, "wide": {"hidden_widths": [9]}, "fresh": {"data": "twin"}}
    pairs = [{"first": "narrow", "second": other} for other in ("wide", "fresh")]
    assert told(variants, pairs=pairs) == {
        "narrow": "hidden widths 5",
        "wide": "hidden widths 9",
    }


def test_methods_that_few_know_are_spelled_out():
    entry = {
        "question": "Why?",
        "online": {"method": "omd"},
        "variants": {"omd": None, "bisection": {"method": "bisection"}},
        "test": False,
    }
    assert settings(read({"data": DATA, "studies": {"s": entry}})["s"]) == {
        "omd": "method mirror descent with log barrier",
        "bisection": "method bisection",
    }


def test_options_of_a_model_are_told_too():
    entry = {
        "question": "Why?",
        "model": {"data": "digits", "architecture": "mlp", "steps": 5, "evaluate_every": 5},
        "variants": {"relu": None, "tanh": {"options": {"activation": "tanh"}}},
        "test": False,
    }
    found = settings(read({"data": DATA, "studies": {"s": entry}})["s"])
    assert found == {"relu": "", "tanh": "options activation tanh"}
