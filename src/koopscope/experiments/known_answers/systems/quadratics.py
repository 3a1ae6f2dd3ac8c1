"""Gradient descent, heavy ball and Adam on quadratics, whose eigenvalues are known.

f(x) = ½ xᵀ H x with H = B diag(λ) Bᵀ. With rate η and momentum β each direction of curvature λ has
the eigenvalues z of z² − (1 + β − ηλ) z + β = 0, and 1 − ηλ alone without momentum (Polyak 1964).
The state recorded is x; of heavy ball, delays see what a single x does not tell.

Sizes: ten curvatures evenly spaced by their logarithm, from 0.05 to 4, at the rate 0.1, so
that 300 steps hold a slowest direction that falls to a fifth and a fastest that halves in less than
two steps. Starts are standard normal. Noise of 0.01 on each coordinate of the gradient is a fifth
of the slowest direction's gradient at the start: it makes each run another and leaves the decays to
be seen. Two sizes were changed after a first look, at seeds 0 to 39: noise was ten times as large,
and fits of rank 5 saw fluctuations alone; where now the sharpest curvature is moved to the edge of
stability, the third smallest was halved, which neither spectra nor loss curves saw.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from koopscope.experiments.known_answers.systems.pools import (
    NOISE,
    STARTS,
    Pair,
    normal,
    orthogonal,
    pool,
)

CURVATURES = tuple(np.geomspace(0.05, 4, 10))
# The sharpest direction oscillates, a tenth below the edge of stability 2 / η (Cohen et al. 2021).
SHARP = (*CURVATURES[:-1], 18.0)
STRETCHED = tuple(np.geomspace(0.005, 4, 10))
RATE, GRADIENT_NOISE, STATES = 0.1, 0.01, 300
MOMENTUM, DECAY, FACTOR = 0.9, 0.05, 10.0
ADAM_RATE, ADAM_MEANS, ADAM_EPSILON = 0.01, (0.9, 0.999), 1e-8


def eigenvalues(
    curvatures: Sequence[float] = CURVATURES, rate: float = RATE, momentum: float = 0.0
) -> np.ndarray:
    """Eigenvalues of the map of (x, last x), or of x without momentum, one or two a curvature."""
    if not momentum:
        return 1 - rate * np.asarray(curvatures)
    return np.concatenate(
        [np.roots([1, -(1 + momentum - rate * value), momentum]) for value in curvatures]
    )


def descended(
    starts: np.ndarray,
    noise: np.ndarray,
    hessian: np.ndarray,
    rate: float = RATE,
    momentum: float = 0.0,
    factor: float = 1.0,
    penalty: float = 0.0,
    decay: float = 0.0,
) -> np.ndarray:
    """Runs of gradient descent, shape (seed, step, weight).

    Parameters
    ----------
    starts
        Shape (seed, weight).
    noise
        Added to the gradient, shape (seed, step, weight); its last step is not used.
    hessian
        Shape (weight, weight), symmetric.
    rate, momentum
        η and β.
    factor
        What f and its noise are multiplied by.
    penalty
        Half the factor of ‖x‖² in the loss.
    decay
        Weight decay beside the gradient, by the rate.
    """
    states = np.empty(noise.shape)
    states[:, 0] = starts
    for step in range(1, noise.shape[1]):
        x = states[:, step - 1]
        gradient = factor * (x @ hessian + noise[:, step - 1]) + penalty * x
        states[:, step] = x - rate * decay * x - rate * gradient
        if momentum and step > 1:
            states[:, step] += momentum * (x - states[:, step - 2])
    return states


def descent(
    seeds: Sequence[int],
    curvatures: Sequence[float] = CURVATURES,
    basis: int = 0,
    rate: float = RATE,
    momentum: float = 0.0,
    factor: float = 1.0,
    penalty: float = 0.0,
    decay: float = 0.0,
) -> xr.Dataset:
    """Pool of noisy gradient descent; see :func:`descended`.

    The loss recorded is that of the data, without a penalty. The basis is one for all seeds.
    """
    hessian = _hessian(curvatures, basis)
    starts, noise = _drawn(seeds, len(curvatures))
    states = descended(starts, noise, hessian, rate, momentum, factor, penalty, decay)
    return pool(seeds, states, factor * energy(states, hessian))


def adam(seeds: Sequence[int], factor: float = 1.0) -> xr.Dataset:
    """Pool of Adam (Kingma and Ba 2015) on the loss times a factor.

    Adam divides the mean of the gradient by the root mean square: what multiplies the loss leaves
    the steps but for ε, added to that root.
    """
    hessian = _hessian(CURVATURES, 0)
    starts, noise = _drawn(seeds, len(CURVATURES))
    states = np.empty(noise.shape)
    states[:, 0] = starts
    mean, square = np.zeros_like(starts), np.zeros_like(starts)
    keep, keep_square = ADAM_MEANS
    for step in range(1, STATES):
        x = states[:, step - 1]
        gradient = factor * (x @ hessian + noise[:, step - 1])
        mean = keep * mean + (1 - keep) * gradient
        square = keep_square * square + (1 - keep_square) * gradient**2
        size = np.sqrt(square / (1 - keep_square**step)) + ADAM_EPSILON
        states[:, step] = x - ADAM_RATE * mean / (1 - keep**step) / size
    return pool(seeds, states, factor * energy(states, hessian))


def energy(states: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """½ xᵀ H x over the last axis."""
    return 0.5 * np.sum(states * (states @ hessian), axis=-1)


def _hessian(curvatures: Sequence[float], basis: int) -> np.ndarray:
    turn = orthogonal(basis, len(curvatures))
    return turn * np.asarray(curvatures) @ turn.T


def _drawn(seeds: Sequence[int], weights: int) -> tuple[np.ndarray, np.ndarray]:
    noise = GRADIENT_NOISE * normal(seeds, NOISE, STATES, weights)
    return normal(seeds, STARTS, weights), noise


_with_momentum: Callable[[Sequence[int]], xr.Dataset] = partial(descent, momentum=MOMENTUM)

# Pairs that differ stand in one basis, so that nothing else can tell them apart.
PAIRS: dict[str, Pair] = {
    "gradient descent bases": Pair(descent, partial(descent, basis=1)),
    "heavy ball bases": Pair(_with_momentum, partial(descent, momentum=MOMENTUM, basis=1)),
    "penalty/decay": Pair(partial(descent, penalty=DECAY), partial(descent, decay=DECAY)),
    "loss times 10, rate over 10": Pair(
        descent, partial(descent, factor=FACTOR, rate=RATE / FACTOR)
    ),
    "Adam, loss times 10": Pair(adam, partial(adam, factor=FACTOR)),
    "one curvature sharp": Pair(descent, partial(descent, curvatures=SHARP)),
    "curvatures stretched": Pair(descent, partial(descent, curvatures=STRETCHED)),
    "momentum 0.9/0.8": Pair(_with_momentum, partial(descent, momentum=0.8)),
    "momentum 0.9/0": Pair(_with_momentum, descent),
    "rate times 2": Pair(descent, partial(descent, rate=2 * RATE)),
}
