"""What the summary and the captions say of a question on poor initialisations."""

import json

import numpy as np
import pytest
from fixtures.rendered import caption, html
from fixtures.watching import asked

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.findings import filled
from koopscope.experiments.registry import kind_of
from koopscope.experiments.restart.summary import TABLES, text
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown
from koopscope.monitor.statuses import STATUSES


def restart_facts(found):
    return json.loads(json.dumps(facts_of("restart", {"restart": found}), allow_nan=False))


@pytest.fixture(scope="module")
def facts():
    return restart_facts(asked("restart"))


def test_a_section_has_its_tables_and_the_losses_too(facts):
    said = markdown({"monitor": {"one": facts}}, {})
    assert "## one\n\n**When?**\n\n" in said and text(facts) in said
    assert "[against](tables/one-against.csv)" in said
    assert {row["word"] for row in facts["against"]} <= {"better", "worse", "neither"}
    for row in facts["against"]:
        assert row["difference"]["low"] <= row["difference"]["high"]
    assert "nan" not in text(facts)


def test_a_spectrum_that_loses_is_said_to_lose():
    found = asked("restart").copy(deep=True)
    found["gain"][:, 0] = [-0.3, -0.4, -0.2]
    facts = restart_facts(found)
    assert "predicts a bad end worse than the loss so far" in facts["sentences"][0]
    row = facts["against"][0]
    assert (row["spectrum"], row["baseline"], row["word"]) == ("spectrum", "loss", "worse")
    found["gain"][:, -1] = [0.0, -0.1, 0.1]
    assert "it does not add to loss and gradient" in restart_facts(found)["sentences"][0]
    found["gain"][:, -1] = [0.2, 0.1, 0.3]
    assert "it adds to loss and gradient" in restart_facts(found)["sentences"][0]


def test_a_target_never_reached_is_words_and_no_number():
    found = asked("restart").copy(deep=True)
    found["steps"][0] = np.nan
    found["never"][:] = 1
    facts = restart_facts(found)
    assert "not reached" in TABLES["steps"](facts)
    said = text(facts)
    assert "(never in 1 setups)" in said
    assert "nan" not in said


def test_shares_of_bad_ends_are_by_kind_of_start(facts):
    found, row = asked("restart"), facts["setups"][0]
    assert row["runs"] == 12
    assert set(row["kinds"]) == {"plain", "dead", "saturated"}
    assert row["kinds"]["dead"] == 1
    part = found.isel(run=np.flatnonzero(found["of_setup"].values == "net0"))
    assert row["bad"] == int(part["bad"].sum())


def test_the_monitors_words_are_counted_by_how_runs_end(facts):
    assert tuple(row["word"] for row in facts["verdicts"]) == STATUSES
    assert np.sum([row["runs"] for row in facts["verdicts"]], axis=0).tolist() == [24, 24]
    # Dead starts never move.
    (stalled,) = [row for row in facts["verdicts"] if row["word"] == "stalled"]
    assert stalled["bad"][0] >= 6
    assert "Runs that end badly, by the monitor's verdict:" in TABLES["verdicts"](facts)


def test_captions_quote_the_numbers_and_the_answer(facts):
    rows = {
        "restart_spectra": len(facts["setups"]),
        "restart_auc": len(facts["sentences"]),
        "restart_savings": len(facts["policies"]) - 1,
    }
    assert rows.keys() == {shown.name for shown in kind_of("restart").shown}
    for figure, count in rows.items():
        said = caption(figure, facts)
        assert "in one" in said and "None" not in said
        assert said.count("<li>") == count
    page = html(captions({"monitor": {"one": facts}}, {"one": list(rows)})["one/restart_spectra"])
    assert facts["answer"]["answer"] in page


def test_a_page_of_findings_may_quote_the_tables(facts):
    page = "<!-- numbers: one areas -->\n<!-- end -->\n<!-- numbers: one policies -->\n<!-- end -->"
    said = filled(page, {"monitor": {"one": facts}})
    assert "| loss curve + gradient |" in said
    with pytest.raises(InputError, match="one has no part 'stops'; give one of against, areas"):
        filled("<!-- numbers: one stops -->\n<!-- end -->", {"monitor": {"one": facts}})


def test_what_is_no_result_is_refused():
    with pytest.raises(InputError, match="^restart: dataset lacks .*; give a restart store"):
        facts_of("restart", {"restart": asked("restart").drop_vars("reached")})
