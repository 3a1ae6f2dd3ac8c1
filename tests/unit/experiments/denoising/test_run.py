"""Networks under each loss, what they learn when, and the experiment that compares them."""

import numpy as np
import pytest
import torch

from koopscope.experiments.denoising import learning, targets
from koopscope.experiments.denoising import run as experiment
from koopscope.experiments.denoising.networks import LENGTH, features, fit_networks, record_steps
from koopscope.experiments.denoising.plan import Denoising
from koopscope.experiments.denoising.waves import Waves
from koopscope.experiments.means import Means
from koopscope.sobolev.norms import SobolevLoss

SMALL = {
    "signals": (("falling-tones", 64),),
    "snr": (20.0, -10.0),
    "losses": ("mse", "s1", "linear2"),
    "seeds": (1, 2),
    "learning_rates": (0.003, 0.03),
    "steps": 60,
    "record_every": 5,
    "width": 16,
    "fourier_features": 16,
    "modes": 4,
}


def run(name, **changes):
    return experiment.run(Denoising(name, "?", **SMALL | changes), (), Means())


@pytest.fixture(scope="module")
def found():
    told = []
    plan = Denoising("small", "What is left?", **SMALL)
    ds = experiment.run(plan, (), Means(progress=told.append))
    assert (sum(told), "steps") == plan.work("denoising") == (2 * 2 * 60, "steps")
    return ds


def noisy(seeds, n=64):
    return np.stack([targets.target("falling-tones", n, 10.0, s)["noisy"].values for s in seeds])


def test_a_fit_is_that_of_a_lone_network_under_pytorchs_adam():
    values, seed, rate, steps = noisy([7])[0], 7, 0.01, 12
    outputs = fit_networks(values[None], "periodic", ["s1"], [seed], [rate], steps, 4, 8, 6)
    from koopscope.experiments.denoising.networks import _initial

    layers = _initial([seed], 1, (6, 8, 8, 1), "cpu")
    network = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.ReLU(),
        torch.nn.Linear(8, 1),
    )  # fmt: skip
    for linear, both in zip(network[::2], layers, strict=True):
        linear.weight.data = both[0, 0, :-1].T.detach().clone()
        linear.bias.data = both[0, 0, -1].detach().clone()
    inputs = torch.as_tensor(features((64,), "periodic", 6, seed), dtype=torch.float32)
    target = torch.as_tensor((values - values.mean()) / values.std(), dtype=torch.float32)
    loss, adam = SobolevLoss(1, LENGTH, grid=(64,)), torch.optim.Adam(network.parameters(), rate)
    for _ in range(steps):
        adam.zero_grad()
        loss(network(inputs)[:, 0], target).backward()
        adam.step()
    alone = network(inputs)[:, 0].detach().numpy() * values.std() + values.mean()
    np.testing.assert_allclose(outputs[-1, 0, 0], alone, atol=2e-4)


def test_networks_side_by_side_do_not_see_each_other():
    def fitted(losses, rates, seeds):
        return fit_networks(noisy(seeds), "periodic", losses, seeds, rates, 20, 5, 8, 8)

    both = fitted(["mse", "linear2"], [0.01, 0.003], [1, 2])
    assert both.shape == (5, 2, 2, 64)
    alone = fitted(["linear2"], [0.003], [2])
    np.testing.assert_allclose(both[:, 1, 1], alone[:, 0, 0], atol=1e-4)
    np.testing.assert_array_equal(both, fitted(["mse", "linear2"], [0.01, 0.003], [1, 2]))
    # Networks of one seed begin alike.
    np.testing.assert_array_equal(both[0, 0], both[0, 1])


def test_the_unit_of_the_values_changes_nothing_but_the_unit():
    values = noisy([3])
    outputs = [
        fit_networks(v, "periodic", ["s0.5"], [3], [0.01], 20, 5, 8, 8)
        for v in (values, 100 * values + 7)
    ]
    np.testing.assert_allclose(outputs[1], 100 * outputs[0] + 7, rtol=1e-3, atol=0.3)


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("shape", [(32,), (9, 9)])
def test_features_reach_the_finest_scale_of_the_grid(shape, boundary):
    made = features(shape, boundary, 200, 1)
    assert made.shape == (np.prod(shape), 200)
    power = Waves(shape, boundary).band_power(made.T.reshape(200, *shape)).sum(axis=0)
    assert (power > 0.02 * power.sum()).all()
    if boundary == "periodic":
        # Whole numbers of periods: the square mean of cosine and sine is one half each.
        pairs = made[:, :100] ** 2 + made[:, 100:] ** 2
        np.testing.assert_allclose(pairs, 1)
        np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-9)


def test_records_end_with_the_last_step():
    assert record_steps(10, 5).tolist() == [0, 5, 10]
    assert record_steps(12, 5).tolist() == [0, 5, 10, 12]


