"""Training and testing of single networks, epoch by epoch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data.dataset import standardised
from koopscope.errors import InputError
from koopscope.training.batches import rows

# A few megabytes of activations: a thousand images take half as long again.
EVALUATION_SAMPLES = 250


@dataclass(frozen=True)
class Samples:
    """Images (sample, channel, row, column) as the network takes them, and labels, by split."""

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        train, test = (
            tuple(part.to(device) for part in split) for split in (self.train, self.test)
        )
        return Samples(train, test)


def samples(data: xr.Dataset, model: nn.Module) -> Samples:
    """Bring a data set of square images, grey or in three colours, to a network's image size.

    They are scaled by the data's mean and sd and framed by the value of a black pixel; grey ones
    are repeated over the network's channels.

    Raises
    ------
    InputError
        If the images are not square or larger than the network's, or have other colours.
    """
    channels, side = model.image
    pixels = data.sizes["pixel"]
    colours = 1 if round(pixels**0.5) ** 2 == pixels else 3
    given = round((pixels / colours) ** 0.5)
    if colours * given**2 != pixels or given > side or colours not in (1, channels):
        raise InputError(f"data: {pixels} pixels; give square images of at most {side} × {side}")
    before = (side - given) // 2
    after = side - given - before
    black = -data.attrs["mean"] / data.attrs["sd"]

    def split(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.as_tensor(standardised(data, name)).reshape(-1, colours, given, given)
        images = nn.functional.pad(images, (before, after, before, after), value=black)
        labels = torch.as_tensor(data[f"{name}_labels"].values.astype(np.int64))
        return images.expand(-1, channels, -1, -1), labels

    return Samples(split("train"), split("test"))


def batches(
    split: tuple[torch.Tensor, torch.Tensor], size: int, *stream: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield an epoch's batches in the order that the random stream draws."""
    images, labels = split
    order = torch.as_tensor(np.random.default_rng(stream).permutation(len(images)))
    order = order.to(images.device)
    for chosen in order.split(size):
        yield rows(images, chosen), labels[chosen]


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Iterable[tuple[torch.Tensor, torch.Tensor]],
) -> None:
    """Train one epoch on the batches."""
    model.train()
    for images, labels in data:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model: nn.Module, split: tuple[torch.Tensor, torch.Tensor]) -> tuple[float, float]:
    """Accuracy (share) and mean loss over all samples, however they are cut into batches."""
    model.eval()
    right = loss = 0.0
    for images, labels in zip(*(part.split(EVALUATION_SAMPLES) for part in split), strict=True):
        logits = model(images)
        right += float((logits.argmax(dim=1) == labels).sum())
        loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
    return right / len(split[1]), loss / len(split[1])


def sgd(
    model: nn.Module, learning_rate: float, momentum: float, nesterov: bool = True
) -> torch.optim.SGD:
    """SGD over all parameters; with any momentum Nesterov's, or else the plain one."""
    return torch.optim.SGD(
        model.parameters(),
        lr=learning_rate,
        momentum=momentum,
        nesterov=nesterov and momentum > 0,
    )
