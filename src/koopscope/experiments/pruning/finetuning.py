"""What pruning leaves of a network, and what training on with the mask makes of it."""

import copy
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from torch import nn

from koopscope.experiments.pruning.names import MOMENTS
from koopscope.pruning import masks
from koopscope.training.single import Samples, batches, evaluate, sgd, train_epoch

if TYPE_CHECKING:
    from koopscope.experiments.pruning.protocol import Protocol

# Random stream of a seed; see also the streams of training.batches.
FINETUNING = 33


@dataclass(frozen=True)
class FineTuning:
    """Training with a mask on, by SGD that starts anew.

    Attributes
    ----------
    learning_rate, momentum, batch_size
        Of SGD with Nesterov momentum.
    epochs
        A fraction for the first batches of one.
    """

    learning_rate: float
    momentum: float
    batch_size: int
    epochs: float

    def batch_counts(self, samples: int) -> list[int]:
        """Batches of each epoch of so many samples; the last may be a part of one."""
        an_epoch = -(-samples // self.batch_size)
        left = round(self.epochs * an_epoch)
        return [an_epoch] * (left // an_epoch) + [left % an_epoch] * (left % an_epoch > 0)


def trial(
    model: nn.Module,
    mask: xr.DataArray,
    data: Samples,
    finetuning: FineTuning | None,
    *stream: int,
) -> xr.Dataset:
    """Accuracy and loss of a pruned network on the test set, before and after fine-tuning.

    Parameters
    ----------
    model
        The network to prune; it stays as it is.
    mask
        What to keep (:func:`koopscope.pruning.select_masks`).
    data
        Training and test set.
    finetuning
        How to train with the mask on; None not to, and what is after it is NaN.
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
    if finetuning is not None:
        optimizer = sgd(pruned, finetuning.learning_rate, finetuning.momentum)
        for epoch, count in enumerate(finetuning.batch_counts(len(data.train[1]))):
            order = batches(data.train, finetuning.batch_size, *stream, FINETUNING, epoch)
            train_epoch(pruned, optimizer, islice(order, count))
        after = evaluate(pruned, data.test)
    accuracy, loss = zip(before, after, strict=True)
    return xr.Dataset(
        {"accuracy": ("moment", list(accuracy)), "loss": ("moment", list(loss))},
        coords={"moment": list(MOMENTS)},
    )


def finetunes(protocol: "Protocol", method: str, compression: float) -> bool:
    """Whether what a method leaves at a compression is trained on."""
    return (
        protocol.finetune_epochs > 0
        and (protocol.finetuned is None or method in protocol.finetuned)
        and (
            protocol.finetuned_compression_ratios is None
            or compression in protocol.finetuned_compression_ratios
        )
    )
