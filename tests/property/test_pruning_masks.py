"""Masks of any scores: counts, ties, nesting, files."""

import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.pruning import masks
from koopscope.pruning.agreement import chance_jaccard, jaccard, spearman
from koopscope.pruning.masks import select_masks
from koopscope.pruning.methods import KoopmanGradient, KoopmanMagnitude
from koopscope.pruning.scores import importance
from koopscope.recording.layers import coordinates

SHAPES = {"0.weight": (5, 8), "2.weight": (3, 5)}
SIZE = 55
# Few values, so that many are equal.
SCORES = st.lists(st.integers(0, 6), min_size=SIZE, max_size=SIZE)
COMPRESSIONS = st.floats(1, 20)


def as_scores(values, shapes=SHAPES):
    values = np.asarray(values, float)
    return xr.DataArray(values, dims="weight", coords=coordinates(shapes), name="score")


def masked(scores, compression, unpruned=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", masks.LayerCollapse)
        return select_masks(scores, compression, unpruned)


def network():
    return nn.Sequential(nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3))


@given(SCORES, COMPRESSIONS, st.integers(0, 3))
def test_the_count_is_exact_and_the_largest_stay(values, compression, unpruned):
    scores = as_scores(values)
    reached = (SIZE + unpruned) / (np.arange(1, SIZE + 1) + unpruned) >= compression
    kept = int(reached.sum())
    if kept < 2:
        return
    mask = masked(scores, compression, unpruned)
    assert mask.dtype == bool
    assert mask.sum() == kept
    if kept < SIZE:
        assert scores.values[mask].min() >= scores.values[~mask.values].max()


@given(SCORES, COMPRESSIONS, COMPRESSIONS)
def test_masks_nest_over_compressions_and_of_equals_the_first_stay(values, one, other):
    scores = as_scores(values)
    small, large = sorted((one, other))
    inner, outer = masked(scores, large), masked(scores, small)
    assert (outer.values[inner.values]).all()
    np.testing.assert_array_equal(inner, masked(scores, large))
    order = np.argsort(-scores.values, kind="stable")
    np.testing.assert_array_equal(np.flatnonzero(inner), np.sort(order[: int(inner.sum())]))


@pytest.mark.parametrize("method", [KoopmanMagnitude, KoopmanGradient])
@given(values=SCORES, compression=COMPRESSIONS)
def test_pytorchs_interface_makes_the_same_masks(method, values, compression):
    model, scores = network(), as_scores(values)
    given_to = importance(scores, model)
    prune.global_unstructured(given_to, method, given_to, compression=compression)
    np.testing.assert_array_equal(masks.of_model(model), masked(scores, compression))


def test_pruning_again_counts_the_weights_that_are_left():
    model, scores = network(), as_scores(np.arange(SIZE))
    given_to = importance(scores, model)
    for _ in range(2):
        prune.global_unstructured(given_to, KoopmanMagnitude, given_to, compression=2)
    np.testing.assert_array_equal(masks.of_model(model), np.arange(SIZE) >= SIZE - 13)


def test_a_layer_that_is_emptied_is_named():
    scores = as_scores([1.0] * 40 + [0.0] * 15)
    with pytest.warns(masks.LayerCollapse, match=r"^2\.weight: no weight is left at compression 2"):
        mask = select_masks(scores, 2)
    assert masks.layer_shares(mask).sel(layer="2.weight") == 0
    assert masks.layer_shares(mask).sel(layer="0.weight") == 27 / 40


def test_masks_stay_on_in_training_and_come_back_from_a_file(tmp_path):
    model = network()
    mask = select_masks(as_scores(np.random.default_rng(0).random(SIZE)), 4)
    masks.save(mask, tmp_path / "masks.pt")
    loaded = torch.load(tmp_path / "masks.pt", weights_only=True)
    assert {name: tuple(values.shape) for name, values in loaded.items()} == SHAPES
    masks.apply(masks.load(tmp_path / "masks.pt", model), model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.randn(4, 8)).square().sum().backward()
    optimizer.step()
    model(torch.randn(4, 8))
    flat = torch.cat([model[0].weight.flatten(), model[2].weight.flatten()])
    np.testing.assert_array_equal(flat.detach().numpy() != 0, mask.values)
    xr.testing.assert_identical(masks.of_model(model).rename(None), mask.rename(None))


def test_what_cannot_be_a_mask_is_refused_in_one_line(tmp_path):
    scores = as_scores(np.arange(SIZE))
    for compression, message in (
        (0.5, "^compression: 0.5; give a number of at least 1"),
        (float("nan"), "^compression: nan; give"),
        (100, "^compression: 100 leaves no weight; give at most 55$"),
        (50, "^compression: 50 leaves 1 weights for 2 layers; give at most 27.5$"),
    ):
        with pytest.raises(InputError, match=message):
            select_masks(scores, compression)
    with pytest.raises(InputError, match="^scores: one is not finite"):
        select_masks(scores * np.nan, 2)
    mask = select_masks(scores, 2)
    other = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
    with pytest.raises(
        InputError, match=r"^0\.weight: shape is \(4, 8\) in the model but \(5, 8\)"
    ):
        masks.apply(mask, other)
    with pytest.raises(InputError, match="the model has no '2.weight'"):
        masks.apply(mask, nn.Sequential(nn.Linear(8, 5)))
    with pytest.raises(InputError, match="^model: no weight is pruned"):
        masks.of_model(other)
    torch.save({"0.weight": torch.ones(2)}, tmp_path / "weights.pt")
    with pytest.raises(InputError, match="weights.pt holds no masks"):
        masks.load(tmp_path / "weights.pt")
    small = as_scores(np.arange(40), {"0.weight": (5, 8)})
    with pytest.raises(InputError, match="^masks: for different architectures"):
        jaccard(mask, select_masks(small, 2))


def test_agreement_of_independent_scores_is_that_of_chance():
    rng = np.random.default_rng(1)
    shapes = {"fc.weight": (200, 500)}
    one, other = (as_scores(rng.random(100_000), shapes) for _ in range(2))
    for compression in (2, 4, 16):
        found = jaccard(select_masks(one, compression), select_masks(other, compression))
        np.testing.assert_allclose(found, chance_jaccard(1 / compression), atol=0.01)
    assert abs(spearman(one, other)) < 0.01
    assert spearman(one, one**2) == pytest.approx(1)
    assert jaccard(select_masks(one, 3), select_masks(one**2, 3)) == 1
    assert np.isnan(spearman(one, one * 0))
