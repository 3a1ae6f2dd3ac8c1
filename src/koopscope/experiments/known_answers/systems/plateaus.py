"""Gradient descent on a loss whose plateau is just a minimum, or just none.

x' = x + a (μ + x²) (1 − x), gradient descent on a polynomial of degree four: a tangent bifurcation
at x = 0 beside a deeper minimum at x = 1. For μ < 0 runs from below end at −√−μ, where the slope of
the map is about 1 − 2a√−μ; for μ > 0 there is no fixed point, and they pass in about π / (a√μ)
steps and go on to x = 1 (Pomeau and Manneville, Commun. Math. Phys. 74, 1980).

Sizes: a = ½ and 300 states, so that at μ = 0.001 runs pass in about 200 steps, and at
μ = 0.0002, in about 440, do not while they are watched. Noise of 0.0005 a step is far too small to
carry a run over the barrier of μ = −0.001, (4/3) a |μ|^{3/2}. Five weights are five independent
copies, with starts uniform from −0.8 to −0.4. The loss is as high on every plateau: with the deeper
minimum at one height, as it was at first, that constant alone told loss curves apart.
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
    pool,
    uniform,
)

RATE, STATES, COPIES = 0.5, 300, 5
MAP_NOISE, LEAST_LOSS = 5e-4, 0.01
PASSED, PASSING = 1e-3, 2e-4


def stepped(x: np.ndarray, offset: float) -> np.ndarray:
    """One step without noise; ``offset`` is μ."""
    return x + RATE * (offset + x**2) * (1 - x)


def potential(x: np.ndarray, offset: float) -> np.ndarray:
    """Loss that the step descends by the rate a: as high for every μ on the plateau, at x = 0.

    It is least at x = 1, 0.01 − μ / 2.
    """
    fall = offset * x - offset * x**2 / 2 + x**3 / 3 - x**4 / 4
    return LEAST_LOSS + 1 / 12 - fall


def plateau(
    seeds: Sequence[int],
    offset: float = PASSED,
    variable: Callable[[np.ndarray], np.ndarray] = np.positive,
) -> xr.Dataset:
    """Pool of runs at an offset μ, in a variable; the loss is the mean over the copies."""
    states = np.empty((len(seeds), STATES, COPIES))
    states[:, 0] = -0.8 + 0.4 * uniform(seeds, STARTS, COPIES)
    noise = MAP_NOISE * normal(seeds, NOISE, STATES, COPIES)
    for step in range(1, STATES):
        states[:, step] = stepped(states[:, step - 1], offset) + noise[:, step]
    return pool(seeds, variable(states), potential(states, offset).mean(axis=2))


def exponential(x: np.ndarray) -> np.ndarray:
    """exp(2x)."""
    return np.exp(2 * x)


PAIRS: dict[str, Pair] = {
    "plateau in another variable": Pair(plateau, partial(plateau, variable=exponential)),
    "plateau caught/passed": Pair(
        partial(plateau, offset=-PASSED), partial(plateau, offset=PASSED)
    ),
    "plateau caught/passing": Pair(
        partial(plateau, offset=-PASSING), partial(plateau, offset=PASSING)
    ),
}
