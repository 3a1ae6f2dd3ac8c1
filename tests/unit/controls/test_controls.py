"""Recodings are invertible and leave the dynamics alone; surrogates keep what they say."""

import numpy as np
import pytest
import xarray as xr

from koopscope.controls import recodings, surrogates
from koopscope.controls.recodings import RECODINGS
from koopscope.controls.surrogates import SURROGATES
from koopscope.errors import InputError
from koopscope.koopman import fit
from koopscope.recording.layers import coordinates

SHAPES = {"first": (5, 4), "second": (3, 5), "third": (2, 3)}
WEIGHTS = sum(a * b for a, b in SHAPES.values())


def runs(steps=120, inits=3, seed=0):
    """A slow course with oscillations and noise, of weights of very different size."""
    draw = np.random.default_rng(seed)
    time = np.arange(steps)[:, None]
    slow = np.exp(-time / draw.uniform(10, 60, WEIGHTS))
    turning = 0.2 * np.cos(0.3 * time + draw.uniform(0, 6, WEIGHTS))
    noise = 0.05 * draw.normal(size=(inits, steps, WEIGHTS))
    sizes = 10.0 ** draw.uniform(-1, 1, WEIGHTS)
    return xr.DataArray(
        sizes * (slow + turning + noise),
        dims=("init", "step", "weight"),
        coords=coordinates(SHAPES),
    )


def draw():
    return np.random.default_rng(7)


def outputs(weights, x, shapes=SHAPES, units="first"):
    """Of a network without bias, ReLU between its layers."""
    at = 0
    for k, shape in enumerate(shapes.values()):
        matrix = weights[at : at + np.prod(shape)].reshape(shape)
        at += matrix.size
        x = (matrix if units == "first" else matrix.T) @ (np.maximum(x, 0) if k else x)
    return x


ALL = RECODINGS | {
    "units permuted": recodings.units_permuted,
    "units rescaled": recodings.units_rescaled,
}


@pytest.mark.parametrize("name", ALL)
def test_a_recoding_is_one_invertible_smooth_map_of_all_states(name):
    given = runs()
    made = ALL[name](given, draw())
    assert made.dims == given.dims and made.shape == given.shape
    assert np.isfinite(made.values).all()
    # States that were different still are: near a state the map has an inverse, whose size is
    # that of the differences of near states.
    before, after = (a.values.reshape(-1, WEIGHTS) for a in (given, made))
    near = np.linalg.norm(np.diff(after, axis=0), axis=1)
    assert (near > 1e-6 * np.linalg.norm(np.diff(before, axis=0), axis=1)).all()
    # One map for all runs: a run alone, with the spreads of all, goes where it went among them.
    again = ALL[name](given.transpose("weight", "init", "step"), draw())
    np.testing.assert_allclose(again.transpose(*given.dims).values, made.values, rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["rescaled", "rotated", "mixed", "units permuted", "units rescaled"]
)
def test_a_linear_recoding_changes_no_full_spectrum(name):
    given = runs(steps=80, inits=2)
    before = fit(given, 0, 6, "full", f"whitened:{WEIGHTS}")
    after = fit(ALL[name](given, draw()), 0, 6, "full", f"whitened:{WEIGHTS}")
    # Of all components whitened every direction weighs alike: compare the operator's own numbers.
    np.testing.assert_allclose(
        np.sort(after.singular_values), np.sort(before.singular_values), rtol=1e-6
    )


def test_the_condition_of_a_mixing_is_the_one_asked_for_and_a_rotation_has_none():
    unit = xr.DataArray(np.eye(20)[None], dims=("init", "step", "weight"))
    for condition in (10, 100):
        made = recodings.mixed(unit, draw(), condition).values[0]
        assert np.linalg.cond(made) == pytest.approx(condition)
    turned = recodings.rotated(unit, draw()).values[0]
    np.testing.assert_allclose(turned @ turned.T, np.eye(20), atol=1e-12)


def test_a_rotation_of_many_weights_is_orthogonal_too(monkeypatch):
    monkeypatch.setattr(recodings, "DENSE", 5)
    unit = xr.DataArray(np.eye(20)[None], dims=("init", "step", "weight"))
    turned = recodings.rotated(unit, draw()).values[0]
    np.testing.assert_allclose(turned @ turned.T, np.eye(20), atol=1e-12)
    assert np.abs(turned - np.eye(20)).max() > 0.1


def test_a_monotone_map_keeps_the_order_of_each_weights_values():
    given, made = runs().values, recodings.bent(runs(), draw()).values
    for weight in range(WEIGHTS):
        order = np.argsort(given[..., weight], axis=None)
        assert (np.diff(made[..., weight].ravel()[order]) > 0).all()


@pytest.mark.parametrize("recoding", [recodings.units_permuted, recodings.units_rescaled])
def test_symmetries_of_networks_whose_units_are_the_last_axis_are_known_too(recoding):
    shapes = {name: shape[::-1] for name, shape in SHAPES.items()}
    given = runs().drop_vars(["layer", "index"]).assign_coords(coordinates(shapes))
    made = recoding(given, draw(), "last")
    x = np.random.default_rng(3).normal(size=4)
    before, after = (outputs(a.values[1, 9], x, shapes, "last") for a in (given, made))
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)
    with pytest.raises(InputError, match="no chain of matrices with units first"):
        recoding(given, draw())
    with pytest.raises(InputError, match="units: unknown 'rows'; give one of first, last"):
        recoding(given, draw(), "rows")


