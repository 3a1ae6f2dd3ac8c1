"""The summary and the report's captions state the run's numbers, and no more than they allow."""

import json

import numpy as np
import pytest
import xarray as xr
from fixtures.equivalence import (
    optimisers_comparison,
    optimisers_curves,
    widths_comparison,
    widths_curves,
)
from fixtures.rendered import caption, html

from koopscope.errors import InputError
from koopscope.experiments.captions import captions
from koopscope.experiments.equivalence.wording import as_expected
from koopscope.experiments.summary import facts, markdown

CAPTIONS = ("training", "spectra", "residuals", "distances", "verdicts", "verdict_table")
RUN = {
    "configuration": "smoke",
    "koopscope": "0.1.0",
    "commit": "abc",
    "versions": {"torch": "2.9.1", "numpy": "2.4.6"},
}


def came_to(comparison: xr.Dataset, curves: xr.Dataset) -> dict:
    return facts("equivalence", {"comparison": comparison, "curves": curves})


@pytest.fixture(scope="module")
def studies() -> dict[str, dict]:
    found = {
        "width": came_to(widths_comparison(8), widths_curves(8)),
        "optimisers": came_to(optimisers_comparison(), optimisers_curves()),
    }
    # As the workflow hands them on: through a JSON file, in which NaN has no place.
    return json.loads(json.dumps(found, allow_nan=False))


def test_numbers_of_a_variant_are_those_of_its_seeds(studies):
    comparison, curves = widths_comparison(8), widths_curves(8)
    at = comparison["variant"].values == "h5"
    found = studies["width"]["variants"]["h5"]
    residual = comparison["residual"].values[at]
    modulus = np.abs(comparison["eigenvalue"].values[at])
    assert found["seeds"] == 8 and found["eigenvalues"] == 80 and found["diverged"] == 2
    assert found["residual_median"] == pytest.approx(np.median(residual))
    assert found["residual_above_limit"] == pytest.approx(np.mean(residual > 0.1))
    assert found["spectral_radius_median"] == pytest.approx(np.median(modulus.max(axis=1)))
    ranked = np.median(np.sort(modulus, axis=1)[:, ::-1], axis=0)
    moduli = [e["modulus"] for e in found["leading_eigenvalues"]]
    np.testing.assert_allclose(moduli, ranked[:5])
    # This variant was trained for half the steps; the rest of its rows is padding.
    last = curves["accuracy"].values[at][:, 5]
    assert found["final_accuracy"]["mean"] == pytest.approx(last.mean())
    assert found["final_accuracy"]["sd"] == pytest.approx(last.std(ddof=1))
    assert found["final_loss"]["min"] == pytest.approx(curves["loss"].values[at][:, 500].min())


def test_pairs_carry_all_numbers(studies):
    comparison = widths_comparison(8)
    for i, pair in enumerate(studies["width"]["pairs"]):
        for name in ("between", "within", "effect", "effect_low", "effect_high", "p_value"):
            assert pair[name] == pytest.approx(float(comparison[name][i]))
        assert pair["name"] == f"{pair['first']} / {pair['second']}"


def test_one_seed_has_no_spread_no_accuracy_and_no_effect(studies):
    study = studies["optimisers"]
    omd = study["variants"]["omd"]
    assert omd["seeds"] == 1 and omd["final_accuracy"] is None and omd["final_loss"]["sd"] is None
    pair = study["pairs"][0]
    assert pair["effect"] is None and pair["p_value"] is None and pair["as_expected"] is None
    assert pair["sentence"] == (
        "omd / ogd: inconclusive, too few seeds or permutations: p is at least 1, above 0.05 "
        "(1 and 1 seeds); the spectra are 0.00807 apart. "
        "Expected was not distinguished (conjugate by x = exp(u))."
    )
    assert study["variants"]["bisection"]["eigenvalues"] == 6


@pytest.mark.parametrize(
    ("verdict", "expected", "answer"),
    [
        ("distinguished", "different", True),
        ("distinguished", "equivalent", False),
        ("not distinguished", "equivalent", True),
        ("not distinguished", "different", False),
        ("distinguished", "open", None),
        ("not distinguished", "open", None),
        ("inconclusive", "different", None),
        ("inconclusive", "equivalent", None),
    ],
)
def test_expectation_is_met_only_by_a_verdict_that_was_reached(verdict, expected, answer):
    assert as_expected(verdict, expected) is answer


