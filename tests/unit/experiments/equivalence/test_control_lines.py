"""Control lines: planned by themselves, judged by themselves, and what they say of a verdict."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from fixtures.equivalence import widths_comparison, widths_curves
from fixtures.rendered import caption

from koopscope.compare.verdict import Comparison
from koopscope.config.control_fit import ControlFit
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.settings import DEFAULT_COORDINATES
from koopscope.config.setup import NetworkSetup
from koopscope.errors import InputError
from koopscope.experiments.equivalence.comparison import Rule, compare_study
from koopscope.experiments.equivalence.control_lines import margin_of
from koopscope.experiments.equivalence.error_rates import count_errors
from koopscope.experiments.equivalence.figures.verdicts import verdicts
from koopscope.experiments.equivalence.pairs import control_rows, margin_facts
from koopscope.experiments.equivalence.reliability import sensitivity_facts
from koopscope.experiments.equivalence.sensitivity import compare_alternates
from koopscope.experiments.equivalence.study import (
    Alternate,
    ErrorRates,
    Pair,
    Study,
    Variant,
    control_line,
    setups_of,
    study_from_dict,
)
from koopscope.experiments.registry import read
from koopscope.experiments.summary import facts, markdown

RESCALED, SHUFFLED = "recoded:rescaled", "surrogate:increments_shuffled"
NETWORK = {"data": "digits", "hidden_widths": [5], "steps": 50, "seeds": list(range(1, 7))}
RULE = Rule(permutations=199, bootstrap=200)
MODES = np.array([0.99, 0.9, 0.5, 0.3 + 0.4j, 0.3 - 0.4j])


def planned(**more):
    entry = {"question": "Why?", "variants": {"a": None, "b": {"steps": 40}}} | more
    if not {"online", "base"} & set(entry):
        entry.setdefault("network", NETWORK)
    return read({"data": {"digits": {"kind": "digits"}}, "studies": {"s": entry}})["s"]


def names(those):
    return [variant.name for variant in those]


def test_a_tested_study_of_networks_gets_two_lines_by_itself():
    found = planned(fit={"delays": 3})
    assert names(found.control_lines) == [RESCALED, SHUFFLED]
    line = found.control_lines[0]
    reference = found.variants[0]
    fit = ControlFit(delays=3, coordinates=DEFAULT_COORDINATES, control=RESCALED)
    assert line.fit == fit
    assert not set(line.setup.seeds) & set(reference.setup.seeds)
    assert replace(line.setup, seeds=reference.setup.seeds) == reference.setup
    # They are no pairs, so nothing is corrected for them.
    assert [(p.first, p.second) for p in found.pairs] == [("a", "b")]
    assert names(found.variants) == ["a", "b"]


def test_the_trajectories_of_a_line_are_those_of_the_fresh_seeds():
    found = planned(controls=["fresh"])
    fresh = found.variants[-1]
    assert fresh.name == "fresh"
    assert all(line.setup == fresh.setup for line in found.control_lines)
    assert len(setups_of([found])) == 3
    fits = {(v.setup.id, v.fit.id) for v in found.fitted}
    assert len(fits) == 5


def test_a_fit_that_is_no_control_keeps_its_name_and_its_form():
    plain = FitSpec(3, 5)
    assert "control" not in plain.to_dict()
    assert control_line(RESCALED, planned().variants[0].setup, plain).fit.id != plain.id


def test_online_methods_are_bent_and_a_named_line_takes_the_place_of_its_kind():
    online = {"method": "omd", "initial_points": "random", "seeds": NETWORK["seeds"]}
    variants = {"omd": {}, "ogd": {"method": "ogd"}}
    found = planned(online=online, variants=variants)
    assert names(found.control_lines) == ["recoded:bent", SHUFFLED]
    given = planned(controls=["recoded:mixed", "recoded:warped"])
    assert names(given.control_lines) == ["recoded:mixed", "recoded:warped", SHUFFLED]


def test_lines_are_left_out_where_that_is_said_or_nothing_is_tested():
    assert planned(control_lines=False).control_lines == ()
    assert planned(test=False).control_lines == ()
    assert names(planned(control_lines=False, controls=[SHUFFLED]).control_lines) == [SHUFFLED]
    assert "control_lines" not in planned(test=False).to_dict()


def test_lines_come_back_from_json_with_their_alternates():
    found = planned(sensitivity={"ranks": {"fit": {"coordinates": "normal_scores"}}})
    again = study_from_dict(
        json.loads(json.dumps(found.to_dict())), json.loads(json.dumps(found.alternates_to_dict()))
    )
    assert again.to_dict() == found.to_dict()
    assert [line.fit for line in again.control_lines] == [line.fit for line in found.control_lines]
    assert again.alternates_to_dict() == found.alternates_to_dict()


def test_only_alternates_in_other_coordinates_have_lines():
    ways = {
        "ranks": {"fit": {"coordinates": "normal_scores", "seeds": 5}},
        "short": {"fit": {"delays": 1}},
    }
    ranks, short = planned(sensitivity=ways, controls=["fresh"]).alternates
    assert names(ranks.control_lines) == [RESCALED, SHUFFLED] and short.control_lines == ()
    assert all(v.fit.coordinates == "normal_scores" and v.fit.seeds == 5 for v in ranks.fitted)


def test_of_recorded_runs_lines_are_made_of_the_references_own(tmp_path):
    for name in "ab":
        for run in range(4):
            (tmp_path / name / f"{run}").mkdir(parents=True)
            (tmp_path / name / f"{run}" / "zarr.json").write_text(f"{name}{run}")
    variants = {name: {"runs": f"{tmp_path}/{name}/*"} for name in "ab"}
    found = read({"studies": {"s": {"question": "?", "variants": variants}}})["s"]
    assert names(found.control_lines) == [RESCALED, SHUFFLED]
    assert all(line.setup == found.variants[0].setup for line in found.control_lines)


REFUSED = {
    "unknown recoding": (
        {"controls": ["recoded:twisted"]},
        r"^studies.s.controls\[0\]: unknown 'recoded:twisted'; give one of fresh, .*recoded:resc",
    ),
    "unknown surrogate": (
        {"controls": ["surrogate:increments shuffled"]},
        r"^studies.s.controls\[0\]: unknown 'surrogate:increments shuffled'; give one of",
    ),
    "a line twice": (
        {"controls": [SHUFFLED, "fresh", SHUFFLED]},
        "^studies.s.controls: surrogate:increments_shuffled stands twice; give each once",
    ),
    "without a test": (
        {"controls": [SHUFFLED], "test": False},
        "^studies.s.controls: surrogate:increments_shuffled needs a test; leave it or test: false",
    ),
    "a variant of that name": (
        {"variants": {"a": None, RESCALED: {"steps": 40}}},
        "^studies.s.controls: recoded:rescaled is the name of a variant; rename that one",
    ),
    "unknown coordinates": (
        {"fit": {"coordinates": "normal"}},
        "coordinates: unknown 'normal'; give raw, standardised, per_step",
    ),
    "more components than features": (
        {"fit": {"coordinates": "whitened:51"}},
        "^studies.s.variants.a: coordinates: whitened:51, but there are 50 numbers a snapshot "
        "and 500 snapshots; give at most whitened:50",
    ),
    "more directions than components": (
        {"fit": {"coordinates": "whitened:2", "delays": 1, "rank": 5}},
        "^studies.s.variants.a: rank: 5 is more than the data can give; give at most 4",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_control_is_refused_in_one_line(case):
    more, match = REFUSED[case]
    with pytest.raises(InputError, match=match) as refused:
        planned(**more)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("measure", "unknown 'measure'; give one of measured, or a number of at least 1$"),
        (0.5, "0.5 is not a number of at least 1 or measured; it gives the smallest ratio"),
    ],
)
def test_the_smallest_effect_is_a_number_or_measured(given, match):
    config = {"data": {"digits": {"kind": "digits"}}, "compare": {"smallest_effect": given}}
    entry = {"question": "?", "network": NETWORK, "variants": {"a": None, "b": {"steps": 40}}}
    with pytest.raises(InputError, match=f"^compare.smallest_effect: {match}"):
        read(config | {"studies": {"s": entry}})


def drawn(variant, shift=0.0, spread=0.05, seed=0):
    """Spectra of a variant's seeds: one set of modes, moved, with a spread between seeds."""
    rng = np.random.default_rng([seed, *map(ord, variant.name)])
    seeds = list(variant.setup.seeds)
    noise = rng.normal(size=(len(seeds), len(MODES), 2), scale=spread)
    values = MODES + shift + noise[..., 0] + 1j * noise[..., 1]
    ones = np.ones(values.shape)
    return xr.Dataset(
        {
            "eigenvalue": (("seed", "mode"), values),
            "residual": (("seed", "mode"), 0.01 * ones),
            "amplitude": (("seed", "mode"), ones),
            "runs_used": ("seed", np.full(len(seeds), 4)),
        },
        coords={"seed": seeds, "mode": np.arange(len(MODES))},
    )


