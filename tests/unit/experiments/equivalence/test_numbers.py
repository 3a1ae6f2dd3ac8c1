"""Numbers of studies by other means: Holm's factor everywhere, exact intervals of shares."""

import numpy as np
import pytest
import xarray as xr
from fixtures.known import error_rates_store
from scipy.stats import beta

from koopscope.compare.verdict import compare
from koopscope.experiments.equivalence.comparison import Rule, judge, with_pairs
from koopscope.experiments.equivalence.error_rates import _with_rates
from koopscope.experiments.equivalence.reliability import error_rates_facts
from koopscope.experiments.equivalence.study import Pair, Study
from koopscope.experiments.equivalence.tables import variant_table


def holm(p):
    """Holm 1979, one test after another."""
    out, least = [0.0] * len(p), 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        least = max(least, min(1.0, (len(p) - rank) * p[at]))
        out[at] = least
    return out


def test_p_of_a_study_is_multiplied_as_holm_says_and_the_verdict_goes_by_it():
    rng = np.random.default_rng(0)
    at = np.concatenate([rng.normal(size=8), rng.normal(1.1, 1, 8), rng.normal(0.9, 1, 8)])
    distances = np.abs(at[:, None] - at)
    groups = {name: np.arange(8 * i, 8 * i + 8) for i, name in enumerate("abc")}
    pairs = (Pair("a", "b"), Pair("a", "c"), Pair("b", "c"))
    study = Study("s", "?", (), pairs)
    rule = Rule(smallest_effect=1.0)
    found = with_pairs(xr.Dataset(), study, judge(pairs, distances, groups, rule), rule)
    raw = [compare(distances, groups[p.first], groups[p.second]).p_value for p in pairs]
    np.testing.assert_array_equal(found["p_value"], raw)
    np.testing.assert_allclose(found["p_adjusted"], holm(raw))
    # One of them is below the level before the correction, and none after it.
    assert min(raw) <= rule.alpha < found["p_adjusted"].values.min()
    assert "distinguished" not in found["verdict"].values.tolist()


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_rates_of_p_have_clopper_and_pearsons_interval(alpha):
    store = error_rates_store(draws=60)
    found = _with_rates(store[["p_value"]], alpha)
    p = store["p_value"].values
    for index in np.ndindex(p.shape[:3]):
        known = p[index][np.isfinite(p[index])]
        if not len(known):
            assert np.isnan(found["rate"].values[index])
            continue
        k, n = int((known <= alpha).sum()), len(known)
        low = 0.0 if k == 0 else beta.ppf(0.025, k, n - k + 1)
        high = 1.0 if k == n else beta.ppf(0.975, k + 1, n - k)
        assert found["rate"].values[index] == k / n
        assert found["rate_low"].values[index] == pytest.approx(low)
        assert found["rate_high"].values[index] == pytest.approx(high)


def test_a_row_of_error_rates_is_counted_by_hand():
    store = error_rates_store(draws=60)
    facts = error_rates_facts(store)
    names = [(a, b) for a, b in zip(store["first"].values, store["second"].values, strict=True)]
    seen = 0
    for row in facts["rows"]:
        at = names.index(tuple(row["name"].split(" / ")))
        size = store["size"].values.tolist().index(row["size"])
        here = store.isel(pair=at, size=size)
        assert row["rate"] == pytest.approx(np.mean(here["p_value"].values[0] <= 0.05))
        assert row["rate_low"] == here["rate_low"].values[0]
        assert row["rate_high"] == here["rate_high"].values[0]
        words = list(here["verdict"].values)
        assert row["distinguished"] == words.count("distinguished") / 60
        assert row["not_distinguished"] == words.count("not distinguished") / 60
        assert row["swapped"] == np.mean(here["swapped_pair_p"].values <= 0.05)
        seen += 1
    assert seen == len(names) * 3


def test_the_share_of_residuals_above_the_limit_is_said_in_percent():
    row = {
        "seeds": 5,
        "diverged": 0,
        "final_accuracy": {"mean": 0.91, "sd": 0.012, "min": 0.9, "max": 0.93},
        "final_loss": None,
        "leading_eigenvalues": [{"modulus": 0.99}],
        "residual_median": 0.02,
        "residual_max": 0.4,
        "residual_above_limit": 0.25,
        "spectral_radius_median": 1.001,
    }
    *_, said = variant_table({"h40": row}).splitlines()
    cells = [cell.strip() for cell in said.strip("|").split("|")]
    assert cells[:4] == ["h40", "5", "0", "0.910 (0.012; 0.900 to 0.930)"]
    assert cells[5:] == ["0.99", "0.02 (0.4)", "25 %", "1.001"]
