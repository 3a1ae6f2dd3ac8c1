"""Rates, power and the choice, of answers whose rates are known."""

import numpy as np
import pytest
from fixtures.known_answers import CASES_SHOWN, RATES, known_answers_store
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from koopscope.experiments.known_answers.rates import ALPHA, rates


def of(found, name, method, case, size=10):
    return float(found[name].sel(approach=method, case=case, size=size))


def test_a_rate_is_the_share_of_answers_that_say_different():
    found = rates(known_answers_store())
    for method, shares in RATES.items():
        for case, share in zip(CASES_SHOWN, shares, strict=True):
            if share is None:
                assert np.isnan(of(found, "rate", method, case))
                assert of(found, "answered", method, case) == 0
            else:
                assert of(found, "rate", method, case) == pytest.approx(share)
                assert of(found, "answered", method, case) == 1


def test_draws_that_only_core_cases_have_count_for_them_alone():
    found = rates(known_answers_store(core_times=3))
    assert of(found, "answered", "loss_curve", "tanh") == 1
    assert of(found, "rate", "loss_curve", "loss times 8") == 1
    assert of(found, "rate", "loss_curve", "fresh seeds") == pytest.approx(0.05)


def test_some_draws_without_an_answer_leave_the_rate_of_the_others():
    store = known_answers_store()
    at = {"approach": 0, "case": 3}
    store["p_value"][at] = store["p_value"][at].where(store["draw"] < 40)
    found = rates(store)
    assert of(found, "answered", "spectrum raw", "time reversed") == pytest.approx(0.4)
    assert of(found, "rate", "spectrum raw", "time reversed") == 1
    # No answer is no power: time reversed 0.4, tanh 1.
    assert float(found["power"].sel(approach="spectrum raw", size=10)) == pytest.approx(0.7)


def test_the_choice_is_the_admissible_coordinates_of_the_highest_power():
    found = rates(known_answers_store())
    assert found.attrs["deciding"] == 10
    worst = found["worst"].sel(size=10)
    assert worst.values[:5].tolist() == pytest.approx([1, 0.07, 0.06, 0.04, 0.05])
    # 7 % is still admissible. Raw is not, though its power is the highest.
    admissible = dict(zip(found["approach"].values, found["admissible"].values, strict=True))
    assert admissible == {name: name not in ("spectrum raw", "output_cka") for name in RATES}
    power = found["power"].sel(size=10)
    assert power.values[:5].tolist() == pytest.approx([1, 0.85, 0.8, 0.1, 0.525])
    assert found.attrs["chosen"] == "spectrum standardised"


def test_above_the_limit_by_one_draw_is_not_admissible():
    shares = RATES | {"spectrum standardised": (0.05, 0.08, 0.04, 0.9, 0.8)}
    assert rates(known_answers_store(shares)).attrs["chosen"] == "spectrum normal_scores"


def test_only_spectra_of_weights_by_the_verdicts_distance_may_be_chosen():
    shares = {
        "spectrum raw": (0.0, 1.0, 0.0, 1.0, 1.0),
        "spectrum raw hausdorff": (0.0, 0.0, 0.0, 1.0, 1.0),
        "spectrum raw of probe": (0.0, 0.0, 0.0, 1.0, 1.0),
        "loss_curve": (0.0, 0.0, 0.0, 1.0, 1.0),
    }
    found = rates(known_answers_store(shares))
    assert found["admissible"].values.tolist() == [False, True, True, True]
    assert found["candidate"].values.tolist() == [True, False, False, False]
    assert found.attrs["chosen"] == ""


def test_no_answer_is_never_an_equivalence():
    none = dict.fromkeys(CASES_SHOWN)
    for case in ("fresh seeds", "units rescaled"):
        shares = none | dict.fromkeys(CASES_SHOWN, 0.0) | {case: None}
        store = known_answers_store({"spectrum raw": [shares[name] for name in CASES_SHOWN]})
        found = rates(store)
        assert np.isnan(found["worst"]).all()
        assert not found["admissible"].any() and found.attrs["chosen"] == ""


def test_without_core_cases_nothing_is_admissible():
    shares = {name: values[2:] for name, values in RATES.items()}
    found = rates(known_answers_store(shares, CASES_SHOWN[2:]))
    assert np.isnan(found["worst"]).all()
    assert not found["admissible"].any() and found.attrs["chosen"] == ""


def test_without_differences_there_is_no_power_and_the_choice_says_nothing():
    shares = {name: values[:3] for name, values in RATES.items()}
    found = rates(known_answers_store(shares, CASES_SHOWN[:3]))
    assert np.isnan(found["power"]).all()
    assert found.attrs["chosen"] == ""


