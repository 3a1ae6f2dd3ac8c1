"""Recorded runs: starts, sketches and curves, on the bundled digits."""

import numpy as np
import pytest
import torch
from fixtures.watching import planned

from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.experiments.means import Means
from koopscope.experiments.watching.names import INIT_SCHEMES
from koopscope.experiments.watching.runs import Schedule, split, steps_between, train_ensemble
from koopscope.experiments.watching.starts import initial_weights
from koopscope.experiments.watching.trained import trained

SETUP = NetworkSetup(DataSpec("digits", "digits"), hidden_widths=(20,), batch_size=20, seeds=(1, 2))
SCHEDULE = Schedule(
    epochs=2,
    snapshots_per_epoch=4,
    train_samples=200,
    validation_samples=100,
    test_samples=100,
    projection=64,
)


@pytest.fixture(scope="module")
def data():
    return digits.load()


@pytest.fixture(scope="module")
def runs(data):
    return train_ensemble(SETUP, ("plain", "dead", "symmetric"), data, SCHEDULE)


def test_a_run_has_a_sketch_at_each_snapshot_and_an_accuracy_at_each_epoch(runs):
    assert dict(runs.sizes) == {"run": 6, "snapshot": 9, "feature": 64, "epoch": 3}
    assert runs["seed"].values.tolist() == [1, 1, 1, 2, 2, 2]
    assert runs["start"].values.tolist() == ["plain", "dead", "symmetric"] * 2
    assert runs["step"].values.tolist() == [0, 2, 5, 8, 10, 12, 15, 18, 20]
    plain = runs.isel(run=[0, 3])
    assert (plain["train_loss"][:, -1] < plain["train_loss"][:, 1]).all()
    assert (plain["validation_loss"][:, -1] < plain["validation_loss"][:, 0]).all()
    assert (plain["test_accuracy"][:, -1] > 0.5).all()


def test_a_dead_start_never_moves(runs):
    dead = runs.isel(run=1)
    assert (dead["sketch"] == dead["sketch"][0]).all()
    assert (dead["gradient_norm"] == 0).all()
    np.testing.assert_allclose(dead["test_loss"], np.log(10), rtol=1e-5)


def test_a_run_is_the_same_again_and_does_not_depend_on_who_trains_beside_it(runs, data):
    import dataclasses

    alone = train_ensemble(
        dataclasses.replace(SETUP, seeds=(2,)), ("plain",), data, SCHEDULE, device="cpu"
    )
    np.testing.assert_allclose(alone["sketch"][0], runs["sketch"][3], atol=1e-6)
    np.testing.assert_allclose(alone["test_loss"][0], runs["test_loss"][3], rtol=1e-5)


@pytest.mark.parametrize("hidden_widths", [(8,), (6, 5)])
def test_a_gradient_norm_is_that_of_plain_descents_steps_over_the_rate(data, hidden_widths):
    import dataclasses

    setup = dataclasses.replace(SETUP, seeds=(1,), hidden_widths=hidden_widths)
    fine = dataclasses.replace(SCHEDULE, snapshots_per_epoch=10, projection=None, epochs=1)
    found = train_ensemble(setup, ("plain",), data, fine)
    steps = np.diff(found["sketch"].values[0], axis=0)
    norms = np.linalg.norm(steps, axis=1) / setup.learning_rate
    np.testing.assert_allclose(found["gradient_norm"].values[0, 1:], norms, 1e-3)


def test_a_run_that_diverges_is_kept_up_to_there_and_missing_after(data):
    import dataclasses

    setup = dataclasses.replace(SETUP, learning_rate=1e6, activation="identity", seeds=(1,))
    found = train_ensemble(setup, ("plain",), data, SCHEDULE)
    finite = np.isfinite(found["train_loss"].values[0])
    assert finite[0]
    assert not finite[-1]
    assert np.isnan(found["test_accuracy"].values[0, -1])
    assert np.isnan(found["sketch"].values[0, ~finite]).all()


@pytest.mark.parametrize("kind", ["stopping", "restart"])
def test_every_kind_of_runs_is_trained_and_told_as_the_work_that_it_is(kind, data):
    starts = (
        {"init_schemes": {"plain": 1, "dead": 1}, "checkpoints": [1]} if kind == "restart" else {}
    )
    plan, told = planned(kind, epochs=5, seeds=[1, 2], **starts), []
    kinds = tuple(dict(starts.get("init_schemes", {"plain": 1})))
    found = dict(trained(plan, kinds, [data] * 2, Means(progress=told.append)))
    assert [runs.name for runs in found] == ["relu", "tanh"]
    assert {runs.sizes["run"] for runs in found.values()} == {2 * plan.starts_of_a_seed}
    assert (sum(told), "epochs") == plan.work(kind)


def test_validation_samples_are_none_that_train(data):
    parts = split(data, SCHEDULE, torch.device("cpu"))
    assert [len(parts[name][0]) for name in ("train", "validation", "test")] == [
        200,
        100,
        100,
    ]
    train = {tuple(image) for image in parts["train"][0].tolist()}
    held = {tuple(image) for image in parts["validation"][0].tolist()}
    assert len(train & held) == 0


def test_each_start_is_as_it_is_called(data):
    images = split(data, SCHEDULE, torch.device("cpu"))["train"][0].numpy()
    weights = initial_weights(SETUP, (*INIT_SCHEMES, "plain"), 3, images.mean(axis=0))
    first = dict(zip(INIT_SCHEMES, weights["hidden1"], strict=False))
    last = dict(zip(INIT_SCHEMES, weights["output"], strict=False))
    assert 0.002 / 8 < np.abs(first["small"]).max() <= 0.3 / 8
    assert 2.5 / 8 < np.abs(first["large"]).max() <= 30 / 8
    assert ((images @ first["dead"]) <= 0).mean() > 0.99
    awake = ((images @ first["nearly_dead"]) > 0).mean(axis=0) > 0.1
    assert 1 <= awake.sum() <= 10
    for weights_of, axis in ((first, 1), (last, 0)):
        spread = weights_of["symmetric"].std(axis=axis).mean()
        assert 0 < spread <= 0.3 * weights_of["plain"].std(axis=axis).mean()
    assert np.abs(last["saturated"]).max() > 4 / np.sqrt(20)
    # A kind that stands twice is drawn twice.
    assert not np.array_equal(weights["hidden1"][0], weights["hidden1"][-1])


def test_what_cannot_be_run_is_refused(data):
    with pytest.raises(
        InputError, match="^init_schemes: unknown 'cold'; give some of plain, he, small"
    ):
        initial_weights(SETUP, ("cold",), 0, np.zeros(64))
    with pytest.raises(
        InputError, match="^train: 2000 samples are asked for, but the data set has"
    ):
        split(data, Schedule(1, 2, 1900, 100, 10), torch.device("cpu"))
    with pytest.raises(
        InputError, match="^snapshots_per_epoch: 4, but an epoch has 3 steps; give fewer"
    ):
        steps_between(Schedule(1, 4, 60, 10, 10), 20)
