"""What the summary and the captions say of a pruning experiment."""

import json

import pytest
from fixtures.pruning import PAIRS, pruning_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments import summary
from koopscope.experiments.captions import captions
from koopscope.experiments.findings import filled
from koopscope.experiments.pruning.summary import TABLES
from koopscope.experiments.summary import markdown

CAPTIONS = ("overlap", "pruned_accuracy", "fixed_points", "kept_by_layer")


def facts_of(found):
    return summary.facts("pruning", {"pruning": found})


@pytest.fixture(scope="module")
def facts():
    return json.loads(json.dumps(facts_of(pruning_store()), allow_nan=False))


def test_overlaps_are_means_over_seeds(facts):
    row = facts["overlaps"][0]
    assert (row["pair"], row["epoch"]) == (PAIRS[0], 1)
    assert row["cells"][0]["mean"] == pytest.approx(0.7)
    assert row["cells"][0]["low"] == pytest.approx(0.7 - 4.303 * 0.01 / 3**0.5, abs=1e-4)


def test_differences_are_paired_by_seed(facts):
    rows = {(row["what"], row["epoch"]): row["cells"] for row in facts["differences"]}
    after = rows["accuracy after fine-tuning, less that of window_mean", 1]
    # Seeds differ by 0.02, but all in the same way.
    assert after[1]["low"] == pytest.approx(0.02) and after[1]["high"] == pytest.approx(0.02)
    assert after[0]["mean"] is None
    late = rows["overlap with late magnitudes, less that of magnitude", 1]
    assert late[0]["mean"] == pytest.approx(-0.1)


def test_the_epoch_from_which_two_ways_are_one_is_said(facts):
    said = facts["sentences"][0]
    assert "at every compression) from epoch 5 on" in said
    never = pruning_store()
    never["jaccard"] = never["jaccard"] * 0.9
    assert "after no epoch that was tried" in facts_of(never)["sentences"][0]


def test_a_refused_window_is_counted_and_its_reason_kept(facts):
    early, late = facts["eigenvalues"]
    assert (early["refused"], late["refused"]) == (1, 0)
    assert early["reason"] == "window: no eigenvalue within 0.05 of 1"
    assert early["distance"]["median"] == pytest.approx(0.015)
    assert {row["count"] for row in facts["predicted"] if row["by"] != "epoch"} == {5}


def test_the_section_has_what_the_question_needs(facts):
    text = markdown({"pruning": {"early_and_late": facts}}, {})
    assert "## early\\_and\\_late" in text
    assert "| koopman\\_magnitude / magnitude | 1 | 0.7 [0.675, 0.725] |" in text
    assert "| koopman\\_magnitude / window\\_mean |" not in text
    assert "[accuracies](tables/early_and_late-accuracies.csv)" in text


def test_the_tables_say_what_the_facts_say(facts):
    text = "\n".join(table(facts) for table in TABLES.values())
    for said in (
        "| koopman\\_magnitude / magnitude | 1 | 0.7 [0.675, 0.725] |",
        "| koopman\\_magnitude | 5 | after | – | 0.97 [0.945, 0.995] |",
        "1 (window: no eigenvalue within 0.05 of 1)",
        "| magnitude | 1 | 0.5 [0.5, 0.5] | 0.05 [0.05, 0.05] |",
    ):
        assert said in text


def test_a_page_of_findings_takes_each_table(facts):
    for part in ("overlaps", "accuracies", "differences", "eigenvalues"):
        page = f"<!-- numbers: early_and_late {part} -->\nold\n<!-- end -->\n"
        assert "old" not in filled(page, {"pruning": {"early_and_late": facts}})


@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_states_the_numbers_of_the_run(name, facts):
    said = caption(name, facts)
    rows = {"overlap": "sentences", "pruned_accuracy": "accuracies"}
    if name == "fixed_points":
        assert said.count("<li>") == len(facts["eigenvalues"]) + len(facts["predicted"])
    elif name == "kept_by_layer":
        assert said.count("<li>") == len(facts["kept"]) / 2
    else:
        assert said.count("<li>") == len(facts[rows[name]])
    assert "None" not in said


def test_the_first_figure_says_what_pruning_came_to(facts):
    found = captions({"pruning": {"early": facts}}, {"early": ["fixed_points", "overlap"]})
    assert facts["answer"]["answer"] in html(found["early/overlap"])


def test_a_wrong_dataset_is_refused_in_one_line():
    with pytest.raises(
        InputError, match="^pruning: dataset lacks accuracy, .*give a pruning store"
    ):
        facts_of(pruning_store().drop_vars(["accuracy", "kept"]))
