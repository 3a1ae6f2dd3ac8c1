"""When runs memorise, generalise and begin to rise, by curves with known steps."""

import numpy as np
import pytest
import xarray as xr
from fixtures.grokking import made_up

from koopscope.experiments.grokking.outcomes import at_risk, outcomes, rise


def curve(*values):
    steps = 10 * np.arange(1, len(values) + 1)
    return xr.DataArray(np.array([values], float), dims=("seed", "step"), coords={"step": steps})


@pytest.mark.parametrize(
    ("train", "test", "memorised", "generalised", "groks"),
    [
        ((0.5, 0.99, 1, 1), (0, 0.2, 0.5, 0.95), 20, 40, True),
        # It is near already when it has memorised.
        ((0.5, 0.99, 1, 1), (0, 0.9, 0.9, 0.95), 20, 40, False),
        # At one and the same step.
        ((0.5, 1, 1, 1), (0, 0.96, 1, 1), 20, 20, False),
        ((0.5, 1, 1, 1), (0, 0, 0.5, 0.94), 20, np.nan, False),
        ((0.5, 0.6, 0.98, 0.98), (0, 0, 0, 0), np.nan, np.nan, False),
        # Generalised without ever knowing all training pairs.
        ((0.5, 0.6, 0.98, 0.98), (0, 0, 0, 0.97), np.nan, 40, False),
        ((0.5, 1, np.nan, np.nan), (0, 0, np.nan, np.nan), 20, np.nan, False),
    ],
)
def test_a_run_groks_if_it_generalises_after_it_has_memorised(
    train, test, memorised, generalised, groks
):
    found = outcomes(curve(*train), curve(*test)).isel(seed=0)
    np.testing.assert_equal(float(found["memorised_at"]), float(memorised))
    np.testing.assert_equal(float(found["generalised_at"]), float(generalised))
    assert bool(found["groks"]) is groks
    assert bool(found["generalises"]) is bool(np.isfinite(generalised))


def test_the_rise_is_that_of_the_first_run():
    late, early = made_up(3, 0.9, generalised=160), made_up(2, 0.9, generalised=120, draw=1)
    assert rise(late["test_accuracy"], 0.1) == 140
    assert rise(xr.concat([late, early], "seed")["test_accuracy"], 0.1) == 100
    assert rise(late["test_accuracy"], 0.5) == 150


def test_without_a_rise_or_before_the_first_snapshot_there_is_none():
    assert np.isnan(rise(made_up(2, 0.9, generalised=None)["test_accuracy"], 0.1))
    assert np.isnan(rise(curve(0.5, 0.6), 0.1))


def test_a_run_that_fell_back_or_diverged_is_not_at_risk():
    test = xr.concat([curve(0, 0.2, 0, 1), curve(0, 0, np.nan, np.nan), curve(0, 0, 0, 1)], "seed")
    assert at_risk(test, 10, 0.1).tolist() == [True, True, True]
    assert at_risk(test, 30, 0.1).tolist() == [False, False, True]
