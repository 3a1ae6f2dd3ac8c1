"""Known answers on the whole path: one way of training split in two, and two ways."""

import numpy as np
import pytest
import xarray as xr

from koopscope.compare.metrics import metric_matrix
from koopscope.compare.verdict import compare
from koopscope.config.fit import FitSpec
from koopscope.koopman.choice import choose
from koopscope.koopman.seeds import fit_runs

DRAWS = 1000


def pool(rates, first, count, steps=120, features=12):
    """Noisy descent on quadratics of one curvature, each in a basis of its own."""
    made = {}
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.normal(size=(features, features)))[0][: len(rates)]
        state, states = rng.normal(size=len(rates)), []
        for _ in range(steps):
            state = np.array(rates) * state + 0.02 * rng.normal(size=len(rates))
            states.append(state @ basis)
        made[seed] = xr.DataArray(np.array(states), dims=("step", "weight"))
    return made


@pytest.fixture(scope="module")
def distances():
    groups = {
        "slow": pool((0.99, 0.95, 0.9, 0.8, 0.5), 0, 60),
        "fast": pool((0.9, 0.7, 0.5, 0.3, 0.1), 1000, 20),
    }
    choice = choose(120, 12)
    fits = fit_runs(groups, FitSpec(choice.delays, choice.rank))
    values = [row for fit in fits.values() for row in fit["eigenvalue"].values]
    return metric_matrix("wasserstein", values, values, values)


@pytest.mark.parametrize("size", [4, 5, 8])
def test_one_way_of_training_split_in_two_is_told_apart_at_the_level(distances, size):
    rng = np.random.default_rng(size)
    small = 0
    for _ in range(DRAWS):
        both = rng.choice(60, 2 * size, replace=False)
        small += compare(distances, both[:size], both[size:], 199, bootstrap=0).p_value <= 0.05
    # Of the 35 ways to split eight in two halves p ≤ 0.05 only for the first: a rate of 1 / 35.
    assert (0.015 if size == 4 else 0.03) <= small / DRAWS <= 0.07


def test_two_ways_are_told_apart_by_five_seeds_of_each(distances):
    rng = np.random.default_rng(1)
    found = [
        compare(
            distances, rng.choice(60, 5, replace=False), 60 + rng.choice(20, 5, replace=False)
        ).p_value
        for _ in range(50)
    ]
    assert np.mean(np.array(found) <= 0.05) > 0.9
