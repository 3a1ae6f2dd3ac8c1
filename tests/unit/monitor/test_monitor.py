"""The monitor on trainings whose spectrum is known, and on what cannot be monitored."""

import inspect

import numpy as np
import pytest
import torch
from fixtures.places import DOCS
from fixtures.watching import classifier, descending
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.monitor.monitor import KoopmanMonitor


def test_eigenvalues_of_gradient_descent_on_a_quadratic_are_1_minus_rate_times_curvature():
    _, monitor, steps = descending([1.0, 3.0, 8.0], 0.1, None, [2.0, 1.0, -1.0])
    steps(12)
    found = monitor.spectrum()
    np.testing.assert_allclose(found.eigenvalues, [0.9, 0.7, 0.2], atol=1e-10)
    np.testing.assert_allclose(found.residuals, 0, atol=1e-10)
    np.testing.assert_allclose(found.time_constants, -1 / np.log([0.9, 0.7, 0.2]), rtol=1e-8)


def test_a_fixed_point_off_the_origin_is_the_eigenvalue_1_and_never_lost():
    curvatures = [1.0, 3.0, 8.0, 0.0, 0.0]
    optimum = [1.0, -2.0, 3.0, 0.0, 0.0]
    _, monitor, steps = descending(curvatures, 0.1, optimum, [2.0, 1.0, -1.0, 4.0, 5.0])
    steps(12)
    found = monitor.spectrum()
    np.testing.assert_allclose(found.eigenvalues, [1, 0.9, 0.7, 0.2], atol=1e-9)
    # What stands still is no variation, however large it is.
    assert found.variance_shares[0] < 1e-12
    assert found.variance_shares.sum() == pytest.approx(1)


def test_too_high_a_rate_diverges_and_says_by_which_eigenvalue():
    _, monitor, steps = descending([1.0, 8.0], 0.3)
    steps(10)
    verdict = monitor.verdict()
    assert verdict.status == "diverging"
    assert "|λ| = 1.4 " in verdict.reason
    assert "λ = -1.4" in verdict.reason


@pytest.mark.parametrize("window", [8, 17, 32])
def test_a_rate_just_above_two_over_the_curvature_diverges(window):
    _, monitor, steps = descending([1.0, 8.0], 2.02 / 8, window=window)
    steps(120)
    assert monitor.verdict().status == "diverging"


@pytest.mark.parametrize("window", [8, 17, 32])
def test_a_rate_of_exactly_two_over_the_curvature_is_stalled(window):
    # The steepest direction jumps to and fro for ever.
    _, monitor, steps = descending([1.0, 8.0], 2 / 8, window=window)
    steps(120)
    assert monitor.verdict().status == "stalled"
    assert "oscillates and does not decay" in monitor.verdict().reason


@pytest.mark.parametrize("period", [2, 3, 4, 5, 8, 16])
def test_a_cycle_is_not_converged_whatever_the_window(period):
    model, monitor, _ = descending(np.ones(50).tolist(), 0.1, window=32)
    orbit = torch.tensor(np.random.default_rng(0).normal(size=(period, 50)))
    for step in range(80):
        with torch.no_grad():
            model.x[:] = orbit[step % period]
        monitor.update()
    assert monitor.verdict().status in ("stalled", "converging")


def test_a_rate_just_below_two_over_the_curvature_does_not_diverge():
    _, monitor, steps = descending([1.0, 8.0], 1.98 / 8)
    steps(10)
    assert monitor.verdict().status == "converging"


@pytest.mark.parametrize("curvatures", [[1.0, 8.0], [0.3, 5.0, 9.0]])
def test_a_run_is_converged_within_the_predicted_number_of_steps(curvatures):
    model, monitor, steps = descending(curvatures, 0.1)
    steps(8)
    predicted = monitor.spectrum().snapshots_until(monitor.tolerance * monitor.displacement)
    assert f"converged in about {predicted:.0f}" in monitor.verdict().reason
    taken = 0
    while monitor.verdict().status != "converged":
        steps(1)
        taken += 1
        assert taken <= predicted
    # The way so far still grows a little, and with it what counts as nothing.
    assert taken >= 0.8 * predicted
    # By theory: the distance from the optimum, as a share of the first one.
    slowest = 1 - 0.1 * min(curvatures)
    distance = float(model.x.detach().norm()) / np.sqrt(len(curvatures))
    assert distance <= monitor.tolerance / (1 - slowest**8) * 1.01


