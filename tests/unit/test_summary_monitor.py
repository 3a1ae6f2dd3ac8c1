"""What the summary and the captions say of questions about watching training."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders_monitor import asked
from test_summary import render

from koopscope import figures
from koopscope.errors import InputError
from koopscope.monitor.verdict import WORDS
from koopscope.plans.monitor import KINDS
from koopscope.summary import markdown, monitor_facts
from koopscope.summary.findings import filled
from koopscope.summary.monitor import FACTS, OF_KIND, monitor_text

REPORT = Path(__file__).parents[2] / "workflow/report"


def facts_of(kind, found=None):
    found = asked(kind) if found is None else found
    return json.loads(json.dumps(monitor_facts(found, kind), allow_nan=False))


def test_every_kind_of_question_has_facts_a_text_figures_and_captions():
    assert set(FACTS) == set(OF_KIND) == set(KINDS) <= set(figures.OF_KIND)
    for kind, plan in KINDS.items():
        assert tuple(figures.OF_KIND[kind]) == plan.figures
        for figure in plan.figures:
            assert (REPORT / f"{figure}.rst").stat().st_size > 0


@pytest.mark.parametrize("kind", ["stopping", "restart"])
def test_a_section_has_its_tables_and_the_losses_too(kind):
    facts = facts_of(kind)
    text = monitor_text(facts)
    assert text.startswith("## one\n\n**When?**")
    assert "Spectrum against the plain baseline:" in text
    assert {row["word"] for row in facts["against"]} <= {"better", "worse", "neither"}
    for row in facts["against"]:
        assert row["difference"]["low"] <= row["difference"]["high"]
    assert "nan" not in text
    whole = markdown({}, {}, {"monitor": {"one": facts}})
    assert text in whole


def test_stopping_rows_are_the_means_over_runs():
    found, facts = asked("stopping"), facts_of("stopping")
    rules = {(row["arm"], row["rule"]): row for row in facts["rules"]}
    assert len(rules) == 2 * 4
    at = int(np.flatnonzero((found["rule"] == "patience") & found["chosen"])[0])
    saved = found["saved"].sel(arm="net0").isel(setting=at)
    assert rules["net0", "patience"]["saved"]["mean"] == pytest.approx(float(saved.mean()))
    pairs = {(row["spectrum"], row["baseline"]) for row in facts["against"]}
    assert ("spectrum: share", "patience") in pairs
    assert ("spectrum: way ahead", "way behind") in pairs
    assert any("fixed budget" in baseline for _, baseline in pairs)


def test_a_spectrum_that_loses_is_said_to_lose():
    found = asked("restart").copy(deep=True)
    found["gain"][:, 0] = [-0.3, -0.4, -0.2]
    facts = facts_of("restart", found)
    assert "predicts a bad end worse than the loss so far" in facts["sentences"][0]
    row = facts["against"][0]
    assert (row["spectrum"], row["baseline"], row["word"]) == ("spectrum", "loss", "worse")
    found["gain"][:, -1] = [0.0, -0.1, 0.1]
    assert "it does not add to loss and gradient" in facts_of("restart", found)["sentences"][0]
    found["gain"][:, -1] = [0.2, 0.1, 0.3]
    assert "it adds to loss and gradient" in facts_of("restart", found)["sentences"][0]


def test_a_target_never_reached_is_words_and_no_number():
    found = asked("restart").copy(deep=True)
    found["steps"][0] = np.nan
    found["never"][:] = 1
    text = monitor_text(facts_of("restart", found))
    assert "not reached" in text
    assert "(never in 1 setups)" in text
    assert "nan" not in text


def test_shares_of_bad_ends_are_by_kind_of_start():
    found, facts = asked("restart"), facts_of("restart")
    row = facts["setups"][0]
    assert row["runs"] == 12
    assert set(row["kinds"]) == {"plain", "dead", "saturated"}
    assert row["kinds"]["dead"] == 1
    part = found.isel(run=np.flatnonzero(found["of_setup"].values == "net0"))
    assert row["bad"] == int(part["bad"].sum())


def test_the_monitors_words_are_counted_by_how_runs_end():
    facts = facts_of("restart")
    assert tuple(row["word"] for row in facts["verdicts"]) == WORDS
    assert np.sum([row["runs"] for row in facts["verdicts"]], axis=0).tolist() == [24, 24]
    # Dead starts never move.
    (stalled,) = [row for row in facts["verdicts"] if row["word"] == "stalled"]
    assert stalled["bad"][0] >= 6
    assert "Runs that end badly, by the monitor's verdict:" in monitor_text(facts)


@pytest.mark.parametrize("kind", ["stopping", "restart"])
def test_captions_quote_the_numbers(kind):
    facts = facts_of(kind)
    for figure in KINDS[kind].figures:
        caption = render(figure, "one", {"facts": {"monitor": {"one": facts}}})
        assert "not known yet" not in caption
        assert "one" in caption
        empty = render(figure, "one", {})
        assert "not known yet" in empty
    page = render("workflow", None, {"facts": {"monitor": {"one": facts}}})
    assert facts["sentences"][0].split("“")[0] in page


def test_a_page_of_findings_may_quote_the_tables():
    page = "<!-- numbers: one against -->\n<!-- end -->\n<!-- numbers: one stops -->\n<!-- end -->"
    text = filled(page, {"one": facts_of("stopping")})
    assert "| spectrum: share | patience |" in text
    page = "<!-- numbers: one areas -->\n<!-- end -->\n<!-- numbers: one policies -->\n<!-- end -->"
    text = filled(page, {"one": facts_of("restart")})
    assert "| loss curve + gradient |" in text
    with pytest.raises(InputError, match="'one' has no 'stops'"):
        filled("<!-- numbers: one stops -->\n<!-- end -->", {"one": facts_of("restart")})


@pytest.mark.parametrize("kind", ["stopping", "restart"])
def test_what_is_no_result_is_refused(kind):
    with pytest.raises(InputError, match=f"^{kind}: dataset lacks .*; give a {kind} store"):
        monitor_facts(asked(kind).drop_vars("reached" if kind == "restart" else "word"), kind)
