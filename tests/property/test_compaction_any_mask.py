"""Whatever the masks: the smaller network answers as the masked one, and is no larger."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from koopscope.pruning.compaction import chain_of, compact, fully_connected, layer_masks


def drawn(model, share, seed):
    """Masks that keep about a share of the weights, and of the units' rows and columns."""
    rng = torch.Generator().manual_seed(seed)
    masks = layer_masks(None, model)
    for mask in masks.values():
        mask &= torch.rand(mask.shape, generator=rng) < share
        mask[torch.rand(len(mask), generator=rng) > share] = False
    return masks


def check(model, masks, x):
    model = model.double()
    with torch.no_grad():
        for name in chain_of(model):
            layer = model.get_submodule(name)
            layer.weight *= masks[name]
    smaller = compact(model, masks)
    torch.testing.assert_close(smaller.model(x), model(x), rtol=1e-12, atol=1e-13)
    for name in chain_of(model):
        layer, mask = smaller.model.get_submodule(name), smaller.masks[name]
        assert layer.weight.shape == mask.shape
        assert int(mask.sum()) <= int(masks[name].sum())
        assert not layer.weight[~mask].any()
        assert int(smaller.kept[name].sum()) == len(layer.weight)
    again = compact(smaller.model, smaller.masks)
    assert all(kept.all() for kept in again.kept.values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=3, max_size=5),
    st.floats(0, 1),
    st.integers(0, 2**31),
)
def test_any_masks_of_full_layers(sizes, share, seed):
    model = fully_connected(tuple(sizes), seed)
    x = torch.randn(8, sizes[0], dtype=torch.float64)
    check(model, drawn(model, share, seed), x)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.integers(0, 2**31))
def test_any_masks_of_convolutions(share, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Conv2d(3, 4, 2, stride=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 2),
    )  # fmt: skip
    check(model, drawn(model, share, seed), torch.randn(4, 1, 9, 9, dtype=torch.float64))
