"""Studies from a configuration: what they become, and what is refused before any work starts."""

import json
from dataclasses import replace

import pytest

from koopscope.compare.permutations import smallest_p
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.reading import data_specs
from koopscope.config.settings import DEFAULT_COORDINATES
from koopscope.config.setup import NetworkSetup
from koopscope.errors import InputError
from koopscope.experiments.equivalence.sparing import sparing
from koopscope.experiments.equivalence.study import ErrorRates, setups_of, study_from_dict
from koopscope.experiments.registry import read

DIGITS = DataSpec("digits", "digits")
SEEDS = list(range(1, 7))

NETWORK = {"data": "digits", "hidden_widths": [5], "steps": 50, "seeds": [1, 2]}


def config(**studies):
    return {
        "data": {"digits": {"kind": "digits"}, "twin": {"kind": "synthetic", "like": "digits"}},
        "studies": studies,
    }


def study(variants, network=NETWORK, **more):
    return {"question": "Why?", "network": network, "variants": variants, "test": False, **more}


def test_a_study_comes_back_from_its_json():
    entry = study(
        {"a": None, "b": {"hidden_widths": [6], "fit": {"rank": 2}}, "c": {"data": "twin"}},
        fit={"delays": 3},
        pairs=[{"first": "a", "second": "b", "expected": "different", "because": "so"}],
    )
    whole = read(config(s=entry))["s"]
    again = study_from_dict(json.loads(json.dumps(whole.to_dict())))
    assert again.to_dict() == whole.to_dict()
    assert again.variants[1].fit == FitSpec(3, 2, coordinates=DEFAULT_COORDINATES)
    assert again.pairs == whole.pairs


def test_variants_change_the_base_and_the_fit():
    found = read(
        config(s=study({"a": None, "b": {"steps": 40, "fit": {"delays": 1}}}, fit={"rank": 4}))
    )["s"]
    a, b = found.variants
    assert a.setup == NetworkSetup(DIGITS, hidden_widths=(5,), steps=50, seeds=(1, 2))
    assert b.setup == replace(a.setup, steps=40)
    coordinates = DEFAULT_COORDINATES
    assert a.fit == FitSpec(0, 4, coordinates=coordinates)
    assert b.fit == FitSpec(1, 4, coordinates=coordinates)


