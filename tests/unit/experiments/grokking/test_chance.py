"""What an area is worth by chance, and what may be said of predictors that are no better."""

import numpy as np
import pytest
from fixtures.grokking import grokking_store
from sklearn.linear_model import LogisticRegression

from koopscope.experiments.grokking.answer import answer
from koopscope.experiments.grokking.chance import QUANTILES, chance, logistic, of_runs, of_settings
from koopscope.experiments.grokking.names import LOSS, NORM, PREDICTORS, SPECTRUM
from koopscope.experiments.grokking.summary import cases, facts, text
from koopscope.experiments.grokking.wording import sentences

UP = np.array([10, 7, 0, 0, 10, 8, 0, 0, 8])
DOWN = 10 - UP


def test_rules_of_many_draws_are_those_of_scikit_learn():
    drawn = np.random.default_rng(1).standard_normal((3, 9, 10))
    found = logistic(drawn, UP, DOWN)
    ends = np.concatenate([np.arange(10) < up for up in UP])
    for features, rule in zip(drawn, found, strict=True):
        expected = LogisticRegression(class_weight="balanced", max_iter=1000, tol=1e-8)
        expected.fit(np.repeat(features, 10, axis=0), ends)
        np.testing.assert_allclose(rule[1:], expected.coef_[0], atol=1e-5)
        assert rule[0] == pytest.approx(expected.intercept_[0], abs=1e-5)


def test_few_settings_held_out_have_areas_below_one_half_and_far_from_it_by_chance():
    found = of_settings(UP, DOWN, 10, np.random.default_rng(0))
    middle, low, high = np.quantile(found, QUANTILES)
    assert 0.35 < middle < 0.5 and low < 0.2 and high > 0.8
    # One rule of each setting that knows the others' ends alone leans away from its own.
    many = np.tile(UP, 10), np.tile(DOWN, 10)
    narrower = np.quantile(of_settings(*many, 2, np.random.default_rng(0)), QUANTILES)
    assert narrower[1] > low and narrower[2] < high


def test_within_settings_chance_is_about_one_half():
    middle, low, high = np.quantile(of_runs(UP, DOWN, np.random.default_rng(0)), QUANTILES)
    assert middle == pytest.approx(0.5, abs=0.03) and low < 0.4 < 0.6 < high


def test_there_is_chance_where_there_are_areas_and_it_is_the_same_again():
    risk = np.ones((9, 10, 3), bool)
    risk[2:, :, 1] = False
    ends = np.arange(10) < UP[:, None]
    found = chance(risk, ends, 3)
    assert found["chance"].notnull().all("quantile").values.tolist() == [True, False, True]
    assert found.identical(chance(risk, ends, 3))
    decided = np.repeat(UP[:, None] > 5, 10, axis=1)
    within = chance(risk, decided, 3)["chance_within"]
    assert within.isnull().all()


def store(highest: float):
    """A made-up question in which 95 % of random fingerprints have at most such an area."""
    found = grokking_store().copy(deep=True)
    for name in ("chance", "chance_within"):
        found[name].loc[{"quantile": 0.95}] = highest
    return facts({"grokking": found.assign_attrs(kind="grokking")})


def test_where_nothing_is_better_than_chance_nothing_is_compared():
    given = store(1.0)
    assert list(cases(given)) == [] and "against the plain baseline" not in text(given)
    said = " ".join(sentences(given))
    assert "no predictor is better than chance at any of 2 horizons" in said
    row = answer(given)
    assert row.answer.endswith("is told early by nothing better than chance.")
    assert row.against.startswith("nothing to compare")


def test_only_what_is_above_the_draws_is_better_than_chance():
    given = store(0.6)
    at = given["prediction"]["horizons"][-1]
    assert {SPECTRUM, LOSS} <= set(at["better"]["auc"])
    for name in PREDICTORS:
        assert (at["auc"][name]["mean"] > 0.6) == (name in at["better"]["auc"])
    assert NORM not in at["better"]["auc"]
    compared = {frozenset(case[:2]) for case in cases(given)}
    assert all(pair & set(at["better"]["auc"]) for pair in compared)
    assert SPECTRUM in answer(given).answer
    assert text(given).count("▲") == 2 + sum(
        len(names) for at in given["prediction"]["horizons"] for names in at["better"].values()
    )