def of_widths(count=25):
    """A study with the two lines, whose variants differ by a step."""
    setup = NetworkSetup(DataSpec("digits", "digits"), seeds=tuple(range(count)))
    fresh = replace(setup, seeds=tuple(range(1000, 1000 + count)))
    near = Variant("near", replace(setup, seeds=tuple(range(2000, 2000 + count))), FitSpec())
    lines = tuple(control_line(name, fresh, FitSpec()) for name in (RESCALED, SHUFFLED))
    return Study(
        "widths",
        "Alike?",
        (Variant("base", setup, FitSpec()), near),
        (Pair("base", "near"),),
        reference="base",
        control_lines=lines,
    )


def spectra_of(study, near=0.06, recoded=0.0, surrogate=0.5):
    shifts = {"base": 0.0, "near": near, RESCALED: recoded, SHUFFLED: surrogate}
    return {v.name: drawn(v, shifts[v.name]) for v in study.fitted}


@pytest.fixture(scope="module")
def study():
    return of_widths()


@pytest.fixture(scope="module")
def held(study):
    return compare_study(study, spectra_of(study), RULE)


def test_lines_change_nothing_of_the_pairs(study, held):
    spectra = spectra_of(study)
    without = compare_study(replace(study, control_lines=()), spectra, RULE)
    of_lines = [name for name in held.variables if str(name).startswith("control_")]
    assert of_lines
    xr.testing.assert_equal(held.drop_vars(of_lines), without)
    assert {name: held.attrs[name] for name in without.attrs} == without.attrs
    assert set(held["variant"].values) == {"base", "near"}


