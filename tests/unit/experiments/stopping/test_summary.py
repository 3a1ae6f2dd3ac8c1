"""What the summary and the captions say of a question on when to stop."""

import json

import numpy as np
import pytest
from fixtures.rendered import caption, html
from fixtures.watching import asked

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.findings import filled
from koopscope.experiments.registry import kind_of
from koopscope.experiments.stopping.summary import cases, text
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown


@pytest.fixture(scope="module")
def facts():
    found = facts_of("stopping", {"stopping": asked("stopping")})
    return json.loads(json.dumps(found, allow_nan=False))


def test_a_section_has_its_tables_and_the_losses_too(facts):
    said = markdown({"monitor": {"one": facts}}, {})
    assert "## one\n\n**When?**\n\n" in said and text(facts) in said
    assert "[against](tables/one-against.csv)" in said
    assert {row["word"] for row in facts["against"]} <= {"better", "worse", "neither"}
    for row in facts["against"]:
        assert row["difference"]["low"] <= row["difference"]["high"]
    assert "nan" not in text(facts)


def test_rows_are_the_means_over_runs(facts):
    found = asked("stopping")
    rules = {(row["arm"], row["rule"]): row for row in facts["rules"]}
    assert len(rules) == 2 * 4
    at = int(np.flatnonzero((found["rule"] == "patience") & found["chosen"])[0])
    saved = found["saved"].sel(arm="net0").isel(setting=at)
    assert rules["net0", "patience"]["saved"]["mean"] == pytest.approx(float(saved.mean()))
    pairs = {(row["spectrum"], row["baseline"]) for row in facts["against"]}
    assert ("spectrum: slow share", "patience") in pairs
    assert ("spectrum: predicted displacement", "past displacement") in pairs
    assert any("fixed budget" in baseline for _, baseline in pairs)


def test_what_a_rule_saves_and_loses_is_one_case(facts):
    met = list(cases(facts))
    places = {(row["where"], row["spectrum"], row["baseline"]) for row in facts["against"]}
    assert len(met) == len(places) < len(facts["against"])
    assert {word for *_, word in met} <= {"better", "worse", "neither"}


def test_captions_quote_the_numbers_and_the_answer(facts):
    rows = {
        "stopping_curves": "rules",
        "stopping_tradeoff": "sentences",
        "stopping_spectra": "arms",
    }
    assert rows.keys() == {shown.name for shown in kind_of("stopping").shown}
    for figure, row in rows.items():
        said = caption(figure, facts)
        assert "in one" in said and "None" not in said
        assert said.count("<li>") == len(facts[row])
    page = html(captions({"monitor": {"one": facts}}, {"one": list(rows)})["one/stopping_curves"])
    assert facts["sentences"][0].split("“")[0] in page


def test_a_page_of_findings_may_quote_the_tables(facts):
    page = "<!-- numbers: one against -->\n<!-- end -->\n<!-- numbers: one stops -->\n<!-- end -->"
    said = filled(page, {"monitor": {"one": facts}})
    assert "| spectrum: slow share | patience |" in said


def test_what_is_no_result_is_refused():
    with pytest.raises(InputError, match="^stopping: dataset lacks .*; give a stopping store"):
        facts_of("stopping", {"stopping": asked("stopping").drop_vars("word")})
