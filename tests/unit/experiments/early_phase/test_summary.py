"""What the summary and the captions say of a question of the early phase."""

import json

import numpy as np
import pytest
from fixtures.early_phase import early_phase_store
from fixtures.rendered import caption

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.captions import captions
from koopscope.experiments.early_phase.answer import answer
from koopscope.experiments.early_phase.names import ALL
from koopscope.experiments.early_phase.summary import controls_table, text
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown

FIGURES = ("early_phase", "plain_markers", "all_windows")


def facts_at(at, change=lambda store: store):
    found = facts_of("early_phase", {"early_phase": change(early_phase_store(at))})
    return json.loads(json.dumps(found, allow_nan=False))


@pytest.fixture(scope="module")
def facts():
    return facts_at(60)


def test_a_section_has_its_tables(facts):
    found = markdown({"early_phase": {"one": facts}}, {})
    assert "## one\n\n**When?**\n\n" in found and text(facts) in found
    assert "| all layers | ends | 60 [60, 90] | 2 of 4 |" in text(facts)
    assert "- **end of the early phase**: Step at which" in found
    assert "nan" not in found.lower().replace("inance", "") and "None" not in text(facts)


def test_the_end_is_said_with_its_interval_and_what_it_is_measured_by(facts):
    (first, by_layer, plain, *_) = facts["sentences"]
    assert first.startswith("By the spectra of all layers the early phase ends at step 60 [60, 90]")
    assert "the last window (steps 121–150)" in first
    assert by_layer.startswith("By itself: hidden1.weight, 60 [60, 90]; output.weight, 60 [")
    assert plain.startswith("Plain markers by the same rule: loss, not over by 120; ")


def test_which_windows_only_one_of_both_tells_is_said(facts):
    (loss,) = [s for s in facts["sentences"] if "the loss alone" in s]
    assert "Of 4 windows the spectra of all layers tell 2 from the last, the loss 4" in loss
    assert "the spectra alone none, the loss alone steps 61–90, 91–120." in loss
    (length,) = [s for s in facts["sentences"] if "the gradient length alone" in s]
    assert "the spectra alone steps 1–30, 31–60, the gradient length alone none." in length


@pytest.mark.parametrize(
    ("recoded", "surrogate", "said"),
    [
        (NOT_DISTINGUISHED, DISTINGUISHED, "Yes: by"),
        (NOT_DISTINGUISHED, INCONCLUSIVE, "Yes, while controls are open: by"),
        (INCONCLUSIVE, DISTINGUISHED, "Yes, though a recoding was not found equal: by"),
        (DISTINGUISHED, DISTINGUISHED, "Yes, though a recoding was not found equal: by"),
    ],
)
def test_a_yes_says_what_its_controls_leave_of_it(facts, recoded, surrogate, said):
    lines = [
        {"part": ALL, "control": "recoded:bent", "expected": "equivalent", "verdict": recoded},
        {"part": ALL, "control": "surrogate:ar1", "expected": "different", "verdict": surrogate},
    ]
    found = answer(facts | {"controls": lines})
    assert found.answer.startswith(said)
    # Those that are not as they should be are named.
    assert ("recoded:bent" in found.controls) == (recoded != NOT_DISTINGUISHED)
    assert ("surrogate:ar1" in found.controls) == (surrogate != DISTINGUISHED)


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("not over", "", "the early phase is not over by step 60"),
        ("none seen", "", "no early phase is seen: every window is within 1.1 times the distance"),
        ("inconclusive", "too little", "it is inconclusive whether there is an early phase: too l"),
    ],
)
def test_every_outcome_has_its_sentence(outcome, reason, said):
    def changed(store):
        out = store.copy(deep=True)
        out["outcome"][0], out["reason"][0] = outcome, reason
        return out

    found = facts_at(60, changed)
    assert said in found["sentences"][0]
    for figure in FIGURES:
        assert "one" in caption(figure, found)
    assert outcome in text(found)


@pytest.mark.parametrize(
    ("control", "verdict", "said"),
    [
        (0, "not distinguished", "it is not told apart, as it must not be"),
        (0, "distinguished", "it is told apart, which it must not be"),
        (0, "inconclusive", "it is inconclusive whether the verdict tells it apart"),
        (1, "distinguished", "it is told apart, as it should be"),
        (1, "not distinguished", "the order of steps in time makes no difference there"),
    ],
)
def test_what_a_control_says_of_the_instrument_is_said(control, verdict, said):
    def changed(store):
        out = store.copy(deep=True)
        out["control_verdict"][0, -1, control] = verdict
        return out

    of = "Control " + ("recoded:rescaled", "surrogate:increments_shuffled")[control]
    found = facts_at(60, changed)["sentences"]
    assert any(one.startswith(f"{of} of steps 121–150: ") and said in one for one in found)


def test_without_controls_there_is_no_table_of_them():
    found = facts_at(60, lambda store: store.isel(control=slice(0)))
    assert controls_table(found) == ""
    assert not any(sentence.startswith("Control") for sentence in found["sentences"])


def test_runs_that_are_left_out_are_counted():
    def changed(store):
        out = store.copy(deep=True).assign(diverged=2)
        out["kept"][:] = 14
        out["kept"][0] = 13
        return out

    found = facts_at(60, changed)["sentences"]
    assert "2 of 16 runs diverged and are left out." in found
    left_out = "1 run has no number or spectrum of all layers in some window: left out."
    assert left_out in found
    assert not any("of loss in some window" in one for one in found)


def test_what_is_not_known_is_a_dash():
    def changed(store):
        out = store.copy(deep=True)
        for name in ("effect", "effect_low", "effect_high", "end", "end_low", "end_high"):
            out[name][0] = np.nan
        out["outcome"][0], out["reason"][0] = "inconclusive", "nothing is known"
        return out

    found = facts_at(60, changed)
    assert "| all layers | inconclusive | – | 2 of 4 | – | – |" in text(found)
    for figure in FIGURES:
        caption(figure, found)


def test_captions_quote_the_numbers(facts):
    said = caption("early_phase", facts)
    assert "at step 60 (60 to 90)" in said and "16 seeds" in said
    assert "not over" in caption("plain_markers", facts)
    found = captions({"early_phase": {"one": facts}}, {"one": FIGURES})
    assert set(found) == {*(f"one/{figure}" for figure in FIGURES), "opening"}
    assert "all layers it ends at step 60" in " ".join(found["one/early_phase"].split())
