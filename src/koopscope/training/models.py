"""The two networks of the pruning study, as ShrinkBench (Blalock et al., MLSys 2020) has them."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from koopscope.errors import InputError
from koopscope.training.names import MODELS


class MnistNet(nn.Module):
    """Two convolutions and two full layers: 431,080 parameters, 430,500 of them in matrices.

    Takes images (sample, 1, 28, 28); gives logits (sample, 10).
    """

    image = MODELS["mnistnet"].image
    classifier = "fc2.weight"
    # Layers in the order in which data pass, with ReLU and perhaps pooling between them.
    chain = ("conv1", "conv2", "fc1", "fc2")

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        # Channels last in memory: maxima and the next convolution take half of the time then, and
        # conv1 loses that order where its weights, of one channel, wear a mask.
        hidden = self.conv1(images).contiguous(memory_format=torch.channels_last)
        hidden = pooled(hidden)
        hidden = pooled(self.conv2(hidden))
        return self.fc2(functional.relu(self.fc1(hidden.flatten(1))))


def pooled(
    values: torch.Tensor, activation: Callable[[torch.Tensor], torch.Tensor] = functional.relu
) -> torch.Tensor:
    """Maxima over 2 × 2 of what an activation gives."""
    if activation is functional.relu:
        # It never falls, and where the maximum is not positive no gradient passes either way: the
        # same bits and gradients from a quarter as many ReLUs.
        return functional.relu(functional.max_pool2d(values, 2))
    return functional.max_pool2d(activation(values), 2)


class ResNet20(nn.Module):
    """Residual network of 20 layers (He et al., CVPR 2016): 269,722 parameters.

    267,696 of them are weights of convolutions, 650 the classifier's, the others of batch
    normalisation. Shortcuts have no parameters: where the image shrinks they take every second
    pixel and pad with zero channels (their option A). Takes images (sample, 3, 32, 32); gives
    logits (sample, 10).
    """

    image = MODELS["resnet20"].image
    classifier = "linear.weight"

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = (16, *[16] * 3, *[32] * 3, *[64] * 3)
        self.blocks = nn.Sequential(*map(_Block, widths[:-1], widths[1:]))
        self.linear = nn.Linear(64, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        hidden = self.blocks(functional.relu(self.bn1(self.conv1(images))))
        return self.linear(hidden.mean(dim=(2, 3)))


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stride, self.added = (1 if inputs == outputs else 2), outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=self.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.bn1(self.conv1(values)))
        hidden = self.bn2(self.conv2(hidden))
        shortcut = values[:, :, :: self.stride, :: self.stride]
        half = self.added // 2
        return functional.relu(hidden + functional.pad(shortcut, (0, 0, 0, 0, half, half)))


_CLASSES = {cls.__name__.lower(): cls for cls in (MnistNet, ResNet20)}


def build(name: str, seed: int) -> nn.Module:
    """Make a new network by its name (:data:`koopscope.training.names.MODELS`).

    Its initial weights are those of the seed.

    The global random state is left alone.

    Raises
    ------
    InputError
        If there is no such network.
    """
    if name not in MODELS:
        raise InputError(f"model: unknown {name!r}; give one of {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _CLASSES[name]()
