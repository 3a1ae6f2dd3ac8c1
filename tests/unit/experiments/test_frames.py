"""Every table of a run as a file, with full numbers, and a meaning for each column."""

import csv
import io

import pytest
from fixtures.depth import depths_store
from fixtures.equivalence import widths_comparison, widths_curves
from fixtures.pruning import pruning_store

from koopscope.experiments.frames import files
from koopscope.experiments.registry import KINDS
from koopscope.experiments.summary import facts
from koopscope.report.frames import BOUNDS, along, flat, meaning, written


@pytest.fixture(scope="module")
def sections():
    study = {"comparison": widths_comparison(8), "curves": widths_curves(8)}
    return {
        "studies": {"width": facts("equivalence", study)},
        "pruning": {"early": facts("pruning", {"pruning": pruning_store()})},
        "monitor": {"layers": facts("depth", {"depth": depths_store()})},
    }


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_dictionary_says_what_every_column_of_every_file_means(sections):
    made = files(sections)
    said = {(row["file"], row["column"]) for row in read(made["dictionary.csv"])}
    for name, text in made.items():
        if name != "dictionary.csv":
            assert {(name, column) for column in read(text)[0]} <= said
    assert all(row["meaning"] for row in read(made["dictionary.csv"]))


def test_numbers_stand_there_in_full(sections):
    made = files(sections)
    pairs = sections["studies"]["width"]["pairs"]
    assert [float(row["effect"]) for row in read(made["width-pairs.csv"])] == [
        pair["effect"] for pair in pairs
    ]
    early = sections["pruning"]["early"]
    overlaps = read(made["early-overlaps.csv"])
    assert len(overlaps) == len(early["overlaps"]) * len(early["compression_ratios"])
    assert float(overlaps[0]["jaccard_low"]) == early["overlaps"][0]["cells"][0]["low"]
    assert [row["name"] for row in read(made["answers.csv"])] == ["width", "early", "layers"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_tables_that_say_what_a_row_is(kind):
    frames = kind.load("frames", "FRAMES")
    assert frames and all(frame.about and frame.columns for frame in frames.values())


def test_a_column_that_nothing_explains_is_refused():
    assert meaning("error_low", {"error": "an error"}) == f"{BOUNDS['low']}: an error"
    for column in ("other", "other_low", "error_odd"):
        with pytest.raises(KeyError, match=f"what the column {column} means"):
            meaning(column, {"error": "an error"})


def test_rows_are_flat_and_what_does_not_exist_is_empty():
    row = {"a": None, "b": {"median": 2, "min": 1, "max": 3}, "c": [1, 2], "gone": {}}
    assert flat(row, leave=("gone",)) == {"a": None, "b": 2, "b_min": 1, "b_max": 3, "c": "1; 2"}
    with pytest.raises(TypeError, match="^a: set has no place"):
        flat({"a": {1}})
    rows = along([{"name": "x, y", "cells": [1, None]}], "epoch", [3, 5], {"cells": "n"})
    assert written(rows) == 'epoch,name,n\n3,"x, y",1\n5,"x, y",\n'
