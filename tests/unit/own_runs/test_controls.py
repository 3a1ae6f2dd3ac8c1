"""Control lines and coordinates of runs of one's own: made of the first group's own runs."""

import json
import re

import numpy as np
import pytest

from koopscope.artefacts import store
from koopscope.compare.words import DISTINGUISHED
from koopscope.config.control_fit import ControlFit
from koopscope.config.settings import OWN_COORDINATES
from koopscope.errors import InputError
from koopscope.koopman import seeds
from koopscope.own_runs.compare import compare_runs

SLOW, FAST = (0.99, 0.95, 0.9), (0.97, 0.9, 0.6)
RESCALED, SHUFFLED = "recoded:rescaled", "surrogate:increments_shuffled"


def runs(rates, first=0, count=6, sizes=None, features=6):
    """Runs that decay at these rates, in directions of their own, with noise."""
    found = []
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        modes = np.array(rates) ** np.arange(80)[:, None]
        turned = modes @ rng.normal(1, 0.3, (len(rates), features))
        noise = 1e-3 * rng.normal(size=(80, features))
        found.append((turned + noise) * (1 if sizes is None else sizes))
    return found


GROUPS = {"slow": runs(SLOW), "fast": runs(FAST, 100)}


@pytest.fixture(scope="module")
def found():
    return compare_runs(GROUPS, coordinates="standardised", rank=3, sensitivity=False)


def test_both_lines_stand_in_facts_text_and_page(found, tmp_path):
    lines = json.dumps(found.facts["control_lines"], allow_nan=False)
    recoded, surrogate = json.loads(lines)
    assert (recoded["control"], surrogate["control"]) == (RESCALED, SHUFFLED)
    assert recoded["paired"] and surrogate["paired"]
    # Standardised weights do not see scales at all.
    assert recoded["effect"] == pytest.approx(1, abs=1e-6)
    assert surrogate["verdict"] == DISTINGUISHED and surrogate["as_expected"]
    for row in (recoded, surrogate):
        assert row["sentence"] in str(found)
    assert "Fitted: standardised coordinates, delays 4, rank 3" in str(found)
    assert re.search(
        r"Smallest effect that counts: 1.1 \(measured on the rec.* is \S+\)", str(found)
    )
    found.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "knows more than the statistics of the steps" in page
    assert "standardised coordinates" in page
    found.save(tmp_path / "kept")
    kept = store.read(tmp_path / "kept" / "comparison.zarr")
    assert kept["control_line"].values.tolist() == [RESCALED, SHUFFLED]
    assert kept.attrs["smallest_effect_measured"] == found.facts["margin"]["measured"]


def test_the_raw_spectrum_of_weights_of_many_sizes_sees_their_scales():
    sizes = np.array([1, 1e-3, 1, 1e3, 1e-3, 1])
    groups = {"slow": runs(SLOW, sizes=sizes), "fast": runs(FAST, 100, sizes=sizes)}
    raw, other = (
        compare_runs(groups, rank=3, sensitivity=False, coordinates=name).facts["control_lines"][0]
        for name in ("raw", "standardised")
    )
    assert raw["effect"] > 1.2 > other["effect"]


def test_without_controls_nothing_more_is_fitted(monkeypatch):
    fitted = []
    fit_one = seeds.fit_one
    monkeypatch.setattr(
        seeds, "fit_one", lambda run, spec: fitted.append(spec) or fit_one(run, spec)
    )
    without = compare_runs(GROUPS, controls=False, sensitivity=False)
    assert len(fitted) == 12
    assert without.facts["control_lines"] == [] and "Control " not in str(without)
    assert without.facts["margin"]["measured"] is None
    fitted.clear()
    compare_runs(GROUPS, sensitivity=False)
    # One more fit of each run of the first group for either line.
    assert len(fitted) == 12 + 2 * 6
    assert sum(isinstance(spec, ControlFit) for spec in fitted) == 12


def test_controls_change_no_verdict_unless_the_margin_is_measured(found):
    without = compare_runs(
        GROUPS, coordinates="standardised", rank=3, sensitivity=False, controls=False
    )
    np.testing.assert_array_equal(without.comparison["distance"], found.comparison["distance"])
    assert without.verdicts == found.verdicts
    measured = compare_runs(
        GROUPS,
        coordinates="standardised",
        rank=3,
        smallest_effect="measured",
        windows=39,
        sensitivity=False,
    )
    bound = found.facts["control_lines"][0]["effect_high"]
    assert 0 <= measured.facts["smallest_effect"] - bound <= 1e-3
    assert measured.parts.attrs["smallest_effect"] == measured.facts["smallest_effect"]
    assert measured.facts["margin"]["number"] == 1.1


def test_logged_numbers_have_controls_too():
    groups = {n: [np.exp(-run[:, :1]) for run in those] for n, those in GROUPS.items()}
    found = compare_runs(groups, sensitivity=False)
    assert len(found.facts["control_lines"]) == 2


def test_numbers_that_never_change_are_said():
    constant = {n: [np.c_[run, np.full(80, 0.3)] for run in those] for n, those in GROUPS.items()}
    note = "Note: Numbers of a run that never change, left out: 1."
    standardised = compare_runs(constant, coordinates="standardised", sensitivity=False)
    assert note in str(standardised)
    assert note not in str(compare_runs(constant, coordinates="raw", sensitivity=False))


def test_coordinates_are_the_default_unless_told(found):
    assert compare_runs(GROUPS, sensitivity=False).facts["fitted"]["coordinates"] == OWN_COORDINATES
    assert found.provenance["parameters"]["fit"]["coordinates"] == "standardised"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"coordinates": "normal"}, "^coordinates: unknown 'normal'; give raw, standardised"),
        (
            {"coordinates": "whitened:7"},
            "^coordinates: whitened:7, but there are 6 numbers a snapshot; give at most whitened:6",
        ),
        (
            {"smallest_effect": "measure"},
            "^smallest_effect: unknown 'measure'; give one of measured, or a number of at least 1",
        ),
    ],
)
def test_what_no_runs_could_give_is_refused_in_one_line(choices, message):
    with pytest.raises(InputError, match=message) as refused:
        compare_runs(GROUPS, **choices)
    assert "\n" not in str(refused.value)
