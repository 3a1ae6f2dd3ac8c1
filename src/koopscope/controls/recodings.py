"""The same runs in other variables: conjugate to themselves by construction, so never different.

Each function takes runs, dims ``(…, step, weight)``, and a generator of random numbers, and gives
them in new variables of the same number. One map is drawn for all runs that are given together: a
group of seeds is recoded as a whole, since a conjugacy is one map of the weights.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.recording.layers import recorded_shapes

# Weights up to which a rotation is drawn from all; above, a product of reflections.
DENSE = 1000
REFLECTIONS = 16
UNITS = ("first", "last")
ROUNDING = 1e-12


def rescaled(runs: xr.DataArray, draw: np.random.Generator, factor: float = 10.0) -> xr.DataArray:
    """Each weight times a positive constant of its own, from 1 ÷ factor to factor."""
    scales = factor ** draw.uniform(-1, 1, _weights(runs))
    return _mapped(runs, lambda states: states * scales)


def bent(
    runs: xr.DataArray, draw: np.random.Generator, spread: np.ndarray | None = None
) -> xr.DataArray:
    """Each weight through a smooth monotone map of its own, sinh(a asinh(x ÷ s + b)).

    With s its spread over all runs and steps, or the one given (:func:`spread_of`, where the runs
    are some of a group alone), a from ½ to 2 and b from −1 to 1.
    """
    count = _weights(runs)
    power, shift = np.exp2(draw.uniform(-1, 1, count)), draw.uniform(-1, 1, count)
    scale = spread_of([runs]) if spread is None else spread
    return _mapped(runs, lambda states: np.sinh(power * np.arcsinh(states / scale + shift)))


def rotated(runs: xr.DataArray, draw: np.random.Generator) -> xr.DataArray:
    """All weights turned together, by a random orthogonal map."""
    turn = _orthogonal(_weights(runs), draw)
    return _mapped(runs, turn)


def mixed(runs: xr.DataArray, draw: np.random.Generator, condition: float = 10.0) -> xr.DataArray:
    """All weights through an invertible linear map of a condition number."""
    count = _weights(runs)
    before, after = _orthogonal(count, draw), _orthogonal(count, draw)
    scales = condition ** np.linspace(-0.5, 0.5, count)
    return _mapped(runs, lambda states: after(before(states) * scales))


def warped(
    runs: xr.DataArray,
    draw: np.random.Generator,
    strength: float = 1.0,
    spread: np.ndarray | None = None,
) -> xr.DataArray:
    """A smooth invertible map that mixes weights: one half is moved by waves of the other.

    Each half in turn, y → y + s sin(A x), with s the spread of y and A scaled to the other half's;
    spreads are over all runs and steps, or those given (:func:`spread_of`).
    """
    order = draw.permutation(_weights(runs))
    halves = np.array_split(order, 2)
    random = [draw.normal(size=(len(a), len(b))) for a, b in (halves, halves[::-1])]
    scale = spread_of([runs]) if spread is None else spread

    def change(states: np.ndarray) -> np.ndarray:
        states = states.copy()
        for (given, moved), matrix in zip((halves, halves[::-1]), random, strict=True):
            # A single weight has no other half.
            waves = states[:, given] / scale[given] @ matrix / np.sqrt(max(1, len(given)))
            states[:, moved] += strength * scale[moved] * np.sin(waves)
        return states

    return _mapped(runs, change)


def units_permuted(
    runs: xr.DataArray, draw: np.random.Generator, units: str = "first"
) -> xr.DataArray:
    """Hidden units in another order: the network's function is the same.

    Parameters
    ----------
    runs, draw
        As of all recodings, with the coordinate ``layer`` of a recording.
    units
        Axis of a layer's matrix that its units are: ``"first"``, as PyTorch has them, or
        ``"last"``, as ensembles of networks (:mod:`koopscope.training`) have.

    Raises
    ------
    InputError
        If the runs do not hold the matrices of all layers of a fully connected network.
    """
    places = _chain(runs, units)
    order = np.arange(runs.sizes["weight"])
    taken = {name: of.copy() for name, of in places.items()}
    for below, above in pairwise(places):
        new = draw.permutation(len(places[below]))
        taken[below] = taken[below][new]
        taken[above] = taken[above][:, new]
    for name, of in places.items():
        order[of.ravel()] = taken[name].ravel()
    return _mapped(runs, lambda states: states[:, order])


def units_rescaled(
    runs: xr.DataArray, draw: np.random.Generator, units: str = "first", factor: float = 4.0
) -> xr.DataArray:
    """Hidden units scaled, their inputs by c and their outputs by 1 ÷ c, from 1 ÷ factor to factor.

    An exact symmetry of networks with ReLU: their function is the same. Parameters and errors as
    those of :func:`units_permuted`.
    """
    places = _chain(runs, units)
    scales = np.ones(runs.sizes["weight"])
    for below, above in pairwise(places):
        by_unit = factor ** draw.uniform(-1, 1, len(places[below]))
        scales[places[below]] *= by_unit[:, None]
        scales[places[above]] /= by_unit
    return _mapped(runs, lambda states: states * scales)


RECODINGS: dict[str, Callable[[xr.DataArray, np.random.Generator], xr.DataArray]] = {
    "rescaled": rescaled,
    "bent": bent,
    "rotated": rotated,
    "mixed": mixed,
    "warped": warped,
}
# Those whose map depends on the spread of the weights.
SPREAD: dict[str, Callable[..., xr.DataArray]] = {"bent": bent, "warped": warped}


def spread_of(groups: Iterable[xr.DataArray]) -> np.ndarray:
    """Standard deviation of each weight over all runs and steps; 1 where it never changes.

    Parameters
    ----------
    groups
        Runs, dims ``(…, step, weight)``, one after the other: no two are held at once.

    Returns
    -------
    numpy.ndarray
        Shape (weight,).
    """
    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    for runs in groups:
        states = runs.transpose(..., "weight").values.astype(float)
        states = states.reshape(-1, states.shape[-1])
        if not len(states):
            continue
        own = states.mean(axis=0)
        # Chan, Golub and LeVeque 1983: without the loss of digits that sums of squares have.
        whole, apart = count + len(states), own - mean
        squares = squares + ((states - own) ** 2).sum(axis=0)
        squares = squares + apart**2 * (count * len(states) / whole)
        mean, count = mean + apart * (len(states) / whole), whole
    spread = np.sqrt(squares / max(1, count))
    # Rounding alone is no spread.
    return np.where(spread > ROUNDING * np.abs(mean), spread, 1.0)


def _mapped(runs: xr.DataArray, change: Callable[[np.ndarray], np.ndarray]) -> xr.DataArray:
    """Apply a map of states (state, weight) to all runs at once, in double precision."""
    last = runs.transpose(..., "weight")
    values = last.values.astype(float)
    changed = change(values.reshape(-1, values.shape[-1])).reshape(values.shape)
    return last.copy(data=changed).transpose(*runs.dims)


def _weights(runs: xr.DataArray) -> int:
    if not runs.sizes.get("weight"):
        raise InputError(f"runs: sizes are {dict(runs.sizes)}; give (…, step, weight), not empty")
    return runs.sizes["weight"]


def _orthogonal(count: int, draw: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    if count <= DENSE:
        matrix, upper = np.linalg.qr(draw.normal(size=(count, count)))
        matrix *= np.sign(np.diag(upper))
        return lambda states: states @ matrix
    mirrors = draw.normal(size=(REFLECTIONS, count))
    mirrors /= np.linalg.norm(mirrors, axis=1, keepdims=True)

    def reflected(states: np.ndarray) -> np.ndarray:
        for mirror in mirrors:
            states = states - 2 * np.outer(states @ mirror, mirror)
        return states

    return reflected


def _chain(runs: xr.DataArray, units: str) -> dict[str, np.ndarray]:
    """Places of each layer's weights among all, shape (units, inputs)."""
    if units not in UNITS:
        raise InputError(f"units: unknown {units!r}; give one of {', '.join(UNITS)}")
    shapes = recorded_shapes(runs)
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    found = {}
    for name, shape, end in zip(shapes, shapes.values(), np.cumsum(sizes), strict=True):
        places = np.arange(end - np.prod(shape), end).reshape(shape)
        found[name] = places if units == "first" else places.T
    matrices = list(found.values())
    fits = all(places.ndim == 2 for places in matrices) and all(
        below.shape[0] == above.shape[1] for below, above in pairwise(matrices)
    )
    if len(matrices) < 2 or not fits or sum(sizes) != runs.sizes["weight"]:
        raise InputError(
            f"runs: layers {shapes} are no chain of matrices with units {units}; record all layers "
            "of a fully connected network, and say which axis its units are"
        )
    return found
