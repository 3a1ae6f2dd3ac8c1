"""Single networks: their sizes, the images that they take, batches, and accuracy."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.recording.weights import prunable
from koopscope.training.convolutions import OneChannelConvolution
from koopscope.training.models import build
from koopscope.training.single import batches, evaluate, samples


@pytest.fixture(scope="module")
def data():
    return digits.load().isel(train_sample=slice(600), test_sample=slice(100))


def count(parameters):
    return sum(p.numel() for p in parameters)


@pytest.mark.parametrize(
    ("name", "total", "matrices", "classifier"),
    [("mnistnet", 431_080, 430_500, 5_000), ("resnet20", 269_722, 268_336, 640)],
)
def test_the_networks_have_the_papers_numbers_of_weights(name, total, matrices, classifier):
    model = build(name, 0)
    assert count(model.parameters()) == total
    assert count(prunable(model).values()) == matrices
    assert model.get_parameter(model.classifier).numel() == classifier
    channels, side = model.image
    assert model(torch.zeros(2, channels, side, side)).shape == (2, 10)
    if name == "resnet20":
        # What ShrinkBench prunes: all convolutions, not the classifier.
        assert matrices - classifier == 267_696


def pooled_maxima(convolve, images):
    return nn.functional.max_pool2d(convolve(images), 2)


@pytest.mark.parametrize("masked", [False, True])
def test_a_convolution_of_grey_images_is_pytorchs_with_channels_last(masked):
    torch.manual_seed(3)
    ours, plain = OneChannelConvolution(6, 5), nn.Conv2d(1, 6, 5)
    plain.load_state_dict(ours.state_dict())
    if masked:
        mask = torch.rand(6, 1, 5, 5) < 0.5
        for layer in (ours, plain):
            prune.custom_from_mask(layer, "weight", mask)
    # Rows and columns differ, and the images are parts of larger ones.
    images = torch.rand(7, 3, 17, 14)[:, 1:2]
    found, expected = (pooled_maxima(layer, images) for layer in (ours, plain))
    assert ours(images).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_seed_fixes_a_networks_initial_weights_and_nothing_else():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (build("mnistnet", seed).fc1.weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.rand(3), expected)
    with pytest.raises(InputError, match="^model: unknown 'vgg'; give one of mnistnet, resnet20"):
        build("vgg", 0)


def test_small_images_are_framed_in_black_and_repeated_over_channels(data):
    model = build("resnet20", 0)
    images, labels = samples(data, model).test
    assert images.shape == (100, 3, 32, 32)
    assert labels.dtype == torch.int64
    inside = images[:, 0, 12:20, 12:20].flatten(1).numpy()
    unscaled = inside * data.attrs["sd"] + data.attrs["mean"]
    np.testing.assert_allclose(unscaled, data["test_images"], atol=1e-5)
    np.testing.assert_allclose(images[:, 1, 0, 0] * data.attrs["sd"], -data.attrs["mean"])


def test_images_that_are_not_square_are_refused(data):
    with pytest.raises(InputError, match="^data: 60 pixels; give square images of at most 28"):
        samples(data.isel(pixel=slice(60)), build("mnistnet", 0))


def test_an_epoch_shows_every_sample_once_its_last_batch_too():
    labels = torch.arange(300)
    found = list(batches((labels, labels), 128, 7))
    assert [len(part) for _, part in found] == [128, 128, 44]
    assert torch.equal(torch.cat([part for _, part in found]).sort()[0], labels)


def test_accuracy_and_loss_do_not_depend_on_how_samples_are_cut(data, monkeypatch):
    model = build("mnistnet", 0)
    test = samples(data, model).test
    whole = evaluate(model, test)
    monkeypatch.setattr("koopscope.training.single.EVALUATION_SAMPLES", 33)
    np.testing.assert_allclose(evaluate(model, test), whole, rtol=1e-5)
