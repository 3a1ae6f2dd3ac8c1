"""The one table that sets the spectrum against plain baselines, made of every section's facts."""

import numpy as np
from fixtures.denoising import denoising_store
from fixtures.pruning import pruning_store
from fixtures.watching import asked

from koopscope.experiments.baselines import HOW, WORDS, baseline_rows, baseline_table
from koopscope.experiments.findings import filled
from koopscope.experiments.summary import facts, markdown
from koopscope.report.cells import paired


def of_one(kind, store):
    return facts(kind, {kind: store})


def test_cases_are_counted_by_question_rule_baseline_and_measure():
    stopping = of_one("stopping", asked("stopping"))
    found = baseline_rows({"monitor": {"one": stopping}})
    budget = "fixed budget of the same mean length"
    words = [
        r["word"]
        for r in stopping["against"]
        if (r["spectrum"], r["baseline"]) == ("spectrum: slow share", budget)
    ]
    (counted,) = [
        r for r in found if (r["spectrum"], r["baseline"]) == ("spectrum: slow share", budget)
    ]
    expected = {word: words.count(word) for word in WORDS}
    assert {word: counted[word] for word in expected} == expected
    assert sum(expected.values()) == len(words)


def test_what_a_stopping_rule_saves_and_loses_stands_in_one_row():
    stopping = of_one("stopping", asked("stopping"))
    found = baseline_rows({"monitor": {"one": stopping}})
    measures = [r["measure"] for r in found if r["baseline"] == "patience"]
    assert measures == ["epochs saved; accuracy lost, percentage points"] * len(measures)


def test_a_loss_is_better_only_if_it_is_in_every_seed():
    noise = of_one("denoising", denoising_store(("falling-tones",)))
    noise["against"] = noise["against"][:1]
    (entry,) = noise["against"][0]["losses"] = noise["against"][0]["losses"][:1]
    seeds = noise["against"][0]["seeds"]
    for wins, losses, word in [(seeds, 0, "better"), (0, seeds, "worse"), (1, 1, "neither")]:
        entry |= {"wins": wins, "losses": losses}
        (found, *_) = baseline_rows({"sobolev": {"noise": noise}})
        assert found[word] == 1
        assert sum(found[w] for w in WORDS) == 1


def test_who_stops_by_an_oracle_meets_filters_that_have_one():
    noise = of_one("denoising", denoising_store(("falling-tones",)))
    rows = baseline_rows({"sobolev": {"noise": noise}})
    against = {r["measure"]: r["baseline"] for r in rows if r["spectrum"] == "the best loss"}
    assert against["error, least error (oracle)"] == "the best filter with an oracle"
    assert against["error, last step"] == "the best filter without an oracle"


def test_whoever_comes_to_the_target_less_often_is_not_better():
    often = np.array([3.0, 3.1, 2.9, 3.0, 3.1])
    fast = np.array([1.0, 1.1, np.nan, np.nan, np.nan])
    slow = np.where(np.isnan(fast), np.nan, 5.0)
    for ours, theirs, word in [
        (often - 2, often, "better"),
        (fast, often, "neither"),
        (slow, often, "worse"),
        (often, fast, "neither"),
        (often, slow, "better"),
        (np.full(5, np.nan), often, "worse"),
    ]:
        assert paired("here", "a", "b", "steps", ours, theirs)["word"] == word


def test_pruning_counts_epochs_and_compressions_but_not_compression_1():
    early = of_one("pruning", pruning_store())
    rows = baseline_rows({"pruning": {"early": early}})
    assert rows
    counted = sum(r[word] for r in rows for word in WORDS)
    cells = [
        cell
        for difference in early["differences"]
        for compression, cell in zip(early["compression_ratios"], difference["cells"], strict=True)
        if compression > 1 and cell["low"] is not None
    ]
    assert counted == len(cells)


def test_the_summary_and_a_page_hold_the_table_and_a_run_of_studies_alone_does_not():
    sections = {"monitor": {"one": of_one("restart", asked("restart"))}}
    table = baseline_table(sections)
    assert "| one | spectrum | loss | area under the curve |" in table
    assert f"## Spectrum against the plain baseline\n\n{HOW}" in markdown(sections, {})
    page = filled("<!-- numbers: everything baselines -->\n<!-- end -->", sections)
    assert table in page
    assert baseline_table({"hsvr": {}}) == ""
    assert "plain baseline" not in markdown({}, {})
