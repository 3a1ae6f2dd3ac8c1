"""Update rules of gradient methods, in place on stacked networks of any layout.

The rules and defaults of PyTorch (``torch.optim``). All are elementwise maps of weights, gradient
and state, so one call updates all networks.
"""

import math
from collections.abc import Sequence
from inspect import signature

import torch
from torch import Tensor

from koopscope.config.setup import OPTIMIZERS, NetworkSetup

# PyTorch's defaults: decay of the means of gradients and of their squares, and what keeps a
# quotient by a root finite.
BETAS = (0.9, 0.999)
ALPHA = 0.99
EPS = 1e-8
# What every rule is given before the tensors that it remembers.
GIVEN = ("setup", "step", "weights", "gradient")


def state_copies(optimizer: str) -> int:
    """Tensors like the weights that an optimiser keeps from step to step."""
    return len(signature(RULES[optimizer]).parameters) - len(GIVEN)


class Optimizer:
    """An update rule with what it remembers of each tensor.

    Parameters
    ----------
    setup
        Optimiser, learning rate, momentum and weight decay.
    weights
        Tensors of weights; each step changes them in place.
    """

    def __init__(self, setup: NetworkSetup, weights: Sequence[Tensor]) -> None:
        self.setup, self.weights = setup, weights
        self.rule, copies = RULES[setup.optimizer], state_copies(setup.optimizer)
        self.states = [[torch.zeros_like(w) for _ in range(copies)] for w in weights]
        self.steps = 0

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step along gradients of the weights' shapes, which serve as work space."""
        self.steps += 1
        decay = self.setup.weight_decay
        for weights, gradient, state in zip(self.weights, gradients, self.states, strict=True):
            if "decoupled" in OPTIMIZERS[self.setup.optimizer]:
                weights.mul_(1 - self.setup.learning_rate * decay)
            elif decay:
                gradient.add_(weights, alpha=decay)
            self.rule(self.setup, self.steps, weights, gradient, *state)


def _sgd(setup: NetworkSetup, _: int, weights: Tensor, gradient: Tensor) -> None:
    weights.add_(gradient, alpha=-setup.learning_rate)


def _momentum(
    setup: NetworkSetup, _: int, weights: Tensor, gradient: Tensor, velocity: Tensor
) -> None:
    velocity.mul_(setup.momentum).add_(gradient)
    weights.add_(velocity, alpha=-setup.learning_rate)


def _nesterov(
    setup: NetworkSetup, _: int, weights: Tensor, gradient: Tensor, velocity: Tensor
) -> None:
    velocity.mul_(setup.momentum).add_(gradient)
    gradient.add_(velocity, alpha=setup.momentum)
    weights.add_(gradient, alpha=-setup.learning_rate)


def _adam(
    setup: NetworkSetup,
    step: int,
    weights: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
) -> None:
    mean.lerp_(gradient, 1 - BETAS[0])
    square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
    # Both means start at zero; the factors that make up for it leave the two large tensors alone.
    unbiased = math.sqrt(1 - BETAS[1] ** step)
    size = torch.sqrt(square, out=gradient).add_(EPS * unbiased)
    rate = setup.learning_rate * unbiased / (1 - BETAS[0] ** step)
    weights.addcdiv_(mean, size, value=-rate)


def _rmsprop(
    setup: NetworkSetup, _: int, weights: Tensor, gradient: Tensor, square: Tensor
) -> None:
    square.mul_(ALPHA).addcmul_(gradient, gradient, value=1 - ALPHA)
    weights.addcdiv_(gradient, square.sqrt().add_(EPS), value=-setup.learning_rate)


# Its decay is decoupled from the gradient (above); the rest is the same.
_adamw = _adam

RULES = {name: globals()[f"_{name}"] for name in OPTIMIZERS}