def test_the_largest_size_decides_where_the_rules_is_not_asked():
    assert rates(known_answers_store(sizes=(5, 8))).attrs["deciding"] == 8
    assert rates(known_answers_store(sizes=(10, 40))).attrs["deciding"] == 10


def test_power_at_one_rate_of_false_positives_knows_no_head_start():
    # Half the p of its core cases are 0.03: at 0.05 it sees all, and as much where nothing is.
    store = known_answers_store({"spectrum raw": (0.5, 0.5, 0.0, 0.5, 1.0)})
    store["p_value"][:, :, :, :50] = 0.03
    found = rates(store)
    assert float(found["power"].sel(size=10)[0]) == pytest.approx(0.75)
    assert (found["cutoff"] == 0).all()
    assert (found["equal_power"] == 0).all()


def test_the_cutoff_counts_core_cases_alike_whatever_their_draws():
    store = known_answers_store({"loss_curve": (0.1, 0.0, 0.0, 0.0, 0.0)}, draws=100)
    # The second core case has 20 answers only, none small.
    store["p_value"][0, 1, :, 20:] = np.nan
    found = rates(store)
    # 10 of 100 draws of one of two cases: 5 % in all.
    small = np.linspace(0.005, 0.05, 10)
    assert found["cutoff"].values.ravel().tolist() == pytest.approx([small[-1]] * 2)
    store["p_value"][0, 1, :, 0] = 0.001
    assert (rates(store)["cutoff"] < small[-1]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, 200), min_size=20, max_size=20), min_size=1, max_size=4))
def test_at_the_cutoff_at_most_5_percent_of_core_draws_are_called_different(ranks):
    names = [
        name for name in ("fresh seeds", "units rescaled", "units permuted", "renamed classes")
    ]
    names = names[: len(ranks)]
    store = known_answers_store({"loss_curve": [0.0] * len(names)}, names, (10,), draws=20)
    store["p_value"][0, :, 0] = np.array(ranks) / 200
    cutoff = rates(store)["cutoff"].item()
    p = np.array(ranks) / 200
    assert (p <= cutoff).mean() <= ALPHA + 1e-12
    larger = p[p > cutoff]
    if larger.size:
        assert (p <= larger.min()).mean() > ALPHA


def test_intervals_are_exact_for_as_many_draws_as_share_no_run():
    # 300 runs are 30 groups of 10 and 60 of 5; core cases have twice as many.
    found = rates(known_answers_store(runs=300, core_times=2))
    for size, case, tries in ((10, "tanh", 30), (5, "tanh", 60), (10, "fresh seeds", 60)):
        for method in ("spectrum standardised", "loss_curve", "spectrum raw of probe"):
            share = of(found, "rate", method, case, size)
            exact = binomtest(round(share * tries), tries).proportion_ci(0.95)
            assert of(found, "rate_low", method, case, size) == pytest.approx(exact.low)
            assert of(found, "rate_high", method, case, size) == pytest.approx(exact.high)
    # A method that was asked about 12 runs of each pool had one group of 10 at a time.
    store = known_answers_store(runs=300)
    store["pool"][{"approach": 4}] = 12
    exact = binomtest(1, 1).proportion_ci(0.95)
    assert of(rates(store), "rate_low", "loss_curve", "tanh") == pytest.approx(exact.low)
    # No more draws than there were, and no interval without an answer.
    few = rates(known_answers_store(runs=100_000, draws=20))
    exact = binomtest(20, 20).proportion_ci(0.95)
    assert of(few, "rate_low", "loss_curve", "tanh") == pytest.approx(exact.low)
    assert np.isnan(of(few, "rate_low", "output_cka", "units rescaled"))


def test_methods_and_cases_in_another_order_change_no_rate():
    store = known_answers_store()
    there, back = (
        rates(store),
        rates(store.isel(approach=slice(None, None, -1), case=[3, 0, 4, 2, 1])),
    )
    assert there.attrs == back.attrs
    for name in ("rate", "worst", "power", "equal_power", "admissible", "cutoff"):
        assert there[name].equals(back[name].reindex_like(there[name]).transpose(*there[name].dims))


def test_nothing_is_chosen_by_some_of_the_core_cases_alone():
    answers = known_answers_store()
    assert rates(answers).attrs["chosen"]
    some = rates(answers.assign_attrs(core_cases=answers.attrs["core_cases"] + 1))
    assert some.attrs["chosen"] == "" and some["admissible"].any()
