"""Linear systems whose spectrum is known in closed form, for every solver."""

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.optimize import linear_sum_assignment

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit

SOLVERS = ("full", "lanczos", "gram", "covariance")
# Inner products square the condition number.
TOLERANCE = {"full": 1e-10, "lanczos": 1e-10, "gram": 1e-6, "covariance": 1e-6}
DELAYS = (0, 1, 5)
SPECTRA = {
    "real": [0.95, 0.7, 0.4, -0.6],
    "complex pairs": [0.9 + 0.4j, 0.9 - 0.4j, 0.5 + 0.5j, 0.5 - 0.5j, 0.8],
    "on the unit circle": [1, np.exp(0.3j), np.exp(-0.3j), np.exp(1.7j), np.exp(-1.7j)],
    "repeated": [0.9, 0.9, 0.6, 0.6, 0.6],
    "repeated pair": [0.6 + 0.6j, 0.6 - 0.6j, 0.6 + 0.6j, 0.6 - 0.6j],
    "zero": [0.9, 0.5, 0.0, 0.0],
    "growing": [1.05, 0.9, 0.5],
}


def matrix_of(eigenvalues, rng):
    """A real matrix, not normal, with these eigenvalues."""
    blocks = []
    for value in np.asarray(eigenvalues, complex):
        if value.imag > 0:
            blocks.append([[value.real, value.imag], [-value.imag, value.real]])
        elif value.imag == 0:
            blocks.append([[value.real]])
    basis = np.eye(len(eigenvalues)) + 0.3 * rng.normal(size=(len(eigenvalues),) * 2)
    return basis @ block_diag(*blocks) @ np.linalg.inv(basis)


def runs_of(matrix, rng, weights=None, steps=30, count=8):
    """Trajectories of x → A x from random states, seen through orthonormal weights."""
    n = len(matrix)
    seen = np.linalg.qr(rng.normal(size=(weights or n, n)))[0] if weights else np.eye(n)
    states = [rng.normal(size=(count, n))]
    for _ in range(steps - 1):
        states.append(states[-1] @ matrix.T)
    return list(np.stack(states, axis=1) @ seen.T)


