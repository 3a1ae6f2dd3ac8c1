"""What the summary and the captions say of a pruning experiment."""

import json

import numpy as np
import pytest
from builders_pruning import PAIRS, pruning_store
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_summary import render

from koopscope.errors import InputError
from koopscope.summary import markdown, mean_interval, pruning_facts
from koopscope.summary.findings import filled

CAPTIONS = ("overlap", "pruned_accuracy", "fixed_points", "kept_by_layer")


@pytest.fixture(scope="module")
def facts():
    return json.loads(json.dumps(pruning_facts(pruning_store()), allow_nan=False))


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9, unique=True))
def test_intervals_are_those_of_scipy(values):
    mean, low, high = mean_interval(np.array([*values, np.nan]))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([mean, low, high], [np.mean(values), *expected], atol=1e-9)


def test_one_value_has_a_mean_and_no_interval():
    mean, low, high = mean_interval(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    np.testing.assert_array_equal(mean, [1, np.nan])
    assert np.isnan(low).all() and np.isnan(high).all()


def test_overlaps_are_means_over_seeds(facts):
    row = facts["overlaps"][0]
    assert (row["pair"], row["epoch"]) == (PAIRS[0], 1)
    assert row["cells"][0]["mean"] == pytest.approx(0.7)
    assert row["cells"][0]["low"] == pytest.approx(0.7 - 4.303 * 0.01 / 3**0.5, abs=1e-4)


def test_differences_are_paired_by_seed(facts):
    rows = {(row["what"], row["epoch"]): row["cells"] for row in facts["differences"]}
    after = rows["accuracy after refinement, less that of window_mean", 1]
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
    assert "after no epoch that was tried" in pruning_facts(never)["sentences"][0]


def test_a_refused_window_is_counted_and_its_reason_kept(facts):
    early, late = facts["eigenvalues"]
    assert (early["refused"], late["refused"]) == (1, 0)
    assert early["reason"] == "window: no eigenvalue within 0.05 of 1"
    assert early["distance"]["median"] == pytest.approx(0.015)
    assert {row["count"] for row in facts["foretold"] if row["by"] != "epoch"} == {5}


def test_the_text_has_every_table(facts):
    text = markdown({}, {}, {"pruning": {"early_and_late": facts}})
    for said in (
        "## early\\_and\\_late",
        "| koopman\\_magnitude / magnitude | 1 | 0.7 [0.675, 0.725] |",
        "| koopman\\_magnitude | 5 | after | – | 0.97 [0.945, 0.995] |",
        "1 (window: no eigenvalue within 0.05 of 1)",
        "| magnitude | 1 | 0.5 [0.5, 0.5] | 0.05 [0.05, 0.05] |",
    ):
        assert said in text


def test_a_page_of_findings_takes_each_table(facts):
    for part in ("overlaps", "accuracies", "differences", "eigenvalues"):
        page = f"<!-- numbers: early_and_late {part} -->\nold\n<!-- end -->\n"
        assert "old" not in filled(page, {"early_and_late": facts})


@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_states_the_numbers_of_the_run_or_that_there_are_none(name, facts):
    config = {"facts": {"pruning": {"early": facts}}}
    html = " ".join(render(name, "early", config).split())
    rows = {"overlap": "sentences", "pruned_accuracy": "accuracies", "kept_by_layer": "kept"}
    if name == "fixed_points":
        assert html.count("<li>") == len(facts["eigenvalues"]) + len(facts["foretold"])
    elif name == "kept_by_layer":
        assert html.count("<li>") == len(facts["kept"]) / 2
    else:
        assert html.count("<li>") == len(facts[rows[name]])
    assert "None" not in html and "not known yet" not in html
    assert "not known yet" in render(name, "early", {"facts": {}})


def test_front_text_says_what_pruning_came_to(facts):
    html = render("workflow", None, {"facts": {"studies": {}, "pruning": {"early": facts}}})
    assert "Which weights?" in html and "from epoch 5 on" in html


def test_a_wrong_dataset_is_refused_in_one_line():
    with pytest.raises(
        InputError, match="^pruning: dataset lacks accuracy, .*give a pruning store"
    ):
        pruning_facts(pruning_store().drop_vars(["accuracy", "kept"]))
