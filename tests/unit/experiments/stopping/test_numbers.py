"""Numbers of stopping rules against what a table with known answers comes to by hand."""

import numpy as np
import pytest
import xarray as xr
from fixtures.rendered import caption
from fixtures.watching import asked

from koopscope.compare.intervals import expanded_tails
from koopscope.experiments.stopping.figures import stopping_tradeoff
from koopscope.experiments.stopping.run import RESAMPLES, compared, summarised
from koopscope.experiments.stopping.summary import text
from koopscope.experiments.summary import facts as facts_of

BUDGET, RUNS = 10, 8


def known():
    """A fixed budget of e epochs loses (10 - e)² / 100; the rule stops at 3 or 4 and loses 0.1."""
    epochs = np.arange(1, BUDGET + 1)
    stop = np.tile([3, 4], RUNS // 2)
    columns = {
        "stop": np.column_stack([stop, np.tile(epochs, (RUNS, 1))]),
        "lost": np.column_stack(
            [np.full(RUNS, 0.1), np.tile((BUDGET - epochs) ** 2 / 100, (RUNS, 1))]
        ),
        "reached": np.column_stack([stop == 3, np.ones((RUNS, BUDGET), bool)]),
    }
    columns["saved"] = BUDGET - columns["stop"]
    return xr.Dataset(
        {name: (("run", "setting"), values) for name, values in columns.items()},
        coords={
            "rule": ("setting", np.array(["patience", *["fixed"] * BUDGET], dtype=object)),
            "threshold": ("setting", [3.0, *epochs.astype(float)]),
            "chosen": ("setting", [True, *[False] * BUDGET]),
        },
    )


def test_a_fixed_budget_is_as_long_as_the_rule_and_loses_what_budgets_lose():
    rule = summarised(known()).isel(setting=0)
    assert rule["saved"].sel(bound="mean") == 6.5
    assert rule["lost"].sel(bound="mean") == pytest.approx(0.1)
    # Half way between the budgets of 3 and 4 epochs, which lose 0.49 and 0.36.
    assert rule["lost_by_fixed"].sel(bound="mean") == pytest.approx(0.425)
    assert rule["less_lost"].sel(bound="mean") == pytest.approx(0.325)
    assert rule["reached"] == 0.5


def test_the_interval_of_a_mean_is_that_of_the_binomial_number_of_runs_that_stop_early():
    rule = summarised(known()).isel(setting=0)
    # Of 8 draws a binomial number stops at 3; saved is 6 + that / 8.
    drawn = np.random.default_rng(5).binomial(RUNS, 0.5, 400_000) / RUNS + 6
    expected = np.quantile(drawn, expanded_tails(RUNS))
    found = rule["saved"].sel(bound=["low", "high"])
    np.testing.assert_allclose(found, expected, atol=1.01 / RUNS)
    assert found[0] < 6.3 and found[1] > 6.7
    assert RESAMPLES >= 1000


def test_a_difference_of_two_rules_is_the_mean_of_the_paired_ones():
    table = known()
    other = table.isel(setting=[0]).assign_coords(rule=("setting", np.array(["x"], dtype=object)))
    other["saved"] = other["saved"] - 2
    other["lost"] = other["lost"] + 0.25
    both = xr.concat([table, other], dim="setting")
    word, difference = compared(both, "patience", "x")
    assert word == "better"
    # Paired, each run differs by the same, so that there is nothing to resample.
    np.testing.assert_allclose(difference, [[2, 2, 2], [-0.25, -0.25, -0.25]])
    assert compared(both, "x", "patience")[0] == "worse"
    assert compared(both, "patience", "patience")[0] == "neither"


def test_accuracies_are_said_in_percent_and_losses_in_percentage_points():
    found = asked("stopping")
    facts = facts_of("stopping", {"stopping": found})
    rows = {(row["arm"], row["rule"]): row for row in facts["rules"]}
    assert len(rows) == len(facts["rules"])
    for at in np.flatnonzero(found["chosen"].values):
        here = found.sel(arm="net1").isel(setting=at)
        row = rows["net1", str(here["rule"].values)]
        for name in ("lost", "lost_by_fixed", "less_lost"):
            expected = 100 * here[f"mean_{name}"].values
            np.testing.assert_allclose(list(row[name].values()), expected)
        np.testing.assert_allclose(list(row["saved"].values()), here["mean_saved"].values)
    accuracy = [found["test_accuracy"].sel(arm=a).values[:, -1].mean() for a in facts["arms"]]
    np.testing.assert_allclose(facts["accuracy"], accuracy)
    assert f"net0 {100 * accuracy[0]:.3g} %" in text(facts)
    assert f"net0</strong> ends at a test accuracy of {100 * accuracy[0]:.3g} %" in caption(
        "stopping_spectra", facts
    )


def test_rows_against_a_baseline_have_its_own_number_and_the_difference_of_the_two():
    facts = facts_of("stopping", {"stopping": asked("stopping")})
    rules = {(row["arm"], row["rule"]): row for row in facts["rules"]}
    kinds = set()
    for row in facts["against"]:
        kinds.add(row["baseline"])
        key = "saved" if row["measure"] == "epochs saved" else "lost"
        ours = rules[row["where"], row["spectrum"]]
        if row["baseline"].startswith("fixed budget"):
            theirs = ours["lost_by_fixed"]
            # Low and high change places with the sign.
            assert row["difference"]["low"] == pytest.approx(-ours["less_lost"]["high"])
            assert row["difference"]["high"] == pytest.approx(-ours["less_lost"]["low"])
        else:
            theirs = rules[row["where"], row["baseline"]][key]
        assert row["ours"] == ours[key] and row["theirs"] == theirs
        gap = row["ours"]["mean"] - row["theirs"]["mean"]
        assert row["difference"]["mean"] == pytest.approx(gap, abs=1e-9)
    assert len(kinds) == 3


def test_the_trade_off_is_drawn_in_percentage_points():
    found = asked("stopping")
    panel = stopping_tradeoff(found).axes[0]
    here = found.isel(arm=0).isel(setting=np.flatnonzero(found["rule"].values == "fixed"))
    expected = 100 * here["mean_lost"].sel(bound="mean").values
    assert panel.get_ylabel() == "accuracy lost, percentage points"
    assert any(
        len(line.get_ydata()) == len(expected) and np.allclose(line.get_ydata(), expected)
        for line in panel.lines
    )
