"""Initial weights: two usual ways to draw them, and ways that may do badly.

How badly is drawn too, from nearly harmless to hopeless: with one severity for all, a start's kind
alone would say how it ends.
"""

from collections.abc import Callable

import numpy as np

from koopscope.config.setup import NetworkSetup
from koopscope.errors import InputError
from koopscope.experiments.watching.names import INIT_SCHEMES

# Stream of a seed; see also the streams of training.batches.
START = 40
# Factors, relative deviations of units from one another, and shares of units: least and greatest.
SMALL, LARGE, SATURATED = (0.003, 0.3), (3.0, 30.0), (5.0, 50.0)
SYMMETRIC = (1e-3, 0.3)
NEARLY_DEAD = (0.5, 0.95)

Weights = dict[str, np.ndarray]


def _plain(rng: np.random.Generator, setup: NetworkSetup, _: np.ndarray) -> Weights:
    return {
        layer: rng.uniform(-1, 1, shape) / np.sqrt(shape[0])
        for layer, shape in setup.shapes.items()
    }


def _he(rng: np.random.Generator, setup: NetworkSetup, _: np.ndarray) -> Weights:
    return {
        layer: rng.normal(0, np.sqrt(2 / shape[0]), shape) for layer, shape in setup.shapes.items()
    }


def _scaled(factors: tuple[float, float], last_alone: bool = False) -> Callable:
    def start(rng: np.random.Generator, setup: NetworkSetup, mean: np.ndarray) -> Weights:
        weights = _plain(rng, setup, mean)
        factor = _between(rng, factors)
        layers = ["output"] if last_alone else list(weights)
        return weights | {layer: factor * weights[layer] for layer in layers}

    return start


def _between(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    """Draw a number whose logarithm is uniform between those of the ends."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def _asleep(shares: tuple[float, float]) -> Callable:
    """First-layer units that point away from the mean image, so that hardly an image wakes them."""

    def start(rng: np.random.Generator, setup: NetworkSetup, mean: np.ndarray) -> Weights:
        weights = _plain(rng, setup, mean)
        first = weights["hidden1"]
        asleep = np.arange(first.shape[1]) < round(rng.uniform(*shares) * first.shape[1])
        away = -np.outer(mean, np.ones(asleep.sum())) / max(np.linalg.norm(mean), 1e-12)
        first[:, asleep] += 3 * away
        return weights

    return start


def _symmetric(rng: np.random.Generator, setup: NetworkSetup, mean: np.ndarray) -> Weights:
    """All units of a layer nearly alike: alike they would stay, and the layer one unit wide."""
    alike, apart = _plain(rng, setup, mean), _plain(rng, setup, mean)
    deviation = _between(rng, SYMMETRIC)
    for layer, values in alike.items():
        if layer != "output":
            values[:] = values[:, :1]
        if layer != "hidden1":
            values[:] = values[:1]
    return {layer: alike[layer] + deviation * apart[layer] for layer in alike}


_small, _large = _scaled(SMALL), _scaled(LARGE)
_saturated = _scaled(SATURATED, last_alone=True)
_dead, _nearly_dead = _asleep((1.0, 1.0)), _asleep(NEARLY_DEAD)


def initial_weights(
    setup: NetworkSetup, kinds: tuple[str, ...], seed: int, mean: np.ndarray
) -> Weights:
    """Weights of one seed's networks, one start each.

    Parameters
    ----------
    setup
        For the layers' shapes.
    kinds
        ``"plain"`` (uniform, as PyTorch draws linear layers), ``"he"`` (normal, variance 2/inputs),
        ``"small"`` and ``"large"`` (plain × 0.003 to 0.3, × 3 to 30), ``"dead"`` and
        ``"nearly_dead"`` (all, or 50 to 95 % of the units of the first layer point away from the
        mean image), ``"symmetric"`` (units of a layer differ by 0.1 to 30 % of plain ones),
        ``"saturated"`` (output layer × 5 to 50). Severities are drawn, log-uniform but for shares.
        A kind may stand several times: each is drawn anew.
    seed
        Draws them; each start has a stream of its own.
    mean
        Mean training image as the network sees it, shape (pixel,).

    Returns
    -------
    dict of numpy.ndarray
        By layer, shape (start, inputs, outputs), single precision.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    drawn = []
    for place, kind in enumerate(kinds):
        if kind not in INIT_SCHEMES:
            raise InputError(
                f"init_schemes: unknown {kind!r}; give some of {', '.join(INIT_SCHEMES)}"
            )
        drawn.append(
            globals()[f"_{kind}"](np.random.default_rng([seed, START, place]), setup, mean)
        )
    return {
        layer: np.stack([weights[layer] for weights in drawn]).astype(np.float32)
        for layer in setup.shapes
    }
