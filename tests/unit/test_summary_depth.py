"""Depths and pruning while training in words and tables: every number as JSON, none for none."""

import json

import pytest
import xarray as xr
from builders_depth import depths_store, pruned_store

from koopscope.errors import InputError
from koopscope.summary.depth import (
    depth_facts,
    depth_text,
    depths_table,
    effects_table,
    predictors_table,
)
from koopscope.summary.monitor import monitor_text
from koopscope.summary.pruned_training import pruned_facts, pruned_text, savings_table

FACTS, PRUNED = depth_facts(depths_store()), pruned_facts(pruned_store())


def test_facts_are_plain_json():
    for found in (FACTS, PRUNED):
        assert json.loads(json.dumps(found, allow_nan=False)) == found


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
    text = depth_text(FACTS)
    assert monitor_text(FACTS).startswith("## layers\n\n**How many layers?**")
    assert FACTS["predictors"][2]["sentence"].startswith("Two layers always: right for 0 of 3")
    assert FACTS["predictors"][2]["sentence"] in text


def test_a_target_that_is_never_reached_is_no_number():
    rows = {row["method"]: row for row in PRUNED["methods"]}
    assert rows["random"]["reached"] == 0
    assert rows["random"]["costs"]["seconds"] is None
    assert rows["random"]["to_dense"]["seconds"] is None
    assert rows["random"]["sentence"] == "random: reaches 95 % in 0 of 3 seeds."
    assert "| random | 0 of 3 | – | – | – | – |" in savings_table(PRUNED)


def test_ratios_are_to_the_dense_run_of_the_same_seed():
    rows = {row["method"]: row for row in PRUNED["methods"]}
    assert rows["magnitude:units"]["to_dense"]["seconds"]["median"] == pytest.approx(0.5)
    assert rows["koopman"]["to_dense"]["seconds"] == pytest.approx(
        {"median": 1, "min": 1, "max": 1}
    )
    assert rows["koopman"]["refused"] == 1
    assert rows["koopman"]["sentence"].endswith("; 1 prunings refused.")
    assert rows["dense"]["to_dense"] == {}
    text = pruned_text(PRUNED)
    assert "to 1/2 of the weights after epoch 1, to 1/4 of the weights after epoch 2" in text
    assert "fcn 300-100, 1000 training samples, 3 epochs, 3 seeds" in text


def test_the_spectrum_stands_against_the_plain_baselines_and_its_losses_show():
    short, two = FACTS["against"]
    assert short["baseline"] == "the loss of the short training"
    gap = [
        100 * (case["regret"]["spectrum"] - case["regret"]["two_layers"]) for case in FACTS["cases"]
    ]
    assert two["difference"]["mean"] == pytest.approx(sum(gap) / 3)
    rows = {(r["spectrum"], r["baseline"], r["measure"]): r for r in PRUNED["against"]}
    time = "processor time ÷ dense"
    assert rows["koopman:units", "dense", time]["word"] == "better"
    assert rows["koopman:units", "dense", time]["ours"]["mean"] == pytest.approx(0.5)
    assert rows["koopman:units", "magnitude:units", time]["word"] == "neither"
    assert ("koopman", "magnitude", time) not in rows
    assert "| to 95 %, by 3 and 3 of 3 seeds | koopman:units | dense |" in monitor_text(PRUNED)


def test_without_a_dense_run_there_are_no_ratios():
    alone = pruned_facts(pruned_store(("koopman", "random")))
    assert "| koopman | 3 of 3 | – | – |" in savings_table(alone)


@pytest.mark.parametrize(
    ("function", "good", "dim", "store"),
    [
        (depth_facts, depths_store(), "case", "depths"),
        (pruned_facts, pruned_store(), "seed", "pruned"),
    ],
)
def test_what_lacks_a_variable_is_refused(function, good, dim, store):
    for wrong in (xr.Dataset(), good.isel({dim: slice(0)})):
        with pytest.raises(InputError, match=f"give a {store}"):
            function(wrong)