def test_without_pairs_all_are_compared():
    found = read(config(s=study({"a": None, "b": {"steps": 40}, "c": {"steps": 30}})))["s"]
    assert [(p.first, p.second) for p in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_two_studies_with_the_same_setup_share_its_trajectories():
    studies = read(
        config(
            width=study({"narrow": {"hidden_widths": [5]}, "wide": {"hidden_widths": [9]}}),
            rate=study({"slow": None, "fast": {"learning_rate": 0.5}}, fit={"delays": 2}),
        )
    )
    setups = setups_of(studies.values())
    assert len(setups) == 3
    assert studies["width"].variants[0].setup.id == studies["rate"].variants[0].setup.id
    assert all(setup.id == name for name, setup in setups.items())


STUDY_CASES = {
    "negative width": (
        study({"a": {"hidden_widths": [-4]}}),
        r"studies.s.variants.a.hidden_widths\[0\]: -4 is not a whole number of at least 1",
    ),
    "more delays than steps": (
        study({"a": {"fit": {"delays": 60}}}),
        "studies.s.variants.a: delays: 60 delays need at least 62 states, but a run has 50",
    ),
    "rank": (
        study({"a": {"fit": {"rank": 51}}}),
        "studies.s.variants.a: rank: 51 is more than the data can give; give at most 50",
    ),
    "no seeds": (
        study({"a": {"seeds": []}}),
        "studies.s.variants.a: seeds: none; give at least 1, each once",
    ),
    "a seed twice": (study({"a": {"seeds": [3, 3]}}), "seeds: 3 stands twice"),
    "unknown data": (
        study({"a": {"data": "cifar"}}),
        "studies.s.variants.a: data: unknown 'cifar'; give one of digits, twin",
    ),
    "unknown activation": (
        study({"a": {"activation": "swish"}}),
        "studies.s.variants.a.activation: unknown 'swish'",
    ),
    "unknown key": (
        study({"a": {"widht": 3}}),
        "studies.s.variants.a.widht: unknown key of network",
    ),
    "no base": (
        {"question": "?", "variants": {}},
        "studies.s.base: has no base; give one of base, network",
    ),
    "unknown variant in a pair": (
        study({"a": None}, pairs=[{"first": "a", "second": "b"}]),
        r"studies.s.pairs\[0\]: unknown 'b'; give one of a",
    ),
    "a pair of one": (
        study({"a": None}, pairs=[{"first": "a", "second": "a"}]),
        r"studies.s.pairs\[0\]: a and a are one variant",
    ),
    "a pair twice": (
        study(
            {"a": None, "b": {"steps": 9}},
            pairs=[{"first": "a", "second": "b"}, {"first": "b", "second": "a"}],
        ),
        r"studies.s.pairs\[1\]: b and a .* stand in the list already",
    ),
}


@pytest.mark.parametrize("case", STUDY_CASES)
def test_a_study_that_cannot_be_run_is_refused_by_its_place(case):
    entry, match = STUDY_CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        read(config(s=entry))
    assert "\n" not in str(refused.value)


def test_data_that_are_like_nothing_or_like_themselves_are_refused():
    with pytest.raises(InputError, match="data.a.like: unknown 'b'; give one of a"):
        data_specs({"data": {"a": {"kind": "synthetic", "like": "b"}}})
    circle = {"a": {"kind": "synthetic", "like": "b"}, "b": {"kind": "synthetic", "like": "a"}}
    with pytest.raises(InputError, match="data.a.like: a → b → a runs in a circle"):
        data_specs({"data": circle})


def planned(entry, **more):
    return read(config(s=entry) | more)["s"]


def judged(**more):
    """A study with enough seeds for a test."""
    return {"question": "Why?", "network": NETWORK | {"seeds": SEEDS}} | more


def test_a_base_stands_for_the_setup_that_several_studies_start_from():
    bases = {"mlp": {"network": NETWORK, "fit": {"rank": 3}}}
    entry = {"question": "?", "base": "mlp", "variants": {"a": {"steps": 40}}, "test": False}
    found = planned(entry, bases=bases)
    assert found.variants[0].setup == NetworkSetup(
        DIGITS, hidden_widths=(5,), steps=40, seeds=(1, 2)
    )
    assert found.variants[0].fit.rank == 3


def test_factors_make_a_grid_whose_base_is_the_reference():
    found = planned(judged(factors={"learning_rate": [0.05, 0.1], "batch_size": [30, 60]}))
    names = [v.name for v in found.variants]
    assert names == ["lr0.05_b30", "lr0.05_b60", "lr0.1_b30", "lr0.1_b60"]
    assert found.reference == "lr0.1_b60"
    assert found.scan == ("learning_rate", "batch_size")
    assert {p.first for p in found.pairs} == {"lr0.1_b60"}
    assert [p.second for p in found.pairs] == names[:3]


def test_a_grid_of_more_than_two_fields_or_of_words_is_not_drawn_as_a_plane():
    factors = {"learning_rate": [0.05, 0.1], "activation": ["relu", "tanh"]}
    assert planned(judged(factors=factors)).scan == ()
    assert planned(judged(factors={"hidden_widths": [[5], [6]]})).scan == ("hidden_widths",)
    three = {"learning_rate": [0.05, 0.1], "batch_size": [30, 60], "perturbation_scale": [0.1, 0.2]}
    assert planned(judged(factors=three)).scan == ()


def test_controls_are_new_draws_of_the_reference_in_other_words():
    found = planned(judged(variants={"a": None}, controls=["fresh", "permuted", "relabelled"]))
    reference, *controls = found.variants
    for control in controls:
        assert not set(control.setup.seeds) & set(reference.setup.seeds)
        assert replace(control.setup, seeds=reference.setup.seeds, data=DIGITS) == reference.setup
    assert [v.setup.data.kind for v in controls] == ["digits", "permuted", "relabelled"]
    assert all(p.expected == "equivalent" and p.because for p in found.pairs)
    assert [s.id for s in controls[1].setup.data.chain()][1] == DIGITS.id


def test_modular_arithmetic_has_a_control_of_its_own():
    sums = DataSpec("sums", "modular", modulus=13)
    entry = judged(variants={"a": None}, controls=["renamed", "permuted", "relabelled"])
    entry["network"] = entry["network"] | {"data": "sums"}
    found = read({"data": {"sums": {"kind": "modular", "modulus": 13}}, "studies": {"s": entry}})
    reference, control, *others = found["s"].variants
    assert control.setup.data == DataSpec("sums_renamed", "renamed", like=sums, seed=1)
    assert control.setup.shapes == reference.setup.shapes
    assert control.setup.shapes["output"] == (5, 13)
    assert [v.setup.data.kind for v in others] == ["permuted", "relabelled"]
    assert all(p.expected == "equivalent" and p.because for p in found["s"].pairs)


def test_alternates_change_every_variant_of_the_pairs_alike():
    entry = judged(
        variants={"a": {"fit": {"delays": 8}}, "b": {"steps": 40}, "alone": {"steps": 30}},
        pairs=[{"first": "a", "second": "b"}],
        controls=["fresh"],
        fit={"rank": 4, "delays": 2},
        sensitivity={
            "half": {"fit": {"delays_times": 0.5}},
            "still": {"shuffle": False, "fit": {"rank": 2}},
        },
    )
    found = planned(entry)
    half, still = found.alternates
    assert [v.name for v in half.variants] == ["a", "b", "fresh"]
    assert [v.fit.delays for v in half.variants] == [4, 1, 4]
    assert half.variants[2].setup == found.variants[3].setup
    assert all(not v.setup.shuffle and v.fit.rank == 2 for v in still.variants)
    assert len(setups_of([found])) == 4 + 3
    again = study_from_dict(
        json.loads(json.dumps(found.to_dict())),
        json.loads(json.dumps(found.alternates_to_dict())),
    )
    assert again.alternates_to_dict() == found.alternates_to_dict()


def test_a_calibration_says_what_is_drawn():
    entry = judged(variants={"a": None}, controls=["fresh"])
    entry["error_rates"] = {"seeds": [2, 3], "split": ["a"], "draws": 50}
    assert planned(entry).error_rates == ErrorRates((2, 3), 50, ("a",))


def test_the_smallest_p_is_that_of_all_relabellings_or_of_those_drawn():
    assert smallest_p(2, 2, 999) == 2 / 6
    assert smallest_p(2, 3, 999) == 1 / 10
    assert smallest_p(25, 25, 999) == 1 / 1000


REFUSED = {
    "unknown base": (
        {"question": "?", "base": "cnn", "variants": {"a": None}},
        "studies.s.base: unknown 'cnn'; give one of none, as there is none",
    ),
    "factor of no field": (
        judged(factors={"learning_rat": [0.1]}),
        "studies.s.factors.learning_rat: no key of network; did you mean 'learning_rate'?",
    ),
    "scan of no field": (
        judged(variants={"a": None}, scan=["width"]),
        "studies.s.scan.width: no key of network",
    ),
    "scan of no number": (
        judged(variants={"a": None}, scan=["activation"]),
        r"studies.s.scan: \['activation'\] is not one or two fields with numbers; give such",
    ),
    "nothing varies": (
        judged(),
        "studies.s.variants: nothing that varies; give variants or factors",
    ),
    "one setup twice": (
        judged(variants={"a": None, "b": {"steps": 50}}),
        "studies.s.pairs: a / b: both sides are .* with the same fit; change one, or mark",
    ),
    "too few seeds": (
        judged(variants={"a": {"seeds": [1, 2, 3]}, "b": {"seeds": [4, 5, 6]}}),
        "studies.s.pairs: a / b: with 3 and 3 seeds .* smallest p reachable over 1 pairs is 0.1,",
    ),
    "too few seeds for three pairs": (
        judged(variants={n: {"seeds": [4 * i + k for k in range(4)]} for i, n in enumerate("abc")}),
        r"studies.s.pairs: a / b: with 4 and 4 seeds .* smallest p reachable over \d pairs is 0",
    ),
    "unknown control": (
        judged(variants={"a": None}, controls=["shuffled"]),
        r"studies.s.controls\[0\]: unknown 'shuffled'; give one of fresh, permuted, relabelled",
    ),
    "elements renamed of what has none": (
        judged(variants={"a": None}, controls=["renamed"]),
        "studies.s.controls: renamed, but digits is no modular arithmetic; give permuted or relab",
    ),
    "unknown reference": (
        judged(variants={"a": None}, reference="b"),
        "studies.s.reference: unknown 'b'; give one of a",
    ),
    "unknown clock": (
        judged(variants={"a": None}, time_unit="hour"),
        "studies.s.time_unit: unknown 'hour'; give one of step, epoch, rate",
    ),
    "observable not recorded": (
        judged(variants={"a": {"fit": {"observable": "sketch"}}}),
        "studies.s.variants.a: observable: 'sketch' is not recorded; give the setup a sketch",
    ),
    "window beyond the run": (
        judged(variants={"a": {"fit": {"stop": 51}}}),
        "studies.s.variants.a: stop: 51 is beyond the 50 states of a run",
    ),
    "delays times outside alternates": (
        judged(variants={"a": None}, fit={"delays_times": 2}),
        "studies.s.fit.delays_times: unknown key; did you mean 'delays'",
    ),
    "a pool too small to split": (
        judged(variants={"a": None}, error_rates={"seeds": [5], "split": ["a"]}),
        "studies.s.error_rates.split: a has 6 seeds, too few for two groups of 5",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_planned_is_refused_in_one_line(case):
    entry, match = REFUSED[case]
    with pytest.raises(InputError, match=match) as refused:
        planned(entry)
    assert "\n" not in str(refused.value)


def test_a_control_may_be_one_setup_twice_and_distances_alone_need_no_seeds():
    same = [{"first": "a", "second": "b", "expected": "equivalent"}]
    assert planned(judged(variants={"a": None, "b": None}, pairs=same)).pairs
    assert planned(judged(variants={"a": {"seeds": [1]}, "b": {"seeds": [2]}}, test=False)).pairs


def test_what_no_fit_of_any_study_reads_is_not_recorded():
    of = NETWORK | {"sketch": 2, "probe": 3}
    rates = study({"slow": {"learning_rate": 0.05}, "fast": None}, network=of)
    probed = {"probe": {"fit": {"observable": "probe"}}}
    pairs = [{"first": "fast", "second": "wide"}]
    widths = study(
        {"fast": None, "wide": {"hidden_widths": [6], "fit": {"observable": "sketch:output"}}},
        network=of,
        pairs=pairs,
        sensitivity=probed,
    )
    whole = read(config(rates=rates, widths=widths))
    found = sparing(whole)
    slow, fast = (variant.setup for variant in found["rates"].variants)
    wide = found["widths"].variants[1].setup
    assert [(s.sketch, s.probe) for s in (slow, fast, wide)] == [(0, 0), (0, 3), (2, 3)]
    assert fast == found["widths"].variants[0].setup
    of_alternates = {v.setup for a in found["widths"].alternates for v in a.fitted}
    assert of_alternates == {fast, wide}
    # Nothing else changes.
    assert replace(slow, sketch=2, probe=3) == whole["rates"].variants[0].setup
    assert found["widths"].pairs == whole["widths"].pairs
    every = setups_of(found.values()).values()
    assert {variant.setup for variant in found["rates"].control_lines} <= set(every)


def test_a_study_that_records_nothing_beside_stays_as_it_is():
    spared = sparing(read(config(s=study({"a": None, "b": {"steps": 40}}))))["s"]
    assert spared == read(config(s=study({"a": None, "b": {"steps": 40}})))["s"]
