"""What the summary and the captions say of an experiment with negative Sobolev losses."""

import json

import numpy as np
import pytest
import xarray as xr
from fixtures.denoising import denoising_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.denoising import names
from koopscope.experiments.denoising import run as denoising
from koopscope.experiments.denoising.summary import TABLES
from koopscope.experiments.findings import filled
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown

CAPTIONS = ("errors", "bands", "reconstructions", "learning", "modes")


def denoising_facts(store):
    return facts_of("denoising", {"denoising": store})


@pytest.fixture(scope="module")
def facts():
    return json.loads(json.dumps(denoising_facts(denoising_store()), allow_nan=False))


def test_the_ends_of_training_are_those_of_the_library():
    assert set(names.STOPS) == set(denoising.STOPS)


def test_errors_are_medians_with_the_least_and_the_greatest(facts):
    rows = {(r["signal"], r["method"], r["stop"]): r["errors"] for r in facts["errors"]}
    assert facts["snr"] == [20, -10]
    loud = rows["falling-tones", "mse", "final"][1]
    assert (loud["median"], loud["min"], loud["max"]) == pytest.approx((3, 2.7, 3.3))
    assert rows["digits", "wiener-oracle", None][1]["median"] == pytest.approx(0.3)
    assert len(rows) == 2 * (2 * 3 + 3)


def test_losses_stand_beside_mean_squared_error_and_filters(facts):
    rows = {(r["signal"], r["snr"], r["stop"]): r for r in facts["against"]}
    end = rows["falling-tones", -10, "final"]
    assert end["best"]["name"] == "s1" and end["best"]["spread"]["median"] == pytest.approx(1.5)
    assert (end["wins"], end["seeds"]) == (3, 3)
    assert end["blind"]["name"] == "bayesshrink" and end["oracle"]["name"] == "wiener-oracle"
    assert "better in 3 of 3 seeds; not below the best filter without an oracle" in end["sentence"]
    assert end["losses"][0]["ratio"]["median"] == pytest.approx(0.5)
    assert "last step: loss s1 1.5 [1.4, 1.7] against 3 [2.7, 3.3]" in end["sentence"]


def test_a_win_over_filters_is_said_as_one():
    store = denoising_store()
    store["filter_error"] = store["filter_error"] * 10
    rows = denoising_facts(store)["against"]
    assert all("; below the best filter without an oracle" in row["sentence"] for row in rows)


def test_what_is_missing_is_not_compared():
    store = denoising_store().isel(loss=[1], filter=[0, 1], trial=[0])
    facts = denoising_facts(store)
    assert all(row["mse"] is None and row["wins"] is None for row in facts["against"])
    assert all(row["blind"] is None for row in facts["against"]) and facts["rates"] == []
    alone = denoising_facts(denoising_store().isel(loss=[0]))["against"][0]
    assert alone["best"] is None and "mean squared error" in alone["sentence"]
    assert "None" not in markdown({"sobolev": {"a": facts}}, {})


def test_a_loss_that_broke_down_in_a_seed_is_neither_the_best_nor_always_better():
    store = denoising_store()
    store["error"].loc[{"loss": "s1", "seed": store["seed"].values[0]}] = np.nan
    store["error"].loc[{"loss": "s1", "seed": store["seed"].values[1:]}] = 1e-9
    row = denoising_facts(store)["against"][0]
    assert row["best"] is None or row["best"]["name"] != "s1"
    (entry,) = [entry for entry in row["losses"] if entry["loss"] == "s1"]
    assert entry["wins"] == row["seeds"] - 1
    assert entry["losses"] == 1
    store["error"].loc[{"loss": "s1", "seed": store["seed"].values[0]}] = np.inf
    (entry,) = [e for e in denoising_facts(store)["against"][0]["losses"] if e["loss"] == "s1"]
    assert (entry["wins"], entry["losses"]) == (row["seeds"] - 1, 1)


def test_bands_and_tones_are_those_of_their_signal(facts):
    row = next(r for r in facts["bands"] if r["signal"] == "digits" and r["method"] == "mse")
    assert row["names"] == ["0–1.7", "1.7–5.2", "5.2–15.6"] and len(row["medians"]) == 3
    learned = {(r["signal"], r["snr"], r["loss"]): r for r in facts["learned"]}
    assert learned["falling-tones", 20, "s1"]["steps"] == [10, 20, None]
    assert learned["digits", 20, "mse"]["tones"] == [1, 3]
    assert learned["digits", 20, "mse"]["untrusted"] == pytest.approx(1 / 3)


def test_the_section_holds_the_tables_with_the_losses(facts):
    text = markdown({"sobolev": {"denoise": facts}}, {})
    assert "## denoise" in text and "**What is left of noise?**" in text
    assert TABLES["losses"](facts) in text and TABLES["ratios"](facts) in text
    assert "[bands](tables/denoise-bands.csv)" in text
    assert "None" not in text and "nan" not in text.lower()


def test_the_tables_hold_what_each_method_came_to(facts):
    text = "\n".join(table(facts) for table in TABLES.values())
    assert "| falling-tones | mse | last step | 0.0949 [0.0854, 0.104] | 3 [2.7, 3.3] |" in text
    assert "| falling-tones | 20 dB | s1 | 10 | 20 | never | 0.5 | 33 % |" in text
    assert "rate 0.01 | rate 0.03 | taken for the last step" in text


@pytest.mark.parametrize("part", TABLES)
def test_a_page_of_findings_takes_each_table(facts, part):
    page = f"<!-- numbers: denoise {part} -->\n<!-- end -->\n"
    page = filled(page, {"sobolev": {"denoise": facts}})
    assert "| falling-tones |" in page


def test_wrong_datasets_are_refused_in_one_line():
    store = denoising_store()
    for wrong in (xr.Dataset(), store.drop_vars("order"), store.isel(signal=slice(0))):
        with pytest.raises(
            InputError, match=r"^denoising: dataset .* denoising store.*$"
        ) as caught:
            denoising_facts(wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_states_the_numbers_of_the_run(name, facts):
    said = " ".join(caption(name, facts).split())
    rows = {"errors": "against", "bands": "bands", "learning": "learned", "modes": "learned"}
    expected = len(facts[rows[name]]) if name in rows else len(facts["against"]) / 3
    assert said.count("<li>") == expected
    assert "None" not in said


def test_the_first_figure_says_the_answer(facts):
    found = captions({"sobolev": {"denoise": facts}}, {"denoise": ["bands", "errors"]})
    assert facts["answer"]["answer"] in " ".join(html(found["denoise/errors"]).split())
