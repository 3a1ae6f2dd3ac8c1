"""Rates at the size that decides, in the order in which they are shown, and against loss curves."""

import numpy as np
import pytest
from fixtures.known_answers import CASES_SHOWN, RATES, known_answers_store

from koopscope.errors import InputError
from koopscope.experiments.known_answers.deciding import (
    ALL,
    CANDIDATES,
    CORE,
    FAMILIES,
    GROUPS,
    OTHER_CURVE,
    PLAIN,
    SAME_CURVE,
    SPECTRA,
    by_group,
    compared,
    decided,
)

TURNED = {"approach": slice(None, None, -1), "case": slice(None, None, -1)}


def test_cases_and_methods_lie_by_their_kinds():
    found = decided(known_answers_store().isel(TURNED), "here")
    groups = [GROUPS.index(name) for name in found["group"].values]
    families = [FAMILIES.index(name) for name in found["family"].values]
    assert groups == sorted(groups) and families == sorted(families)
    assert dict(zip(found["approach"].values, found["family"].values, strict=True)) == {
        "spectrum raw": CANDIDATES,
        "spectrum standardised": CANDIDATES,
        "spectrum normal_scores": CANDIDATES,
        "spectrum raw of probe": SPECTRA,
        "loss_curve": PLAIN,
        "output_cka": PLAIN,
    }
    assert {name: part["case"].values.tolist() for name, part in by_group(found).items()} == {
        CORE: ["units rescaled", "fresh seeds"],
        "other equivalences": ["loss times 8"],
        SAME_CURVE: ["time reversed"],
        OTHER_CURVE: ["tanh"],
    }


def test_rates_stay_with_their_method_and_case():
    found = decided(known_answers_store().isel(TURNED), "here")
    for number, (method, shares) in enumerate(RATES.items(), start=1):
        for case, share in zip(CASES_SHOWN, shares, strict=True):
            rate, low, high = found["rate"].sel(approach=method, case=case).values
            if share is None:
                assert np.isnan([rate, low, high]).all()
            else:
                assert rate == pytest.approx(share)
                assert low <= rate + 0.005 and rate <= high + 0.005
        assert found["seconds"].sel(approach=method) == number * len(CASES_SHOWN)


def test_the_worst_core_case_is_named_with_its_interval():
    found = decided(known_answers_store(), "here")
    at = found.sel(approach="spectrum raw")
    assert at["worst_case"] == "units rescaled"
    assert (at["worst"] == at["rate"].sel(case="units rescaled")).all()
    none = found.sel(approach="output_cka")
    assert none["worst_case"] == "" and np.isnan(none["worst"]).all()


def test_power_is_the_mean_over_the_cases_of_a_kind():
    power = decided(known_answers_store(), "here")["power"].sel(bound="mean")
    at = power.sel(approach="spectrum standardised")
    assert at.sel(kind=[ALL, SAME_CURVE, OTHER_CURVE]).values == pytest.approx([0.85, 0.9, 0.8])
    assert power.sel(approach="loss_curve", kind=SAME_CURVE) == pytest.approx(0.05)


def test_no_answer_is_no_power_and_no_case_is_no_number():
    shares = RATES | {"output_cka": (0.05, 0.05, 0.05, None, 1.0)}
    found = decided(known_answers_store(shares), "here").sel(approach="output_cka")
    assert found["power"].sel(kind=SAME_CURVE).values.tolist() == [0, 0, 0]
    assert found["power"].sel(kind=ALL, bound="mean") == pytest.approx(0.5)
    alone = decided(known_answers_store().sel(case=["fresh seeds", "tanh"]), "here")
    assert np.isnan(alone["power"].sel(kind=SAME_CURVE)).all()
    assert np.isfinite(alone["power"].sel(kind=OTHER_CURVE)).all()


def test_a_spectrum_is_better_where_it_sees_more_of_what_differs_or_less_of_what_does_not():
    against = compared(decided(known_answers_store(), "here"))
    assert against.attrs["spectrum"] == "spectrum standardised"
    assert dict(zip(against["case"].values, against["word"].values, strict=True)) == {
        "fresh seeds": "neither",
        "units rescaled": "neither",
        "loss times 8": "better",
        "time reversed": "better",
        "tanh": "worse",
    }
    low, high = against["difference"].sel(bound=["low", "high"]).transpose("bound", "case").values
    assert (low <= against["difference"].sel(bound="mean")).all()
    assert (high >= against["difference"].sel(bound="mean")).all()


def test_what_fewer_runs_leave_open_has_no_word():
    # 20 runs are 2 groups of 10: 2 of 2 against 0 of 2 may be chance.
    against = compared(decided(known_answers_store(runs=20), "here"))
    assert set(against["word"].values) == {"neither"}


def test_raw_is_set_against_the_loss_curve_where_nothing_is_chosen():
    shares = {name: RATES[name] for name in ("spectrum raw", "loss_curve")}
    found = decided(known_answers_store(shares), "here")
    assert found.attrs["chosen"] == "" and compared(found).attrs["spectrum"] == "spectrum raw"
    assert compared(found)["word"].sel(case="units rescaled") == "worse"
    for name in shares:
        assert compared(decided(known_answers_store({name: shares[name]}), "here")) is None


@pytest.mark.parametrize("dim", ["approach", "case", "size", "draw"])
def test_an_empty_store_is_refused(dim):
    with pytest.raises(InputError, match=f"^here: dataset has no {dim}s; give a known_answers st"):
        decided(known_answers_store().isel({dim: slice(0)}), "here")
    with pytest.raises(InputError, match="^here: dataset lacks p_value"):
        decided(known_answers_store().drop_vars("p_value"), "here")
