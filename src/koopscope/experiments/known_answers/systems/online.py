"""Mirror descent, gradient descent and bisection, from random starts.

The first experiment of Redman et al. (NeurIPS 2024, :mod:`koopscope.training.online`): losses
f(x) = Σ g(x_i) on a box of two coordinates, 25 random starts a seed, 100 states, step η = 0.01.
Mirror descent by a map R takes gradient steps on the dual variable y = ∇R(x), so that the runs in x
and those in y are one map in two coordinates, exactly (Nemirovski and Yudin 1983; Beck and
Teboulle, Oper. Res. Lett. 31, 2003). Gradient descent in u = log x is another map:
with s = η x g'(x), mirror descent with the log barrier takes log(1 + s) from u, and it takes s,
so that a step differs by s² / 2, and a run of 100 steps by half of η.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from koopscope.config.setup import OnlineSetup
from koopscope.experiments.known_answers.names import BENT_LOSSES, LOSSES, MIRROR_MAPS
from koopscope.experiments.known_answers.systems.pools import Pair, pool
from koopscope.training.online import BOXES, FUNCTIONS, loss, starts, trajectories

Map = Callable[[np.ndarray], np.ndarray]


def _root(x: np.ndarray) -> np.ndarray:
    return -1 / np.sqrt(x)


def _inverse_square(y: np.ndarray) -> np.ndarray:
    return 1 / y**2


# ∇R and its inverse for R = -Σ log x, Σ (x log x - x) (exponentiated gradient), and -Σ 2√x, the
# Tsallis entropy of exponent ½ but for a factor. No run leaves the box that the projection is onto.
GRADIENTS: dict[str, tuple[Map, Map]] = {
    "barrier": (lambda x: -1 / x, lambda y: -1 / y),
    "entropy": (np.log, np.exp),
    "tsallis": (_root, _inverse_square),
}


def _setup(method: str, name: str, seeds: Sequence[int], observable: str = "state") -> OnlineSetup:
    return OnlineSetup(
        method, name, initial_points="random", seeds=tuple(seeds), observable=observable
    )


def recorded(seeds: Sequence[int], method: str, name: str, observable: str = "state") -> xr.Dataset:
    """Pool of a method as the library runs it.

    Bisection looks for a root, so its loss is how far f is from 0, at least the resolution of
    double precision: it is reached after some 50 steps, and has no logarithm beyond.
    """
    runs = trajectories(_setup(method, name, seeds, observable))
    losses = runs["loss"].values
    if method == "bisection":
        losses = np.maximum(np.abs(losses), np.finfo(float).eps)
    return pool(seeds, runs["weights"].values, losses)


def mirror_descent(seeds: Sequence[int], mirror: str, name: str, dual: bool = False) -> xr.Dataset:
    """Pool of mirror descent by one of ``GRADIENTS``, in x or in the dual variable y = ∇R(x)."""
    to_dual, to_primal = GRADIENTS[mirror]
    slope, setup = FUNCTIONS[name][1], _setup("omd", name, seeds)
    y = to_dual(_points(setup))
    states = [y]
    for _ in range(setup.states - 1):
        states.append(states[-1] - setup.step_size * slope(to_primal(states[-1])))
    found = np.stack(states, axis=2)
    x = to_primal(found)
    return pool(seeds, found if dual else x, loss(x, name))


def gradient_descent(seeds: Sequence[int], name: str) -> xr.Dataset:
    """Pool of gradient descent in u = log x, from the logarithms of mirror descent's starts."""
    slope, setup = FUNCTIONS[name][1], _setup("ogd", name, seeds)
    states = [np.log(_points(setup))]
    for _ in range(setup.states - 1):
        x = np.exp(states[-1])
        states.append(states[-1] - setup.step_size * slope(x) * x)
    found = np.stack(states, axis=2)
    return pool(seeds, found, loss(np.exp(found), name))


def _points(setup: OnlineSetup) -> np.ndarray:
    """Starts of mirror descent, shape (seed, init, weight)."""
    low, high = BOXES["omd"]
    return low + (high - low) * np.stack([starts(setup, seed) for seed in setup.seeds])


PAIRS: dict[str, Pair] = {
    **{
        f"omd/ogd {name}": Pair(
            partial(recorded, method="omd", name=name), partial(gradient_descent, name=name)
        )
        for name in LOSSES
    },
    **{
        f"omd/omd in log x {name}": Pair(
            partial(recorded, method="omd", name=name),
            partial(recorded, method="omd", name=name, observable="log"),
        )
        for name in LOSSES
    },
    **{
        f"mirror/dual {mirror} {name}": Pair(
            partial(mirror_descent, mirror=mirror, name=name),
            partial(mirror_descent, mirror=mirror, name=name, dual=True),
        )
        for mirror in MIRROR_MAPS
        for name in BENT_LOSSES
    },
    **{
        f"omd/ogd other starts {name}": Pair(
            partial(recorded, method="omd", name=name), partial(recorded, method="ogd", name=name)
        )
        for name in LOSSES
    },
    **{
        f"{method}/bisection {name}": Pair(
            partial(recorded, method=method, name=name),
            partial(recorded, method="bisection", name=name),
        )
        for method in ("omd", "ogd")
        for name in BENT_LOSSES
    },
}
