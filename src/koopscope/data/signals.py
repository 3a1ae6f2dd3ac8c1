"""Signals with known scales: explicit functions of one or two variables, and dynamical systems.

[ours, not the paper's] Mohr et al. (Entropy 2021) study explicit functions and dynamical data;
which ones could not be read, so these are our own. All live on equidistant grids.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from numbers import Integral
from typing import Any

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from koopscope.errors import InputError
from koopscope.provenance import canonical

Array = np.ndarray
# Of the values' own size, far below any noise or margin studied here.
INTEGRATION_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Signal:
    """How a signal is made.

    Attributes
    ----------
    values
        Takes one coordinate array a dimension, that broadcast, and a random generator.
    extents
        Length of the domain in each dimension, which starts at 0, by the dimension's name.
    meaning
        What it is, in words.
    """

    values: Callable[..., Array]
    extents: Mapping[str, float]
    meaning: str


def signal(name: str, points: int, noise: float = 0.0, seed: int = 0) -> xr.Dataset:
    """Sample a signal on an equidistant grid, ends included.

    Parameters
    ----------
    name
        One of :data:`SIGNALS`.
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
    made = SIGNALS[name]
    axes = {dim: np.linspace(0, extent, points) for dim, extent in made.extents.items()}
    clean = made.values(*np.meshgrid(*axes.values(), indexing="ij", sparse=True), of_state)
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
    periods, sizes = (np.exp(rng.uniform(*np.log(ends), count)) for ends in ((1, 40), (0.05, 1)))
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


TURN = 2 * np.pi
SIGNALS = {
    "tone": Signal(_tone, {"x": TURN}, "sin 40x"),
    "tones": Signal(_tones, {"x": TURN}, "sin x + sin 5x + sin 20x"),
    "weak-tone": Signal(_weak_tone, {"x": TURN}, "sin x + 0.1 sin 60x"),
    "broken-tone": Signal(_broken_tone, {"x": TURN}, "sin 12.37x: no whole number of periods"),
    "chirp": Signal(_chirp, {"x": TURN}, "sin 3x²"),
    "modulated": Signal(_modulated, {"x": TURN}, "(1 + 0.8 sin 2x) sin 30x"),
    "weierstrass": Signal(_weierstrass, {"x": TURN}, "Weierstrass: Σ 2⁻ᵏ cos 3ᵏx, k = 0 to 4"),
    "steps": Signal(_steps, {"x": TURN}, "sin x + ½ sign sin(3x + 1): jumps"),
    "random-tones": Signal(
        _random_tones, {"x": TURN}, "up to five tones: 1 to 40 periods, sizes 0.05 to 1"
    ),
    "tones-2d": Signal(_tones_2d, {"x": TURN, "y": TURN}, "sin x cos y + ½ sin(4x + 3y)"),
    "rings": Signal(_rings, {"x": TURN, "y": TURN}, "cos ¾r²: a chirp in all directions"),
    "lorenz": Signal(_lorenz, {"time": 20.0}, "Lorenz-63 (10, 28, 8/3), first coordinate"),
    "van-der-pol": Signal(_van_der_pol, {"time": 30.0}, "Van der Pol (μ = 2): a limit cycle"),
    "quasi-periodic": Signal(
        _quasi_periodic, {"time": 20.0}, "flow on a torus: frequencies 2 and 1 + √5"
    ),
    "travelling-waves": Signal(
        _travelling_waves, {"time": TURN, "x": TURN}, "two waves, one against the other"
    ),
}
