"""Depths in words and tables: every number as JSON, none for none."""

import json

import pytest
import xarray as xr
from fixtures.depth import depths_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.depth.summary import (
    TABLES,
    cases,
    depths_table,
    effects_table,
    predictors_table,
    text,
)
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown


def depth_facts(store):
    return facts_of("depth", {"depth": store})


FACTS = depth_facts(depths_store())


def test_facts_are_plain_json():
    assert json.loads(json.dumps(FACTS, allow_nan=False)) == FACTS


def test_each_task_has_its_depths_and_what_they_cost():
    mnist, tones, steps = FACTS["cases"]
    assert (mnist["task"], tones["task"]) == ("classification", "regression")
    assert [case["observed"] for case in FACTS["cases"]] == [3, 3, 3]
    assert mnist["predicted"]["spectrum"] == 1
    assert mnist["regret"]["spectrum"] == pytest.approx(2, rel=0.05)
    assert steps["predicted"]["spectrum"] is None
    assert steps["regret"]["spectrum"] < 0.05
    assert (mnist["hsvr"], tones["hsvr"]) == (
        {"fft": None, "tapered": None},
        {"fft": 8, "tapered": 7},
    )
    assert FACTS["short_share"] == 0.1
    row = FACTS["predictors"][0]
    assert (row["cases"], row["none"]) == (3, 1)


def test_the_tables_say_what_the_facts_say():
    table = depths_table(FACTS)
    assert "| mnist | 3 | 1 (+" in table and "none (+" in table
    assert "1 to 2 layers" in effects_table(FACTS)
    assert "distinguished" in effects_table(FACTS)
    said = predictors_table(FACTS)
    assert all(name in said for name in ("the spectrum", "two layers always"))
    whole = markdown({"monitor": {"layers": FACTS}}, {})
    assert "## layers\n\n**How many layers?**\n\n" in whole and text(FACTS) in whole
    assert FACTS["predictors"][2]["sentence"].startswith("Two layers always: right for 0 of 3")
    assert FACTS["predictors"][2]["sentence"] in text(FACTS)


def test_the_spectrum_stands_against_the_plain_baselines_and_its_losses_show():
    short, two = FACTS["against"]
    assert short["baseline"] == "the loss of the short training"
    gap = [
        100 * (case["regret"]["spectrum"] - case["regret"]["two_layers"]) for case in FACTS["cases"]
    ]
    assert two["difference"]["mean"] == pytest.approx(sum(gap) / 3)
    assert [(case[1], case[3]) for case in cases(FACTS)] == [
        (row["baseline"], row["word"]) for row in FACTS["against"]
    ]
    assert TABLES["against"](FACTS).count("\n| all tasks |") == 2


def test_the_caption_quotes_the_numbers_and_the_answer():
    said = " ".join(caption("depths", FACTS).split())
    assert "in the question layers" in said and "None" not in said
    assert said.count("<li>") == len(FACTS["sentences"]) + len(FACTS["cases"])
    assert "predicted by the spectrum none" in said
    found = captions({"monitor": {"layers": FACTS}}, {"layers": ["depths"]})
    assert FACTS["answer"]["answer"] in " ".join(html(found["layers/depths"]).split())


def test_what_lacks_a_variable_is_refused():
    for wrong in (xr.Dataset(), depths_store().isel(case=slice(0))):
        with pytest.raises(InputError, match="^depth: dataset .*; give a depth store") as refused:
            depth_facts(wrong)
        assert "\n" not in str(refused.value)
