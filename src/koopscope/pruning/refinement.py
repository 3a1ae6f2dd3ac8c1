"""Training and testing of the networks that are pruned, before it and with the mask on."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data import standardised
from koopscope.errors import InputError
from koopscope.plans.protocol import Protocol
from koopscope.pruning import masks

EVALUATION_SAMPLES = 1000
# Random stream of a seed; see also the streams of training.batches.
REFINEMENT = 33


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
        yield images[chosen], labels[chosen]


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


def optimizer_of(protocol: Protocol, model: nn.Module) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum over all parameters."""
    return torch.optim.SGD(
        model.parameters(),
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        nesterov=protocol.momentum > 0,
    )


def trial(
    protocol: Protocol,
    model: nn.Module,
    mask: xr.DataArray,
    data: Samples,
    refine: bool,
    *stream: int,
) -> xr.Dataset:
    """Accuracy and loss of a pruned network on the test set, before and after refinement.

    Parameters
    ----------
    protocol
        For the optimiser, which starts anew, and the number of epochs.
    model
        The network to prune; it stays as it is.
    mask
        What to keep (:func:`koopscope.pruning.masks.select_masks`).
    data
        Training and test set.
    refine
        Whether to train with the mask on; otherwise what is after it is NaN.
    *stream
        Random stream of the order of the samples: the same for every mask that is compared.

    Returns
    -------
    xarray.Dataset
        ``accuracy`` and ``loss`` (moment), ``moment`` being ``before`` and ``after``.
    """
    pruned = copy.deepcopy(model)
    masks.apply(mask, pruned)
    before, after = evaluate(pruned, data.test), (np.nan, np.nan)
    if refine:
        optimizer = optimizer_of(protocol, pruned)
        for epoch, count in enumerate(_batch_counts(protocol, len(data.train[1]))):
            order = batches(data.train, protocol.batch_size, *stream, REFINEMENT, epoch)
            train_epoch(pruned, optimizer, islice(order, count))
        after = evaluate(pruned, data.test)
    accuracy, loss = zip(before, after, strict=True)
    return xr.Dataset(
        {"accuracy": ("moment", list(accuracy)), "loss": ("moment", list(loss))},
        coords={"moment": ["before", "after"]},
    )


def _batch_counts(protocol: Protocol, samples: int) -> list[int]:
    """Batches of each epoch of refinement; the last may be a part of one."""
    an_epoch = -(-samples // protocol.batch_size)
    left = round(protocol.refinement * an_epoch)
    return [an_epoch] * (left // an_epoch) + [left % an_epoch] * (left % an_epoch > 0)
