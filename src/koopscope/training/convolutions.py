"""Convolutions of grey images, maxima, and a residual network."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from koopscope.training.names import MODELS


class OneChannelConvolution(nn.Conv2d):
    """Unpadded convolution of grey images, on a processor by one product of matrices.

    Takes half of the time there, forward and backward. What it gives has its channels last in
    memory, with or without a mask on the weights: maxima and the next convolution then take half of
    the time too.
    """

    def __init__(self, out_channels: int, side: int) -> None:
        super().__init__(1, out_channels, side)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (sample, 1, row, column) to (sample, channel, row, column)."""
        if images.device.type != "cpu":
            return super().forward(images)
        side = self.weight.shape[-1]
        samples, _, *size = images.shape
        rows, columns = (pixels - side + 1 for pixels in size)
        grey = images[:, 0]
        shifted = [grey[:, i : i + rows, j : j + columns] for i in range(side) for j in range(side)]
        # Ones for the bias: to add it, and to sum its gradient, would be passes of their own.
        patches = torch.stack([*shifted, torch.ones_like(shifted[0])]).flatten(1)
        kernels = torch.cat([self.weight.flatten(1), self.bias[:, None]], dim=1)
        return (patches.T @ kernels.T).view(samples, rows, columns, -1).permute(0, 3, 1, 2)


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
