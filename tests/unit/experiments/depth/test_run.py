"""Depth by the spectrum: the rules on constructed numbers, and families with a known answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from koopscope.config.data import DataSpec
from koopscope.data import digits
from koopscope.data.signals import signal
from koopscope.errors import InputError
from koopscope.experiments.depth.names import PREDICTORS
from koopscope.experiments.depth.plan import (
    Classification,
    DepthExperiment,
    DepthFamily,
    Regression,
)
from koopscope.experiments.depth.regression import CoordinateNetworks, points_of, train_regression
from koopscope.experiments.depth.rules import (
    agreement,
    first_near_best,
    judged,
    regret,
    where_it_falls,
)
from koopscope.experiments.depth.run import run, run_family
from koopscope.experiments.means import Means

SMALL = Regression("tones", points=41, width=6, steps=30, pilot_steps=20, probe=4)
FAMILY = DepthFamily(SMALL, depths=(1, 2, 3), seeds=(1, 2, 3), delays=2, rank=4)
DIGITS = Classification(
    DataSpec("digits", "digits"), width=12, steps=60, pilot_steps=24, probe=3, activation="identity"
)


def clouds(centres, seeds=4, perturbation_scale=0.01, modes=5, seed=0):
    """Spectra about a centre for each depth, seeds apart by so much."""
    rng = np.random.default_rng(seed)
    return [
        [
            c - 0.1 * np.arange(modes) + perturbation_scale * rng.normal(size=modes) + 0j
            for _ in range(seeds)
        ]
        for c in centres
    ]


def family(count, seeds=4):
    return replace(FAMILY, depths=tuple(range(1, count + 1)), seeds=tuple(range(seeds)))


def test_the_distance_falls_where_spectra_become_alike():
    errors = np.array([[0.5], [0.3], [0.2], [0.21], [0.2]]) + np.linspace(0, 0.001, 6)
    found = judged(family(5, 6), clouds([1, 0.8, 0.6, 0.6, 0.6], 6), errors, errors)
    assert (found["effect"].values[:2] > 5).all()
    assert (found["effect"].values[2:] < 1.5).all()
    assert found["verdict"].values[0] == "distinguished"
    assert found["predicted"].sel(predictor="short_loss") == 3
    assert found["observed"] == 3
    assert found["observed_low"] == found["observed_high"] == 3
    assert found["predicted"].sel(predictor="two_layers") == 2
    assert found["regret"].sel(predictor="two_layers") == pytest.approx(0.5, rel=0.01)


def test_p_of_neighbours_is_corrected_after_holm_over_all_of_them():
    errors = np.ones((4, 6))
    found = judged(family(4, 6), clouds([1, 0.995, 0.99, 0.8], 6), errors, errors)
    raw = found["p_value"].values
    order, least, expected = np.argsort(raw), 0.0, np.empty(3)
    for factor, at in zip((3, 2, 1), order, strict=True):
        least = expected[at] = max(least, min(1, factor * raw[at]))
    np.testing.assert_allclose(found["p_adjusted"], expected)
    assert (found["p_adjusted"].values > raw).sum() >= 2


def test_identical_spectra_have_distance_0_and_foretell_one_layer():
    same = [[np.array([1, 0.5 + 0.1 * k + 0j]) for k in range(4)]] * 3
    errors = np.ones((3, 4))
    found = judged(family(3), same, errors, errors)
    # Each seed's own twin makes depths nearer to each other than seeds are.
    assert (found["effect"] < 1).all()
    assert found["predicted"].sel(predictor="spectrum") == 1
    assert (found["p_value"] > 0.5).all()
    twins = [[np.array([1, 0.5 + 0j])] * 4] * 3
    assert (judged(family(3), twins, errors, errors)["between"] == 0).all()


def test_no_depth_is_foretold_while_every_layer_changes_the_training():
    errors = np.array([[0.4], [0.2], [0.1]]) + np.linspace(0, 0.001, 4)
    found = judged(family(3), clouds([1, 0.7, 0.4]), errors, errors)
    assert np.isnan(found["predicted"].sel(predictor="spectrum"))
    # Then the deepest is what it is judged by.
    assert found["regret"].sel(predictor="spectrum") == 0


def test_seeds_that_diverged_do_not_count():
    spectra = clouds([1, 1, 1])
    spectra[1] = [np.empty(0, complex)] * 4
    errors = np.array([[0.2], [np.nan], [0.3]]) + np.linspace(0, 0.001, 4)
    found = judged(family(3), spectra, errors, errors)
    assert np.isnan(found["effect"]).all() and (found["verdict"] == "").all()
    assert found["observed"] == 1
    with pytest.raises(InputError, match="^depths: every run diverged; lower the learning rate"):
        judged(family(3), spectra, np.full((3, 4), np.nan), errors)


@pytest.mark.parametrize(
    ("effects", "expected"),
    [([2, 1.05, 3], 2), ([1.0, 5, 5], 1), ([2, 2, 1.1], np.nan), ([2, np.nan, 1], 3)],
)
def test_the_rule_takes_the_first_effect_below_the_smallest(effects, expected):
    found = where_it_falls(effects, [1, 2, 3, 4], 1.1)
    assert found == expected or (np.isnan(found) and np.isnan(expected))


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=8), st.floats(0.01, 1))
def test_the_depth_near_the_best_is_near_and_none_before_it_is(errors, tolerance):
    depths = list(range(1, len(errors) + 1))
    found = int(first_near_best(np.array(errors), depths, tolerance))
    limit = (1 + tolerance) * min(errors)
    assert errors[found - 1] <= limit
    assert all(e > limit for e in errors[: found - 1])
    assert regret(np.array(errors), depths, found) <= tolerance + 1e-9


def test_errors_that_are_not_known_are_passed_over():
    assert first_near_best(np.array([np.nan, 0.3, 0.2]), [1, 2, 4], 0.1) == 4
    assert np.isnan(first_near_best(np.full(2, np.nan), [1, 2], 0.1))
    assert regret(np.array([0.0, 0.1]), [1, 2], 1) == 0
    assert regret(np.array([0.0, 0.1]), [1, 2], 2) == np.inf


def test_linear_networks_need_one_layer_on_digits():
    """Products of matrices are one matrix: with the identity more layers can represent no more."""
    made = DepthFamily(replace(DIGITS, steps=400), (1, 2, 3), (1, 2, 3), 2, delays=2, rank=4)
    found = run_family(made, digits.load())
    assert found["observed"] == 1
    assert dict(found.sizes) == {
        "depth": 3, "seed": 3, "pair": 2, "predictor": 3, "mode": 4
    }  # fmt: skip
    assert (found["error"] < 0.15).all() and (found["diverged"] == 0).all()


def test_linear_networks_fit_a_straight_line_with_one_layer_and_no_other_signal():
    line = xr.Dataset(
        {name: ("x", np.linspace(0, 3, 41)) for name in ("clean", "value")},
        coords={"x": np.linspace(0, 1, 41)},
    )
    task = replace(SMALL, activation="identity", steps=400, learning_rate=0.02)
    points = points_of(line)
    errors = {d: train_regression(replace(FAMILY, task=task), d, points)["error"] for d in (1, 3)}
    assert all((e < 0.02).all() for e in errors.values())
    tones = points_of(signal("tones", 41))
    assert (train_regression(replace(FAMILY, task=task), 3, tones)["error"] > 0.15).all()


def test_a_run_of_a_regression_says_what_hierarchical_regression_foretells():
    found = run_family(FAMILY, signal("tones", 41))
    assert (found["hsvr"] >= 1).all()
    assert found["eigenvalue"].notnull().all()
    assert (found["between"] > 0).all()
    again = run_family(FAMILY, signal("tones", 41))
    xr.testing.assert_equal(again["eigenvalue"], found["eigenvalue"])


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nesterov"])
def test_gradients_and_steps_are_those_of_pytorch(activation, optimizer):
    task = replace(SMALL, activation=activation, optimizer=optimizer, learning_rate=0.01)
    made = replace(FAMILY, task=task, initialisations=2)
    networks = CoordinateNetworks(made, 2, 1)
    points = points_of(signal("tones", 41))
    x, y = (torch.as_tensor(part, dtype=torch.float32) for part in (points.x, points.y))
    weights = [w.clone().requires_grad_() for w in networks.weights]
    kinds = {
        "sgd": lambda p: torch.optim.SGD(p, 0.01),
        "nesterov": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True),
        "adam": lambda p: torch.optim.Adam(p, 0.01),
    }
    stepper = kinds[optimizer](weights)
    function = {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu}
    for _ in range(5):
        values = x.expand(len(weights[0]), -1, -1)
        for i, w in enumerate(weights):
            values = values @ w[:, :-1] + w[:, -1:]
            values = function[activation](values) if i < 2 else values
        losses = (values.squeeze(2) - y).square().mean(dim=1)
        stepper.zero_grad()
        losses.sum().backward()
        stepper.step()
        torch.testing.assert_close(networks.descend(x, y), losses, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(networks.weights, weights, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_each_seed_has_its_cloud():
    first = CoordinateNetworks(replace(FAMILY, initialisations=3), 1, 1).weights[0]
    first = first.unflatten(0, (3, 3))
    assert ((first[:, 1:] / first[:, :1] - 1).abs() <= 0.00101).all()
    assert not torch.equal(first[0, 0], first[1, 0])


def test_a_question_trains_each_task_on_its_data_or_its_signal():
    two = tuple(replace(FAMILY, task=task, depths=(1, 2)) for task in (SMALL, DIGITS))
    plan = DepthExperiment("layers", "How many?", (("tones", two[0]), ("digits", two[1])))
    told = []
    found = run(plan, [digits.load()], Means(progress=told.append))
    assert (sum(told), "depths") == plan.work("depth") == (4, "depths")
    assert found["case"].values.tolist() == ["tones", "digits"]
    assert found["task"].values.tolist() == ["regression", "classification"]
    assert found["steps"].values.tolist() == [30, 60]
    alone = run_family(two[0], signal("tones", 41))
    for name in ("error", "eigenvalue", "predicted", "hsvr"):
        np.testing.assert_array_equal(found[name].sel(case="tones"), alone[name])
    assert np.isnan(found["hsvr"].sel(case="digits")).all()


def test_a_run_that_diverges_is_marked_and_no_number():
    task = replace(SMALL, optimizer="sgd", learning_rate=1e6)
    found = train_regression(replace(FAMILY, task=task), 2, points_of(signal("tones", 41)))
    assert np.isnan(found["error"]).all()
    assert np.isnan(found["probe"][:, :, -1]).all()


def test_agreement_counts_over_families():
    errors = np.array([[0.5], [0.2], [0.2]]) + np.linspace(0, 0.001, 4)
    one = judged(family(3), clouds([1, 0.6, 0.6]), errors, errors[::-1])
    one["predicted"].loc["spectrum"] = 2
    cases = {
        name: one.assign(observed=float(observed), hsvr=("hsvr_rule", [layers, 7.0]))
        for name, observed, layers in (("a", 2, 5.0), ("b", 3, 6.0), ("c", 1, 4.0))
    }
    found = agreement(cases)
    assert found["right"].sel(predictor="spectrum") == 1
    assert found["within_one"].sel(predictor="spectrum") == 3
    assert found["hsvr_rank"].sel(hsvr_rule="fft") == 1
    assert np.isnan(found["hsvr_rank"].sel(hsvr_rule="tapered"))
    assert found["predictor"].values.tolist() == list(PREDICTORS)


def test_a_probe_or_a_signal_that_cannot_be_had_is_refused():
    with pytest.raises(InputError, match="^probe: 30 is more than the 20 held-out points"):
        train_regression(replace(FAMILY, task=replace(SMALL, probe=30)), 1, points_of(
            signal("tones", 41)
        ))  # fmt: skip
    flat = xr.Dataset({n: ("x", np.ones(41)) for n in ("clean", "value")}, {"x": np.arange(41.0)})
    with pytest.raises(InputError, match="^signal: its values are all the same"):
        points_of(flat)
