"""Architectures by name, and modules of a user's own.

Each takes a batch of samples and gives logits (sample, class). Those for images take them as
(sample, channel, row, column), brought to the module's attribute ``image`` if it has one; the
others as the data set has them, (sample, number).
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from math import sqrt
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from koopscope.config.models import ModelSetup
from koopscope.errors import InputError
from koopscope.training.convolutions import OneChannelConvolution, ResNet20, pooled

SIDE = 32
CONSTANTS = 4.0


class LeNet(nn.Module):
    """Two convolutions and three full layers (LeCun et al. 1998), with maxima in place of means.

    Takes images of 32 × 32; 61,706 parameters for ten classes and one channel.
    """

    def __init__(self, pixels: int, classes: int, activation: str = "relu") -> None:
        super().__init__()
        channels = 1 if round(sqrt(pixels)) ** 2 == pixels else 3
        self.image = channels, SIDE
        self.activation = _function(activation)
        self.conv1 = OneChannelConvolution(6, 5) if channels == 1 else nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        values = pooled(self.conv1(images), self.activation)
        values = pooled(self.conv2(values), self.activation)
        values = self.activation(self.fc1(values.flatten(1)))
        return self.fc3(self.activation(self.fc2(values)))


class MLP(nn.Module):
    """Fully connected layers with an activation between them."""

    def __init__(
        self,
        pixels: int,
        classes: int,
        hidden_widths: tuple[int, ...] = (40,),
        activation: str = "relu",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.activation = _function(activation)
        sizes = (pixels, *hidden_widths)
        for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
            self.add_module(f"hidden{i + 1}", nn.Linear(inputs, outputs, bias=bias))
        self.depth = len(hidden_widths)
        self.output = nn.Linear(sizes[-1], classes, bias=bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits."""
        values = images.flatten(1)
        for i in range(self.depth):
            values = self.activation(self.get_submodule(f"hidden{i + 1}")(values))
        return self.output(values)