def test_a_slow_drift_after_a_long_way_is_stalled():
    # One direction settles at once, the other goes on for ever, ever so slowly.
    _, monitor, steps = descending([5.0, 1e-4], 0.1, [10.0, 600.0], [0.0, 0.0])
    steps(60)
    verdict = monitor.verdict()
    assert verdict.status == "stalled"
    assert "drift with λ ≈ 1" in verdict.reason


def test_weights_that_never_move_are_stalled_and_ones_that_moved_and_stopped_are_converged():
    model, monitor, steps = descending([0.0, 0.0], 0.1)
    steps(10)
    assert str(monitor.verdict()) == "stalled: no weight moved in 11 snapshots"
    with torch.no_grad():
        model.x += 1
    steps(8)
    assert monitor.verdict().status == "converged"
    assert monitor.verdict().reason == "no weight moved in the last 8 snapshots"
    with pytest.raises(InputError, match="^window: its 8 snapshots are all the same"):
        monitor.spectrum()


def test_weights_that_are_not_finite_are_a_verdict_and_no_crash():
    model, monitor, steps = descending([1.0, 8.0], 0.1)
    steps(3)
    with torch.no_grad():
        model.x[1] = torch.nan
    steps(2)
    assert str(monitor.verdict()) == "diverging: a weight is not finite at snapshot 5"
    with pytest.raises(InputError, match="^weights: not finite at snapshot 5, so there is no spec"):
        monitor.spectrum()


def test_a_gradient_descent_that_overflows_ends_as_diverging():
    _, monitor, steps = descending([1.0, 80.0], 1.0)
    steps(200)
    assert monitor.verdict().status == "diverging"


def test_asking_before_the_window_is_full_is_refused():
    _, monitor, steps = descending([1.0, 8.0], 0.1, window=20)
    steps(5)
    for ask in (monitor.verdict, monitor.spectrum):
        with pytest.raises(InputError, match="^window: 20 snapshots, but only 6 were taken so far"):
            ask()


@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize(("projection", "dtype"), [(None, "64"), (50, "64"), (50, "32")])
def test_streaming_gives_the_spectrum_that_a_fit_of_the_window_gives(projection, dtype, rank):
    model, optimizer, steps = classifier()
    model.to(getattr(torch, f"float{dtype}"))
    monitor = KoopmanMonitor(model, window=10, projection=projection, rank=rank)
    monitor.update()
    for _ in range(25):
        steps_in(model, optimizer)
        monitor.update()
    assert monitor.window.snapshots.dtype == f"float{dtype}"
    found, batch = monitor.spectrum(), fit([monitor.window.snapshots], rank=rank, solver="full")
    np.testing.assert_allclose(found.eigenvalues, batch.eigenvalues, atol=1e-8)
    np.testing.assert_allclose(found.residuals, batch.residuals, atol=1e-6)
    np.testing.assert_allclose(np.abs(found.first), np.abs(batch.coordinates[0]), rtol=1e-4)
    np.testing.assert_allclose(np.abs(found.last), np.abs(batch.final_coordinates[0]), rtol=1e-4)


def steps_in(model, optimizer):
    """One step on fresh noise, in the model's precision."""
    kind = next(model.parameters()).dtype
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(
        model(torch.randn(20, 30, dtype=kind)), torch.randint(0, 4, (20,))
    )
    loss.backward()
    optimizer.step()


def test_following_takes_a_snapshot_at_the_start_and_after_every_so_many_steps():
    model, optimizer, steps = classifier()
    monitor = KoopmanMonitor(model, window=3)
    handle = monitor.follow(optimizer, every=4)
    steps(11)
    assert monitor.snapshots == 3
    handle.remove()
    steps(8)
    assert monitor.snapshots == 3
    # One that is followed again has its first snapshot already.
    monitor.follow(optimizer, every=4)
    assert (monitor.snapshots, monitor.steps) == (3, 11)
    steps(1)
    assert (monitor.snapshots, monitor.steps) == (4, 12)
    monitor.reset()
    assert monitor.snapshots == 0
    assert monitor.displacement == 0