@pytest.mark.parametrize("recoding", [recodings.units_permuted, recodings.units_rescaled])
def test_symmetries_of_relu_networks_leave_the_function_alone(recoding):
    given = runs()
    made = recoding(given, draw())
    assert np.abs(made.values - given.values).max() > 0.1
    inputs = np.random.default_rng(3).normal(size=(10, 4))
    for step in (0, 50):
        for x in inputs:
            before, after = (outputs(a.values[1, step], x) for a in (given, made))
            np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)


def test_runs_that_are_no_chain_of_layers_are_refused_in_one_line():
    with pytest.raises(InputError, match="layers .* are no chain of matrices"):
        recodings.units_permuted(runs().isel(weight=slice(0, 20)), draw())
    with pytest.raises(InputError, match="no coordinate 'layer'"):
        recodings.units_rescaled(runs().drop_vars(["layer", "index"]), draw())
    with pytest.raises(InputError, match="runs: sizes are {'a': 3}"):
        recodings.rescaled(xr.DataArray(np.ones(3), dims="a"), draw())


@pytest.mark.parametrize("name", SURROGATES)
def test_a_surrogate_is_another_run_of_the_same_shape_made_of_each_run_alone(name):
    given = runs()
    made = SURROGATES[name](given, draw())
    assert made.dims == given.dims and made.shape == given.shape
    assert np.abs(made.values - given.values).max() > 0.01
    alone = SURROGATES[name](given.isel(init=[0]), draw())
    np.testing.assert_allclose(alone.values[0], made.values[0])


def test_shuffled_increments_keep_both_ends_and_all_steps():
    given, made = runs(), surrogates.increments_shuffled(runs(), draw())
    for end in (0, -1):
        np.testing.assert_allclose(made.values[:, end], given.values[:, end])
    for run in range(3):
        before, after = (np.diff(a.values[run], axis=0) for a in (given, made))
        order = np.argsort(before[:, 0]), np.argsort(after[:, 0])
        np.testing.assert_allclose(after[order[1]], before[order[0]], atol=1e-9)


def test_shuffled_fluctuations_keep_the_moving_mean_and_the_fluctuations_set():
    steps = 400
    time = np.arange(steps)[:, None]
    noise = np.random.default_rng(1).normal(size=(1, steps, 2))
    given = xr.DataArray(np.exp(-time / 100) * 20 + noise, dims=("init", "step", "weight"))
    made = surrogates.fluctuations_shuffled(given, draw())
    half = 10
    kernel = np.ones(2 * half + 1) / (2 * half + 1)
    smooth = [np.convolve(a.values[0, :, 0], kernel, "valid") for a in (given, made)]
    # Apart from the mean of a window of shuffled noise.
    assert np.abs(smooth[1] - smooth[0]).max() < 5 / np.sqrt(len(kernel))
    inner = slice(half, -half)
    left = [a.values[0, inner, 0] - smooth[0] for a in (given, made)]
    assert np.std(left[1]) == pytest.approx(np.std(left[0]), rel=0.1)
    assert abs(np.corrcoef(left[0], left[1])[0, 1]) < 0.2


def test_time_reversed_twice_is_the_run():
    given = runs()
    twice = surrogates.reversed_in_time(surrogates.reversed_in_time(given, draw()), draw())
    np.testing.assert_array_equal(twice.values, given.values)


def test_a_random_walk_has_the_mean_and_covariance_of_the_steps():
    given = runs(steps=60, inits=1)
    steps = np.diff(given.values[0], axis=0)
    many = np.concatenate(
        [
            np.diff(surrogates.random_walk(given, np.random.default_rng(k)).values[0], axis=0)
            for k in range(200)
        ]
    )
    scale = np.abs(np.cov(steps.T, bias=True)).max()
    np.testing.assert_allclose(many.mean(axis=0), steps.mean(axis=0), atol=0.05 * scale**0.5)
    np.testing.assert_allclose(np.cov(many.T), np.cov(steps.T, bias=True), atol=0.1 * scale)
    correlation = np.corrcoef(many[1:, 0], many[:-1, 0])[0, 1]
    assert abs(correlation) < 0.05


def test_an_autoregressive_process_has_the_mean_covariance_and_correlation_of_the_run():
    given = runs(steps=200, inits=1)
    states = given.values[0]
    many = np.stack(
        [surrogates.autoregressive(given, np.random.default_rng(k)).values[0] for k in range(300)]
    )
    scale = np.abs(np.cov(states.T, bias=True)).max()
    pooled = many.reshape(-1, WEIGHTS)
    np.testing.assert_allclose(pooled.mean(axis=0), states.mean(axis=0), atol=0.3 * scale**0.5)
    np.testing.assert_allclose(np.cov(pooled.T), np.cov(states.T, bias=True), atol=0.2 * scale)
    centred = states - states.mean(axis=0)
    kept = np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2)
    moved = many - states.mean(axis=0)
    assert np.sum(moved[:, 1:] * moved[:, :-1]) / np.sum(moved[:, 1:] ** 2) == pytest.approx(
        kept, abs=0.05
    )


def test_runs_too_short_for_a_surrogate_are_refused_in_one_line():
    with pytest.raises(InputError, match="3 steps or more"):
        surrogates.random_walk(runs().isel(step=slice(0, 2)), draw())
