"""Spectra in windows and their verdicts, on runs whose rates are known."""

import numpy as np
import pytest
import xarray as xr
from fixtures.grokking import grokking_store, made_up

from koopscope.config.fit import FitSpec
from koopscope.config.settings import Comparing
from koopscope.experiments.grokking.comparing import compared, lines_of, margin_of, spectra
from koopscope.experiments.grokking.run import judged

SPEC = FitSpec(2, 3, coordinates="per_step")
HOW = Comparing(permutations=199, bootstrap=200)


def test_the_spectrum_holds_the_rate_of_the_runs():
    found = spectra(made_up(3, 0.9)["weights"], FitSpec(2, 4, coordinates="per_step"))
    values = found["eigenvalue"].values
    assert np.abs(values - 0.9).min(axis=1).max() < 0.02
    assert found["seed"].values.tolist() == [0, 1, 2]


def test_a_window_sees_nothing_after_its_end():
    runs = made_up(2, 0.9)["weights"]
    changed = runs.copy()
    changed[:, 20:] = 7.0
    one, other = (spectra(r, SPEC, snapshots=20)["eigenvalue"] for r in (runs, changed))
    xr.testing.assert_equal(one, other)


def test_a_run_that_diverged_has_no_spectrum_and_one_of_few_directions_a_shorter_one():
    runs = made_up(3, 0.9)["weights"]
    runs[0, 30:] = np.nan
    # A single direction, without noise.
    runs[1] = (0.8 ** np.arange(40))[:, None] * np.arange(1, 21)
    values = spectra(runs, FitSpec(0, 3))["eigenvalue"].values
    known = np.isfinite(values).sum(axis=1)
    assert known.tolist() == [0, 1, 3]
    assert values[1][np.isfinite(values[1])] == pytest.approx(0.8, abs=1e-5)


def verdicts(rates, alphas=HOW):
    lines = lines_of(["delayed", *rates], ())
    of_line = {
        name: spectra(made_up(6, rate, draw=k + 1)["weights"], SPEC)
        for k, (name, rate) in enumerate(rates.items())
    }
    return compared(of_line, spectra(made_up(6, 0.9)["weights"], SPEC), lines, alphas)


def test_another_rate_is_distinguished_and_the_same_is_not():
    found = verdicts({"same": 0.9, "other": 0.75})
    assert found["verdict"].sel(line="other") == "distinguished"
    assert found["verdict"].sel(line="same") != "distinguished"
    assert found["effect"].sel(line="other") > 2 > found["effect"].sel(line="same")


def test_groups_are_corrected_together_and_control_lines_alone():
    found = grokking_store()
    p, adjusted = found["p_value"].isel(window=0), found["p_adjusted"].isel(window=0)
    lines = ~found["control"].values
    ordered = np.sort(p.values[lines])
    assert adjusted.values[lines].min() == pytest.approx(min(1, lines.sum() * ordered[0]))
    np.testing.assert_array_equal(adjusted.values[~lines], p.values[~lines])


def test_a_line_without_any_spectrum_is_inconclusive_for_that_reason():
    lines = lines_of(["delayed", "gone"], ())
    gone = made_up(3, 0.9)["weights"] * np.nan
    found = compared(
        {"gone": spectra(gone, SPEC)}, spectra(made_up(3, 0.9)["weights"], SPEC), lines, HOW
    )
    assert found["verdict"].item() == "inconclusive"
    assert "no run of one side has a spectrum" in found["reason"].item()


def test_the_margin_is_the_number_or_what_recoded_lines_have():
    lines = lines_of(["delayed", "fresh"], ("recoded:rescaled", "surrogate:random_walk"))
    results = [None, Result(1.25), Result(9.0)]
    assert margin_of(lines, results, 1.4) == 1.4
    assert margin_of(lines, results, "measured") == 1.25
    assert margin_of(lines, [None, Result(0.9), None], "measured") == 1.0
    assert margin_of(lines, [None] * 3, "measured") == 1.1


class Result:
    """What a margin asks of a comparison."""

    def __init__(self, high):
        self.effect_high = high


def test_controls_are_made_of_fresh_runs_and_say_what_is_known():
    lines = {line.name: line for line in lines_of(["a", "fresh", "renamed", "b"], ["recoded:bent"])}
    assert [(line.runs, line.expected) for line in lines.values()] == [
        ("fresh", "equivalent"),
        ("renamed", "equivalent"),
        ("b", "open"),
        ("fresh", "equivalent"),
    ]
    assert lines["b"].because == "" and "seeds" in lines["fresh"].because


def test_a_scale_of_each_weight_makes_no_difference_in_units_of_steps():
    runs = made_up(3, 0.9)["weights"]
    plain, rescaled = (spectra(runs, SPEC, name) for name in ("", "recoded:rescaled"))
    near = np.abs(plain["eigenvalue"].values - rescaled["eigenvalue"].values).max()
    assert near < 1e-4


def test_the_window_before_the_rise_stands_among_the_others():
    found = grokking_store()
    assert found["window"].values.tolist() == [50, 140, 200]
    assert found["before"].values.tolist() == [False, True, False]
    assert found.attrs["chosen"] == 140
    assert found["alternate_effect"].dims == ("alternate", "line")
    verdict = found["verdict"].sel(window=140)
    assert verdict.sel(line="small") == "distinguished"
    assert (verdict.sel(line=["fresh", "renamed"]) != "distinguished").all()


def test_without_a_rise_there_is_no_such_window():
    found = grokking_store(prediction=False, rises=False)
    assert found["window"].values.tolist() == [50, 200]
    assert not found["before"].any() and np.isnan(found.attrs["rise"])


def test_a_rise_too_early_for_a_fit_has_no_window_either():
    from fixtures.grokking import question

    plan = question()
    runs = {
        name: made_up(6, 0.9, generalised=45, draw=k)
        for k, name in enumerate(("delayed", "fresh", "renamed", "small"))
    }
    found = judged(plan, runs, SPEC)
    assert found["window"].values.tolist() == [50, 200] and not found["before"].any()
