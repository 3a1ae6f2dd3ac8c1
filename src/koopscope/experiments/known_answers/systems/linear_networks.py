"""Linear networks W2 W1 x on a regression, in rotated bases of hidden units and of inputs.

Gradient descent of a linear network commutes with orthogonal changes of its hidden basis and of its
inputs (Saxe, McClelland and Ganguli, ICLR 2014), and the loss curve stays.

Sizes: six inputs with variances from 1 to 0.1 in a basis of their own, five hidden units,
four outputs of a random linear teacher with noise of 0.1, 128 samples, 300 states at the rate 0.1.
Hidden units start at unlike scales, from ½ to 1½ times 1 ÷ √inputs, or a rotation would leave the
distribution of the starts, and so of all weights, as it was.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from koopscope.experiments.known_answers.systems.pools import (
    BATCHES,
    SHARED,
    STARTS,
    Pair,
    normal,
    orthogonal,
    pool,
)

INPUTS, HIDDEN, OUTPUTS = 6, 5, 4
SAMPLES, BATCH, LABEL_NOISE = 128, 16, 0.1
RATE, STATES = 0.1, 300
SCALES = np.linspace(0.5, 1.5, HIDDEN)
# Numbers of what is drawn once for all seeds.
TASK, HIDDEN_TURN, INPUT_TURN = 10, 11, 12


def task() -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, shapes (sample, 6) and (sample, 4)."""
    draw = np.random.default_rng([TASK, SHARED])
    spread = np.sqrt(np.geomspace(1, 0.1, INPUTS))
    x = draw.normal(size=(SAMPLES, INPUTS)) * spread @ orthogonal(TASK, INPUTS)
    teacher = draw.normal(size=(OUTPUTS, INPUTS)) / np.sqrt(INPUTS)
    return x, x @ teacher.T + LABEL_NOISE * draw.normal(size=(SAMPLES, OUTPUTS))


def trained(
    first: np.ndarray,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    batches: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and losses of linear networks under gradient descent.

    Parameters
    ----------
    first, second
        Initial W1 and W2, shapes (seed, hidden, input) and (seed, output, hidden).
    x, y
        Inputs and targets, shapes (sample, input) and (sample, output).
    batches
        Samples of each step, shape (seed, step, sample of the batch); all of them by default.

    Returns
    -------
    weights : numpy.ndarray
        Shape (seed, step, weight), W1 before W2, each row by row.
    losses : numpy.ndarray
        Half the mean squared error over all samples, shape (seed, step).
    """
    states, losses = [], []
    for step in range(STATES):
        rest = x @ (second @ first).transpose(0, 2, 1) - y
        states.append(np.concatenate([w.reshape(len(w), -1) for w in (first, second)], axis=1))
        losses.append(0.5 * np.mean(np.sum(rest**2, axis=2), axis=1))
        seen = x
        if batches is not None:
            of = batches[:, step]
            seen, rest = x[of], np.take_along_axis(rest, of[:, :, None], axis=1)
        slope = rest.transpose(0, 2, 1) @ seen / rest.shape[1]
        first, second = (
            first - RATE * second.transpose(0, 2, 1) @ slope,
            second - RATE * slope @ first.transpose(0, 2, 1),
        )
    return np.stack(states, axis=1), np.stack(losses, axis=1)


def networks(
    seeds: Sequence[int],
    minibatches: bool = False,
    hidden: np.ndarray | None = None,
    inputs: np.ndarray | None = None,
) -> xr.Dataset:
    """Pool of linear networks.

    Parameters
    ----------
    seeds
        Each draws the initial weights and, with minibatches, the samples of each step.
    minibatches
        Whether a step sees 16 samples, drawn with replacement, in place of all.
    hidden, inputs
        Orthogonal matrices R and Q: initial weights R W1 and W2 Rᵀ; inputs Q x, and W1 Qᵀ.
    """
    x, y = task()
    # A column of each hidden unit: its inputs, then its outputs.
    units = normal(seeds, STARTS, INPUTS + OUTPUTS, HIDDEN)
    first = (units[:, :INPUTS] * SCALES).transpose(0, 2, 1) / np.sqrt(INPUTS)
    second = units[:, INPUTS:] / np.sqrt(HIDDEN)
    if hidden is not None:
        first, second = hidden @ first, second @ hidden.T
    if inputs is not None:
        x, first = x @ inputs.T, first @ inputs.T
    drawn = _batches(seeds) if minibatches else None
    return pool(seeds, *trained(first, second, x, y, drawn))


def _batches(seeds: Sequence[int]) -> np.ndarray:
    draws = (np.random.default_rng([seed, BATCHES]) for seed in seeds)
    return np.stack([draw.integers(0, SAMPLES, (STATES, BATCH)) for draw in draws])


_turned: dict[str, Callable[..., xr.Dataset]] = {
    "hidden basis": partial(networks, hidden=orthogonal(HIDDEN_TURN, HIDDEN)),
    "input basis": partial(networks, inputs=orthogonal(INPUT_TURN, INPUTS)),
}

PAIRS: dict[str, Pair] = {
    f"linear network {what} {batches}": Pair(
        partial(networks, minibatches=minibatches), partial(turned, minibatches=minibatches)
    )
    for what, turned in _turned.items()
    for batches, minibatches in (("full batch", False), ("minibatches", True))
}
