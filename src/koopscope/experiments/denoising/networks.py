"""Many coordinate networks fitted side by side, each under its own loss.

x → Fourier features → two hidden layers of rectified units → value. The features' frequencies are
drawn with equal shares per octave up to the grid's finest, so that every scale is within reach from
the start and the loss alone decides what is learnt when; a plain coordinate network would learn
coarse scales first under any loss (Tancik et al., NeurIPS 2020).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from koopscope.sobolev.norms import SobolevLoss
from koopscope.sobolev.schedule import Schedule

# Streams of a seed's random numbers.
FEATURES, WEIGHTS = 2, 3
# Adam's own defaults.
MEANS, EPSILON = (0.9, 0.999), 1e-8
# Wave number 1 is one period in the domain: lengths up to that keep their weight.
LENGTH = 2 * np.pi


def features(shape: Sequence[int], boundary: str, count: int, seed: int) -> np.ndarray:
    """Cosines and sines of random frequencies at the points of a grid; shape (point, count).

    Parameters
    ----------
    shape, boundary
        Of the grid; on a periodic one frequencies are whole numbers.
    count
        Even: half cosines, half sines.
    seed
        Draws frequencies (equal shares per octave) and, in a plane, directions.
    """
    rng = np.random.default_rng([seed, FEATURES])
    dimension, finest = len(shape), min(shape) / 2
    coarsest = 1.0 if boundary == "periodic" else 0.5
    moduli = np.exp(rng.uniform(np.log(coarsest), np.log(finest), count // 2))
    directions = rng.standard_normal((dimension, count // 2))
    k = moduli * directions / np.linalg.norm(directions, axis=0)
    if boundary == "periodic":
        k = np.rint(k)
        k[0, ~k.any(axis=0)] = 1
    axes = np.meshgrid(*((np.arange(n) + 0.5) / n for n in shape), indexing="ij")
    phases = 2 * np.pi * np.stack([a.ravel() for a in axes], axis=1) @ k
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)


def fit_networks(
    values: np.ndarray,
    boundary: str,
    losses: Sequence[str],
    seeds: Sequence[int],
    learning_rates: np.ndarray,
    steps: int,
    record_every: int,
    width: int = 64,
    fourier_features: int = 64,
    device: torch.device | str = "cpu",
    progress: Callable[[int], object] = lambda steps: None,
) -> np.ndarray:
    """Fit a network to the values of every seed under every loss, by Adam at constant rates.

    The values are brought to mean 0 and standard deviation 1 for the fit, so that rates mean the
    same at any noise. Networks of one seed begin alike.

    Parameters
    ----------
    values
        What is fitted, shape (seed, *grid).
    boundary
        Of the grid.
    losses
        Names (:meth:`Schedule.named`).
    seeds
        Draw features and initial weights.
    rates
        Adam's rate of each loss, shape (loss,).
    steps, record_every
        Full-batch steps; outputs are recorded at step 0 and after each so many.
    width, fourier_features
        Units of each hidden layer; Fourier features.
    device
        Where to compute.
    progress
        Called with 1 after each step.

    Returns
    -------
    numpy.ndarray
        Outputs in the unit of the values, shape (record, loss, seed, *grid), single precision; not
        finite from a divergence on.
    """
    shape = values.shape[1:]
    flat = values.reshape(len(seeds), -1)
    middle = flat.mean(axis=1, keepdims=True)
    size = flat.std(axis=1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    target = _tensor((flat - middle) / size, device)
    inputs = _tensor(
        np.stack([features(shape, boundary, fourier_features, s) for s in seeds]), device
    )
    weights = _initial(seeds, len(losses), (fourier_features, width, width, 1), device)
    schedules = [Schedule.named(name) for name in losses]
    norms = [SobolevLoss(x.at(0), LENGTH, grid=shape, boundary=boundary) for x in schedules]
    moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in weights]
    rate = _tensor(learning_rates, device)[:, None, None, None]
    records = []

    def outputs() -> torch.Tensor:
        return _forward(weights, inputs)

    def record(found: torch.Tensor) -> None:
        records.append(found.detach().cpu().numpy() * size + middle)

    for step in range(steps):
        found = outputs()
        if step % record_every == 0:
            record(found)
        # The sum keeps the members' gradients apart.
        total = 0.0
        for norm, schedule, member in zip(norms, schedules, found, strict=True):
            if not schedule.constant:
                norm.s = max(0.0, schedule.at(step / steps))
            total = total + norm.squared_norm((member - target).unflatten(1, shape)).sum()
        gradients = torch.autograd.grad(total, weights)
        with torch.no_grad():
            _adam(weights, gradients, moments, rate, step + 1)
        progress(1)
    with torch.no_grad():
        record(outputs())
    return np.stack(records).astype(np.float32).reshape(-1, len(losses), len(seeds), *shape)


def record_steps(steps: int, record_every: int) -> np.ndarray:
    """Steps after which :func:`fit_networks` records: 0, record_every, …, and the last."""
    return np.append(np.arange(0, steps, record_every), steps)


def _initial(
    seeds: Sequence[int], copies: int, widths: Sequence[int], device: torch.device | str
) -> list[torch.Tensor]:
    """Matrices (loss, seed, inputs + 1, outputs), biases in the last row; He et al. (ICCV 2015)."""
    layers = []
    generators = [np.random.default_rng([seed, WEIGHTS]) for seed in seeds]
    for i, (fan_in, fan_out) in enumerate(zip(widths, widths[1:], strict=False)):
        gain = 2.0 if i < len(widths) - 2 else 1.0
        drawn = [np.sqrt(gain / fan_in) * g.standard_normal((fan_in, fan_out)) for g in generators]
        both = np.concatenate([drawn, np.zeros((len(seeds), 1, fan_out))], axis=1)
        layers.append(_tensor(both, device).repeat(copies, 1, 1, 1).requires_grad_())
    return layers


def _forward(weights: Sequence[torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    """Outputs (loss, seed, point) of inputs (seed, point, feature)."""
    losses, seeds = weights[0].shape[:2]
    values = inputs.expand(losses, -1, -1, -1).flatten(0, 1)
    for i, layer in enumerate(weights):
        layer = layer.flatten(0, 1)
        values = torch.baddbmm(layer[:, -1:], values, layer[:, :-1])
        if i < len(weights) - 1:
            values = torch.relu(values)
    return values[..., 0].unflatten(0, (losses, seeds))


def _adam(
    weights: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor],
    moments: Sequence[tuple[torch.Tensor, torch.Tensor]],
    rate: torch.Tensor,
    step: int,
) -> None:
    for weight, gradient, (first, second) in zip(weights, gradients, moments, strict=True):
        first.lerp_(gradient, 1 - MEANS[0])
        second.lerp_(gradient.square(), 1 - MEANS[1])
        scale = (second / (1 - MEANS[1] ** step)).sqrt_().add_(EPSILON)
        weight.sub_(rate * (first / (1 - MEANS[0] ** step)) / scale)


def _tensor(values: np.ndarray, device: torch.device | str) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values)).to(torch.float32).to(device)
