"""A hidden Markov model of training metrics, after Hu et al., "Latent state models of training
dynamics" (TMLR 2023): which hidden states a run goes through, and how it moves between them.

As there: statistics of the weights, standardised, and one Gaussian model fitted on all runs
together. [ours] The number of states is fixed beforehand instead of chosen by BIC, the loss is one
metric more, and the distance of two runs is made of both their states and their transitions.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import xarray as xr
from scipy.spatial.distance import pdist, squareform

from koopscope.errors import InputError
from koopscope.experiments.known_answers.methods.answer import ByDistance, weights_of
from koopscope.experiments.known_answers.methods.curves import no_distances

STATES = 4
# Of each run so many snapshots count, evenly spaced.
MOST_STEPS = 40
ITERATIONS = 50
# Counts beside the observed transitions, so that a state met only at a run's end has a next one.
PRIOR = 0.01
LABELS = ("layer", "row", "column")


def hidden_markov_distances(runs: xr.Dataset) -> np.ndarray:
    """Distances of the runs' paths through the states of one hidden Markov model.

    The model is fitted on the runs of both groups, without their labels, so runs stay exchangeable.
    The distance is the mean of two total variations: of the shares of time in each state, and of
    the shares of each transition. Initialisations are sequences of their own, averaged in a run.

    Parameters
    ----------
    runs
        With ``weights`` (seed, init, step, weight), and ``loss`` (seed, init, step) if there is
        one; if the weights have the coordinates ``layer``, ``row`` and ``column`` and fill their
        matrices, these have metrics as well (:func:`metrics`).

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed), from 0 to 1. NaN for a run with a metric that is not finite, and for all
        where fewer than two snapshots or fewer than ``STATES`` different ones remain.

    Raises
    ------
    InputError
        If hmmlearn is not installed.
    """
    observed = metrics(runs)
    finite = np.isfinite(observed).all(axis=(1, 2, 3))
    known = observed[finite]
    steps = observed.shape[2]
    distances = no_distances(runs)
    if steps < 2 or len(np.unique(known.reshape(-1, known.shape[-1]), axis=0)) < STATES:
        return distances
    spread = known.std(axis=(0, 1, 2))
    rows = (known - known.mean(axis=(0, 1, 2))) / np.where(spread > 0, spread, 1)
    paths = _paths(rows.reshape(-1, rows.shape[-1]), steps).reshape(*known.shape[:2], steps)
    alone = np.stack([(paths == k).mean(axis=(1, 2)) for k in range(STATES)], axis=1)
    pairs = paths[..., :-1] * STATES + paths[..., 1:]
    moves = np.stack([(pairs == k).mean(axis=(1, 2)) for k in range(STATES**2)], axis=1)
    # A total variation is half of the sum of absolute differences.
    found = squareform(pdist(np.hstack([alone, moves]), "cityblock") / 4, checks=False)
    distances[np.ix_(finite, finite)] = found
    return distances


def metrics(runs: xr.Dataset) -> np.ndarray:
    """Metrics of the weights at evenly spaced snapshots, and the loss.

    Of all weights: L1 and L2 norm, their ratio, mean, median, variance. Of each matrix, as means
    over the layers: trace, spectral norm, their ratio, mean and variance of the singular values.
    Hu et al. have three more of the biases, which our networks do without.

    Parameters
    ----------
    runs
        As for :func:`hidden_markov_distances`.

    Returns
    -------
    numpy.ndarray
        Shape (seed, init, step, metric), at most ``MOST_STEPS`` steps; in the units of weights and
        loss.
    """
    every = -(-runs.sizes["step"] // MOST_STEPS)
    runs = runs.isel(step=slice(None, None, every))
    weights = runs["weights"].transpose("seed", "init", "step", "weight")
    places = _matrices(weights)
    found = np.stack([_of_weights(weights_of(run).astype(float), places) for run in weights])
    if "loss" in runs:
        loss = runs["loss"].transpose("seed", "init", "step").values
        found = np.concatenate([found, loss[..., None]], axis=-1)
    return found


def _of_weights(weights: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """Metrics of one run, shape (init, step, metric), of weights (init, step, weight)."""
    l1, l2 = np.abs(weights).sum(axis=-1), np.linalg.norm(weights, axis=-1)
    found = [l1, l2, l1 / np.where(l2 > 0, l2, 1)]
    found += [weights.mean(axis=-1), np.median(weights, axis=-1), weights.var(axis=-1)]
    if places and np.isfinite(weights).all():
        layers = [_of_matrix(weights[..., place]) for place in places]
        found += list(np.mean(layers, axis=0))
    elif places:
        found += [np.full(l1.shape, np.nan)] * 5
    return np.stack(found, axis=-1)


def _of_matrix(matrix: np.ndarray) -> list[np.ndarray]:
    """Metrics of matrices in the last two axes."""
    values = np.linalg.svd(matrix, compute_uv=False)
    trace, norm = np.trace(matrix, axis1=-2, axis2=-1), values[..., 0]
    ratio = trace / np.where(norm > 0, norm, 1)
    return [trace, norm, ratio, values.mean(axis=-1), values.var(axis=-1)]


def _matrices(weights: xr.DataArray) -> list[np.ndarray]:
    """For each layer the place of each entry of its matrix among the weights.

    None at all where the weights do not say what they are, or some of a matrix were not recorded.
    """
    if not set(LABELS) <= set(weights.coords):
        return []
    layer, row, column = (weights[name].values for name in LABELS)
    found = []
    for which in np.unique(layer):
        own = np.flatnonzero(layer == which)
        shape = (row[own].max() + 1, column[own].max() + 1)
        place = np.full(shape, -1)
        place[row[own], column[own]] = own
        if (place < 0).any() or place.size != len(own):
            return []
        found.append(place)
    return found


def _paths(rows: np.ndarray, steps: int) -> np.ndarray:
    """Most likely hidden state of each row, of sequences of so many steps one after another."""
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError as error:
        raise InputError(
            f"method hidden_markov needs hmmlearn ({error}): pip install 'koopscope[peers]'"
        ) from error

    lengths = np.full(len(rows) // steps, steps)
    model = GaussianHMM(
        STATES,
        covariance_type="diag",
        transmat_prior=1 + PRIOR,
        startprob_prior=1 + PRIOR,
        n_iter=ITERATIONS,
        random_state=0,
        implementation="scaling",
    )
    with _without_remarks():
        return model.fit(rows, lengths).predict(rows, lengths)


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Hmmlearn's remarks that the likelihood fell by a rounding are no answer's concern."""
    logger = logging.getLogger("hmmlearn")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


METHODS = {"hidden_markov": ByDistance(hidden_markov_distances)}
