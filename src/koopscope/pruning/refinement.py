"""Training and testing of the networks that are pruned, before it and with the mask on."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data import standardised
from koopscope.errors import InputError
from koopscope.pruning import masks
from koopscope.pruning.protocol import Protocol

EVALUATION_SAMPLES = 1000
# Random stream of a seed; see also the streams of training.batches.
REFINEMENT = 33


@dataclass(frozen=True)
class Samples:
    """Images (sample, channel, row, column) as the network takes them, and labels, by split."""

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]


def samples(data: xr.Dataset, model: nn.Module) -> Samples:
    """Bring a data set of square grey images to a network's image size.

    They are scaled by the data's mean and sd, framed by the value of a black pixel and repeated
    over the network's channels.

    Raises
    ------
    InputError
        If the images are not square or larger than the network's.
    """
    channels, side = model.image
    given = round(data.sizes["pixel"] ** 0.5)
    if given**2 != data.sizes["pixel"] or given > side:
        raise InputError(
            f"data: {data.sizes['pixel']} pixels; give square images of at most {side} × {side}"
        )
    before = (side - given) // 2
    after = side - given - before
    black = -data.attrs["mean"] / data.attrs["sd"]

    def split(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.as_tensor(standardised(data, name)).reshape(-1, 1, given, given)
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
    for chosen in order.split(size):
        yield images[chosen], labels[chosen]


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Iterator[tuple[torch.Tensor, torch.Tensor]],
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


def refined(
    protocol: Protocol, model: nn.Module, mask: xr.DataArray, data: Samples, *stream: int
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
    *stream
        Random stream of the order of the samples: the same for every mask that is compared.

    Returns
    -------
    xarray.Dataset
        ``accuracy`` and ``loss`` (moment), ``moment`` being ``before`` and ``after``.
    """
    pruned = copy.deepcopy(model)
    masks.apply(mask, pruned)
    before = evaluate(pruned, data.test)
    optimizer = optimizer_of(protocol, pruned)
    for epoch in range(protocol.refinement):
        order = batches(data.train, protocol.batch_size, *stream, REFINEMENT, epoch)
        train_epoch(pruned, optimizer, order)
    accuracy, loss = zip(before, evaluate(pruned, data.test), strict=True)
    return xr.Dataset(
        {"accuracy": ("moment", list(accuracy)), "loss": ("moment", list(loss))},
        coords={"moment": ["before", "after"]},
    )
