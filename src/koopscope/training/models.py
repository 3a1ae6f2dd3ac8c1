"""The networks of the pruning study, as ShrinkBench (Blalock et al., MLSys 2020) has them."""

import torch
from torch import nn
from torch.nn import functional

from koopscope.errors import InputError
from koopscope.training.convolutions import OneChannelConvolution, ResNet20, pooled
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
        self.conv1 = OneChannelConvolution(20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        hidden = pooled(self.conv2(pooled(self.conv1(images))))
        return self.fc2(functional.relu(self.fc1(hidden.flatten(1))))


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
