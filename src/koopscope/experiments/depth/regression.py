"""Many fully connected networks that map coordinates to a signal's values, trained as one.

Seeds and initialisations lie side by side in batched products; each step sees all training points
of the signal, and the loss of each network is its mean squared error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr

from koopscope.data.signals import coordinates, split
from koopscope.errors import InputError
from koopscope.experiments.depth.setup import members
from koopscope.training.batches import CLOUD, WEIGHTS
from koopscope.training.networks import FUNCTIONS
from koopscope.training.optimizers import Optimizer

if TYPE_CHECKING:
    from koopscope.experiments.depth.plan import DepthFamily, Regression

# Draws the held-out points that are observed: the same for every depth and seed.
PROBE_SEED = 7003


@dataclass(frozen=True)
class Points:
    """A signal as networks see it: coordinates in [-1, 1] an axis, values of range 1.

    Attributes
    ----------
    x, y
        Of the training points, shapes (point, coordinate) and (point,).
    unseen, truth
        Of the held-out points, without noise.
    """

    x: np.ndarray
    y: np.ndarray
    unseen: np.ndarray
    truth: np.ndarray


def points_of(signal: xr.Dataset) -> Points:
    """Scale a signal (:func:`koopscope.data.signals.signal`); every second point an axis trains.

    Raises
    ------
    InputError
        If no point is held out, or the values are all the same.
    """
    train, held_out = split(signal)
    x, y = coordinates(train), train["value"].values.ravel()
    low, high = x.min(axis=0), x.max(axis=0)
    unit = float(np.ptp(y))
    if unit == 0:
        raise InputError("signal: its values are all the same; give one that has scales")

    def scaled(at: np.ndarray) -> np.ndarray:
        return 2 * (at - low) / (high - low) - 1

    middle = y.min() + unit / 2
    truth = held_out["clean"].values.ravel()
    unseen = scaled(coordinates(held_out))
    return Points(scaled(x), (y - middle) / unit, unseen, (truth - middle) / unit)


class CoordinateNetworks:
    """Networks of one depth, all seeds and initialisations, on the processor.

    Weights and biases are drawn as PyTorch draws linear layers, U(-1, 1)/√inputs; the other
    initialisations of a seed are the first one times ``1 + perturbation_scale · U(-1, 1)``.

    Parameters
    ----------
    family
        Width, activation, optimiser, seeds and initialisations.
    depth
        Number of hidden layers.
    inputs
        Number of coordinates.
    """

    def __init__(self, family: "DepthFamily", depth: int, inputs: int) -> None:
        task = family.task
        self.shape = len(family.seeds), family.initialisations
        self.function, self.slope = FUNCTIONS[task.activation]
        sizes = (inputs, *[task.width] * depth, 1)
        drawn = [_drawn(sizes, family, seed) for seed in members(family, depth)]
        # (seed · init, inputs + 1, outputs) each; the last row is the bias.
        self.weights = [
            torch.as_tensor(np.concatenate(parts)) for parts in zip(*drawn, strict=True)
        ]
        self.optimizer = Optimizer(_Rates(task), self.weights)

    def values(self, x: torch.Tensor) -> torch.Tensor:
        """Values at points (point, coordinate), shape (seed · init, point)."""
        return self._forward(x)[2].squeeze(2)

    def descend(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """One step on all points; return the losses before it, shape (seed · init,)."""
        inputs, sums, values = self._forward(x)
        errors = values.squeeze(2) - y
        signal = (2 / len(y)) * errors[:, :, None]
        gradients = []
        for i in reversed(range(len(self.weights))):
            weights = self.weights[i]
            bias = signal.sum(dim=1, keepdim=True)
            gradients.append(torch.cat([inputs[i].mT @ signal, bias], dim=1))
            if i:
                signal = (signal @ weights[:, :-1].mT) * self.slope(sums[i - 1], inputs[i])
        self.optimizer.step(gradients[::-1])
        return errors.square().mean(dim=1)

    def _forward(
        self, x: torch.Tensor
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
        """Inputs of each layer, sums of the hidden ones, and the values."""
        inputs, sums = [x.expand(len(self.weights[0]), -1, -1)], []
        for i, weights in enumerate(self.weights):
            values = torch.baddbmm(weights[:, -1:], inputs[-1], weights[:, :-1])
            if i < len(self.weights) - 1:
                sums.append(values)
                inputs.append(self.function(values))
        return inputs, sums, values


def train_regression(
    family: "DepthFamily",
    depth: int,
    points: Points,
    progress: Callable[[int], object] = lambda steps: None,
) -> dict[str, np.ndarray]:
    """Train the networks of one depth.

    Returns
    -------
    dict of numpy.ndarray
        ``probe`` (seed, init, step, response): mean squared error and values at the probe's points
        after each step of the short training; ``losses`` (seed, init, step), before each of all
        steps; ``error`` (seed, init): root mean square at the held-out points after full training.
        NaN from a run's divergence on.

    Raises
    ------
    InputError
        If the probe is larger than the held-out part.
    """
    task = family.task
    there = len(points.truth)
    if task.probe > there:
        raise InputError(f"probe: {task.probe} is more than the {there} held-out points")
    chosen = np.random.default_rng(PROBE_SEED).permutation(there)[: task.probe]
    x, y, unseen, truth = (
        torch.as_tensor(part, dtype=torch.float32)
        for part in (points.x, points.y, points.unseen, points.truth)
    )
    networks = CoordinateNetworks(family, depth, x.shape[1])
    probe, answers = unseen[chosen], truth[chosen]
    count = len(networks.weights[0])
    losses = torch.empty(count, task.steps)
    seen = torch.empty(count, task.pilot_steps, 1 + task.probe)
    for step in range(task.steps):
        losses[:, step] = networks.descend(x, y)
        if step < task.pilot_steps:
            values = networks.values(probe)
            seen[:, step, 0] = (values - answers).square().mean(dim=1)
            seen[:, step, 1:] = values
        progress(1)
    error = (networks.values(unseen) - truth).square().mean(dim=1).sqrt()
    finite = losses.isfinite()
    finite[:, : task.pilot_steps] &= seen.isfinite().all(dim=2)
    alive = finite.cumprod(dim=1).bool()
    seen = torch.where(alive[:, : task.pilot_steps, None], seen, torch.nan)
    error = torch.where(alive[:, -1] & error.isfinite(), error, torch.nan)
    arrays = {"probe": seen, "losses": torch.where(alive, losses, torch.nan), "error": error}
    return {name: part.unflatten(0, networks.shape).numpy() for name, part in arrays.items()}


@dataclass(frozen=True)
class _Rates:
    """What an update rule reads of a setup."""

    task: "Regression"
    weight_decay: float = 0.0
    momentum: float = 0.9

    @property
    def optimizer(self) -> str:
        return self.task.optimizer

    @property
    def learning_rate(self) -> float:
        return self.task.learning_rate


def _drawn(sizes: tuple[int, ...], family: "DepthFamily", seed: int) -> list[np.ndarray]:
    """Initial weights of a seed's networks, layer by layer, (init, inputs + 1, outputs)."""
    drawn, cloud = np.random.default_rng([seed, WEIGHTS]), np.random.default_rng([seed, CLOUD])
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        first = drawn.uniform(-1, 1, (inputs + 1, outputs)) / np.sqrt(inputs)
        others = cloud.uniform(-1, 1, (family.initialisations - 1, *first.shape))
        together = np.concatenate([first[None], first * (1 + family.perturbation_scale * others)])
        layers.append(together.astype(np.float32))
    return layers