def test_watching_leaves_the_training_alone():
    weights = []
    for watched in (False, True):
        model, optimizer, steps = classifier()
        if watched:
            KoopmanMonitor(model).follow(optimizer, every=1)
        steps(10)
        weights.append(model[0].weight.detach())
    assert torch.equal(*weights)


def test_parameters_that_appear_vanish_or_change_their_shape_are_refused():
    model, _, steps = classifier()
    monitor = KoopmanMonitor(model)
    monitor.update()
    model[0].bias = None
    with pytest.raises(
        InputError, match=r"^0.bias: is gone at snapshot 2, was \(20,\); make a new"
    ):
        monitor.update()
    model, _, steps = classifier(bias=False)
    monitor = KoopmanMonitor(model)
    model[0].bias = nn.Parameter(torch.zeros(20))
    with pytest.raises(
        InputError, match="^0.bias: is new at snapshot 1, was not there; make a new"
    ):
        monitor.update()
    with pytest.raises(InputError, match="^weights: 700 now but 680 before; make a new monitor"):
        monitor.reset()
    model, _, _ = classifier()
    monitor = KoopmanMonitor(model)
    model[2].weight = nn.Parameter(torch.zeros(4, 10))
    with pytest.raises(InputError, match=r"^2.weight: now \(4, 10\) at snapshot 1, was \(4, 20\)"):
        monitor.update()


def test_pruning_of_a_layer_in_mid_run_is_refused():
    model, _, steps = classifier()
    monitor = KoopmanMonitor(model)
    monitor.update()
    prune.random_unstructured(model[0], "weight", 0.5)
    with pytest.raises(InputError, match="^0.weight: its mask is new or gone at snapshot 2"):
        monitor.update()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"projection": 0}, "^projection: 0; give a whole number of at least 1, or None for all"),
        ({"projection": 2.5}, "^projection: 2.5; give a whole number"),
        ({"window": 2}, "^window: 2; give a whole number of at least 3"),
        ({"rank": 0}, "^rank: 0; give a whole number from 1 to 31, or None"),
        ({"rank": "all"}, "^rank: 'all'; give a whole number from 1 to 31, or None"),
        ({"rank": 4, "window": 4}, "^rank: 4; give a whole number from 1 to 3, or None"),
        ({"include": ["3.weight"]}, "^include: the model has no '3.weight'; it has 0.weight"),
        ({"include": []}, r"^include: \[\]; give one or more different names"),
        ({"include": "0.weight"}, "^include: '0.weight' is one text; give a list"),
        ({"include": 3}, "^include: 3; give a list of names or patterns"),
        ({"seed": -1}, "^seed: -1; give a whole number of at least 0"),
        ({"tolerance": "small"}, "^tolerance: 'small'; give a number between 0 and 1"),
        ({"tolerance": 0}, "^tolerance: 0; give a number between 0 and 1"),
    ],
)
def test_what_cannot_be_a_monitor_is_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message):
        KoopmanMonitor(classifier()[0], **options)


def test_only_the_default_rank_is_lowered_in_a_small_window():
    model = classifier()[0]
    assert KoopmanMonitor(model).window.rank == KoopmanMonitor(model, window=5).window.rank == 4
    assert KoopmanMonitor(model, window=3).window.rank == 2
    assert KoopmanMonitor(model, rank=None).window.rank is None


def test_following_needs_a_whole_number_of_steps():
    model, optimizer, _ = classifier()
    with pytest.raises(InputError, match="^every: 0; give a whole number of at least 1"):
        KoopmanMonitor(model).follow(optimizer, every=0)


def test_only_what_is_included_is_watched_and_frozen_parameters_are_not():
    model, _, _ = classifier()
    assert KoopmanMonitor(model, include=["2.weight"]).sketch.weights == 80
    model[0].weight.requires_grad = False
    assert KoopmanMonitor(model).sketch.weights == 20 + 80 + 4


def test_the_docs_name_the_default_numbers_of_steps_and_sums():
    text = (DOCS / "monitor.md").read_text()
    default = {
        name: parameter.default
        for function in (KoopmanMonitor, KoopmanMonitor.follow)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    cost = f"every {default['every']} steps, of {default['projection']:,} random sums"
    assert cost in text