class SquareMLP(nn.Module):
    """One hidden layer without bias whose activation is the square (Gromov 2023, arXiv:2301.02679).

    Initial weights are normal, 4 ÷ √inputs and 1 ÷ √width: large, so that it first learns by heart.
    """

    def __init__(self, pixels: int, classes: int, width: int = 64) -> None:
        super().__init__()
        self.hidden = nn.Linear(pixels, width, bias=False)
        self.output = nn.Linear(width, classes, bias=False)
        nn.init.normal_(self.hidden.weight, std=CONSTANTS / sqrt(pixels))
        nn.init.normal_(self.output.weight, std=1 / sqrt(width))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.output(self.hidden(inputs.flatten(1)) ** 2)

    @staticmethod
    def of_many(parameters: Mapping[str, torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
        """Logits (run, sample, class) of networks whose parameters are stacked.

        Parameters
        ----------
        parameters
            By name, shape (run, …) each.
        inputs
            Shape (run, sample, number), or (sample, number) for the same in all networks.
        """
        weights = parameters["hidden.weight"], parameters["output.weight"]
        return _Squares.apply(inputs, *weights).mT


class _Squares(torch.autograd.Function):
    """Square networks of stacked weights, (run, class, sample): fewer passes than by autograd."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, hidden: Any, output: Any) -> torch.Tensor:
        values = hidden @ inputs.mT
        squares = values * values
        ctx.save_for_backward(inputs, output, values, squares)
        return output @ squares

    @staticmethod
    def backward(ctx: Any, *above: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, output, values, squares = ctx.saved_tensors
        below = ((2 * output).mT @ above[0]).mul_(values)
        return None, below @ inputs, above[0] @ squares.mT


class Transformer(nn.Module):
    """One layer of attention and a perceptron on three tokens, the answer after the last.

    Without normalisation, with ReLU (Nanda et al., ICLR 2023; Redman et al., later experiments).
    Initial weights are normal, 1 ÷ √inputs. Takes numbers of tokens, the highest that of "=".
    """

    def __init__(
        self, pixels: int, classes: int, width: int = 64, heads: int = 4, feedforward: int = 256
    ) -> None:
        super().__init__()
        self.heads = heads

        def drawn(*shape: int, inputs: int = width) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) / sqrt(inputs))

        self.embedding = drawn(classes + 1, width)
        self.position = drawn(pixels, width)
        self.queries, self.keys, self.values = (drawn(width, width) for _ in range(3))
        self.attention_out = drawn(width, width)
        self.mlp_in = nn.Linear(width, feedforward)
        self.mlp_out = nn.Linear(feedforward, width)
        self.output = nn.Linear(width, classes, bias=False)
        for layer in (self.mlp_in, self.mlp_out, self.output):
            nn.init.normal_(layer.weight, std=1 / sqrt(layer.in_features))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the answer."""
        seen = functional.embedding(tokens.long(), self.embedding) + self.position
        # Of the last token alone, which sees all of them: no other's answer is asked.
        last = seen[:, -1]

        def by_head(values: torch.Tensor) -> torch.Tensor:
            return values.unflatten(-1, (self.heads, -1))

        query = by_head(last @ self.queries)
        keys, values = by_head(seen @ self.keys), by_head(seen @ self.values)
        scores = torch.einsum("shd,sthd->sht", query, keys) / sqrt(query.shape[-1])
        mixed = torch.einsum("sht,sthd->shd", scores.softmax(dim=-1), values).flatten(1)
        last = last + mixed @ self.attention_out
        last = last + self.mlp_out(functional.relu(self.mlp_in(last)))
        return self.output(last)


def _resnet20(pixels: int, classes: int) -> nn.Module:
    del pixels
    made = ResNet20()
    if classes != made.linear.out_features:
        made.linear = nn.Linear(made.linear.in_features, classes)
        nn.init.kaiming_normal_(made.linear.weight)
    return made


MAKERS: dict[str, Callable[..., nn.Module]] = {
    "lenet": LeNet,
    "resnet20": _resnet20,
    "mlp": MLP,
    "square_mlp": SquareMLP,
    "transformer": Transformer,
}


def build(setup: ModelSetup, seed: int) -> nn.Module:
    """Make the network of a setup whose initial weights are those of a seed.

    Drawn on the processor, so that every device sees the same numbers. The global random state is
    left alone.

    Raises
    ------
    InputError
        If the function of the user's own is not there, fails, or gives no module.

    Examples
    --------
    >>> from koopscope.config.data import DataSpec
    >>> from koopscope.config.models import ModelSetup
    >>> from koopscope.training.architectures import build
    >>> setup = ModelSetup(DataSpec("mnist", "mnist"), architecture="lenet")
    >>> sum(p.numel() for p in build(setup, seed=0).parameters())
    61706
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if setup.architecture is not None:
            made = MAKERS[setup.architecture](setup.data.pixels, setup.data.classes, **setup.told)
        else:
            made = _of_user(setup)
    for parameter in made.parameters():
        with torch.no_grad():
            parameter.mul_(setup.initial_scale)
    return made


def shapes_of(setup: ModelSetup) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters of a setup's network by name, in its order."""
    return {name: tuple(p.shape) for name, p in build(setup, setup.seeds[0]).named_parameters()}


def _of_user(setup: ModelSetup) -> nn.Module:
    function = function_of(str(setup.module))
    try:
        made: Any = function(**setup.options)
    except Exception as error:  # of any kind: it is the user's own code
        raise InputError(
            f"module: {setup.module} fails: {type(error).__name__}: {_line(error)}"
        ) from None
    if not isinstance(made, nn.Module):
        raise InputError(
            f"module: {setup.module} gives {type(made).__name__}; give a torch.nn.Module"
        )
    return made


def function_of(name: str) -> Callable[..., Any]:
    """Function of a name, ``package.module:function``.

    Raises
    ------
    InputError
        If it cannot be imported, or is not there.
    """
    package, _, own = name.partition(":")
    try:
        module = import_module(package)
    except Exception as error:  # of any kind: it is the user's own code
        raise InputError(
            f"module: {package} cannot be imported: {type(error).__name__}: {_line(error)}; "
            "give a module that Python finds, in its folder or on PYTHONPATH"
        ) from None
    if not callable(getattr(module, own, None)):
        raise InputError(f"module: {package} has no function {own!r}; give one that it has")
    return getattr(module, own)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _function(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    return nn.Identity() if name == "identity" else getattr(functional, name)
