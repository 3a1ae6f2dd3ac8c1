"""Scores of three layers and of turning modes, by hand."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning.scores import (
    gradient,
    koopman_gradient,
    layer_magnitude,
    layer_wise,
    magnitude,
    random,
    shuffled,
    snip,
    window_mean,
)
from koopscope.recording.layers import coordinates


def scored(values, sizes=(2, 3, 4)):
    coords = coordinates({f"{i}.weight": (size,) for i, size in enumerate(sizes)})
    return xr.DataArray(np.asarray(values, float), dims="weight", coords=coords)


def test_ranks_are_within_each_of_three_layers_as_shares_of_it():
    values = scored([5, 7, 1, 3, 2, 40, 10, 30, 20])
    expected = [1 / 2, 1, 1 / 3, 1, 2 / 3, 1, 1 / 4, 3 / 4, 2 / 4]
    np.testing.assert_allclose(layer_wise(values), expected)
    np.testing.assert_allclose(layer_magnitude(-values), expected)
    assert layer_magnitude(values).name == "layer_magnitude"
    # Of equals the first has the higher rank.
    np.testing.assert_allclose(layer_wise(scored([1, 1], (2,))), [1, 1 / 2])


def test_a_score_that_is_not_finite_is_refused_by_its_name():
    for score in (magnitude, lambda v: window_mean(v.expand_dims(step=2))):
        with pytest.raises(InputError, match="a score is not finite; did the training diverge"):
            score(scored([np.inf, *range(8)]))


def window(*parts, steps=24):
    """Weights that each go with a rate of their own from 1, beside one that stays at 2."""
    step = np.arange(steps)[:, None]
    moves = np.concatenate([np.real(rate**step) for rate in parts], axis=1)
    return xr.DataArray(
        np.concatenate([np.full((steps, 1), 2.0), moves], axis=1), dims=("step", "weight")
    )


def test_the_slowest_that_decays_is_taken_and_no_other():
    found = koopman_gradient(window(0.9, 0.5), "slowest")
    # 0.1 · 0.9²³ of a change, times the weight: the others' share is nothing.
    expected = [0, 0.1 * 0.9**23 * 0.9**23, 0]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    both = koopman_gradient(window(0.9, 0.5), "sum")
    np.testing.assert_allclose(both, expected + np.array([0, 0, 0.5 * 0.5**46]), atol=1e-7)


def test_where_nothing_decays_there_is_no_slowest():
    with pytest.raises(InputError, match="^window: no mode passes, so no gradient is left"):
        koopman_gradient(window(1.05), "slowest", eigenvalue_tolerance=0.01)
    with pytest.raises(InputError, match="^variant: unknown 'fast'; give one of sum"):
        koopman_gradient(window(0.5), "fast")


def test_snip_is_the_gradients_share_of_all():
    model, x = nn.Linear(3, 1, bias=False), torch.tensor([[1.0, 2.0, -3.0]])
    with torch.no_grad():
        model.weight[:] = torch.tensor([[1.0, -1.0, 0.5]])
    batches = [(x, torch.zeros(1, 1)), (2 * x, torch.zeros(1, 1))]

    def loss(output, target):
        return output.sum()

    # The gradient of Σ w·x is x, of two batches 3 x; times the weight, of either sign.
    found = gradient(model, batches, loss)
    np.testing.assert_allclose(found, [3, 6, 4.5])
    np.testing.assert_allclose(snip(model, batches, loss), np.array([3, 6, 4.5]) / 13.5)
    with torch.no_grad():
        model.weight[:] = 0
    np.testing.assert_array_equal(snip(model, batches, loss), 0)
    with pytest.raises(InputError, match="^batches: none; give at least one pair"):
        gradient(model, [])


def test_means_are_of_absolute_values_whatever_the_blocks():
    values = xr.DataArray(np.random.default_rng(0).normal(size=(5, 7)), dims=("step", "weight"))
    expected = np.abs(values.values).mean(axis=0)
    np.testing.assert_allclose(window_mean(values), expected)
    np.testing.assert_allclose(window_mean(values.T), expected)
    for width in (1, 3, 7, 9):
        values.encoding["preferred_chunks"] = {"weight": width}
        np.testing.assert_allclose(window_mean(values), expected)


def test_drawn_scores_are_above_nothing_and_each_seeds_own():
    drawn = random(scored(range(9)), 3)
    assert ((drawn > 0) & (drawn <= 1)).all() and len(np.unique(drawn)) == 9
    np.testing.assert_array_equal(drawn, random(scored(range(9)), 3))
    assert not np.array_equal(drawn, random(scored(range(9)), 4))
    values = xr.DataArray(np.arange(12.0).reshape(6, 2), dims=("step", "weight"))
    turned = shuffled(values, 1)
    assert sorted(turned.values[:, 0]) == list(values.values[:, 0])
    assert not np.array_equal(turned, values)
