"""Scores of systems whose fixed point and decay are known, and of the baselines."""

import dask
import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.pruning import scores
from koopscope.pruning.fixed_points import fixed_point
from koopscope.pruning.masks import apply, of_model, select_masks
from koopscope.pruning.scores import koopman_gradient, koopman_magnitude
from koopscope.recording.layers import coordinates
from koopscope.recording.weights import prunable, vector

RNG = np.random.default_rng(4)
RATES = np.array([0.9, 0.6, 0.3])


def as_window(values):
    """Snapshots (step, weight) of a network of one layer."""
    coords = coordinates({"fc.weight": (1, values.shape[1])})
    return xr.DataArray(values, dims=("step", "weight"), coords=coords)


def decaying(steps=12, weights=200, rates=RATES):
    """θ_t = θ* + V diag(rates)^t c; also θ* and V diag(c)."""
    rng = np.random.default_rng(3)
    goal, modes = rng.normal(size=weights), rng.normal(size=(weights, len(rates)))
    return as_window(goal + (rates ** np.arange(steps)[:, None]) @ modes.T), goal, modes


def parallel(found, expected):
    return found / np.linalg.norm(found) - expected / np.linalg.norm(expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_koopman_magnitude_is_the_fixed_points_magnitude(dtype):
    window, goal, _ = decaying()
    found = koopman_magnitude(window.astype(dtype))
    rounding = 1e-10 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(parallel(found.values, np.abs(goal)), 0, atol=rounding)
    facts = fixed_point(window.astype(dtype)).facts()
    assert facts["rank"] == 4
    assert abs(facts["eigenvalue"] - 1) < 100 * rounding
    assert facts["residual"] < 100 * rounding
    np.testing.assert_allclose(facts["second_eigenvalue"], 0.9, atol=1e-3)
    np.testing.assert_allclose(facts["gap"], 0.1, atol=1e-3)
    np.testing.assert_allclose(facts["slowest_decay"], 0.9, atol=1e-3)


def test_late_in_training_koopman_and_global_magnitude_keep_the_same():
    window, _, _ = decaying(steps=400)
    late = window.isel(step=slice(20, None))
    for compression in (2, 4, 16):
        kept = select_masks(koopman_magnitude(late), compression)
        np.testing.assert_array_equal(
            kept, select_masks(scores.last_snapshot(late), compression).values
        )


def test_koopman_magnitude_is_a_dense_exact_mode():
    steps = 9
    values = RNG.normal(size=300) + 0.05 * np.cumsum(RNG.normal(size=(steps, 300)), axis=0)
    before, after = values[:-1].T, values[1:].T
    left, lengths, right_t = np.linalg.svd(before, full_matrices=False)
    image = after @ (right_t.T / lengths)
    eigenvalues, vectors = np.linalg.eig(left.T @ image)
    nearest = np.argmin(np.abs(eigenvalues - 1))
    found = koopman_magnitude(as_window(values), rank="all", eigenvalue_tolerance=1)
    expected = np.abs(image @ vectors[:, nearest])
    np.testing.assert_allclose(parallel(found.values, expected), 0, atol=1e-9)


def test_koopman_gradient_on_a_quadratic_is_the_step_times_the_weight():
    step, steps = 0.2, 40
    turn = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    hessian = turn @ np.diag([4.0, 3.0, 2.5, 2.0, 1.0, 0.5]) @ turn.T
    goal, states = RNG.normal(size=6), [RNG.normal(size=6)]
    for _ in range(steps):
        states.append(states[-1] - step * hessian @ (states[-1] - goal))
    # Six modes and the fixed point need seven coordinates: a quadratic seen by more weights.
    seen = np.linalg.qr(RNG.normal(size=(20, 7)))[0]
    weights = np.array(states[:12]) @ seen[:, :6].T + seen[:, 6]
    eigenvalues = fixed_point(as_window(weights)).spectrum.eigenvalues
    expected = np.sort([1, *(1 - step * np.array([4, 3, 2.5, 2, 1, 0.5]))])
    np.testing.assert_allclose(np.sort(eigenvalues.real), expected, atol=1e-6)
    gradient = seen[:, :6] @ (hessian @ (states[11] - goal))
    found = koopman_gradient(as_window(weights))
    np.testing.assert_allclose(found.values, np.abs(step * gradient * weights[11]), atol=1e-9)


def test_the_variants_of_koopman_gradient_are_what_their_names_say():
    window, _, modes = decaying()
    parts = (RATES - 1) * RATES**11 * modes
    last = np.abs(window.values[-1])
    for variant, expected in (
        ("sum", np.abs(parts.sum(axis=1))),
        ("slowest", np.abs(parts[:, 0])),
        ("moduli", np.abs(parts).sum(axis=1)),
    ):
        found = koopman_gradient(window, variant=variant)
        assert found.name == f"koopman_gradient:{variant}"
        np.testing.assert_allclose(found.values, expected * last, atol=1e-8)


def test_the_slowest_of_a_turning_pair_is_a_real_change():
    turn = 0.8 * np.exp(0.5j)
    vector_, goal = RNG.normal(size=50) + 1j * RNG.normal(size=50), RNG.normal(size=50)
    steps = np.arange(10)[:, None]
    window = as_window(goal + (turn**steps * vector_).real + 0.3**steps * RNG.normal(size=50))
    found = koopman_gradient(window, variant="slowest")
    expected = ((turn - 1) * turn**9 * vector_).real * window.values[-1]
    np.testing.assert_allclose(found.values, np.abs(expected), atol=1e-8)


def test_streaming_over_chunks_and_dask_give_the_same_scores(monkeypatch):
    window, _, _ = decaying(weights=1000)
    whole = koopman_magnitude(window)
    monkeypatch.setattr("koopscope.koopman.dmd.GRAM_BLOCK_BYTES", 12 * 8 * 150)
    monkeypatch.setattr("koopscope.koopman.spectrum.BLOCK_BYTES", 12 * 8 * 150)
    blocks = koopman_magnitude(window)
    np.testing.assert_allclose(blocks, whole, rtol=1e-7)
    with dask.config.set(scheduler="threads", num_workers=2):
        lazy = koopman_magnitude(window.chunk({"weight": 150}))
    np.testing.assert_array_equal(lazy, blocks)


def test_inner_products_of_steps_see_what_those_of_states_would_lose():
    # A decay 1e-7 of the fixed point in size, whose square a double does not hold beside 1.
    window, goal, modes = decaying(rates=np.array([0.9, 0.5]))
    values = goal + 1e-7 * (window.values - goal)
    run = xr.DataArray(values[None], dims=("init", "step", "weight"))
    found = fit(run, solver="gram")
    assert found.rank == 3
    np.testing.assert_allclose(found.eigenvalues.real, [1, 0.9, 0.5], atol=1e-5)


def test_the_default_rank_keeps_what_is_above_rounding_and_no_more():
    window, goal, _ = decaying(weights=2000)
    run = window.drop_vars(["layer", "index"]).expand_dims("init")
    assert fit(run.astype(np.float32), rank="rounding", solver="gram").rank == 4
    # A fifth direction of 1e-6 of the window, which the bound for independent fits would drop.
    small = 3e-6 * np.sin(2.0 * np.arange(12))[:, None] * RNG.normal(size=2000)
    run = (run + small).astype(np.float32)
    assert fit(run, rank="rounding", solver="gram").rank == 5
    assert fit(run, solver="gram").rank == 4


def test_a_drift_is_reported_and_not_taken_for_a_fixed_point():
    start, direction = RNG.normal(size=(2, 100))
    for dtype, size in ((np.float64, 0.01), (np.float32, 0.01), (np.float32, 1e-4)):
        drift = (start + size * np.arange(20)[:, None] * direction).astype(dtype)
        with pytest.raises(InputError, match="^window: the eigenvalue 1 is defective .* drift"):
            koopman_magnitude(as_window(drift))


def test_windows_without_a_fixed_point_are_refused_in_one_line():
    shrinking = 0.7 ** np.arange(8)[:, None] * RNG.normal(size=30)
    message = "^window: no eigenvalue within 0.05 of 1; the nearest is 0.7.*, residual .*: give"
    with pytest.raises(InputError, match=message):
        koopman_magnitude(as_window(shrinking))
    assert koopman_magnitude(as_window(shrinking), eigenvalue_tolerance=0.5).size == 30
    with pytest.raises(InputError, match="^window: 1 snapshots; give at least 2"):
        koopman_magnitude(as_window(shrinking[:1]))
    with pytest.raises(InputError, match="^window: no weight ever changes"):
        koopman_magnitude(as_window(np.ones((5, 4))))
    shrinking[3, 2] = np.nan
    with pytest.raises(InputError, match="^window: run 0 is not finite at step 3"):
        koopman_magnitude(as_window(shrinking))
    with pytest.raises(InputError, match="^variant: unknown 'mean'; give one of sum, slowest, mod"):
        koopman_gradient(decaying()[0], variant="mean")
    still = as_window(np.outer(np.ones(3), RNG.normal(size=5)) + 0.0)
    still[1:] *= 1 + 1e-3
    with pytest.raises(InputError, match="^window: no mode passes"):
        koopman_gradient(still.isel(step=slice(2)), eigenvalue_tolerance=1)
    with pytest.raises(InputError, match="^rank: the window is fitted already"):
        koopman_magnitude(fixed_point(decaying()[0]), rank=2)


def network():
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 6))