def gap(found, expected):
    """Largest distance of the best one-to-one matching."""
    costs = np.abs(np.asarray(found)[:, None] - np.asarray(expected)[None])
    assert costs.shape[0] == costs.shape[1]
    return costs[linear_sum_assignment(costs)].max()


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_linear_systems_eigenvalues_are_found(solver, delays, spectrum):
    rng = np.random.default_rng(3)
    expected = SPECTRA[spectrum]
    runs = runs_of(matrix_of(expected, rng), rng, weights=9)
    found = fit(runs, delays, rank=len(expected), solver=solver)
    assert gap(found.eigenvalues, expected) < TOLERANCE[solver]
    assert found.solver == solver
    assert found.rank == len(expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_defective_eigenvalue_is_found_as_far_as_rounding_lets_it(solver):
    rng = np.random.default_rng(0)
    jordan = np.array([[0.8, 1, 0], [0, 0.8, 0], [0, 0, 0.3]])
    found = fit(runs_of(jordan, rng), delays=2, rank=3, solver=solver)
    # A perturbation e of a double defective eigenvalue moves it by the square root of e.
    assert gap(found.eigenvalues, [0.8, 0.8, 0.3]) < np.sqrt(TOLERANCE[solver])


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("solver", ["full", "gram", "covariance"])
def test_without_a_rank_the_numerical_rank_of_deficient_data_is_found(solver, delays):
    rng = np.random.default_rng(1)
    expected = [0.95, 0.8 + 0.3j, 0.8 - 0.3j, 0.5]
    runs = runs_of(matrix_of(expected, rng), rng, weights=12)
    found = fit(runs, delays, solver=solver)
    assert found.numerical_rank == found.rank == 4
    assert gap(found.eigenvalues, expected) < TOLERANCE[solver]
    assert 1 < found.condition_number < 1e4


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_rank_above_the_numerical_rank_is_refused_with_what_to_give(solver):
    rng = np.random.default_rng(1)
    runs = runs_of(matrix_of([0.9, 0.7, 0.5], rng), rng, weights=12)
    with pytest.raises(InputError, match=r"^rank: 5 is more .*rank is 3: give at most 3, or none"):
        fit(runs, delays=1, rank=5, solver=solver)


@pytest.mark.parametrize("solver", ["full", "gram", "covariance"])
def test_single_precision_data_show_no_rank_made_of_rounding(solver):
    rng = np.random.default_rng(2)
    expected = [0.99, 0.9, 0.8]
    runs = runs_of(matrix_of(expected, rng), rng, weights=40, steps=60)
    found = fit([run.astype(np.float32) for run in runs], delays=4, solver=solver)
    assert found.rank == 3
    assert gap(found.eigenvalues, expected) < 1e-4


def test_one_delay_more_than_states_need_reveals_hidden_coordinates():
    # One weight sees the sum of three decays: only delays can tell them apart.
    expected = [0.95, 0.6, -0.4]
    seen = (np.array(expected) ** np.arange(40)[:, None]).sum(axis=1, keepdims=True)
    assert gap(fit([seen], delays=2).eigenvalues, expected) < 1e-9
    assert fit([seen], delays=1).rank == 2


@pytest.mark.parametrize("solver", SOLVERS)
def test_eigenvalues_stand_by_falling_modulus_the_upper_of_a_pair_first(solver):
    rng = np.random.default_rng(5)
    expected = [0.2, 0.7 - 0.3j, 0.99, -0.9, 0.7 + 0.3j]
    found = fit(runs_of(matrix_of(expected, rng), rng), rank=5, solver=solver).eigenvalues
    np.testing.assert_allclose(found, [0.99, -0.9, 0.7 + 0.3j, 0.7 - 0.3j, 0.2], atol=1e-6)


def test_pairs_never_cross_from_one_trajectory_to_another():
    rng = np.random.default_rng(6)
    expected = [0.9, 0.6]
    runs = runs_of(matrix_of(expected, rng), rng, steps=6, count=5)
    for solver in SOLVERS:
        for delays in (0, 2):
            found = fit(runs, delays, rank=2, solver=solver)
            assert gap(found.eigenvalues, expected) < TOLERANCE[solver]
    # The same numbers as one run have other eigenvalues: a crossing pair would have shown.
    joined = fit([np.concatenate(runs)], rank=2)
    assert gap(joined.eigenvalues, expected) > 0.01


@pytest.mark.parametrize(
    ("weights", "steps", "delays", "rank", "solver"),
    [
        (20, 50, 3, 4, "covariance"),  # few delayed weights
        (50_000, 22, 0, None, "full"),  # large, but without a rank
        (200, 200, 9, 4, "lanczos"),  # many of both
        (120, 1700, 89, 4, "lanczos"),  # many steps
        (2000, 250, 99, 4, "gram"),  # few steps
    ],
)
def test_auto_chooses_the_documented_solver_and_finds_the_spectrum(
    weights, steps, delays, rank, solver
):
    rng = np.random.default_rng(7)
    angles = np.exp(1j * np.array([0.02, -0.02, 0.5, -0.5]))
    # Slow, fast, and about as large as each other, so that every solver sees them well.
    runs = runs_of(matrix_of(angles, rng), rng, weights=weights, steps=steps, count=3)
    found = fit(runs, delays, rank)
    assert found.solver == solver
    assert gap(found.eigenvalues, angles) < 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_data_give_the_same_bytes(solver):
    rng = np.random.default_rng(8)
    runs = [rng.normal(size=(n, 7)).cumsum(axis=0) for n in (30, 25)]
    first, second = (fit([r.copy() for r in runs], 3, 5, solver) for _ in range(2))
    for name in ("eigenvalues", "residuals", "coordinates"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert first.modes().values.tobytes() == second.modes().values.tobytes()
