"""Pruning while training: what is kept, what it costs, and what is said of a target not reached."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from koopscope.config.data import DataSpec
from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.experiments.means import Means
from koopscope.experiments.pruned_training.plan import PrunedTraining, PruningWhileTraining
from koopscope.experiments.pruned_training.run import run, run_seed, to_target
from koopscope.pruning.pruned_run import COUNTS

PLAN = PrunedTraining(
    DataSpec("digits", "digits"),
    hidden_widths=(24, 12),
    methods=("dense", "koopman", "koopman_spent:structured", "magnitude:structured", "random"),
    epochs=3,
    target_accuracy=0.8,
    batch_size=40,
    train_samples=600,
    seeds=(3,),
)
WEIGHTS = 64 * 24 + 24 * 12 + 12 * 10


@pytest.fixture(scope="module")
def data():
    return digits.load()


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    return run_seed(PLAN, data, 3, tmp_path_factory.mktemp("windows"))


def test_every_method_starts_alike_and_is_tested_as_often(found):
    assert dict(found.sizes) == {"pruner": 5, "evaluation": 7, "pruning": 2}
    assert found["epoch"].values.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    # Until the first pruning, after epoch 1, nothing tells the methods apart.
    first = found["accuracy"].isel(evaluation=slice(0, 2))
    assert (first == first.isel(pruner=0)).all()
    assert (found["accuracy"].sel(pruner="dense").diff("evaluation") != 0).any()


def test_so_many_weights_are_kept_as_the_compressions_say(found):
    single = found["weights_kept"].sel(pruner=["koopman", "random"]) * WEIGHTS
    # Dead units that are taken out lose weights beyond that.
    budget = np.array([WEIGHTS // 2, WEIGHTS // 4])
    assert (single <= budget).all() and (single > 0.97 * budget).all()
    units = found["weights_kept"].sel(pruner=["koopman_spent:structured", "magnitude:structured"])
    assert (units <= [0.5, 0.25]).all() and (units > [0.4, 0.15]).all()
    assert (found["units_kept"].sel(pruner="magnitude:structured") < 0.7).all()
    assert (found.sel(pruner="dense")[["weights_kept", "units_kept"]] == 1).all().to_array().all()
    assert (found["refused"] == "").all()


def test_operations_are_counted_by_hand_for_the_dense_network_and_for_masks(found):
    step = 3 * WEIGHTS - 64 * 24
    dense = found.sel(pruner="dense")
    assert dense["multiply_adds"].values[[2, 6]].tolist() == [600 * step, 3 * 600 * step]
    assert (dense["multiply_adds"] == dense["multiply_adds_nonzero"]).all()
    random = found.sel(pruner="random")
    assert random["multiply_adds"].values[2] == 600 * step
    assert (random["multiply_adds_nonzero"] <= random["multiply_adds"]).all()
    # 15 snapshots: their inner products, and one complex mode.
    koopman = found["multiply_adds"].sel(pruner="koopman").values[2]
    assert koopman == 600 * step + WEIGHTS * 15 * (15 + 2)
    times = found[["seconds", "processor_seconds"]].to_array()
    assert (times.diff("evaluation") > 0).all()


def test_nothing_of_the_windows_is_left_behind(data, tmp_path):
    plan = replace(PLAN, methods=("koopman",), epochs=2, prune_after=(1,), compression_ratios=(2,))
    run_seed(plan, data, 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_accuracies(data, found, tmp_path):
    again = run_seed(PLAN, data, 3, tmp_path)
    xr.testing.assert_equal(again["accuracy"], found["accuracy"])
    xr.testing.assert_equal(again["weights_kept"], found["weights_kept"])


def test_a_question_joins_its_seeds_and_says_what_the_target_costs(data, tmp_path):
    plan = replace(
        PLAN, methods=("dense", "random"), epochs=2, prune_after=(1,), compression_ratios=(2,)
    )
    question = PruningWhileTraining("lighter", "Cheaper?", replace(plan, seeds=(3, 4)))
    told = []
    joined = run(question, [data], Means(folder=tmp_path, progress=told.append))
    assert (sum(told), "runs") == question.work("pruned_training") == (4, "runs")
    assert joined["seed"].values.tolist() == [3, 4]
    alone = run_seed(plan, data, 4, tmp_path)
    xr.testing.assert_equal(joined["accuracy"].sel(seed=4), alone["accuracy"])
    needed = to_target(joined, 0.8)
    xr.testing.assert_equal(joined["reached"], needed["reached"])
    np.testing.assert_array_equal(joined["target_epoch_needed"], needed["epoch_needed"])
    assert (joined.attrs["model"], joined.attrs["train_samples"]) == ("mlp 24-12", 600)


def test_what_a_target_costs_is_read_at_the_first_test_that_reaches_it(found):
    curves = xr.Dataset(
        {"accuracy": (("pruner", "evaluation"), [[0.1, 0.6, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4]])}
        | {name: ("evaluation", [0.0, 1, 2, 3]) for name in COUNTS},
        coords={"epoch": ("evaluation", [0.0, 0.5, 1, 1.5])},
    )
    needed = to_target(curves, 0.5)
    assert needed["reached"].values.tolist() == [True, False]
    np.testing.assert_array_equal(needed["seconds"], [1, np.nan])
    np.testing.assert_array_equal(needed["epoch_needed"], [0.5, np.nan])
    never = to_target(found, 0.9999)
    assert not never["reached"].any() and never["seconds"].isnull().all()
    for wrong in (0, 1, 95):
        with pytest.raises(InputError, match=f"^target_accuracy: {wrong} is no share"):
            to_target(found, wrong)


def test_a_window_that_drifts_prunes_nothing_and_says_why(data, tmp_path, monkeypatch):
    def refused(*_):
        raise InputError("window: no eigenvalue within 0.05 of 1")

    monkeypatch.setattr("koopscope.experiments.pruned_training.run.score_weights", refused)
    plan = replace(PLAN, methods=("koopman",), epochs=2, prune_after=(1,), compression_ratios=(2,))
    found = run_seed(plan, data, 1, tmp_path)
    assert found["refused"].values.tolist() == [["window: no eigenvalue within 0.05 of 1"]]
    assert found["weights_kept"].item() == 1


def test_a_run_that_diverges_ends_in_one_line(data, tmp_path):
    plan = replace(PLAN, methods=("dense",), learning_rate=1e9)
    with pytest.raises(InputError, match="^learning_rate: dense, seed 1 diverged by epoch 0.5"):
        run_seed(plan, data, 1, tmp_path)


def test_convolutional_networks_are_pruned_too(data, tmp_path):
    plan = replace(
        PLAN, model="mnistnet", methods=("koopman:structured",), epochs=2, prune_after=(1,),
        compression_ratios=(4,), train_samples=160, test_samples=40, evaluations_per_epoch=1,
    )  # fmt: skip
    found = run_seed(plan, data, 1, tmp_path)
    assert found["refused"].item() == ""
    assert 0.2 < found["weights_kept"].item() <= 0.25
    assert found["units_kept"].item() < 0.6