def test_lines_that_hold_say_what_the_verdict_may_mean(held):
    recoded, surrogate = control_rows(held)
    assert (recoded["verdict"], surrogate["verdict"]) == ("not distinguished", "distinguished")
    assert recoded["as_expected"] and surrogate["as_expected"]
    assert recoded["sentence"].endswith("as it must be.")
    assert "knows more than the statistics of the steps" in surrogate["sentence"]
    assert recoded["name"] == "base / recoded:rescaled" and not recoded["paired"]


def test_lines_that_fail_say_what_the_verdict_does_not_mean(study):
    found = compare_study(study, spectra_of(study, recoded=0.5, surrogate=0.0), RULE)
    recoded, surrogate = control_rows(found)
    assert recoded["as_expected"] is False and surrogate["as_expected"] is False
    assert "does not mean conjugacy in these coordinates" in recoded["sentence"]
    assert "knows no more than the statistics of the steps" in surrogate["sentence"]


def test_p_of_a_line_is_its_own(study):
    # Four variants in all, but a test of its own: no factor from Holm.
    found = compare_study(study, spectra_of(study), replace(RULE, alpha=1 / 200))
    assert found["control_p_value"].values[1] == pytest.approx(1 / 200)
    assert found["control_verdict"].values[1] == "distinguished"


def test_a_line_without_a_spectrum_is_no_answer(study):
    spectra = spectra_of(study)
    spectra[RESCALED]["eigenvalue"][...] = np.nan
    found = compare_study(study, spectra, replace(RULE, smallest_effect="measured"))
    row = control_rows(found)[0]
    assert row["as_expected"] is None and row["effect"] is None
    assert "no run of one side has a spectrum" in row["sentence"]
    assert found.attrs["smallest_effect"] == 1.1


def test_the_margin_is_the_upper_bound_of_the_recoded_lines(study):
    spectra = spectra_of(study, near=0.04, recoded=0.06)
    number = compare_study(study, spectra, RULE)
    measured = compare_study(study, spectra, replace(RULE, smallest_effect="measured"))
    bound = float(number["control_effect_high"].values[0])
    assert bound > 1.1
    assert 0 <= measured.attrs["smallest_effect"] - bound <= 1e-3
    assert number.attrs["smallest_effect"] == 1.1
    assert number.attrs["smallest_effect_measured"] == measured.attrs["smallest_effect"]
    # The lines themselves are judged by the number: by its own bound no recoding could fail.
    assert number["control_verdict"].equals(measured["control_verdict"])
    high = float(number["effect_high"].values[0])
    assert 1.1 < high < bound
    assert number["verdict"].values[0] == "inconclusive"
    assert measured["verdict"].values[0] == "not distinguished"
    said = margin_facts(measured.attrs)["said"]
    assert "measured on the recoded control lines; 1.1 where none is" in said
    assert "measured on the recoded control lines it is" in margin_facts(number.attrs)["said"]


