"""Predictions of poor initialisations, and what restarting saves, on runs with a known answer."""

import numpy as np
import pytest
import xarray as xr
from fixtures.watching import decaying, recorded
from sklearn.metrics import roc_auc_score

from koopscope.compare.areas import weighted_auc
from koopscope.errors import InputError
from koopscope.experiments.restart.areas import areas, resampled
from koopscope.experiments.restart.names import PREDICTORS, SPECTRUM
from koopscope.experiments.restart.run import (
    FEATURES,
    attempts,
    cases_of,
    joined,
    predicted,
    savings,
)

EPOCHS = 6


def setup(seed, seeds=4):
    """Per seed a plain start that ends well, a plain one likewise, and one that never falls."""
    rng = np.random.default_rng(seed)
    sketches, train, test, accuracy, starts, owners = [], [], [], [], [], []
    for owner in range(seeds):
        for start in ("plain", "plain", "dead"):
            good = start == "plain"
            owners.append(owner)
            starts.append(start)
            rates = [rng.uniform(0.85, 0.95), 0.7] if good else [0.999]
            sketches.append(decaying(8 * EPOCHS + 1, rates, 20, 1e-3, rng.integers(100)))
            fall = rng.uniform(0.8, 0.9) if good else 0.999
            train.append(2.3 * fall ** np.arange(8 * EPOCHS + 1) * rng.uniform(0.9, 1.1))
            test.append(np.full(EPOCHS + 1, (0.1 if good else 2.3) * rng.uniform(0.9, 1.1)))
            accuracy.append(0.9 - 0.8 * 0.5 ** np.arange(EPOCHS + 1) if good else np.full(7, 0.1))
    return recorded(
        sketches,
        start=starts,
        seed=owners,
        train_loss=train,
        test_loss=test,
        test_accuracy=accuracy,
    )


@pytest.fixture(scope="module")
def found():
    runs = {name: setup(i) for i, name in enumerate(("one", "two", "three"))}
    return joined(cases_of(name, part, [1, 2]) for name, part in runs.items())


@pytest.fixture(scope="module")
def probability(found):
    return predicted(found)


def test_time_constants_and_displacements_are_predictors_by_their_logarithms(found):
    for name in ("time_constant", "predicted_displacement"):
        assert name in FEATURES[SPECTRUM]
        # From a tenth of a snapshot to the longest that is told, and shares down to the shortest.
        assert float(abs(found[name]).max()) <= 6
    assert float(found["predicted_displacement"].min()) < 0


def test_bad_is_what_ends_far_above_the_plain_starts(found):
    assert (found["bad"].values == (found["start"].values == "dead")).all()
    # The plain starts' last accuracy, less one per cent.
    np.testing.assert_allclose(found["target"], 0.9 - 0.8 / 64 - 0.01, atol=1e-6)
    reached = found["reached"].values
    assert np.isnan(reached[found["bad"].values]).all()
    assert (reached[~found["bad"].values] == 6).all()


def test_what_is_clear_is_predicted_in_setups_never_seen(found, probability):
    result = areas(found, probability)
    assert (result["mean_auc"].sel(predictor="loss curve + gradient", bound="mean") > 0.95).all()
    assert (result["mean_auc"].sel(predictor="spectrum", bound="mean") > 0.95).all()
    assert (result["counted"] == 12).all()
    low, high = (result["mean_auc"].sel(bound=bound) for bound in ("low", "high"))
    assert (low <= high).all()


def test_a_held_out_setup_has_no_say_in_its_own_prediction(found, probability):
    swapped = found.copy(deep=True)
    own = found["setup"].values == "two"
    swapped["bad"][own] = ~swapped["bad"][own]
    again = predicted(swapped)
    np.testing.assert_array_equal(again.values[own], probability.values[own])
    assert (again.values[~own] != probability.values[~own]).any()


def test_areas_are_those_of_scikit_learn_and_weights_count_runs_several_times():
    rng = np.random.default_rng(0)
    scores, bad = rng.integers(5, size=40).astype(float), rng.random(40) < 0.4
    places = np.arange(40) % 4
    weights = np.array([[1, 1, 1, 1], [2, 0, 1, 1]])
    result = weighted_auc(scores, bad, places, weights)
    assert result[0] == pytest.approx(roc_auc_score(bad, scores))
    assert result[1] == pytest.approx(roc_auc_score(bad, scores, sample_weight=weights[1][places]))
    assert np.isnan(weighted_auc(scores, np.ones(40, bool), places, weights)).all()


