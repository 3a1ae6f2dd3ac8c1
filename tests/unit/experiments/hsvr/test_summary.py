"""What the summary and the captions say of an experiment with hierarchical regression."""

import json

import pytest
import xarray as xr
from fixtures.hsvr import regressors_store, transitions_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.findings import filled
from koopscope.experiments.hsvr.summary import TABLES
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown

CAPTIONS = ("transitions", "layers", "regressors")


def hsvr_facts(transitions, regressors=None):
    stores = {"transitions": transitions, "regressors": regressors}
    return facts_of("hsvr", {name: store for name, store in stores.items() if store is not None})


@pytest.fixture(scope="module")
def facts():
    found = hsvr_facts(transitions_store(), regressors_store())
    return json.loads(json.dumps(found, allow_nan=False))


def test_rows_are_signals_at_a_level_of_noise(facts):
    rows = facts["layers"]
    assert [(r["signal"], r["noise"], r["seeds"]) for r in rows[:4]] == [
        ("tone", 0, 1), ("steps", 0, 1), ("rings", 0, 1), ("tone", 0.1, 2),
    ]  # fmt: skip
    assert rows[0]["observed"] == {"median": 4, "min": 4, "max": 4} and rows[0]["never"] == 0
    assert rows[3]["observed"]["median"] == 6 and rows[3]["never"] == 1
    assert rows[2]["predicted"][2] is None


def test_rules_are_counted_against_the_observed_layer_and_the_best(facts):
    rows = {(row["rule"], row["noise"], row["against"]): row for row in facts["rules"]}
    fft, tapered = rows["fft", 0, "transition"], rows["tapered", 0, "transition"]
    assert (fft["right"], fft["within_one"], fft["over"], fft["most_over"]) == (0, 3, 3, 1)
    assert (tapered["right"], tapered["under"], tapered["cost"]) == (3, 0, 0.005)
    noisy = rows["tapered", 0.1, "transition"]
    # Where the error never falls, there is nothing to compare with.
    assert (noisy["cases"], noisy["under"], noisy["most_under"]) == (3, 3, 2)
    assert rows["tapered", 0.1, "best"]["right"] == 6
    assert rows["lomb-scargle", 0, "transition"]["cases"] == 2
    assert ("fft", 0, "best") not in rows


def test_the_section_holds_the_table_with_its_misses(facts):
    text = markdown({"hsvr": {"depth": facts}}, {})
    assert "## depth" in text and "**How deep?**" in text
    assert all(TABLES[name](facts) in text for name in ("compared", "rules", "errors"))
    assert "[layers](tables/depth-layers.csv)" in text
    assert "None" not in text and "nan" not in text.lower()


def test_the_tables_hold_the_misses(facts):
    text = "\n".join(table(facts) for table in TABLES.values())
    assert "| tone | 0 % | 1 | 4 | 4 | 5 (+1) | 4 (+0) | 4 (+0) | 0.01 | 240 | 2 |" in text
    assert "| tone | 10 % | 2 | 6 (1 never) | 4 | 5 (-1) | 4 (-2) | 4 (-2) |" in text
    assert "| rings | 0 % | 1 | 4 | 4 | 5 (+1) | 4 (+0) | – |" in text
    assert "| signal | noise | hsvr | svr-search | trees |" in text
    assert "| 0.0092 [0.0088, 0.0096]; 2.3 s |" in text


def test_held_out_errors_are_shares_of_the_best_depths(facts):
    clean, noisy = facts["errors"]
    assert (clean["noise"], clean["cases"], noisy["cases"]) == (0, 3, 6)
    assert clean["least"]["median"] == pytest.approx(0.01)
    # One layer too many doubles the made-up error, two more treble it.
    assert [rule["median"] for rule in clean["predicted"]] == pytest.approx([2, 1, 1])
    assert clean["all"]["median"] == pytest.approx(3)
    assert "| 0 % | 3 | 0.01 | 2 | 1 | 1 | 3 |" in TABLES["errors"](facts)


def test_more_layers_than_were_fitted_are_all_of_them():
    store = transitions_store(depth=5)
    found = hsvr_facts(store.assign(predicted=store["predicted"] + 4))
    assert found["errors"][0]["predicted"][0]["median"] == pytest.approx(2)


def test_regressors_are_compared_with_the_first_by_noise(facts):
    rows = {(row["regressor"], row["noise"]): row for row in facts["compared"]}
    assert rows["hsvr", 0]["error_ratio"] == {"median": 1, "min": 1, "max": 1}
    assert rows["svr-search", 0.1]["error_ratio"]["median"] == pytest.approx(0.8)
    assert rows["svr-search", 0.1]["time_ratio"]["median"] == pytest.approx(100)
    assert rows["trees", 0]["cases"] == 4
    text = markdown({"hsvr": {"depth": facts}}, {})
    assert "| svr-search | 0 % | 4 | 0.0092 | 0.8 | 2.3 | 100 | 0.23 |" in text


def test_without_baselines_nothing_is_said_of_them():
    text = markdown({"hsvr": {"depth": hsvr_facts(transitions_store())}}, {})
    assert "egressors" not in text and "trees" not in text


def test_findings_take_the_tables_of_experiments(facts):
    sections = {"hsvr": {"depth": facts}}
    for part, said in (
        ("layers", "| tone | 0 % | 1 | 4 | 4 | 5 (+1) |"),
        ("rules", "| fft | 0 % | the observed layer | 3 | 0 | 3 |"),
        ("errors", "| 0 % | 3 | 0.01 | 2 |"),
        ("compared", "| trees | 0 % | 4 |"),
        ("regressors", "| tone | 0 % | 0.011 [0.011, 0.012]; 0.023 s |"),
    ):
        page = filled(f"<!-- numbers: depth {part} -->\n<!-- end -->\n", sections)
        assert said in page
    with pytest.raises(
        InputError, match="numbers: depth has no part 'pairs'; give one of layers, "
    ):
        filled("<!-- numbers: depth pairs -->\n<!-- end -->\n", sections)


def test_wrong_datasets_are_refused_in_one_line():
    for wrong in (
        (xr.Dataset(),),
        (transitions_store().drop_vars("predicted"),),
        (transitions_store().isel(case=slice(0)),),
        (transitions_store(), regressors_store().drop_vars("fit_seconds")),
    ):
        with pytest.raises(InputError, match=r"^hsvr: dataset .* store.*$") as caught:
            hsvr_facts(*wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_states_the_numbers_of_the_run(name, facts):
    said = " ".join(caption(name, facts).split())
    rows = {"transitions": "layers", "layers": "rules", "regressors": "compared"}[name]
    assert said.count("<li>") == len(facts[rows])
    if name == "layers":
        assert all(row["sentence"] in said for row in facts["rules"])
    assert "None" not in said


def test_the_first_figure_says_the_answer(facts):
    found = captions({"hsvr": {"depth": facts}}, {"depth": ["layers", "transitions"]})
    assert facts["answer"]["answer"] in " ".join(html(found["depth/transitions"]).split())
