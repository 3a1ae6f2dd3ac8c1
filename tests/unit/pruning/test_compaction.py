"""Dead units go without a trace in the answers, and operations are counted as by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning.compaction import (
    chain_of,
    compact,
    fully_connected,
    layer_masks,
    multiply_adds,
    training_multiply_adds,
    unit_masks,
)
from koopscope.pruning.masks import select_masks
from koopscope.pruning.scores import magnitude
from koopscope.recording.weights import prunable, vector
from koopscope.training.models import build


def masked(model, masks):
    """The model with its pruned weights at 0, in double precision."""
    model = model.double()
    with torch.no_grad():
        for name, mask in masks.items():
            model.get_submodule(name).weight *= mask
    return model


def widths(model):
    return [len(model.get_submodule(name).weight) for name in chain_of(model)]


def convolutions(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(5 * 4, 6), nn.ReLU(), nn.Linear(6, 3),
    )  # fmt: skip


def test_a_unit_without_outgoing_weights_goes_and_the_answers_stay():
    model = fully_connected((4, 5, 3), 1)
    masks = layer_masks(None, model)
    masks["2"][:, [1, 3]] = False
    model = masked(model, masks)
    smaller = compact(model, masks)
    assert widths(smaller.model) == [3, 3]
    assert smaller.kept["0"].tolist() == [True, False, True, False, True]
    x = torch.randn(50, 4, dtype=torch.float64)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-14)


def test_a_unit_without_incoming_weights_becomes_part_of_the_next_biases():
    model = fully_connected((4, 5, 6, 3), 2)
    masks = layer_masks(None, model)
    masks["0"][[0, 2]] = False
    model = masked(model, masks)
    with torch.no_grad():
        model[0].bias[0], model[0].bias[2] = 0.7, -0.7
    smaller = compact(model, masks)
    assert widths(smaller.model) == [3, 6, 3]
    # relu(-0.7) adds nothing, relu(0.7) does.
    torch.testing.assert_close(
        smaller.model[2].bias, model[2].bias + 0.7 * model[2].weight[:, 0], rtol=0, atol=1e-15
    )
    x = torch.randn(50, 4, dtype=torch.float64)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-14)


def test_constants_and_uselessness_travel_through_the_layers():
    model = fully_connected((3, 4, 4, 4, 2), 3)
    masks = layer_masks(None, model)
    masks["0"][0] = False
    masks["2"][1] = False
    masks["2"][1, 0] = True  # sees a constant alone, hence is one
    masks["6"][:, 2] = False  # useless …
    masks["4"][:, 3] = False
    masks["4"][2, 3] = True  # … and so is what only it sees
    model = masked(model, masks)
    smaller = compact(model, masks)
    assert widths(smaller.model) == [3, 2, 3, 2]
    x = torch.randn(50, 3, dtype=torch.float64)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-14)


def test_channels_go_before_convolutions_and_before_full_layers():
    model = convolutions()
    masks = layer_masks(None, model)
    masks["0"][1] = False  # constant channel into a convolution
    masks["2"][:, 2] = False  # useless channel
    masks["2"][0] = False  # constant channel into a full layer, four places of it
    masks["6"].view(6, 5, 4)[:, 3] = False  # useless channel before a full layer
    model = masked(model, masks)
    smaller = compact(model, masks)
    assert widths(smaller.model) == [2, 3, 6, 3]
    x = torch.randn(20, 2, 8, 8, dtype=torch.float64)[:, :, :7, :7]
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-14)


def test_mnistnet_loses_dead_channels_and_answers_the_same():
    model = build("mnistnet", 0)
    scores = magnitude(vector(prunable(model)))
    names = chain_of(model)
    by_name = {n: s for n, s in zip(names, unit_scores(model), strict=True)}
    masks = unit_masks(by_name, names, scores.size // 4)
    masks["conv1"][3] = False
    model = masked(model, masks)
    smaller = compact(model, masks)
    assert all(a < b for a, b in zip(widths(smaller.model)[:3], widths(model), strict=False))
    x = torch.randn(3, 1, 28, 28, dtype=torch.float64)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-13)
    assert sum(int(m.sum()) for m in smaller.masks.values()) <= scores.size // 4


def unit_scores(model):
    return [model.get_submodule(name).weight.detach().abs() for name in chain_of(model)]


def test_a_layer_that_loses_everything_keeps_one_unit_and_the_answers_stay():
    model = fully_connected((4, 5, 3), 4)
    masks = layer_masks(None, model)
    masks["0"][:] = False
    model = masked(model, masks)
    smaller = compact(model, masks)
    assert widths(smaller.model) == [1, 3]
    x = torch.randn(9, 4, dtype=torch.float64)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=0, atol=1e-14)


def test_operations_are_those_counted_by_hand():
    model = fully_connected((4, 5, 3), 0)
    forward = multiply_adds(model, torch.zeros(1, 4))
    assert forward == {"0": 20, "2": 15}
    # Forward 35, weights' gradients 35, and inputs' of the second layer alone.
    assert training_multiply_adds(forward) == 35 + 35 + 15
    masks = layer_masks(None, model)
    masks["0"][0, :3] = False
    assert multiply_adds(model, torch.zeros(1, 4), masks) == {"0": 17, "2": 15}


def test_operations_of_mnistnet_are_those_counted_by_hand():
    model = build("mnistnet", 0)
    assert multiply_adds(model, torch.zeros(1, 1, 28, 28)) == {
        "conv1": 20 * 25 * 24 * 24,
        "conv2": 50 * 20 * 25 * 8 * 8,
        "fc1": 800 * 500,
        "fc2": 500 * 10,
    }


def test_units_stay_by_the_sum_of_their_scores_at_the_same_share_of_each_layer():
    scores = {"0": torch.zeros(4, 6), "2": torch.zeros(8, 4), "4": torch.ones(2, 8)}
    scores["0"][[1, 3]] = 1.0
    scores["2"][:, 0] = torch.arange(8.0)
    masks = unit_masks(scores, tuple(scores), 12 + 8 + 8)
    assert masks["0"].any(1).nonzero().flatten().tolist() == [1, 3]
    assert masks["2"].any(1).nonzero().flatten().tolist() == [4, 5, 6, 7]
    assert sum(int(m.sum()) for m in masks.values()) == 12 + 8 + 8
    # One weight less, and a unit less of the wider layer has to do.
    fewer = unit_masks(scores, tuple(scores), 12 + 8 + 8 - 1)
    assert sum(int(m.sum()) for m in fewer.values()) == 6 + 3 + 6


def test_what_is_no_chain_or_not_its_mask_is_refused():
    model = fully_connected((4, 5, 3), 0)
    other = fully_connected((4, 6, 3), 0)
    mask = select_masks(magnitude(vector(prunable(other))), 2)
    with pytest.raises(InputError, match=r"^0.weight: shape is \(5, 4\) in the model but \(6, 4\)"):
        layer_masks(mask, model)
    with pytest.raises(InputError, match="^0: the mask is not of this layer"):
        compact(model, layer_masks(None, other))
    part = select_masks(magnitude(vector(prunable(model, ["0.weight"]))), 2)
    with pytest.raises(InputError, match="^2: the mask has none for it"):
        layer_masks(part, model)
    with pytest.raises(InputError, match="^model: ResNet20 is no known chain of layers"):
        chain_of(build("resnet20", 0))
    with pytest.raises(InputError, match="^model: a layer is not followed by ReLU"):
        chain_of(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)))
    with pytest.raises(InputError, match="^0: is no linear or unpadded convolution"):
        chain_of(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()))
    with pytest.raises(InputError, match="^compression: leaves 3 weights, less than one unit"):
        unit_masks({"0": torch.ones(5, 4), "2": torch.ones(3, 5)}, ("0", "2"), 3)
    unbiased = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        unbiased[0].bias[:] = 1
    masks = layer_masks(None, unbiased)
    masks["0"][0] = False
    with pytest.raises(InputError, match="^2: has no bias to take constants; give it one"):
        compact(unbiased, masks)


def test_a_network_of_a_seed_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same = (fully_connected((3, 4, 2), 1)[0].weight for _ in range(2))
    assert torch.equal(one, same)
    assert torch.equal(torch.rand(3), expected)
    assert np.isfinite(one.detach().numpy()).all()


def with_norm():
    model = fully_connected((4, 5, 3), 0)
    nn.utils.parametrizations.spectral_norm(model[0])
    return model


def with_old_norm():
    model = fully_connected((4, 5, 3), 0)
    nn.utils.spectral_norm(model[2])
    return model


def with_mask():
    model = fully_connected((4, 5, 3), 0)
    nn.utils.prune.random_unstructured(model[0], "weight", 0.5)
    return model


def with_one_weight():
    model = fully_connected((4, 4, 4), 0)
    model[2].weight = model[0].weight
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (with_norm, "^0: its weight is made of others in each forward pass; take the mask or norm"),
        (with_old_norm, "^2: its weight is made of others in each forward pass"),
        (with_mask, "^0: its weight is made of others in each forward pass"),
        (with_one_weight, "^0: shares its weight with another layer"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), "^0.weight: has no shape yet"),
        (lambda: nn.Sequential(nn.ConvTranspose2d(1, 2, 3)), "^0: is no linear or unpadded conv"),
    ],
)
def test_layers_whose_weights_cannot_be_made_smaller_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        chain_of(make())
