"""Runs that keep some statistics of recorded ones and none of their dynamics: always different.

Each function takes runs, dims ``(…, step, weight)``, and a generator of random numbers, and gives
others of the same shape, each run made from that run alone (Theiler et al., Physica D 58, 1992, for
the idea). A verdict that does not tell them from the runs knows no more than what they keep.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from koopscope.errors import InputError

# Steps of a moving mean, by the length of a run.
WINDOW = 0.05


def increments_shuffled(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """Steps in another order: the first state, the last, and the set of all steps are kept."""

    def change(states: np.ndarray) -> np.ndarray:
        steps = draw.permutation(np.diff(states, axis=0), axis=0)
        return states[0] + np.concatenate([np.zeros((1, states.shape[1])), steps.cumsum(axis=0)])

    return _each(runs, change)


def fluctuations_shuffled(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """What is left beside a moving mean, in another order: the slow course is kept.

    The window is a twentieth of the run, at least 3 steps, shorter at the ends.
    """

    def change(states: np.ndarray) -> np.ndarray:
        half = max(1, int(WINDOW * len(states)) // 2)
        sums = np.concatenate([np.zeros((1, states.shape[1])), states.cumsum(axis=0)])
        at = np.arange(len(states))
        low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(states))
        means = (sums[high] - sums[low]) / (high - low)[:, None]
        return means + draw.permutation(states - means, axis=0)

    return _each(runs, change)


def reversed_in_time(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """The last state first: all that does not depend on the direction of time is kept."""
    return _each(runs, lambda states: states[::-1])


def random_walk(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """Independent normal steps with the mean and the covariance of the run's own steps."""

    def change(states: np.ndarray) -> np.ndarray:
        steps = np.diff(states, axis=0)
        made = _normal_like(steps, len(steps), draw) + steps.mean(axis=0)
        return states[0] + np.concatenate([np.zeros((1, states.shape[1])), made.cumsum(axis=0)])

    return _each(runs, change)


def autoregressive(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """A stationary process of order 1 with the run's mean, covariance and mean autocorrelation.

    The autocorrelation of successive states is one number for all weights: the trace of the lagged
    covariance over that of the covariance.
    """

    def change(states: np.ndarray) -> np.ndarray:
        mean = states.mean(axis=0)
        centred = states - mean
        whole = float(np.sum(centred**2))
        kept = float(np.sum(centred[1:] * centred[:-1])) / whole if whole else 0.0
        kept = float(np.clip(kept, -1, 1))
        noise = _normal_like(states, len(states), draw)
        out = np.empty_like(noise)
        out[0] = noise[0]
        for t in range(1, len(out)):
            out[t] = kept * out[t - 1] + np.sqrt(1 - kept**2) * noise[t]
        return mean + out

    return _each(runs, change)


SURROGATES: dict[str, Callable[[xr.DataArray, np.random.Generator], xr.DataArray]] = {
    "increments shuffled": increments_shuffled,
    "fluctuations shuffled": fluctuations_shuffled,
    "time reversed": reversed_in_time,
    "random walk": random_walk,
    "autoregressive": autoregressive,
}


def _normal_like(values: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Normal rows of mean 0 whose covariance is that of the rows of values, which need no inverse.

    Random combinations of the centred rows: their covariance is exactly the rows' own.
    """
    centred = values - values.mean(axis=0)
    return draw.normal(size=(count, len(values))) @ centred / np.sqrt(len(values))


def _each(runs: xr.DataArray, change: Callable[[np.ndarray], np.ndarray]) -> xr.DataArray:
    """Apply a change to each run, an array (step, weight), in double precision."""
    if not {"step", "weight"} <= set(runs.dims) or runs.sizes["step"] < 3:
        raise InputError(
            f"runs: sizes are {dict(runs.sizes)}; give (…, step, weight), 3 steps or more"
        )
    last = runs.transpose(..., "step", "weight")
    values = last.values.astype(float)
    flat = values.reshape(-1, *values.shape[-2:])
    changed = np.stack([change(run) for run in flat]).reshape(values.shape)
    return last.copy(data=changed).transpose(*runs.dims)
