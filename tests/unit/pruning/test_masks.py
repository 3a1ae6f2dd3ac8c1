"""Masks by hand: how many weights stay, which, and what of each layer."""

import re
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning import masks, score_weights
from koopscope.pruning.masks import (
    LayerCollapse,
    kept_count,
    largest,
    layer_shares,
    select_masks,
)


def network():
    """Twelve weights, then eight; each layer with a bias, which is no weight."""
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def scores(values):
    return score_weights("magnitude", network(), None).copy(data=np.asarray(values, float))


@pytest.mark.parametrize("unpruned", [0, 1, 6])
@pytest.mark.parametrize("compression", ["1", "1.1", "2", "2.5", "3", "7", "10"])
def test_what_is_kept_is_the_most_that_the_compression_allows(compression, unpruned):
    ratio = Fraction(compression)
    for prunable in (20, 55, 100):
        allowed = [
            kept
            for kept in range(1, prunable + 1)
            if Fraction(prunable + unpruned, kept + unpruned) >= ratio
        ]
        if allowed:
            assert kept_count(prunable, float(compression), unpruned) == max(allowed)


def test_a_compression_that_leaves_nothing_is_told_the_most_there_is():
    assert kept_count(20, 20) == 1
    with pytest.raises(InputError, match=r"^compression: 20.1 leaves no weight; give at most 20$"):
        kept_count(20, 20.1)
    with pytest.raises(InputError, match="give at most 3.71429$"):
        kept_count(20, 4, 6)
    for wrong in (0.999, 0, -1, np.nan, np.inf):
        with pytest.raises(InputError, match="^compression: .*; give a number of at least 1$"):
            kept_count(20, wrong)


def test_the_largest_stay_and_of_equals_the_first():
    found = largest(np.array([3.0, 1, 2, 2, 2, 5]), 3)
    assert found.tolist() == [True, False, True, False, False, True]
    for kept in range(7):
        assert largest(np.arange(6.0), kept).tolist() == [i >= 6 - kept for i in range(6)]
    assert largest(np.ones(4), 2).tolist() == [True, True, False, False]
    assert largest(np.ones(4), 9).all() and not largest(np.ones(4), 0).any()


def test_shares_of_layers_are_what_stays_over_what_was_there():
    mask = select_masks(scores([*[1.0] * 3, *[0.0] * 9, *[1.0] * 6, *[0.0] * 2]), 20 / 9)
    found = layer_shares(mask)
    assert found["layer"].values.tolist() == ["0.weight", "2.weight"]
    np.testing.assert_array_equal(found, [3 / 12, 6 / 8])


def test_a_layer_without_a_weight_is_warned_of_by_name_and_no_other_is():
    with pytest.warns(
        LayerCollapse, match=r"^0.weight: no weight is left at compression 2.5 by"
    ) as seen:
        select_masks(scores([*[0.0] * 12, *[1.0] * 8]), 2.5)
    assert len(seen) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        select_masks(scores([*[0.0] * 11, *[1.0] * 9]), 20 / 9)


def test_as_many_weights_as_layers_are_the_least():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert select_masks(scores([*[0.0] * 11, 2, 1, *[0.0] * 7]), 10).values.sum() == 2
    with pytest.raises(InputError, match="leaves 1 weights for 2 layers; give at most 10$"):
        select_masks(scores(np.arange(20)), 11)
    with pytest.raises(InputError, match="leaves 1 weights for 2 layers; give at most 3.25$"):
        select_masks(scores(np.arange(20)), 3.5, unpruned=6)
    with pytest.raises(InputError, match="^scores: one is not finite"):
        select_masks(scores([np.nan, *range(19)]), 2)


def test_a_mask_is_worn_read_off_and_kept_on_disk(tmp_path):
    model = network()
    mask = select_masks(scores(np.arange(20)), 2)
    with pytest.raises(InputError, match="no weight is pruned"):
        masks.of_model(model)
    masks.apply(mask, model)
    assert int((model[0].weight == 0).sum()) == 10 and bool((model[2].weight != 0).all())
    np.testing.assert_array_equal(masks.of_model(model), mask)
    masks.save(mask, tmp_path / "mask.pt")
    np.testing.assert_array_equal(masks.load(tmp_path / "mask.pt"), mask)
    with pytest.raises(InputError):
        masks.load(tmp_path / "mask.pt", nn.Linear(3, 4))
    for other in ({"0.weight": torch.ones(4, 3)}, [torch.ones(2, dtype=torch.bool)]):
        torch.save(other, tmp_path / "other.pt")
        said = re.escape(f"masks: {tmp_path / 'other.pt'} holds no masks")
        with pytest.raises(InputError, match=said):
            masks.load(tmp_path / "other.pt")