def of_torch(model, method, amount, importance=None):
    places = [(model[0], "weight"), (model[3], "weight")]
    prune.global_unstructured(places, method, importance, amount=amount)
    return of_model(model)


def test_magnitude_masks_are_pytorchs():
    model = network()
    mask = select_masks(scores.magnitude(vector(prunable(model))), 4)
    np.testing.assert_array_equal(mask, of_torch(model, prune.L1Unstructured, 132 - 33))
    for layer in ("0.weight", "3.weight"):
        module = network()[int(layer[0])]
        prune.l1_unstructured(module, "weight", amount=0.75)
        every = scores.layer_magnitude(vector(prunable(network())))
        of_layer = every["layer"] == every["layer"].attrs["flag_meanings"].index(layer)
        kept = select_masks(every, 4)[of_layer]
        np.testing.assert_array_equal(kept, module.weight_mask.bool().flatten())


def test_gradient_scores_are_weight_times_autograds_gradient():
    model, images, labels = network(), torch.randn(8, 1, 4, 4), torch.arange(8) % 6
    nn.functional.cross_entropy(model(images), labels).backward()
    expected = {(m, "weight"): (m.weight * m.weight.grad).abs().detach() for m in model[::3]}
    found = scores.gradient(model, [(images, labels)])
    flat = torch.cat([values.flatten() for values in expected.values()])
    np.testing.assert_allclose(found, flat, rtol=1e-6)
    mask = select_masks(found, 3)
    np.testing.assert_array_equal(
        mask, of_torch(model, prune.L1Unstructured, 132 - 44, expected).values
    )
    sensitivity = scores.snip(network(), [(images, labels)])
    np.testing.assert_allclose(sensitivity, found / found.sum(), rtol=1e-6)
    with pytest.raises(InputError, match="^batches: none"):
        scores.gradient(network(), [])


