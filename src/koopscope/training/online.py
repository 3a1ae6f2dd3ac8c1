"""Online optimisers as dynamical systems: mirror descent, gradient descent, bisection.

Setting of the first experiment of Redman et al. (NeurIPS 2024), from the authors' scripts: the
loss f(x) = Σ tan(x_i) on the box [1/T, 1]^d. Mirror descent with the log barrier and gradient
descent in u = log x are conjugate by a known change of variables; bisection is not conjugate to
them. [ours, not the paper's] The same with other functions than tan that rise through 0.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from koopscope.config.setup import LOSSES, OnlineSetup

# Random streams of a seed; see also the streams of training.batches.
STARTS = 10

OBSERVABLES = {"state": lambda x: x, "log": np.log, "exp": np.exp}
BOXES = {"omd": (0.1, 0.9), "ogd": (-2.3, -0.1)}
# Each g is below 0 on all of the first and above it on all of the second, so f changes sign.
BRACKETS = ((-4 / 3, -1 / 3), (1 / 7, 8 / 7))


def _tan_slope(x: np.ndarray) -> np.ndarray:
    return 1 / np.cos(x) ** 2


def _linear(x: np.ndarray) -> np.ndarray:
    return x


def _cubic(x: np.ndarray) -> np.ndarray:
    return x + x**3


def _cubic_slope(x: np.ndarray) -> np.ndarray:
    return 1 + 3 * x**2


_tan, _linear_slope, _sinh, _sinh_slope = np.tan, np.ones_like, np.sinh, np.cosh
# g and its slope for each loss f(x) = Σ g(x_i).
FUNCTIONS = {name: (globals()[f"_{name}"], globals()[f"_{name}_slope"]) for name in LOSSES}


def trajectories(setup: OnlineSetup) -> xr.Dataset:
    """Trajectories of every seed, in the form that :mod:`koopscope.training.recording` writes.

    Variables ``weights`` (seed, init, step, weight), ``loss`` (seed, init, step; f at each state)
    and ``diverged_at`` (seed, init; always -1: the box bounds every run). Double precision, since
    the spectra need it: the delayed data have a condition number of 2e8.
    """
    states, losses = zip(*(run(setup, seed) for seed in setup.seeds), strict=True)
    dims = ("seed", "init", "step", "weight")
    return xr.Dataset(
        {
            "weights": (dims, np.stack(states)),
            "loss": (dims[:3], np.stack(losses)),
            "diverged_at": (dims[:2], np.full(np.shape(losses)[:2], -1)),
        },
        coords={
            "seed": list(setup.seeds),
            "init": np.arange(setup.initialisations),
            "step": np.arange(setup.states),
        },
        attrs={"loss_name": "f(x)"},
    )


def run(setup: OnlineSetup, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """States and losses of every initial point of one seed.

    Returns
    -------
    states : numpy.ndarray
        Shape (init, step, weight), double precision: x for mirror descent, u = log x for gradient
        descent (or the other's by the setup's ``observable``), the midpoint z for bisection.
    losses : numpy.ndarray
        f at each state, shape (init, step).
    """
    unit = starts(setup, seed)
    runs = {"omd": _mirror_descent, "ogd": _gradient_descent, "bisection": _bisection}
    states = runs[setup.method](setup, unit)
    losses = loss(np.exp(states) if setup.method == "ogd" else states, setup.loss)
    return OBSERVABLES[setup.observable](states), losses


def starts(setup: OnlineSetup, seed: int) -> np.ndarray:
    """Initial points in the unit cube, shape (init, weight)."""
    if setup.initial_points == "random":
        rng = np.random.default_rng([seed, STARTS])
        return rng.random((setup.initialisations, setup.dimension))
    side = round(setup.initialisations ** (1 / setup.dimension))
    axes = np.meshgrid(*[np.linspace(0, 1, side)] * setup.dimension)
    return np.stack([axis.ravel() for axis in axes], axis=1)


def loss(x: np.ndarray, name: str = "tan") -> np.ndarray:
    """f(x) = Σ g(x_i) over the last axis, g by its name."""
    return FUNCTIONS[name][0](x).sum(axis=-1)


def _mirror_descent(setup: OnlineSetup, unit: np.ndarray) -> np.ndarray:
    lowest, slope = 1 / setup.states, FUNCTIONS[setup.loss][1]

    def step(x: np.ndarray) -> np.ndarray:
        # ∇R(x) = -1/x for the barrier R(x) = -Σ log x; its Bregman projection onto a box is a clip.
        return np.clip(1 / (1 / x + setup.step_size * slope(x)), lowest, 1)

    return _iterate(step, _spread(unit, *BOXES["omd"]), setup.states)


def _gradient_descent(setup: OnlineSetup, unit: np.ndarray) -> np.ndarray:
    lowest, slope = np.log(1 / setup.states), FUNCTIONS[setup.loss][1]

    def step(u: np.ndarray) -> np.ndarray:
        x = np.exp(u)
        return np.clip(u - setup.step_size * slope(x) * x, lowest, 0)

    return _iterate(step, _spread(unit, *BOXES["ogd"]), setup.states)


def _bisection(setup: OnlineSetup, unit: np.ndarray) -> np.ndarray:
    below, above = (_spread(unit, *bracket) for bracket in BRACKETS)
    middles = []
    for _ in range(setup.states):
        middle = (below + above) / 2
        middles.append(middle)
        negative = (loss(middle, setup.loss) < 0)[:, None]
        below, above = np.where(negative, middle, below), np.where(negative, above, middle)
    return np.stack(middles, axis=1)


def _iterate(step: Callable[[np.ndarray], np.ndarray], x: np.ndarray, states: int) -> np.ndarray:
    trajectory = [x]
    for _ in range(states - 1):
        trajectory.append(step(trajectory[-1]))
    return np.stack(trajectory, axis=1)


def _spread(unit: np.ndarray, low: float, high: float) -> np.ndarray:
    return low + (high - low) * unit
