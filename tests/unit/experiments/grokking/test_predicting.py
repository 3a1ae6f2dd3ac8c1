"""Predictions on runs of which it is known what tells their ends."""

import numpy as np
import pytest
import xarray as xr
from fixtures.grokking import made_up, question

from koopscope.config.fit import FitSpec
from koopscope.experiments.grokking.features import of_runs, of_settings, of_spectra
from koopscope.experiments.grokking.names import (
    CONFIGURATION,
    LOSS,
    NORM,
    PAIRS,
    PREDICTORS,
    SPECTRUM,
    TEST,
)
from koopscope.experiments.grokking.predicting import areas, held_out, predicted, seen

SPEC = FitSpec(2, 3, coordinates="per_step")
AT = PREDICTORS.index


def test_nothing_after_the_horizon_is_seen():
    runs = made_up(3, 0.9)
    later = runs.where(runs["step"] <= 100, 7.0)
    before, after = (of_runs(r, 100, SPEC) for r in (runs, later))
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_curves_are_seen_at_quarters_of_the_way():
    found = of_runs(made_up(1, 0.9), 100, SPEC)
    # The loss is 0.9 to the power of the step.
    expected = np.log10(0.9) * np.array([25, 50, 75, 100])
    np.testing.assert_allclose(found[LOSS][0], expected, rtol=1e-6)
    assert found[NORM].shape == (1, 4) and found[SPECTRUM].shape == (1, 6)


def test_eigenvalues_become_moduli_and_angles_with_missing_ones_small():
    values = np.array([[0.5, np.nan, -0.9], [np.nan] * 3], complex)
    found = of_spectra(values, 3)
    np.testing.assert_allclose(
        found[0], [np.log(0.9), np.log(0.5), np.log(1e-3), np.pi, 0, 0], rtol=1e-12
    )
    assert np.isnan(found[1]).all()


def test_a_conjugate_pair_in_any_order_is_the_same():
    pair = np.array([0.3 + 0.4j, 0.3 - 0.4j, 0.2])
    np.testing.assert_allclose(of_spectra(pair[None], 3), of_spectra(pair[None, ::-1], 3))


def test_of_settings_only_what_differs_counts():
    prediction = {
        "settings": {
            "base": {},
            "low": {"weight_decay": 0.1},
            "few": {"data": "few"},
            "adam": {"optimizer": "adam"},
        },
        "seeds": [1, 2],
        "horizons": [50],
    }
    found = of_settings(question(prediction=prediction).settings)
    table = np.array(list(found.values()))
    # Two optimisers, the logarithm of the decay, and that of the share.
    expected = [[1, 0, 0, 0.6], [1, 0, -1, 0.6], [1, 0, 0, 0.4], [0, 1, 0, 0.6]]
    expected = np.array(expected)
    expected[:, 3] = np.log10(expected[:, 3])
    assert sorted(map(tuple, table.T.round(9))) == sorted(map(tuple, expected.T.round(9)))


def of_one(rates, ends, draw):
    """A setting of runs with these rates and ends."""
    each = [
        made_up(1, rate, generalised=160 if end else None, draw=100 * draw + i)
        for i, (rate, end) in enumerate(zip(rates, ends, strict=True))
    ]
    return seen(xr.concat(each, dim="seed"), (50, 100), SPEC, 0.1)


@pytest.fixture(scope="module")
def told():
    """In each of three settings the rate decides the end, and nothing else does."""
    prediction = {
        "settings": {"base": {}, "low": {"weight_decay": 0.1}, "few": {"data": "few"}},
        "seeds": [1, 2, 3, 4, 5, 6],
        "horizons": [50, 100],
    }
    setups = question(prediction=prediction).settings
    ends = np.array([1, 1, 1, 0, 0, 0], bool)
    rates = np.where(ends, 0.92, 0.75)
    return predicted({n: of_one(rates, ends, k + 1) for k, n in enumerate(setups)}, setups)


def test_the_spectrum_tells_what_the_rate_decides(told):
    for name in ("auc", "auc_within"):
        early, late = told[name].sel(predictor=SPECTRUM, bound="mean").values
        # Ten snapshots say less than twenty.
        assert early > 0.75 and late == 1
    assert told["auc"].sel(predictor=CONFIGURATION, bound="mean").values == pytest.approx(0.5)
    assert told["auc"].sel(predictor=TEST, bound="mean").values == pytest.approx(0.5)
    first = list(zip(*PAIRS, strict=True))[1].index(TEST)
    assert told["gain"].isel(pair=first, horizon=1).sel(bound="mean") == pytest.approx(0.5)


def test_runs_are_counted(told):
    assert told["runs_at_risk"].values.tolist() == [18, 18]
    assert told["will_generalise"].values.tolist() == [9, 9]
    assert told["settings_mixed"].values.tolist() == [3, 3]
    assert told["setting_groks"].values.sum() == 9


def test_a_rule_never_saw_the_setting_that_it_is_asked_about():
    place = np.repeat([0, 1, 2], 4)
    ends = np.tile([True, True, False, False], 3)
    # The third setting has the sign turned: who had seen it would not be wrong in all of it.
    sign = np.where(place == 2, -1, 1)
    features = (sign * np.where(ends, 1.0, -1.0))[:, None]
    into = np.full(12, np.nan)
    held_out(features, ends, place, np.ones(12, bool), into)
    assert ((into[8:] > 0.5) == ~ends[8:]).all()
    unusable = np.full(12, np.nan)
    held_out(features, ends, place, place > 0, unusable)
    assert np.isnan(unusable[:4]).all() and np.isfinite(unusable[4:]).all()


def test_where_the_others_end_alike_nothing_is_learned():
    place, ends = np.repeat([0, 1], 3), np.array([1, 1, 1, 1, 1, 0], bool)
    into = np.full(6, np.nan)
    held_out(np.arange(6.0)[:, None], ends, place, np.ones(6, bool), into)
    assert np.isnan(into[3:]).all() and np.isfinite(into[:3]).all()


def test_where_the_setting_decides_nothing_is_said_within_settings():
    ends = np.repeat([[True], [False], [False]], 8, axis=1)
    risk = np.ones((3, 8, 1), bool)
    scores = np.random.default_rng(0).normal(size=(3, 8, 1, len(PREDICTORS)))
    scores[..., AT(SPECTRUM)] += 5 * ends[..., None]
    found = areas(scores, risk, ends)
    assert found["auc"].sel(bound="mean").values[0, AT(SPECTRUM)] > 0.95
    assert found["auc_within"].isnull().all()
    assert found["settings_mixed"].item() == 0


def test_too_few_runs_of_one_end_say_nothing():
    ends = np.zeros((3, 8), bool)
    ends[:2, :2] = True
    risk = np.ones((3, 8, 2), bool)
    risk[:, :, 1] = [[True] * 8, [True] * 8, [False] * 8]
    scores = np.random.default_rng(0).normal(size=(3, 8, 2, len(PREDICTORS)))
    assert areas(scores, risk, ends)["auc"].isnull().all()
    ends[:2, :4] = True
    found = areas(scores, risk, ends)["auc"].sel(bound="mean")
    # At the second horizon there are runs of two settings alone.
    assert found[0].notnull().all() and found[1].isnull().all()