def test_a_run_that_is_not_finite_any_more_is_known_to_be_bad_and_counts_in_no_area():
    runs = {name: setup(i) for i, name in enumerate(("one", "two"))}
    for name in ("sketch", "train_loss", "test_loss", "test_accuracy"):
        place = (
            (2, slice(4, None)) if runs["one"][name].dims[1] == "snapshot" else (2, slice(1, None))
        )
        runs["one"][name].values[place] = np.nan
    broken = joined(cases_of(name, part, [1]) for name, part in runs.items())
    assert broken["bad"].values[2]
    chance = predicted(broken)
    assert (chance.values[2] == 1).all()
    assert areas(broken, chance)["counted"].values[0, 0] == 11


def part(reached, budget=10, epoch_steps=100):
    return xr.Dataset(
        {
            "reached": ("run", np.array(reached, dtype=float)),
            "budget": ("run", [budget] * len(reached)),
            "epoch_steps": ("run", [epoch_steps] * len(reached)),
        }
    )


def test_an_attempt_costs_up_to_the_target_the_checkpoint_or_the_budget():
    runs = part([1, 4, np.nan, np.nan, 4])
    ended = np.array([True, False, True, False, True])
    done, cost = attempts(runs, ended, 2)
    assert done.tolist() == [True, True, False, False, False]
    assert cost.tolist() == [100, 400, 200, 1000, 200]


def test_expected_steps_are_those_of_many_draws(found, probability):
    result = savings(found, probability)
    whole = result.sel(setup="one", epoch=2, policy="no restart")
    rng = np.random.default_rng(0)
    own = found.isel(run=np.flatnonzero(found["setup"].values == "one"))
    done, cost = attempts(own, np.zeros(12, bool), 2)
    totals = []
    for _ in range(4000):
        total = 0
        while True:
            drawn = rng.integers(12)
            total += cost[drawn]
            if done[drawn]:
                break
        totals.append(total)
    assert whole["steps"].item() == pytest.approx(np.mean(totals), rel=0.05)


def test_ending_the_bad_ones_early_saves_and_foresight_saves_most(found, probability):
    result = savings(found, probability)
    saved = result["saved"].sel(bound="mean")
    assert (saved.sel(policy="no restart") == 0).all()
    assert (saved.sel(policy="oracle") > 0.1).all()
    for policy in PREDICTORS:
        assert (saved.sel(policy=policy) <= saved.sel(policy="oracle") + 1e-12).all()


def test_a_target_never_reached_is_no_number(found, probability):
    out_of_reach = found.copy(deep=True)
    out_of_reach["reached"][found["setup"].values == "one"] = np.nan
    result = savings(out_of_reach, probability)
    assert np.isnan(result["steps"].sel(setup="one")).all()
    assert (result["success"].sel(setup="one") == 0).all()
    assert (result["never"] == 1).all()
    assert np.isfinite(result["saved"].sel(bound="mean")).all()


def test_a_policy_that_fails_in_a_setup_is_averaged_over_the_same_setups_as_all(found, probability):
    fails = probability.copy(deep=True)
    own = found["setup"].values == "one"
    fails.loc[{"predictor": "loss"}] = np.where(own, 1.0, fails.sel(predictor="loss").T).T
    result = savings(found, fails)
    assert result["never"].sel(policy="loss").values.tolist() == [1, 1]
    assert (result["never"].sel(policy="spectrum") == 0).all()
    alone = savings(found.isel(run=np.flatnonzero(~own)), probability.isel(run=~own))
    saved, expected = (r["saved"].sel(bound="mean") for r in (result, alone))
    xr.testing.assert_allclose(saved, expected)
    gain = result["saved_gain"].sel(pair="spectrum − loss", bound="mean")
    difference = saved.sel(policy="spectrum") - saved.sel(policy="loss")
    np.testing.assert_allclose(gain, difference, atol=1e-12)


def test_setups_share_their_resamples_of_seeds(found):
    one, *others = resampled(found).values()
    assert (one.sum(axis=1) == 4).all()
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be_judged_is_refused(found):
    with pytest.raises(InputError, match="^starts: one has no start 'plain' to measure others by"):
        cases_of("one", recorded([decaying(17, [0.9])], start="dead"), [1])
    one = found.isel(run=np.flatnonzero(found["setup"].values == "one"))
    with pytest.raises(InputError, match="^setups: one; give at least two, so that each can be"):
        predicted(one)
