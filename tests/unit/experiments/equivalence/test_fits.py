"""How the spectra beside a verdict were estimated is not lost on the way to it."""

import json

import numpy as np
from fixtures.equivalence import widths_comparison

from koopscope.experiments.captions import rendered
from koopscope.experiments.equivalence.fits import fit_facts, fit_table
from koopscope.experiments.registry import kind_of

FIT = {
    "observable": "weights",
    "weight_coordinates": "raw",
    "delays": 8,
    "rank": 10,
    "solver": "gram",
    "start": 0,
    "stop": None,
    "stride": 1,
    "initialisations": None,
}


def comparison(**of_h40):
    fits = {"h5": FIT, "h10": FIT, "h40": FIT | of_h40}
    return widths_comparison(4).assign_attrs(fits=json.dumps(fits))


def test_variants_that_were_fitted_alike_share_a_row():
    assert [row["variants"] for row in fit_facts(comparison())] == [["h5", "h10", "h40"]]
    other = fit_facts(comparison(delays=2))
    assert [row["variants"] for row in other] == [["h5", "h10"], ["h40"]]
    assert [row["delays"] for row in other] == [8, 2]


def test_a_window_and_a_stride_are_said():
    assert fit_facts(comparison())[0]["window"] == "snapshots 0 to the end"
    found = fit_facts(comparison(start=100, stop=500, stride=2))[1]
    assert found["window"] == "snapshots 100 to 500, every 2"


def test_the_rank_that_was_used_is_said_where_it_is_another_than_the_one_asked_for():
    seeds = np.array([10, 10, 10, 10, 9, 10, 8, 10, 0, 10, 10, 10])
    found = fit_facts(comparison().assign(rank=("sample", seeds)))
    assert [row["rank"] for row in found] == ["10", "10: 8 to 10"]
    assert fit_facts(comparison(rank=None).assign(rank=("sample", seeds)))[2]["rank"] == (
        "numerical: 10"
    )


def test_the_table_and_the_caption_of_the_spectra_say_it():
    rows = fit_facts(comparison(delays=2))
    said = fit_table(rows)
    assert "| h5, h10 | weights | raw | 8 | 10 | gram | snapshots 0 to the end | all |" in said
    assert fit_table([]) == ""
    facts = {"study": "s", "variants": {}, "pairs": [], "residual_limit": 0.1, "fits": rows}
    caption = rendered(kind_of("equivalence").caption("spectra"), facts=facts)
    assert "Fitted (h40): observable weights, coordinates raw, delays 2, rank 10" in caption
