"""Benchmarks of known answers: what they become, and what is refused before any work starts."""

import json

import pytest

from koopscope.errors import InputError
from koopscope.experiments.known_answers.plan import from_dict
from koopscope.experiments.registry import needs, read

ENTRY = {
    "question": "Which?",
    "network": {"data": "digits", "hidden_widths": [8], "steps": 100, "probe": 3},
    "runs": 40,
}


def planned(**changes):
    data = {"digits": {"kind": "digits"}, "sums": {"kind": "modular"}}
    return read({"data": data, "known_answers": {"one": ENTRY | changes}})["one"]


def test_a_benchmark_comes_back_from_its_json():
    plan = planned(methods=["spectrum raw of probe", "loss_curve", "mine.methods:best"])
    assert from_dict(json.loads(json.dumps(plan.to_dict("known_answers")))) == plan


def test_pools_have_seeds_of_their_own_and_core_cases_more_of_them():
    plan = planned(core_times=3, first_seed=7)
    first, second = plan.seeds
    assert len(first) == len(second) == 120 and not set(first) & set(second)
    assert (plan.times("fresh seeds"), plan.times("tanh")) == (3, 1)


def test_systems_alone_need_no_data():
    assert planned(cases=["omd/ogd tan"]).data_sets == ()
    assert [spec.name for spec in planned(cases=["tanh"]).data_sets] == ["digits"]


def test_more_runs_need_more_memory():
    few, many = (needs([planned(runs=n)], {}) for n in (40, 400))
    path = "results/known_answers/one.zarr"
    base = few[path].base
    assert many[path].memory_bytes - base > 4 * (few[path].memory_bytes - base)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"methods": ["spectrum nonsense"]}, "methods: spectrum nonsense.coordinates: unknown"),
        ({"methods": ["spectrum raw manhattan"]}, "distance: unknown 'manhattan'; give one of"),
        ({"methods": ["spectrum raw of dreams"]}, "observable: unknown 'dreams'; give one of"),
        ({"methods": ["loss_curves"]}, "methods: unknown 'loss_curves'; give one of"),
        ({"methods": ["spectrum"]}, "methods: unknown 'spectrum'"),
        ({"methods": [""]}, r"methods\[0\]: is empty"),
        ({"methods": []}, "methods: "),
        ({"methods": ["loss_curve", "loss_curve"]}, "methods: "),
        ({"cases": ["omd/ogd sin"]}, "cases\\[0\\]: unknown 'omd/ogd sin'; give one of"),
        ({"sizes": [3]}, "sizes\\[0\\]: 3 is not"),
        ({"sizes": [20]}, "sizes: 20, but 40 runs over 4 maps are 10 each; give more runs"),
        ({"delays": 99}, "delays: 99 with rank 5 in 100 steps; give 0 to 93, or more steps"),
        ({"network": {"data": "digits", "seeds": [1]}}, "network.seeds: the benchmark decides it"),
        ({"network": {"data": "dogits"}}, "network.data: unknown 'dogits'"),
        ({"network": {"data": "sums"}}, "data: sums has 97 classes; the benchmark needs 10; give"),
        ({"network": {"data": "digits", "width": 3}}, "network.width: "),
        ({"draws": 0}, "draws: 0 is not a whole number of at least 10"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError, match=said) as error:
        planned(**changes)
    assert "\n" not in str(error.value)
