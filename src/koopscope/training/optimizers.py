"""Update rules of gradient methods on stacked networks of any layout: those of ``torch.optim``.

All are elementwise maps of weights, gradient and state, so one call updates all networks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from koopscope.config.optimizers import ELEMENTWISE, MOMENTUM
from koopscope.errors import InputError

if TYPE_CHECKING:
    from koopscope.config.models import ModelSetup
    from koopscope.config.setup import NetworkSetup

# Rules of which PyTorch has such a form.
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")


def state_copies(optimizer: str) -> int:
    """Tensors like the weights that an optimiser keeps from step to step."""
    return ELEMENTWISE[optimizer][2]


def optimizer_of(
    setup: "NetworkSetup | ModelSetup", weights: Sequence[Tensor], fused: bool = False
) -> torch.optim.Optimizer:
    """Optimiser of a setup over tensors of weights, which its steps change in place.

    Parameters
    ----------
    setup
        Optimiser and its numbers.
    weights
        Tensors.
    fused
        Whether a step may be one pass over all of a tensor, where PyTorch has such a rule: the same
        to rounding.

    Raises
    ------
    InputError
        If it has no such option, or the option not such a value.
    """
    name, told, _ = ELEMENTWISE[setup.optimizer]
    options = {"lr": setup.learning_rate, "weight_decay": setup.weight_decay, **told}
    if "momentum" in told:
        options["momentum"] = getattr(setup, "momentum", None) or MOMENTUM
    if name == "Rprop":
        del options["weight_decay"]
    asked = getattr(setup, "optimizer_options", {})
    if fused and name in FUSED and not {"foreach", "fused"} & set(asked):
        options["fused"] = all(tensor.device.type in ("cpu", "cuda") for tensor in weights)
    options |= asked
    try:
        return getattr(torch.optim, name)(weights, **options)
    except (TypeError, ValueError) as error:
        raise InputError(f"optimizer_options: {setup.optimizer}: {error}") from None


class Optimizer:
    """An update rule with what it remembers of each tensor, along gradients given by hand.

    Parameters
    ----------
    setup
        Optimiser, learning rate, momentum and weight decay.
    weights
        Tensors of weights; each step changes them in place.
    """

    def __init__(self, setup: "NetworkSetup", weights: Sequence[Tensor]) -> None:
        self.weights = weights
        self.rule = optimizer_of(setup, weights)

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along gradients of the weights' shapes, which may be changed."""
        for weights, gradient in zip(self.weights, gradients, strict=True):
            weights.grad = gradient
        self.rule.step()