def test_shares_say_how_much_of_a_tone_is_there_and_in_phase():
    waves = Waves((64,), "periodic")
    x = 2 * np.pi * np.arange(64) / 64
    clean = np.sin(x) + 0.5 * np.cos(9 * x + 1)
    outputs = np.stack([0.5 * np.sin(x), clean, np.sin(x + np.pi / 2), 0.5 * np.cos(9 * x + 1)])
    shares = learning.shares(waves, clean, outputs)
    assert list(learning.tones(waves)) == [1, 3, 9]
    np.testing.assert_allclose(shares[:, 0], [0.5, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(shares[:, 2], [0, 1, 0, 1], atol=1e-12)
    assert np.isnan(shares[:, 1]).all()


def test_a_tone_is_learned_from_where_it_stays():
    steps = np.array([0, 10, 20, 30])
    reached = np.array([[0, 0.6, 0.4, 0.6], [0, 0, 0.6, 0.4], [0.5, 0.5, 0.5, 0.5], [np.nan] * 4])
    np.testing.assert_array_equal(learning.learned_at(steps, reached.T), [30, np.nan, 0, np.nan])


def test_koopman_modes_tell_how_long_a_scale_takes():
    n, t = 64, np.arange(30)
    x = 2 * np.pi * np.arange(n) / n
    parts = {2: (1.0, 0.0), 4: (0.5, 5.0), 9: (0.25, 20.0), 16: (0.125, 60.0)}
    outputs = sum(
        size * np.sin(k * x)[None] * (1 - (np.exp(-t / tau)[:, None] if tau else 0))
        for k, (size, tau) in parts.items()
    )
    # The constant part is one direction of its own, which mixes all scales.
    modes = learning.koopman_modes(Waves((n,), "periodic"), outputs, 10, 4)
    np.testing.assert_allclose(sorted(modes["time_constant"])[:3], [50, 200, 600], rtol=1e-4)
    rank = np.argsort(modes["time_constant"])
    np.testing.assert_allclose(modes["mode_number"][rank][:3], [4, 9, 16], rtol=1e-3)
    assert modes["residual"].max() < 1e-6
    assert learning.order(modes) == 1
    swapped = modes | {"mode_number": modes["mode_number"][np.argsort(rank)][::-1][rank]}
    assert learning.order(swapped) < 1
    few = learning.koopman_modes(Waves((n,), "periodic"), np.full((30, n), np.nan), 10, 4)
    assert np.isnan(few["time_constant"]).all() and np.isnan(learning.order(few))


def test_results_have_named_dims_and_errors_are_against_the_clean_values(found):
    assert found["error"].dims == ("signal", "snr", "loss", "stop", "seed")
    assert found["band_error"].dims == (*found["error"].dims, "band")
    total = np.sqrt((found["band_error"] ** 2).sum("band"))
    np.testing.assert_allclose(total, found["error"], rtol=1e-5)
    case = found.sel(signal="falling-tones", snr=20.0)
    clean = case["shown_clean"].values
    np.testing.assert_allclose(clean, targets.target("falling-tones", 64, 20.0, 1)["clean"])
    shown = case["shown"].sel(loss="s1", stop="final").values
    np.testing.assert_allclose(
        np.sqrt(np.mean((shown - clean) ** 2)), case["error"].sel(loss="s1", stop="final")[0]
    )
    noise = case["filter_error"].sel(filter="noisy")
    np.testing.assert_allclose(noise, 0.1, rtol=0.25)


def test_the_least_error_is_no_larger_than_those_of_other_stops(found):
    # For each loss by itself only where both have the same rate.
    same = (found["rate"] == found["rate"].sel(stop="least")).broadcast_like(found["error"])
    worse = found["error"] >= found["error"].sel(stop="least") - 1e-12
    assert worse.where(same, True).all()
    end = found["curve"].isel(record=-1).transpose("signal", "snr", "loss", "seed")
    np.testing.assert_array_equal(found["error"].sel(stop="final"), end)


def test_each_loss_takes_the_rate_that_is_best_on_the_tuning_seed(found):
    best = found["rate_error"].idxmin("trial")
    np.testing.assert_array_equal(best.transpose(*found["rate"].dims), found["rate"])
    assert set(np.unique(found["rate"])) <= {0.003, 0.03}


def test_the_discrepancy_rule_stops_where_the_residual_is_noise():
    ds = run("d", learning_rates=(0.03,), steps=200, snr=(0.0,))
    assert np.isnan(ds["rate_error"]).all()
    mse = ds.sel(loss="mse", signal="falling-tones", snr=0.0)
    stopped = mse["stopped_at"].sel(stop="discrepancy")
    assert ((stopped > 0) & (stopped < 200)).all()
    at = mse["curve"].swap_dims(record="step")
    for seed in (1, 2):
        expected = at.sel(seed=seed, step=int(stopped.sel(seed=seed)))
        assert mse["error"].sel(stop="discrepancy", seed=seed) == expected
    assert (mse["stopped_at"].sel(stop="final") == 200).all()


def test_fine_tones_come_later_under_a_larger_order():
    change = {
        "losses": ("mse", "s1"),
        "learning_rates": (0.01,),
        "snr": (30.0,),
        "width": 48,
        "fourier_features": 64,
    }
    found = run("late", **change, steps=100)
    shares = found.sel(signal="falling-tones", snr=30.0, tone=9)["tone_share"]
    over_training = shares.mean("record")
    assert (over_training.sel(loss="s1") < over_training.sel(loss="mse") - 0.1).all()


def test_images_and_signals_of_several_sizes_stand_in_one_result():
    ds = run("many", signals=(("digits", 32), ("steps", 64)), snr=(0.0,), steps=40)
    assert ds["axes"].values.tolist() == [2, 1] and ds["side"].values.tolist() == [32, 64]
    assert ds.sizes["point"] == 32 * 32
    assert np.isnan(ds["shown_clean"].sel(signal="steps")[64:]).all()
    assert np.isfinite(ds["error"]).all() and np.isfinite(ds["filter_error"]).all()
    np.testing.assert_allclose(np.sqrt((ds["band_error"] ** 2).sum("band")), ds["error"], rtol=1e-5)
