"""Pools of networks: symmetries are exact, what is not touched is kept."""

import numpy as np
import pytest
import xarray as xr

from koopscope.config.data import DataSpec
from koopscope.controls.recodings import units_permuted as whole_permuted
from koopscope.data import digits
from koopscope.experiments.known_answers.names import NETWORKS
from koopscope.experiments.known_answers.networks import (
    LOSS_FACTOR,
    Networks,
    units_breathing,
    units_permuted,
    units_rescaled,
)
from koopscope.experiments.known_answers.plan import network_of
from koopscope.recording.layers import coordinates

SETUP = network_of(
    {"data": DataSpec("digits", "digits"), "hidden_widths": (6,), "steps": 24, "probe": 4}
)


@pytest.fixture(scope="module")
def networks():
    return Networks(SETUP, digits.load(), (range(6), range(6, 12)), 2, "cpu")


@pytest.mark.parametrize("case", [case.name for case in NETWORKS])
def test_every_case_gives_two_pools_of_its_own_seeds(networks, case):
    first, second = networks.pools(case, 4)
    assert first["seed"].values.tolist() == [0, 1, 2, 3]
    assert second["seed"].values.tolist() == [6, 7, 8, 9]
    for pool in (first, second):
        assert set(pool.data_vars) == {"weights", "probe", "loss"}
        assert all(bool(np.isfinite(pool[name]).all()) for name in pool.data_vars)
        assert pool["weights"].dims == ("seed", "init", "step", "weight")


def test_a_recoding_leaves_answers_and_losses_and_has_a_map_for_each_part(networks):
    plain, recoded = networks.base(1, 6), networks.pools("weights rescaled", 6)[1]
    for name in ("probe", "loss"):
        np.testing.assert_array_equal(recoded[name], plain[name])
    ratio = recoded["weights"].values / plain["weights"].values
    assert np.ptp(ratio, axis=(1, 2)).max() < 1e-6 * ratio.max()
    by_part = ratio[:, 0, 0]
    parts = recoded["part"].values
    assert parts.tolist() == [0, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(by_part[0], by_part[2], rtol=1e-6)
    assert np.abs(by_part[0] / by_part[1] - 1).max() > 0.1


def test_a_surrogate_is_made_of_weights_and_answers_and_keeps_the_loss(networks):
    plain, made = networks.base(1, 4), networks.pools("time reversed", 4)[1]
    for name in ("weights", "probe"):
        np.testing.assert_array_equal(made[name], plain[name][:, :, ::-1])
    np.testing.assert_array_equal(made["loss"], plain["loss"])


def test_the_loss_times_a_constant_is_all_that_changes(networks):
    plain, made = networks.base(1, 4), networks.pools("loss times 8", 4)[1]
    np.testing.assert_array_equal(made["weights"], plain["weights"])
    np.testing.assert_array_equal(made["loss"], LOSS_FACTOR * plain["loss"])


def test_a_scaled_loss_at_a_rate_that_makes_up_for_it_trains_the_same_weights():
    """What lets the pool above stand for one that was trained so."""
    torch = pytest.importorskip("torch")
    found = []
    for factor in (1, LOSS_FACTOR):
        torch.manual_seed(0)
        net = torch.nn.Linear(5, 3, bias=False)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5 / factor)
        for _ in range(20):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(torch.randn(8, 5)), torch.arange(8) % 3)
            (factor * loss).backward()
            optimizer.step()
        found.append(net.weight.detach().numpy())
    np.testing.assert_array_equal(*found)


def test_rows_permuted_are_what_another_order_of_all_units_leaves_of_the_output_layer():
    shapes = {"hidden1": (7, 4), "output": (4, 10)}
    values = np.random.default_rng(0).normal(size=(2, 5, 7 * 4 + 40))
    runs = xr.DataArray(values, dims=("seed", "step", "weight"), coords=coordinates(shapes))
    whole = whole_permuted(runs, np.random.default_rng(3), units="last")
    alone = units_permuted(runs.isel(weight=slice(28, None)), np.random.default_rng(3))
    rows = {tuple(row) for row in alone.values[0, 0].reshape(4, 10)}
    assert rows == {tuple(row) for row in whole.values[0, 0, 28:].reshape(4, 10)}
    assert rows == {tuple(row) for row in values[0, 0, 28:].reshape(4, 10)}


def test_units_rescaled_are_networks_trained_at_rates_that_make_the_symmetry_exact():
    """ReLU: inputs times c, outputs over c, at rates times c² and over c²."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 10))
    first, second = rng.normal(size=(5, 4)) / 2, rng.normal(size=(4, 10)) / 2
    scales = 4 ** np.random.default_rng(2).uniform(-1, 1, 4)

    def trained(c):
        a, b = first * c, second / c[:, None]
        states = []
        for _ in range(40):
            hidden = np.maximum(x @ a, 0)
            error = (hidden @ b - y) / len(x)
            down, up = hidden.T @ error, x.T @ ((error @ b.T) * (hidden > 0))
            a, b = a - 0.1 * c**2 * up, b - 0.1 * down / c[:, None] ** 2
            states.append(b.ravel())
        return xr.DataArray(states, dims=("step", "weight"))

    recoded = units_rescaled(trained(np.ones(4)), np.random.default_rng(2))
    np.testing.assert_allclose(trained(scales), recoded, rtol=1e-9)


def test_breathing_units_keep_the_ratios_within_a_row():
    runs = xr.DataArray(np.ones((3, 50, 40)), dims=("seed", "step", "weight"))
    found = units_breathing(runs, np.random.default_rng(0)).values.reshape(3, 50, 4, 10)
    assert np.ptp(found, axis=3).max() == 0
    np.testing.assert_allclose(np.log(found).max(axis=1), 0.1, atol=0.01)
