"""A question's answer comes from its numbers alone, and what it lacks is said in its row."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from fixtures.denoising import denoising_store
from fixtures.depth import depths_store, pruned_store
from fixtures.early_phase import early_phase_store
from fixtures.equivalence import (
    optimisers_comparison,
    optimisers_curves,
    widths_comparison,
    widths_curves,
)
from fixtures.grokking import grokking_store
from fixtures.hsvr import regressors_store, transitions_store
from fixtures.known_answers import known_answers_store
from fixtures.pruning import pruning_store
from fixtures.watching import asked

from koopscope.compare.words import BETTER, UNTESTED, WORSE
from koopscope.errors import InputError
from koopscope.experiments.answers import OLDER, answer_rows, answer_table, for_terminal, load
from koopscope.experiments.answers_page import SIGNATURE, page
from koopscope.experiments.equivalence.answer import answer as of_study
from koopscope.experiments.registry import KINDS, kind_of
from koopscope.experiments.summary import facts
from koopscope.report.answer import cases_said, held

LONGEST = 36


def of_widths(**changed):
    comparison = widths_comparison(8)
    for name, value in changed.items():
        comparison[name].values[:] = value
    return facts("equivalence", {"comparison": comparison, "curves": widths_curves(8)})


@pytest.fixture(scope="module")
def found():
    """Facts of every kind, as they come back from JSON."""
    transitions = {"transitions": transitions_store()}
    made = {
        "width": of_widths(),
        "optimisers": facts(
            "equivalence",
            {"comparison": optimisers_comparison(), "curves": optimisers_curves()},
        ),
        "coordinates": facts("known_answers", {"known_answers": known_answers_store()}),
        "lenet": facts("early_phase", {"early_phase": early_phase_store()}),
        "sums": facts("grokking", {"grokking": grokking_store()}),
        "early": facts("pruning", {"pruning": pruning_store()}),
        "stop": facts("stopping", {"stopping": asked("stopping")}),
        "starts": facts("restart", {"restart": asked("restart")}),
        "layers": facts("depth", {"depth": depths_store()}),
        "lighter": facts("pruned_training", {"pruned_training": pruned_store()}),
        "depth": facts("hsvr", transitions),
        "else": facts("hsvr", transitions | {"regressors": regressors_store()}),
        "denoise": facts("denoising", {"denoising": denoising_store()}),
    }
    assert {one["kind"] for one in made.values()} == {kind.name for kind in KINDS}
    return json.loads(json.dumps(made, allow_nan=False))


def answered(found, name, **changed):
    """Answer of changed facts."""
    return kind_of(found[name]["kind"]).load("answer", "answer")({**found[name], **changed})


def pair(**changed):
    row = {
        **{"first": "a", "second": "b", "name": "a / b", "expected": "open", "because": ""},
        **{"verdict": "distinguished", "reason": "", "as_expected": None, "between": 0.5},
        **{"effect": 2.0, "effect_low": 1.5, "effect_high": 2.5},
        **{"seeds_first": 10, "seeds_second": 10},
    }
    return row | changed


def study(*pairs, lines=(), variants=None, **more):
    recoded = [
        {"control": name, "as_expected": held, "name": f"a / {name}"} for name, held in lines
    ]
    known = {"pairs": list(pairs), "control_lines": recoded, "variants": variants or {}}
    return of_study(known | more)


def test_answers_are_short_and_every_number_is_one_of_the_facts(found):
    for row in answer_rows({"all": found}):
        assert 0 < len(row.answer.split()) <= LONGEST, row.answer
        assert "None" not in row.answer + row.value and "nan" not in row.value
        assert row.figure.startswith(f"figures/{row.name}/") and row.label
        assert row.controls and row.against and row.number


def test_a_study_says_which_pairs_are_not_conjugate_only_beside_recodings_that_held():
    held = [("recoded:rescaled", True), ("surrogate:random_walk", True)]
    assert study(pair(), lines=held).answer == "Different (not conjugate): a / b."
    failed = [("recoded:rescaled", False)]
    for lines in (failed, [("recoded:rescaled", None)], []):
        assert study(pair(), lines=lines).answer == "Different spectra: a / b."
    assert study(pair(), lines=failed).controls == "no: 0 of 1; failed: recoded:rescaled"
    assert study(pair(), lines=held).controls == "yes: 2 of 2"
    still = study(pair(), lines=[*held, ("recoded:bent", None)])
    assert still.controls == "open: 2 of 3; inconclusive: recoded:bent"
    assert study(pair()).controls == "none asked"


def test_a_study_gives_its_largest_effect_and_leaves_controls_out():
    weak = pair(second="c", name="a / c", effect=1.2, verdict="inconclusive", reason="because")
    control = pair(second="fresh", name="a / fresh", effect=9.0, as_expected=False)
    found = study(weak, pair(), control)
    assert (found.value, found.low, found.high) == (2.0, 1.5, 2.5)
    assert found.number == "effect of a / b, largest of 2; 10 seeds a group"
    assert found.answer == "Different spectra: a / b; inconclusive: a / c."
    assert found.controls == "no: 0 of 1; failed: a / fresh"


def test_a_study_is_held_against_what_was_expected():
    met = pair(expected="different", as_expected=True, because="a paper says so")
    missed = pair(name="a / c", second="c", expected="equivalent", as_expected=False)
    assert study(pair()).against == "no expectation"
    assert study(met).against == "as expected: a / b (a paper says so)"
    assert study(met, missed).against == (
        "as expected: a / b; not as expected: a / c (a paper says so)"
    )


def test_where_every_run_diverged_the_row_says_so():
    reason = "no run of one side has a spectrum"
    nothing = dict.fromkeys(("effect", "effect_low", "effect_high", "between"))
    lost = {"a": {"diverged": 25}, "b": {"diverged": 0}}
    found = study(pair(verdict="inconclusive", reason=reason, **nothing), variants=lost)
    assert found.answer == f"Inconclusive: a / b ({reason}). Diverged runs: a 25."
    assert found.value is None and found.figure == "spectra"


def test_untested_distances_stand_beside_what_is_published():
    nothing = {"verdict": "inconclusive", "reason": UNTESTED, "effect": None, "as_expected": None}
    told = {"expected": "equivalent", "because": "conjugate; published: 0.0081"}
    found = study(pair(between=0.00807, **nothing, **told))
    assert found.answer == "Distances a / b 0.00807."
    assert found.against == "not tested: a / b (conjugate; published: 0.0081)"


def test_a_row_links_to_the_page_of_eigenvalues_where_there_is_one(tmp_path):
    rows = answer_rows({"studies": {"width": of_widths()}})
    assert rows[0].page == "figures/width/comparison/every_eigenvalue.html"
    assert "every_eigenvalue" not in page(rows, tmp_path, "")
    (tmp_path / rows[0].page).parent.mkdir(parents=True)
    (tmp_path / rows[0].page).write_text("<p>")
    assert f'href="{rows[0].page}"' in page(rows, tmp_path, "")


def test_what_names_stand_for_is_told_below_the_picture(found, tmp_path):
    curves = widths_curves(8).assign_attrs(settings={"h5": "hidden widths 5", "h10": "<b>"})
    said = facts("equivalence", {"comparison": widths_comparison(8), "curves": curves})
    (row,) = answer_rows({"studies": {"width": json.loads(json.dumps(said, allow_nan=False))}})
    assert row.names == "h5: hidden widths 5; h10: <b>"
    assert "h5: hidden widths 5; h10: &lt;b&gt;</p>" in page([row], tmp_path, "")
    (plain,) = answer_rows({"studies": {"width": found["width"]}})
    assert plain.names == ""
    loss = answered(found, "denoise")
    best = found["denoise"]["against"][0]["best"]["name"]
    assert f"{best}: the negative Sobolev loss " in loss.names


def test_of_which_measures_the_spectrum_is_better_is_said():
    cases = [("s", "loss", "area", BETTER), ("s", "norm", "area", WORSE)]
    assert cases_said(cases) == "better 1, worse 1, neither 0 than loss, norm, by area"
    more = [*cases, ("s", "loss", "error", BETTER), ("s", "loss", "time", BETTER)]
    assert cases_said(more).endswith("than loss, norm, by area or 2 more")


def test_names_of_controls_are_broken_between_their_parts_first(tmp_path):
    (row,) = answer_rows({"studies": {"width": of_widths()}})
    named = replace(row, controls="no: 0 of 1; failed: recoded:<b>")
    assert "failed:<wbr> recoded:<wbr>&lt;b&gt;" in page([named], tmp_path, "")


def test_a_store_without_a_verdict_is_said_in_its_row_of_the_page(tmp_path):
    nothing = dict.fromkeys(("effect", "effect_low", "effect_high", "between", "within"), np.nan)
    reasons = np.array(["no run of one side has a spectrum"] * 3, dtype=object)
    verdicts = np.array(["inconclusive"] * 3, dtype=object)
    lost = of_widths(eigenvalue=np.nan, distance=np.nan, verdict=verdicts, **nothing)
    assert lost["answer"]["answer"].startswith("Inconclusive: all 3 pairs")
    store = widths_comparison(8).assign(reason=("pair", reasons), verdict=("pair", verdicts))
    store = store.assign({name: ("pair", np.full(3, value)) for name, value in nothing.items()})
    said = facts("equivalence", {"comparison": store, "curves": widths_curves(8)})
    rows = answer_rows({"studies": {"width": json.loads(json.dumps(said, allow_nan=False))}})
    assert "no run of one side has a spectrum" in rows[0].answer and rows[0].value == "–"
    text = page(rows, tmp_path, "")
    assert rows[0].answer in text and "nan" not in text.lower()


def test_a_question_on_stopping_whose_every_run_diverged_has_a_row():
    store = asked("stopping").copy(deep=True)
    for name, values in store.data_vars.items():
        if values.dtype.kind in "fc":
            store[name].values[...] = np.nan
    (row,) = answer_rows({"monitor": {"stop": facts("stopping", {"stopping": store})}})
    assert row.answer != OLDER and "better than plain rules in 0 of" in row.answer
    assert row.value == "–"


def test_where_all_answers_are_known_a_study_says_how_often_the_verdict_errs():
    row = {"name": "a / fresh", "expected": "equivalent", "size": 5, "rate": 0.04}
    row |= {"rate_low": 0.02, "rate_high": 0.08, "distinguished": 0.03}
    more = {**row, "name": "a / b", "expected": "different", "rate": 1.0, "distinguished": 0.9}
    rates = {"rows": [row, {**row, "size": 10, "rate": 0.01, "distinguished": 0.0}, more]}
    rates |= {"alpha": 0.05}
    known = pair(expected="different", as_expected=True)
    found = study(known, error_rates=rates)
    assert found.answer == (
        "At up to 10 seeds a group the verdict calls different 0 % of draws of equal pairs, "
        "90 % of draws of different pairs."
    )
    assert found.number == "share of p ≤ 0.05 in equal pairs, highest of 2"
    assert (found.value, found.low, found.high) == (0.04, 0.02, 0.08)
    # A pair whose answer is open is what the study asks about.
    opened = study(pair(), error_rates=rates)
    assert opened.answer.startswith("Different spectra: a / b. At up to 10 seeds")
    assert opened.number == "effect of a / b; 10 seeds a group"
    unequal = study(pair(seeds_second=9))
    assert unequal.number == "effect of a / b; 10 and 9 seeds a group"


def test_coordinates_are_chosen_admissible_or_none(found):
    methods = found["coordinates"]["methods"]
    chosen = found["coordinates"]["chosen"]
    assert answered(found, "coordinates").answer.startswith(f"In {chosen}: the most power")
    open_choice = answered(found, "coordinates", chosen="")
    assert f"In {chosen}" in open_choice.answer and open_choice.controls.startswith("yes: ")
    none = [{**row, "admissible": False} for row in methods]
    refused = answered(found, "coordinates", chosen="", methods=none)
    assert refused.answer.startswith("In none of the ") and refused.controls.startswith("no: ")
    assert refused.number.startswith("worst false positives of ")
    assert answered(found, "coordinates", methods=[], chosen="").answer.startswith("No spectra")


def test_pruning_counts_what_its_intervals_say(found):
    cells = [{"mean": 0.97, "low": 0.96, "high": 0.98}, {"mean": 0.8, "low": 0.7, "high": 0.9}]
    cells += [{"mean": 0.95, "low": 0.9, "high": 1.0}, {"mean": None, "low": None, "high": None}]
    rows = [{"pair": "koopman_magnitude / magnitude", "epoch": 2, "cells": cells}]
    changed = {"overlaps": rows, "compression_ratios": [2.0, 4.0, 16.0, 64.0], "sharp": 4.0}
    changed["differences"] = []
    chance = {"mean": 0.1, "low": 0.1, "high": 0.1}
    made = answered(found, "early", **changed, chance=[chance] * 4)
    assert (
        made.answer
        == "After epoch 2 other weights at 1, the same at 1, open at 1 of 3 compressions."
    )
    assert (made.value, made.low) == (0.8, 0.7) and made.controls == "yes: random masks overlap 0.1"
    assert answered(found, "early", overlaps=[]).answer.startswith("Not asked: ")
    unsure = [{**rows[0], "cells": [cells[3]] * 4}]
    assert "no interval" in answered(found, "early", **changed | {"overlaps": unsure}).answer


def test_stopping_counts_where_the_spectrum_is_better(found):
    rows = found["stop"]["against"]
    assert "in 0 of 0" not in answered(found, "stop").answer
    better = [{**row, "word": "better"} for row in rows]
    made = answered(found, "stop", against=better)
    assert made.answer.startswith("The spectrum is better than plain rules in 8 of 8 comparisons")
    assert made.controls.startswith("yes: better 4, worse 0")
    assert answered(found, "stop", against=[]).controls == "none asked"


def test_starts_are_told_at_so_many_checkpoints(found):
    gains = [
        {**row, "cells": [{"mean": 0.2, "low": 0.1, "high": 0.3}] * len(row["cells"])}
        for row in found["starts"]["gains"]
    ]
    count = len(found["starts"]["checkpoints"])
    made = answered(found, "starts", gains=gains)
    assert (
        f"better than the loss so far at {count} of {count} checkpoints, worse at 0" in made.answer
    )
    assert made.answer.endswith(f"it helps at {count}.")


def test_depth_says_what_was_observed_and_how_often_the_spectrum_is_right(found):
    (row,) = [p for p in found["layers"]["predictors"] if p["predictor"] == "spectrum"]
    made = answered(found, "layers")
    assert f"right for {row['right']} of {row['cases']} tasks" in made.answer
    assert made.value == pytest.approx(found["layers"]["against"][0]["ours"]["mean"])
    deepest = max(found["layers"]["depths"])
    for case in found["layers"]["cases"]:
        # Of the most layers that were tried nobody knows whether they are enough.
        more = " or more" * (case["observed"] == deepest)
        assert f"{case['case']} {case['observed']:g}{more}" in made.answer
    alone = answered(found, "layers", against=[])
    assert alone.value == pytest.approx(100 * row["mean_regret"]) and alone.low is None


def test_pruning_while_training_is_cheaper_dearer_or_not_answered(found):
    rows = found["lighter"]["against"]
    nobody = {"mean": None, "low": None, "high": None}
    never = [{**row, "ours": nobody} for row in rows]
    assert answered(found, "lighter", against=never).answer.startswith("Not answered: not both")
    assert answered(found, "lighter", against=[]).answer.startswith("Not asked: ")
    worse = [{**row, "word": "worse"} for row in rows]
    said = answered(found, "lighter", against=worse).answer
    dense = sum(row["baseline"] == "dense" for row in rows)
    assert f"in 0 of {dense} comparisons (time, operations), dearer in {dense}." in said


def test_regression_names_its_best_rule_and_regressor(found):
    layers, both = answered(found, "depth"), answered(found, "else")
    assert (layers.figure, both.figure) == ("layers", "regressors")
    assert "best of" in layers.number and both.number.startswith("error ÷ that of hsvr, ")
    assert both.answer.startswith("Least held-out error: ")
    assert both.answer.endswith(layers.answer)
    nothing = [{**row, "cases": 0, "right": 0} for row in found["depth"]["rules"]]
    assert answered(found, "depth", rules=nothing).answer.startswith("No signal's training error")
    lost = [{**row, "held_out_rms": None} for row in found["else"]["compared"]]
    assert answered(found, "else", compared=lost).answer.startswith("No fit has an error.")


def test_losses_are_counted_over_levels_of_noise(found):
    rows = found["denoise"]["against"]
    final = [row for row in rows if row["stop"] == "final"]
    losing = [{**row, "wins": 0} for row in rows]
    said = answered(found, "denoise", against=losing).answer
    assert f"in every seed at 0 of {len(final)} levels of noise" in said
    assert answered(found, "denoise", against=[]).answer == "Nothing to compare."


def test_facts_of_another_version_have_a_row_that_says_so(found, tmp_path):
    older = {"kind": "equivalence", "question": "Alike?", "pairs": []}
    other = {**found["width"], "answer": {"answer": "Yes."}}
    unknown = {**found["width"], "kind": "gone"}
    sections = {"studies": {"a": older, "b": other, "c": unknown, "d": 3}}
    rows = answer_rows(sections)
    assert [row.name for row in rows] == list("abcd")
    assert all(row.answer == OLDER for row in rows) and rows[0].question == "Alike?"
    assert page(rows, tmp_path, "").count("The figure is missing") == 4
    for text in ("[]", "{"):
        (tmp_path / "summary.json").write_text(text)
        with pytest.raises(InputError, match=r"run `snakemake summary`$"):
            load(tmp_path / "summary.json")


def test_the_table_has_a_row_for_each_question_and_no_name_breaks_it(found):
    odd = {"studies": {"a_b": {**found["width"], "question": "Is *a* | b?"}}}
    head, _, row = answer_table(answer_rows(odd)).splitlines()
    assert head.count("|") == row.replace("\\|", "").count("|")
    printed = for_terminal(answer_rows({"all": found}), 60)
    assert max(map(len, printed.splitlines())) <= 60
    for name, facts_of in found.items():
        assert f"{name}: " in printed and facts_of["answer"]["answer"].split()[0] in printed


def test_the_page_holds_each_picture_once_and_says_which_is_missing(found, tmp_path):
    rows = answer_rows({"all": {name: found[name] for name in ("width", "early", "depth")}})
    for row in rows[:2]:
        path = tmp_path / row.figure
        path.parent.mkdir(parents=True)
        size = b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480)
        path.write_bytes(SIGNATURE + size + bytes(20) if row is rows[0] else b"no picture")
    text = page(rows, tmp_path, "1 run of <b> by `make <it>`")
    assert text.count("data:image/png;base64,") == 1 and 'width="640" height="480"' in text
    assert f"The figure is missing (results/{rows[1].figure}); run" in text
    assert f"The figure is missing (results/{rows[2].figure}); run" in text
    assert text.count("<tr>") == 4 and "1 run of &lt;b&gt; by <code>make &lt;it&gt;</code>" in text
    assert "`" not in text and text.startswith("<!DOCTYPE html>")
    assert "http:" not in text and "https:" not in text and "<script" not in text


def test_a_study_whose_verdicts_changed_says_so_from_its_store():
    verdicts = np.array(["not distinguished"] * 3, dtype=object)
    said = of_widths(verdict=verdicts)["answer"]["answer"]
    assert said == "Not distinguished: all 3 pairs. Diverged runs: h5 2."


@pytest.mark.parametrize(
    ("words", "said"),
    [(["better"] * 2, "yes"), (["better", "worse"], "no"), (["better", "neither"], "open")],
)
def test_that_neither_is_better_than_a_control_decides_nothing(words, said):
    assert held(words) == said
