"""Masks on models as people have them: attention, shared weights, buffers that are no masks."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from koopscope.errors import InputError
from koopscope.pruning import masks
from koopscope.pruning.methods import KoopmanMagnitude
from koopscope.pruning.scores import importance, magnitude
from koopscope.recording.weights import prunable, vector


def scored(model, include=None):
    return magnitude(vector(prunable(model, include)))


def test_a_buffer_called_mask_is_no_mask_of_pruning():
    model = nn.Sequential(nn.Linear(3, 3))
    model.register_buffer("causal_mask", torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(InputError, match="^model: no weight is pruned by torch.nn.utils.prune"):
        masks.of_model(model)
    prune.random_unstructured(model[0], "weight", 0.5)
    assert masks.of_model(model)["layer"].attrs["flag_meanings"] == ["0.weight"]


def test_attention_trains_on_under_the_masks_of_global_unstructured():
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(6, 2, 12, dropout=0, batch_first=True)
    found = importance(scored(model), model)
    prune.global_unstructured(found, KoopmanMagnitude, found, compression=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(3, 4, 6)).square().mean().backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        model(torch.randn(3, 4, 6))
    last = model.self_attn.out_proj
    assert torch.equal(last.weight, last.weight_orig * last.weight_mask)


def test_layers_that_share_a_weight_wear_one_mask():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    scores = scored(model)
    with pytest.raises(InputError, match="^0.weight: is the weight of 2.weight too, which global"):
        importance(scores, model)
    mask = masks.select_masks(scores, compression=2)
    masks.apply(mask, model)
    assert scores.size == 16 and int(mask.sum()) == 8
    assert torch.equal(model[0].weight, model[2].weight) and int((model[0].weight == 0).sum()) == 8
    assert list(prunable(model)) == ["0.weight"]
    np.testing.assert_array_equal(masks.of_model(model), mask)


@pytest.mark.parametrize("norm", [nn.utils.spectral_norm, nn.utils.parametrizations.weight_norm])
def test_a_normed_weight_is_refused_before_anything_is_scored(norm):
    model = nn.Sequential(nn.Linear(4, 4))
    mask = masks.select_masks(scored(model), compression=2)
    norm(model[0])
    for call in (lambda: prunable(model), lambda: masks.apply(mask, model)):
        with pytest.raises(InputError, match="^0.weight: is made in each forward pass"):
            call()
