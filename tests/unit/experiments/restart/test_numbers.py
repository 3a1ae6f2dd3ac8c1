"""Numbers of poor starts: areas and savings with their intervals, by other means."""

import numpy as np
import pytest
import xarray as xr
from fixtures.watching import asked
from sklearn.metrics import roc_auc_score

from koopscope.compare.intervals import expanded_tails
from koopscope.experiments.restart.areas import RESAMPLES, areas, resampled
from koopscope.experiments.restart.figures import restart_savings
from koopscope.experiments.restart.names import PAIRS, POLICIES, PREDICTORS
from koopscope.experiments.restart.run import savings
from koopscope.experiments.summary import facts as facts_of

SEEDS, STARTS = 12, 4


def made(seed=0):
    """One setup whose bad runs have a somewhat higher score, by the same for every predictor."""
    rng = np.random.default_rng(seed)
    bad = np.tile([False, False, True, True], SEEDS)
    of = np.repeat(np.arange(SEEDS), STARTS)
    scores = bad * 0.8 + rng.normal(size=SEEDS)[of] * 0.5 + rng.normal(size=len(bad))
    found = xr.Dataset(
        {
            "bad": ("run", bad),
            "finite": (("run", "epoch"), np.ones((len(bad), 1), bool)),
            "reached": ("run", np.where(bad, np.nan, 4.0)),
            "budget": ("run", np.full(len(bad), 10)),
            "epoch_steps": ("run", np.full(len(bad), 100)),
        },
        coords={"setup": ("run", ["one"] * len(bad)), "seed": ("run", of), "epoch": [2]},
    )
    probability = xr.DataArray(
        np.repeat(scores[:, None, None], len(PREDICTORS), axis=2),
        dims=("run", "epoch", "predictor"),
        coords={"predictor": list(PREDICTORS), "epoch": [2]},
    )
    return found, probability


def by_hand(found, statistic, draws=2000, seed=7):
    """Statistic of resamples of seeds, each with all of its runs, written out run by run."""
    rng = np.random.default_rng(seed)
    owner = found["seed"].values
    values = []
    for _ in range(draws):
        picked = rng.integers(SEEDS, size=SEEDS)
        values.append(statistic(np.concatenate([np.flatnonzero(owner == s) for s in picked])))
    return np.quantile(values, expanded_tails(SEEDS))


def test_areas_have_the_interval_of_resampled_seeds():
    found, probability = made()
    scores, bad = probability.values[:, 0, 0], found["bad"].values
    result = areas(found, probability)["mean_auc"].isel(epoch=0, predictor=0)
    assert result.sel(bound="mean") == pytest.approx(roc_auc_score(bad, scores))
    low, high = by_hand(found, lambda runs: roc_auc_score(bad[runs], scores[runs]))
    assert result.sel(bound="low") == pytest.approx(low, abs=0.025)
    assert result.sel(bound="high") == pytest.approx(high, abs=0.025)
    assert high - low > 0.1


def test_equal_predictors_gain_nothing_in_any_resample():
    gain = areas(*made())["gain"]
    assert gain.sizes["pair"] == len(PAIRS)
    np.testing.assert_allclose(gain, 0, atol=1e-12)


def test_resamples_draw_seeds_with_replacement_after_each_once():
    (draws,) = resampled(made()[0]).values()
    assert draws.shape == (RESAMPLES + 1, SEEDS)
    assert (draws[0] == 1).all() and (draws.sum(axis=1) == SEEDS).all()
    assert draws[1:].var() == pytest.approx(1 - 1 / SEEDS, rel=0.05)


def test_savings_have_the_interval_of_resampled_seeds():
    found, probability = made()
    chance = probability.copy(deep=True)
    chance[:] = (probability > 0.9) * 0.6
    result = savings(found, chance)
    policy = PREDICTORS[0]
    ended, good = chance.values[:, 0, 0] > 0.5, ~found["bad"].values

    def saved(runs):
        # An attempt costs 400 steps if it comes to the target, 200 if it is ended, else 1,000.
        cost = np.where(ended[runs], 200, np.where(good[runs], 400, 1000)).mean()
        done = (good[runs] & ~ended[runs]).mean()
        never = np.where(good[runs], 400, 1000).mean() / good[runs].mean()
        return 1 - cost / done / never

    one = result["saved"].sel(policy=policy).isel(epoch=0)
    assert one.sel(bound="mean") == pytest.approx(saved(np.arange(len(good))))
    low, high = by_hand(found, saved)
    assert one.sel(bound="low") == pytest.approx(low, abs=0.04)
    assert one.sel(bound="high") == pytest.approx(high, abs=0.04)
    steps = result["steps"].sel(setup="one", policy="oracle").item()
    # Half of the attempts cost 200 and fail, half cost 400 and succeed.
    assert steps == pytest.approx(600)
    assert result["given_up"].sel(policy=policy, setup="one").item() == pytest.approx(
        np.mean(ended & good)
    )


def test_savings_are_said_and_drawn_in_percent():
    found = asked("restart")
    facts = facts_of("restart", {"restart": found})
    rows = {row["policy"]: row for row in facts["policies"]}
    assert set(rows) <= set(POLICIES)
    for name, row in rows.items():
        expected = 100 * found["saved"].sel(policy=name).values
        said = [[np.nan if x is None else x for x in cell.values()] for cell in row["cells"]]
        np.testing.assert_allclose(said, expected)
    for row in facts["gains"]:
        expected = 100 * found["saved_gain"].sel(pair=row["pair"]).values
        said = [[np.nan if x is None else x for x in cell.values()] for cell in row["saved"]]
        np.testing.assert_allclose(said, expected)
    panel = restart_savings(found).axes[0]
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in panel.lines])
    oracle = 100 * found["saved"].sel(policy="oracle", bound="mean").values
    assert panel.get_ylabel().endswith("%")
    assert all(np.isclose(drawn, value).any() for value in oracle[np.isfinite(oracle)])
