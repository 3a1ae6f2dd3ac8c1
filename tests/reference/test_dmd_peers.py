"""Agreement with PyDMD and with a dense reference after the authors' method."""

import warnings

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.koopman.fitting import fit
from koopscope.training.ensemble import train
from koopscope.training.loop import Block

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydmd import DMD, HankelDMD

SOLVERS = ("full", "lanczos", "gram", "covariance")
DELAYS, RANK = 8, 10


def dense_matrices(runs, delays):
    """Delayed states and their successors as columns, run after run."""
    columns = [[run[t : t + delays + 1].ravel() for t in range(len(run) - delays)] for run in runs]
    return tuple(
        np.array([c for run in columns for c in run[part]], float).T
        for part in (slice(None, -1), slice(1, None))
    )


def authors_eigenvalues(runs, delays, rank):
    """Redman et al. 2024, their scripts: delay matrices, dense SVD, truncated operator."""
    x, y = dense_matrices(runs, delays)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    u, s, v = u[:, :rank], s[:rank], vt[:rank].T
    return np.linalg.eigvals(u.T @ y @ v / s)


def pydmd_eigenvalues(runs, delays, rank):
    x, y = dense_matrices(runs, delays)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DMD(svd_rank=rank).fit(x, y).eigs


def gap(found, expected):
    costs = np.abs(np.asarray(found)[:, None] - np.asarray(expected)[None])
    assert costs.shape[0] == costs.shape[1]
    return costs[linear_sum_assignment(costs)].max()


@pytest.fixture(scope="module")
def digits_runs():
    """Output layers of ten networks of width 5 while they learn the digits."""
    digits = DataSpec("digits", "digits")
    setup = NetworkSetup(digits, hidden_widths=(5,), steps=70, seeds=(2,), initialisations=10)
    (block,) = [p for p in train(setup, load(digits), 70, "cpu") if isinstance(p, Block)]
    return list(block.observed["weights"][0])


@pytest.mark.parametrize("reference", [authors_eigenvalues, pydmd_eigenvalues])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_spectrum_of_real_digits_training_is_that_of_dense_methods(
    digits_runs, solver, reference
):
    found = fit(digits_runs, DELAYS, RANK, solver)
    assert gap(found.eigenvalues, reference(digits_runs, DELAYS, RANK)) < 1e-8
    assert 0.9 < np.abs(found.eigenvalues).max() < 1.1


@pytest.mark.parametrize("reference", [authors_eigenvalues, pydmd_eigenvalues])
@pytest.mark.parametrize("delays", [0, 3])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_spectrum_of_noisy_linear_systems_is_that_of_dense_methods(
    seed, solver, delays, reference
):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(8, 8))
    matrix *= 0.97 / np.abs(np.linalg.eigvals(matrix)).max()
    runs = []
    for length in (40, 25, 33):
        run = [rng.normal(size=8)]
        for _ in range(length - 1):
            run.append(matrix @ run[-1] + 0.1 * rng.normal(size=8))
        runs.append(np.array(run))
    found = fit(runs, delays, 6, solver)
    assert gap(found.eigenvalues, reference(runs, delays, 6)) < 1e-8


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_run_with_delays_is_hankel_dmd(digits_runs, solver):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = HankelDMD(svd_rank=4, d=DELAYS + 1).fit(digits_runs[0].T.astype(float))
    found = fit(digits_runs[:1], DELAYS, 4, solver)
    assert gap(found.eigenvalues, peer.eigs) < 1e-8


def test_modes_and_reconstruction_are_those_of_pydmd(digits_runs):
    run = digits_runs[0].astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = DMD(svd_rank=4, exact=False).fit(run.T)
    found = fit([run], 0, 4)
    order = np.abs(found.eigenvalues[:, None] - peer.eigs).argmin(axis=1)
    ours = found.modes().values[:, 0]
    theirs = peer.modes.T[order]
    overlap = np.abs(np.sum(ours.conj() * theirs, axis=1))
    np.testing.assert_allclose(overlap, np.linalg.norm(theirs, axis=1), rtol=1e-8)


def test_full_rank_is_that_of_dense_methods(digits_runs):
    runs = [run[:60] for run in digits_runs[:3]]
    found = fit(runs, 0)
    rank = found.rank
    assert rank > 20
    dense = authors_eigenvalues(runs, 0, rank)
    assert gap(found.eigenvalues, dense) < 1e-8