def test_a_pruned_network_is_scored_by_its_masked_weights():
    model = network()
    mask = select_masks(scores.magnitude(vector(prunable(model))), 4)
    apply(mask, model)
    again = scores.magnitude(vector(prunable(model)))
    assert (again.values[~mask.values] == 0).all()
    assert (scores.gradient(model, [(torch.randn(4, 1, 4, 4), torch.arange(4))]).values >= 0).all()


def test_controls_use_the_snapshots_without_dynamics():
    window, _, _ = decaying()
    values = window.values
    np.testing.assert_allclose(scores.window_mean(window), np.abs(values).mean(axis=0))
    np.testing.assert_array_equal(scores.first_snapshot(window), np.abs(values[0]))
    np.testing.assert_array_equal(scores.last_snapshot(window), np.abs(values[-1]))
    mixed = scores.shuffled(window, 0)
    assert not np.array_equal(mixed.values, values)
    np.testing.assert_array_equal(np.sort(mixed.values, axis=0), np.sort(values, axis=0))
    np.testing.assert_array_equal(scores.random(window, 1), scores.random(window, 1))
    assert (scores.random(window, 1) > 0).all()
    with pytest.raises(InputError, match="^magnitude: a score is not finite"):
        scores.magnitude(window.isel(step=0) * np.nan)