def test_a_margin_is_at_least_one_and_a_number_where_nothing_measures_it(study):
    lines = tuple(line for line in study.control_lines if line.name == SHUFFLED)
    alone = replace(study, control_lines=lines)
    found = compare_study(alone, spectra_of(alone), replace(RULE, smallest_effect="measured"))
    assert found.attrs["smallest_effect"] == 1.1
    assert "smallest_effect_measured" not in found.attrs
    said = margin_facts(found.attrs)["said"]
    assert said == "1.1 (no recoded control line to measure it)"
    alike = Comparison(1, 0.9, 0.9, 0.8, 0.97, 0.1, 0.5, 0.01)
    endless = replace(alike, effect_high=np.inf)
    recoded = (study.control_lines[0],) * 2
    assert margin_of("measured", recoded, (alike, None)).used == 1
    assert margin_of("measured", recoded, (endless, None)).used == 1.1
    assert margin_of("measured", recoded, (endless, replace(alike, effect_high=1.3))).used == 1.3


def test_runs_and_what_is_made_of_them_are_no_twins_to_the_effect():
    study = of_widths(8)
    own = tuple(replace(line, setup=study.variants[0].setup) for line in study.control_lines)
    study = replace(study, control_lines=own)
    spectra = spectra_of(study)
    # The very same spectra: as paired distances, an eighth of those between the groups were 0.
    spectra[RESCALED] = spectra["base"].copy(deep=True)
    found = compare_study(study, spectra, RULE)
    row = control_rows(found)[0]
    assert row["paired"] and "the reference's own runs" in row["sentence"]
    assert row["effect"] == pytest.approx(1)
    assert 0.2 < row["p_value"] < 0.8


def test_error_rates_use_the_measured_margin(study):
    planned = replace(study, error_rates=ErrorRates((5,), 10, ("base",)))
    rule = replace(RULE, smallest_effect="measured", permutations=99, bootstrap=100)
    found = count_errors(planned, spectra_of(planned, recoded=0.05), rule)
    assert found.attrs["smallest_effect"] == found.attrs["smallest_effect_measured"] > 1.1


def test_alternates_have_their_own_lines_or_the_studys_margin(study):
    other = Alternate("ranks", "coordinates", study.variants, study.control_lines)
    short = Alternate("short", "delays", study.variants)
    whole = replace(study, alternates=(other, short))
    spectra = spectra_of(whole, recoded=0.05)
    ways = {"ranks": spectra_of(whole, recoded=0.5), "short": spectra}
    rule = replace(RULE, smallest_effect="measured")
    found = compare_alternates(whole, spectra, ways, rule)
    margins = found["smallest_effect"].values
    assert margins[1] > margins[0] == margins[2]
    assert found["control_verdict"].values[:, 0].tolist()[1:] == ["distinguished", ""]
    facts = sensitivity_facts(found)
    assert facts["controls"] == [RESCALED, SHUFFLED]
    assert [bool(row["controls"]) for row in facts["rows"]] == [True, True, False]
    json.dumps(facts, allow_nan=False)


@pytest.fixture(scope="module")
def shown(held):
    """A study of widths with the lines of another beside its pairs."""
    lines = held[[name for name in held.variables if str(name).startswith("control_")]]
    attrs = {name: value for name, value in held.attrs.items() if name.startswith("smallest_")}
    return widths_comparison(8).merge(lines).assign_attrs(attrs | {"reference": "h10"})


def test_lines_stand_apart_below_the_pairs_of_the_figure(shown):
    figure = verdicts(shown)
    forest, table = figure.axes
    ticks = forest.get_yticklabels()
    assert [tick.get_text() for tick in ticks][-2:] == [f"h10 / {RESCALED}", f"h10 / {SHUFFLED}"]
    pairs = shown.sizes["pair"]
    assert {tick.get_color() for tick in ticks[pairs:]} == {"0.45"}
    rules = [line for line in table.lines if set(line.get_ydata()) == {pairs - 0.5}]
    assert len(rules) == 1
    assert len(verdicts(shown.drop_dims("control_line")).axes[1].lines) == 0


def test_summary_and_captions_say_whether_the_controls_hold(shown):
    found = facts("equivalence", {"comparison": shown, "curves": widths_curves(8)})
    found = json.loads(json.dumps(found, allow_nan=False))
    assert len(found["sentences"]) == shown.sizes["pair"] + 2
    said = markdown(
        {"studies": {"width": found}},
        {"configuration": "smoke", "koopscope": "0"} | {"commit": "abc", "versions": {}},
    )
    assert "Do the controls hold? Each is a test of its own, without correction" in said
    assert f"| {RESCALED} |" in said and "| yes |" in said
    assert "measured on the recoded control lines it is" in said
    assert "as it must be" in caption("verdicts", found)
