"""Pruning while training in words and tables: every number as JSON, none for none."""

import json

import pytest
import xarray as xr
from fixtures.depth import pruned_store
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.pruned_training.summary import TABLES, cases, savings_table, text
from koopscope.experiments.summary import facts as facts_of
from koopscope.experiments.summary import markdown


def pruned_facts(store):
    return facts_of("pruned_training", {"pruned_training": store})


FACTS = pruned_facts(pruned_store())


def test_facts_are_plain_json():
    assert json.loads(json.dumps(FACTS, allow_nan=False)) == FACTS


def test_a_target_that_is_never_reached_is_no_number():
    rows = {row["method"]: row for row in FACTS["methods"]}
    assert rows["random"]["reached"] == 0
    assert rows["random"]["costs"]["seconds"] is None
    assert rows["random"]["to_dense"]["seconds"] is None
    assert rows["random"]["sentence"] == "random: reaches 95 % in 0 of 3 seeds."
    assert "| random | 0 of 3 | – | – | – | – |" in savings_table(FACTS)


def test_ratios_are_to_the_dense_run_of_the_same_seed():
    rows = {row["method"]: row for row in FACTS["methods"]}
    assert rows["magnitude:structured"]["to_dense"]["seconds"]["median"] == pytest.approx(0.5)
    assert rows["koopman"]["to_dense"]["seconds"] == pytest.approx(
        {"median": 1, "min": 1, "max": 1}
    )
    assert rows["koopman"]["refused"] == 1
    assert rows["koopman"]["sentence"].endswith("; 1 prunings refused.")
    assert rows["dense"]["to_dense"] == {}
    said = text(FACTS)
    assert "to 1/2 of the weights after epoch 1, to 1/4 of the weights after epoch 2" in said
    assert "mlp 300-100, 1000 training samples, 3 epochs, 3 seeds" in said


def test_the_spectrum_stands_against_the_plain_baselines_and_its_losses_show():
    rows = {(r["spectrum"], r["baseline"], r["measure"]): r for r in FACTS["against"]}
    time = "processor time ÷ dense"
    assert rows["koopman:structured", "dense", time]["word"] == "better"
    assert rows["koopman:structured", "dense", time]["ours"]["mean"] == pytest.approx(0.5)
    assert rows["koopman:structured", "magnitude:structured", time]["word"] == "neither"
    assert ("koopman", "magnitude", time) not in rows
    assert len(list(cases(FACTS))) == len(rows)
    said = markdown({"monitor": {"lighter": FACTS}}, {})
    assert "## lighter\n\n**Is it cheaper?**\n\n" in said and text(FACTS) in said
    where = "| to 95 %, by 3 and 3 of 3 seeds | koopman:structured | dense |"
    assert where in TABLES["against"](FACTS)


def test_without_a_dense_run_there_are_no_ratios():
    alone = pruned_facts(pruned_store(("koopman", "random")))
    assert "| koopman | 3 of 3 | – | – |" in savings_table(alone)


def test_the_caption_quotes_the_numbers_and_the_answer():
    said = " ".join(caption("pruned_training", FACTS).split())
    assert "in the question lighter" in said and "None" not in said
    assert said.count("<li>") == len(FACTS["methods"])
    assert "reaches 95 % in 0 of 3 seeds; accuracy at the end" in said
    found = captions({"monitor": {"lighter": FACTS}}, {"lighter": ["pruned_training"]})
    assert FACTS["answer"]["answer"] in " ".join(html(found["lighter/pruned_training"]).split())


def test_what_lacks_a_variable_is_refused():
    for wrong in (xr.Dataset(), pruned_store().isel(seed=slice(0))):
        message = "^pruned_training: dataset .*; give a pruned_training store"
        with pytest.raises(InputError, match=message) as refused:
            pruned_facts(wrong)
        assert "\n" not in str(refused.value)