def test_summary_says_what_was_run_and_what_came_out(studies):
    text = markdown({"studies": studies}, RUN)
    assert "2 questions of smoke, koopscope 0.1.0 at commit abc;" in text
    assert "torch 2.9.1, numpy 2.4.6" in text
    assert "## width" in text and "**Do narrow and wide networks train alike?**" in text
    for study in studies.values():
        for pair in study["pairs"]:
            # The sentence stands there, its marks escaped.
            assert pair["sentence"] in text.replace("\\", "")
    assert "As expected (the paper's headline)." in text
    assert "No expectation." in text and "| not judged |" in text
    assert "leave the old matching available" in text
    assert "None" not in text and "nan" not in text.lower()


def test_summary_claims_no_more_than_not_distinguished(studies):
    text = markdown({"studies": studies}, {}).lower()
    assert "equivalent" not in text and "proved" not in text and "identical" not in text
    assert "not distinguished" in text


def test_unexpected_outcome_is_said():
    comparison = widths_comparison(8)
    comparison["expected"].values[0] = "equivalent"
    pair = came_to(comparison, widths_curves(8))["pairs"][0]
    assert pair["as_expected"] is False
    assert "Not as expected, which was not distinguished" in pair["sentence"]


def test_tables_survive_names_with_marks():
    names = ("a|b", "c_d_", "*e*")
    comparison, curves = widths_comparison(3, names), widths_curves(3, names)
    text = markdown({"studies": {"s": came_to(comparison, curves)}}, RUN)
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {6, 7}
    assert "a\\|b" in text and "c\\_d\\_" in text and "\\*e\\*" in text


def test_seeds_without_any_finite_value_do_not_count_as_numbers():
    comparison, curves = widths_comparison(8), widths_curves(8)
    at = comparison["variant"].values == "h5"
    comparison["eigenvalue"].values[at] = np.nan
    curves["loss"].values[at], curves["accuracy"].values[at] = np.nan, np.nan
    found = came_to(comparison, curves)["variants"]["h5"]
    json.dumps(found, allow_nan=False)
    assert found["spectral_radius_median"] is None and found["residual_median"] is None
    assert found["final_loss"] is None and found["final_accuracy"] is None
    assert found["leading_eigenvalues"] == [] and found["seeds"] == 8


def test_wrong_datasets_are_refused_in_one_line():
    comparison, curves = widths_comparison(2), widths_curves(2)
    for wrong in (
        (comparison.drop_vars("residual"), curves),
        (comparison, curves.drop_vars("loss")),
        (comparison.drop_vars("p_value"), curves),
        (comparison.isel(sample=slice(0)), curves),
        (comparison.isel(pair=slice(0)), curves),
        (xr.Dataset(), curves),
    ):
        with pytest.raises(InputError, match=r"^(facts|verdicts): dataset .* store.*$") as caught:
            came_to(*wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("study", ["width", "optimisers"])
@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_states_the_numbers_of_the_run(name, study, studies):
    found = caption(name, studies[study])
    # One item or row each, and not one run-on paragraph.
    if name in ("spectra", "distances", "verdicts", "verdict_table"):
        for pair in studies[study]["pairs"]:
            assert f"{pair['between']:.3g}" in found or pair["effect"] is not None
            if pair["effect"] is not None:
                assert f"{pair['effect']:.3g}" in found and f"{pair['effect_high']:.3g}" in found
                assert f"{pair['p_adjusted']:.2g}" in found
            assert pair["verdict"] in found
        assert found.count("<li>") >= 3
    else:
        assert found.count("<li>") == 3
    if name == "training" and study == "width":
        mean = studies[study]["variants"]["h40"]["final_accuracy"]["mean"]
        assert f"final test accuracy {mean:.3f}" in " ".join(found.split())
    assert "None" not in found and "equivalent" not in found and "proved" not in found


def test_the_first_figure_says_what_came_out(studies):
    found = captions({"studies": studies}, dict.fromkeys(studies, ["spectra", "verdicts"]))
    for name, study in studies.items():
        said = " ".join(html(found[f"{name}/verdicts"]).split())
        assert study["answer"]["answer"] in said and "inconclusive" in said


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_survive_names_with_marks(name):
    names = ("a_b_", "*c", "`d`|e|")
    found = came_to(widths_comparison(3, names), widths_curves(3, names))
    found |= {"study": "s_1_", "question": "Is *this_ `one` |safe|?"}
    said = caption(name, found)
    assert "a_b_" in said and "*c" in said and "`d`|e|" in said and "s_1_" in said
