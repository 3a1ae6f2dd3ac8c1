"""Signals with known scales: explicit functions of one or two variables, and dynamical systems.

[ours, not the paper's] Mohr et al. (Entropy 2021) study explicit functions and dynamical data;
which ones could not be read, so these are our own. All live on equidistant grids.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from numbers import Integral
from typing import Any

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from koopscope.artefacts.provenance import canonical
from koopscope.data.names import SIGNALS, TURN
from koopscope.errors import InputError

Array = np.ndarray
# Of the values' own size, far below any noise or margin studied here.
INTEGRATION_TOLERANCE = 1e-9


def signal(name: str, points: int, noise: float = 0.0, seed: int = 0) -> xr.Dataset:
    """Sample a signal on an equidistant grid, ends included.

    Parameters
    ----------
    name
        One of :data:`koopscope.data.names.SIGNALS`.
    points
        Grid points in each dimension.
    noise
        Standard deviation of independent Gaussian noise, as a share of that of the signal: 0 for
        none, 0.3 for 30 %.
    seed
        Draws what is random in the signal, as a dynamical system's initial state, and, from a
        stream of its own, the noise: the same at every level, up to its size.

    Returns
    -------
    xarray.Dataset
        Variables ``clean`` and ``value`` (with the noise) over one dimension a coordinate, float64;
        attributes ``signal``, ``meaning``, ``points``, ``noise``, ``seed``, ``manifest`` (JSON
        text) and ``digest`` (SHA-256 of coordinates and values).

    Raises
    ------
    InputError
        If there is no such signal, or another argument is out of its range.

    Examples
    --------
    >>> from koopscope.data.signals import signal
    >>> dict(signal("rings", 21, noise=0.1)["value"].sizes)
    {'x': 21, 'y': 21}
    """
    if name not in SIGNALS:
        raise InputError(f"name: unknown {name!r}; give one of {', '.join(SIGNALS)}")
    if isinstance(points, bool) or not isinstance(points, Integral) or points < 2:
        raise InputError(f"points: {points!r} is not a whole number of at least 2")
    if not 0 <= noise < np.inf:
        raise InputError(f"noise: {noise} is not a finite number of at least 0")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"seed: {seed!r} is not a whole number of at least 0")
    of_state, of_noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    made, values = SIGNALS[name], globals()["_" + name.replace("-", "_")]
    axes = {dim: np.linspace(0, extent, points) for dim, extent in made.extents.items()}
    clean = values(*np.meshgrid(*axes.values(), indexing="ij", sparse=True), of_state)
    value = clean + noise * clean.std() * of_noise.standard_normal(clean.shape)
    dims = tuple(axes)
    out = xr.Dataset({"clean": (dims, clean), "value": (dims, value)}, coords=axes)
    given = {"signal": name, "points": int(points), "noise": float(noise), "seed": int(seed)}
    manifest = canonical({"generator": "koopscope.data.signals", **given})
    return out.assign_attrs(given, meaning=made.meaning, manifest=manifest, digest=_digest(out))


def draws(
    points: Mapping[str, int], noises: Iterable[float] = (0.0,), seeds: Iterable[int] = (0,)
) -> list[xr.Dataset]:
    """Every signal at every level of noise with every seed; what comes out the same only once.

    Parameters
    ----------
    points
        Grid points in each dimension, by the signal's name.
    noises, seeds
        As for :func:`signal`.
    """
    kept: dict[tuple[str, str], xr.Dataset] = {}
    for (name, count), noise, seed in product(points.items(), noises, seeds):
        made = signal(name, count, noise, seed)
        kept.setdefault((name, made.attrs["digest"]), made)
    return list(kept.values())


def split(signal: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Training and held-out points of a signal: every second one of each axis, those amid them."""
    train = signal.isel(dict.fromkeys(signal["value"].dims, slice(0, None, 2)))
    held_out = signal.isel(dict.fromkeys(signal["value"].dims, slice(1, None, 2)))
    if min(held_out.sizes.values()) < 1:
        raise InputError("signal: no point to hold out; give at least 3 points an axis")
    return train, held_out


