"""A control made of one seed at a time is the one that is made of all seeds at once."""

import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.config import controls as names
from koopscope.controls.making import MAP, making
from koopscope.controls.recodings import RECODINGS, spread_of
from koopscope.controls.surrogates import SURROGATES
from koopscope.errors import InputError

DIMS = ("seed", "init", "step", "weight")


def seeds(count=4, weights=5, seed=0):
    """Runs of several seeds, of weights far from 0 and of very different size."""
    draw = np.random.default_rng(seed)
    sizes = 10.0 ** draw.uniform(-3, 3, weights)
    walks = draw.normal(size=(count, 2, 30, weights)).cumsum(axis=2)
    own = draw.normal(size=(count, 1, 1, weights))
    return xr.DataArray(sizes * (50 + 3 * own + walks), dims=DIMS)


def one_by_one(runs):
    return (runs.isel(seed=i) for i in range(runs.sizes["seed"]))


def test_the_configuration_names_the_controls_that_there_are():
    assert tuple(names.RECODINGS) == tuple(RECODINGS)
    assert tuple(names.SURROGATES) == tuple(name.replace(" ", "_") for name in SURROGATES)
    assert {names.expected_of(name) for name in names.NAMES} == {"equivalent", "different"}


@pytest.mark.parametrize("name", RECODINGS)
def test_a_recoding_is_one_map_for_all_seeds(name):
    runs = seeds()
    made = making(f"recoded:{name}", one_by_one(runs))
    whole = RECODINGS[name](runs, np.random.default_rng(MAP))
    for i, run in enumerate(one_by_one(runs)):
        np.testing.assert_allclose(made(run, seed=100 + i), whole.isel(seed=i), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(lambda c: sum(c) > 1),
    middle=st.floats(-1e6, 1e6),
    seed=st.integers(0, 1000),
)
def test_a_spread_is_found_seed_by_seed(counts, middle, seed):
    draw = np.random.default_rng(seed)
    groups = [draw.normal(middle + draw.normal(), 1.0, (count, 3)) for count in counts]
    found = spread_of(xr.DataArray(group, dims=("step", "weight")) for group in groups)
    np.testing.assert_allclose(found, np.concatenate(groups).std(axis=0), rtol=1e-6)


def test_a_weight_that_never_changes_has_spread_one():
    values = np.full((40, 2), 0.1)
    values[:, 1] = np.arange(40)
    assert spread_of([xr.DataArray(values, dims=("step", "weight"))])[0] == 1
    bent = making("recoded:bent", [xr.DataArray(values, dims=("step", "weight"))])
    assert np.ptp(bent(xr.DataArray(values, dims=("step", "weight")), 0).values[:, 0]) == 0


def test_seeds_are_read_beforehand_only_for_maps_that_depend_on_their_spread():
    def unread():
        raise AssertionError("was read")
        yield

    for name in names.NAMES:
        if name in ("recoded:bent", "recoded:warped"):
            with pytest.raises(AssertionError, match="was read"):
                making(name, unread())
        else:
            making(name, unread())


@pytest.mark.parametrize("name", names.SURROGATES)
def test_surrogates_are_drawn_anew_for_each_seed_and_again_for_the_same(name):
    run = seeds(count=1).isel(seed=0)
    made = making(f"surrogate:{name}", [])
    np.testing.assert_array_equal(made(run, seed=3), made(run, seed=3))
    if name != "time_reversed":
        assert np.abs(made(run, seed=3) - made(run, seed=4)).max() > 0


def test_a_making_can_travel_to_a_worker():
    runs = seeds()
    made = making("recoded:warped", one_by_one(runs))
    again = pickle.loads(pickle.dumps(made))
    run = runs.isel(seed=1)
    np.testing.assert_array_equal(made(run, 1), again(run, 1))


def test_a_single_weight_is_warped_into_numbers():
    run = seeds(weights=1).isel(seed=0)
    assert np.isfinite(making("recoded:warped", [run])(run, 0)).all()


def test_an_unknown_control_is_refused():
    with pytest.raises(InputError, match="^control: unknown 'recoded:twisted'; give one of rec"):
        making("recoded:twisted", [])
