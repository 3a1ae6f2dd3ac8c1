"""Dynamics that differ along level sets of the loss: their loss curves have one law.

Either on f = ½‖x‖² with isotropic noise, where a rotation changes nothing of ‖x‖; or on a loss that
half of the directions leave alone, so that whatever happens there is in no curve.

Sizes: ten weights, 300 states. The spiral turns by as much a step as it shrinks, a hundredth.
Flat directions lie beside five directions of a quadratic
(:mod:`koopscope.experiments.known_answers.systems.quadratics`), in one random basis for all runs,
and spread as far as an oscillation of amplitude 1 and a period of a third of the run; a drift that
slows down does so at the oscillation's rate (at 0.01, tried first at seeds 0 to 39, it was lost
among the descent's own decays). The walk of independent steps is that of SGD along
flat directions, the correlated one that of SGD with momentum 0.9 at a tenth of the rate, whose
diffusion is the same.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from koopscope.experiments.known_answers.systems.pools import (
    NOISE,
    SPEEDS,
    STARTS,
    Pair,
    normal,
    orthogonal,
    pool,
)
from koopscope.experiments.known_answers.systems.quadratics import (
    GRADIENT_NOISE,
    descended,
    energy,
)

STATES, WEIGHTS, FLAT = 300, 10, 5
SHRINKING = 0.01
SPIRAL_NOISE = 0.01
CURVATURES = np.geomspace(0.05, 4, WEIGHTS - FLAT)
FREQUENCY = 2 * np.pi / 100
# Of a drift that slows down, as fast as the oscillation turns.
SLOWING = FREQUENCY
# Standard deviation of a step such that a walk of all steps ends one unit from where it began.
WALK = 1 / np.sqrt(STATES)
MEMORY = 0.9
BASIS = 20

Motion = Callable[[Sequence[int]], np.ndarray]


def spiral(seeds: Sequence[int], angle: float = 0.0) -> xr.Dataset:
    """Pool of x' = (1 − 0.01) R x + noise on f = ½‖x‖², R turning five planes by an angle."""
    turn = np.kron(
        np.eye(WEIGHTS // 2), [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    noise = SPIRAL_NOISE * normal(seeds, NOISE, STATES, WEIGHTS)
    states = np.empty(noise.shape)
    states[:, 0] = normal(seeds, STARTS, WEIGHTS)
    for step in range(1, STATES):
        states[:, step] = (1 - SHRINKING) * states[:, step - 1] @ turn.T + noise[:, step]
    basis = orthogonal(BASIS, WEIGHTS)
    return pool(seeds, states @ basis.T, 0.5 * np.sum(states**2, axis=2))


def beside_descent(seeds: Sequence[int], motion: Motion) -> xr.Dataset:
    """Pool of noisy gradient descent in five directions and a motion in five flat ones."""
    steep = WEIGHTS - FLAT
    noise = GRADIENT_NOISE * normal(seeds, NOISE, STATES, steep)
    hessian = np.diag(CURVATURES)
    descending = descended(normal(seeds, STARTS, steep), noise, hessian)
    states = np.concatenate([descending, motion(seeds)], axis=2)
    return pool(seeds, states @ orthogonal(BASIS, WEIGHTS).T, energy(descending, hessian))


def drift(seeds: Sequence[int], slowing: float = 0.0) -> np.ndarray:
    """Straight lines, z' = z + v, shape (seed, step, flat direction).

    Parameters
    ----------
    seeds
        Each draws the velocity, such that an even drift spreads as far as an oscillation.
    slowing
        κ of v' = (1 − κ) v; the way in all is that of an even drift.
    """
    speeds = (1 - slowing) ** np.arange(STATES - 1)
    course = np.concatenate([[0], speeds.cumsum()])
    # Of an even course the spread is the way by √12, of an oscillation the amplitude by √2.
    course *= np.sqrt(12 / 2) / course[-1]
    return course[:, None] * normal(seeds, SPEEDS, 1, FLAT)


def oscillation(seeds: Sequence[int]) -> np.ndarray:
    """Oscillations about the start, of random phase and amplitude, as :func:`drift`."""
    cosine, sine = normal(seeds, SPEEDS, 2, FLAT).transpose(1, 0, 2)[:, :, None]
    at = FREQUENCY * np.arange(STATES)[:, None]
    return (cosine * np.cos(at) + sine * np.sin(at) - cosine) / np.sqrt(2)


def walk(seeds: Sequence[int], memory: float = 0.0) -> np.ndarray:
    """Random walks, p' = ρ p + (1 − ρ) noise, z' = z + p', as :func:`drift`; ρ is the memory."""
    drawn = WALK * (1 - memory) * normal(seeds, SPEEDS, STATES, FLAT)
    states, step = np.zeros(drawn.shape), np.zeros(drawn[:, 0].shape)
    for place in range(1, STATES):
        step = memory * step + drawn[:, place]
        states[:, place] = states[:, place - 1] + step
    return states


PAIRS: dict[str, Pair] = {
    "contraction/spiral": Pair(spiral, partial(spiral, angle=SHRINKING)),
    "flat drift/oscillation": Pair(
        partial(beside_descent, motion=drift), partial(beside_descent, motion=oscillation)
    ),
    "flat drift/slowing drift": Pair(
        partial(beside_descent, motion=drift),
        partial(beside_descent, motion=partial(drift, slowing=SLOWING)),
    ),
    "flat white/correlated": Pair(
        partial(beside_descent, motion=walk),
        partial(beside_descent, motion=partial(walk, memory=MEMORY)),
    ),
}
