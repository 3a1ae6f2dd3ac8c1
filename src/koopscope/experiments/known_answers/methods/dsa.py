"""Dynamical similarity analysis (Ostrow et al., NeurIPS 2023) with the authors' dsa-metric.

Each run gets a delay-embedded dynamic mode decomposition of low rank; two runs are as far apart as
their matrices are after the best rotation (``angular``, the paper's), or as their eigenvalues are
(``wasserstein``, the package's default since its second version). The package takes the first pair
by pair, 0.1 to 0.3 s each; that alone is done here for all pairs at once
(:mod:`koopscope.experiments.known_answers.methods.rotations`, tested against it).
"""

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.experiments.known_answers.methods.answer import ByDistance, weights_of
from koopscope.experiments.known_answers.methods.curves import no_distances

RANK, DELAYS = 5, 10
# A run is reduced to so many of its own principal components: the package decomposes all delays of
# all weights as one dense matrix.
COMPONENTS = 10
# The package's own are 1,500 at 0.005. Between 5 x 5 matrices of digits runs the angles then differ
# by 0.001 in the mean, less than between two random starts. Between conjugate rotations neither
# finds the angle 0: they end at 0.10 and 0.04, where others have 0.56.
ITERATIONS, RATE = 200, 0.05


def dsa_distances(runs: xr.Dataset, score: str) -> np.ndarray:
    """Distances of the runs' dynamics by dsa-metric.

    All runs are compared at one rank: ``RANK``, or the least numerical rank of any run's delayed
    states where that is lower, since what lies beyond it is rounding.

    Parameters
    ----------
    runs
        With ``weights`` (seed, init, step, weight); initialisations are trials of one system.
    score
        ``"angular"``: angle between the matrices after the best rotation, in radians.
        ``"wasserstein"``: mean squared distance of matched eigenvalues.

    Returns
    -------
    numpy.ndarray
        Shape (seed, seed); NaN for a run that is not finite or always 0.

    Raises
    ------
    InputError
        If dsa-metric is not installed, or a run has too few snapshots for the delays.
    """
    # By name: conda has no such package, so the workflow's environments need not bring it.
    try:
        peer = import_module("DSA")
    except ImportError as error:
        raise InputError(
            f"method dsa needs dsa-metric ({error}): pip install 'koopscope[peers]'"
        ) from error
    if runs.sizes["step"] < 2 * DELAYS:
        raise InputError(
            f"method dsa: {runs.sizes['step']} snapshots a run; give at least {2 * DELAYS}"
        )
    weights = runs["weights"].transpose("seed", "init", "step", "weight")
    states = [_reduced(weights_of(run).astype(float)) for run in weights]
    distances = no_distances(runs)
    # Each pair is fitted from its later run to its earlier one: in an order that favours no group.
    drawn = np.random.default_rng(0).permutation(len(states))
    order = np.array([i for i in drawn if states[i] is not None], dtype=int)
    if len(order) > 1:
        found = _scores(peer, [states[i] for i in order], score)
        distances[np.ix_(order, order)] = found
    return distances


def _reduced(run: np.ndarray) -> np.ndarray | None:
    """Leading principal components of (init, step, weight); None of a run without any."""
    inits, steps, size = run.shape
    rows = run.reshape(-1, size)
    if not np.isfinite(rows).all() or not rows.any():
        return None
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    components = (left * values)[:, :COMPONENTS].reshape(inits, steps, -1)
    return components[0] if inits == 1 else components


def _scores(peer: Any, states: list[np.ndarray], score: str) -> np.ndarray:
    """What the package says of all pairs, shape (run, run)."""
    # Not with the table of all methods: torch takes seconds.
    import torch

    from koopscope.experiments.known_answers.methods.rotations import angles

    analysis = peer.DSA(
        states,
        score_method=score,
        n_delays=DELAYS,
        rank=RANK,
        device="cpu",
    )
    threads = torch.get_num_threads()
    # Matrices so small only wait for further threads.
    torch.set_num_threads(1)
    try:
        analysis.fit_dmds()
        (fits,) = analysis.dmds
        rank = min(RANK, *(_numerical_rank(fit) for fit in fits))
        for fit in fits:
            fit.recalc_rank(rank, None, None)
            fit.compute_havok_dmd()
        if score == "angular":
            return angles(np.stack([fit.A_v.numpy() for fit in fits]), ITERATIONS, RATE)
        found = np.asarray(analysis.score(), dtype=float)
    finally:
        torch.set_num_threads(threads)
    return np.clip(found.reshape(len(states), len(states)), 0, None)


def _numerical_rank(fit: Any) -> int:
    """Of a fit's delayed states, which the package keeps in single precision; at least 1."""
    values = fit.S.numpy()
    limit = values[0] * np.sqrt(len(fit.V)) * np.finfo(np.float32).eps
    return max(1, int((values > limit).sum()))


METHODS = {
    "dsa": ByDistance(partial(dsa_distances, score="angular"), most_runs=60),
    "dsa_eigenvalues": ByDistance(partial(dsa_distances, score="wasserstein"), most_runs=60),
}
