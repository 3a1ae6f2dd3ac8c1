"""What networks answer: losses of logits, answers on a probe, shares of right ones.

Of ensembles of any kind: what is asked of one is ``logits`` (images), shape (seed, init, sample,
class).
"""

from typing import Any, Protocol

import torch
from torch.nn import functional

from koopscope.training.batches import EVALUATION_SAMPLES


class Answering(Protocol):
    """An ensemble as it is asked."""

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of each network for images (sample, …), shape (seed, init, sample, class)."""


class _SquaredError(torch.autograd.Function):
    """Mean squared difference of each network, in fewer passes than autograd needs."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        apart = logits - truth
        ctx.save_for_backward(apart)
        return apart.square().mean(dim=(1, 2))

    @staticmethod
    def backward(ctx: Any, *above: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (apart,) = ctx.saved_tensors
        return apart * (2 / apart[0].numel() * above[0])[:, None, None], None


def log_likelihood(logits: torch.Tensor) -> torch.Tensor:
    """Logarithm of the softmax of logits (run, sample, class), shape (run, class, sample)."""
    # PyTorch goes along neighbours row by row, and across them several at once: of ten classes the
    # way with the copy takes a fifth of the time.
    return logits.mT.contiguous().log_softmax(dim=1)


def losses_of(loss: str, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean loss of each network.

    Parameters
    ----------
    loss
        ``"cross_entropy"``, or ``"squared_error"``: the mean over samples and classes of the
        squared difference from ones and zeros.
    logits
        Shape (run, sample, class).
    labels
        Shape (run, sample), or (1, sample) for the same in all.

    Returns
    -------
    torch.Tensor
        Shape (run,).
    """
    if loss == "cross_entropy":
        truth = labels.expand(len(logits), -1)[:, None]
        return -log_likelihood(logits).gather(1, truth).mean(dim=(1, 2))
    return _SquaredError.apply(logits, functional.one_hot(labels, logits.shape[2]).to(logits))


def responses(
    networks: Answering, images: torch.Tensor, labels: torch.Tensor, loss: str = "cross_entropy"
) -> torch.Tensor:
    """Mean loss, then the logits sample by sample: shape (seed, init, 1 + samples · classes)."""
    logits = networks.logits(images)
    runs = logits.flatten(0, 1)
    losses = losses_of(loss, runs, labels[None]).view(*logits.shape[:2], 1)
    return torch.cat([losses, logits.flatten(2)], dim=2)


def accuracy(networks: Answering, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Share of right answers of each network, shape (seed, init).

    Parameters
    ----------
    networks
        Which.
    images
        Shape (sample, …), the same for every seed.
    labels
        Shape (sample,).
    """
    parts = zip(images.split(EVALUATION_SAMPLES), labels.split(EVALUATION_SAMPLES), strict=True)
    right = [(networks.logits(part).argmax(dim=3) == truth).sum(dim=2) for part, truth in parts]
    return torch.stack(right).sum(dim=0) / len(images)