def coordinates(signal: xr.Dataset) -> np.ndarray:
    """Positions of a grid's points, last axis fastest; shape (point, coordinate)."""
    axes = np.meshgrid(*(signal[dim].values for dim in signal["value"].dims), indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def spacings(signal: xr.Dataset) -> list[float]:
    """Distances of neighbouring points along each axis."""
    axes = (signal[dim].values for dim in signal["value"].dims)
    return [float(np.ptp(axis)) / (len(axis) - 1) for axis in axes]


def _digest(ds: xr.Dataset) -> str:
    joint = hashlib.sha256()
    for name in (*ds.dims, "clean", "value"):
        joint.update(canonical([name, ds[name].shape]).encode() + b"\0")
        joint.update(np.ascontiguousarray(ds[name].values, dtype="<f8").data)
    return joint.hexdigest()


def _trajectory(
    derivative: Callable[[float, Array], Any], time: Array, start: Array, transient: float
) -> Array:
    """First coordinate of a flow at the given times, after a transient; shape (time,)."""
    solved = solve_ivp(
        derivative,
        (-transient, time[-1]),
        start,
        method="DOP853",
        t_eval=time,
        rtol=INTEGRATION_TOLERANCE,
        atol=INTEGRATION_TOLERANCE,
    )
    return solved.y[0]


def _tone(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(40 * x)


def _tones(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(x) + np.sin(5 * x) + np.sin(20 * x)


def _weak_tone(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(x) + 0.1 * np.sin(60 * x)


def _broken_tone(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(12.37 * x)


def _chirp(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(3 * x**2)


def _modulated(x: Array, rng: np.random.Generator) -> Array:
    return (1 + 0.8 * np.sin(2 * x)) * np.sin(30 * x)


def _weierstrass(x: Array, rng: np.random.Generator) -> Array:
    return sum(0.5**k * np.cos(3**k * x) for k in range(5))


def _steps(x: Array, rng: np.random.Generator) -> Array:
    return np.sin(x) + np.where(np.sin(3 * x + 1) > 0, 0.5, -0.5)


def _random_tones(x: Array, rng: np.random.Generator) -> Array:
    count = rng.integers(1, 6)
    ends = np.log([(1, 40), (0.05, 1)])
    periods, sizes = (np.exp(rng.uniform(low, high, count)) for low, high in ends)
    phases = rng.uniform(0, TURN, count)
    return np.sin(x[:, None] * periods + phases) @ sizes


def _tones_2d(x: Array, y: Array, rng: np.random.Generator) -> Array:
    return np.sin(x) * np.cos(y) + 0.5 * np.sin(4 * x + 3 * y)


def _rings(x: Array, y: Array, rng: np.random.Generator) -> Array:
    return np.cos(0.75 * ((x - np.pi) ** 2 + (y - np.pi) ** 2))


def _lorenz(time: Array, rng: np.random.Generator) -> Array:
    def derivative(_: float, s: Array) -> tuple[float, ...]:
        return 10 * (s[1] - s[0]), s[0] * (28 - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]

    return _trajectory(derivative, time, rng.normal((1, 1, 25), 1), 10)


def _van_der_pol(time: Array, rng: np.random.Generator) -> Array:
    def derivative(_: float, s: Array) -> tuple[float, ...]:
        return s[1], 2 * (1 - s[0] ** 2) * s[1] - s[0]

    return _trajectory(derivative, time, rng.normal((1, 0), 0.5), 30)


def _quasi_periodic(time: Array, rng: np.random.Generator) -> Array:
    first, second = rng.uniform(0, 2 * np.pi, 2)
    first, second = first + 2 * time, second + (1 + 5**0.5) * time
    return np.cos(first) + 0.5 * np.cos(second) + 0.25 * np.cos(first + 3 * second)


def _travelling_waves(time: Array, x: Array, rng: np.random.Generator) -> Array:
    first, second = rng.uniform(0, 2 * np.pi, 2)
    return np.sin(2 * x - time + first) + 0.3 * np.sin(5 * x + 3.3 * time + second)
