"""How eigenvalues change, or do not, when the data are seen in another way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from koopscope.koopman.fitting import fit

MODEST = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32)
SOLVERS = st.sampled_from(["full", "lanczos", "gram"])


def noisy_runs(rng, weights=6):
    """Smooth random trajectories that no low rank explains."""
    return [rng.normal(size=(n, weights)).cumsum(axis=0) for n in (18, 25, 14)]


def linear_runs(rng, n=4, count=6, steps=13):
    """Runs of a random linear system without small or almost equal eigenvalues."""
    angle = rng.uniform(0.3, 0.6)
    turn = rng.uniform(0.9, 1.0) * np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    middle = np.zeros((n, n))
    middle[:2, :2], middle[2, 2], middle[3, 3] = turn, rng.uniform(0.7, 0.85), -0.8
    basis = np.eye(n) + 0.2 * rng.uniform(-1, 1, (n, n))
    matrix = basis @ middle @ np.linalg.inv(basis)
    states = [rng.normal(size=(count, n))]
    for _ in range(steps - 1):
        states.append(states[-1] @ matrix.T)
    return list(np.stack(states, axis=1)), np.linalg.eigvals(middle)


def allowed(spectrum, accuracy=1e-10):
    """How far eigenvalues may move where the operator is known to an accuracy.

    An eigenvalue moves by at most its condition number, the secant of the angle between its left
    and right eigenvectors, times the error of the operator; and that of a reduced operator grows
    with the condition of the states.
    """
    vectors = spectrum.vectors / np.linalg.norm(spectrum.vectors, axis=0)
    secants = np.linalg.norm(np.linalg.inv(vectors), axis=1)
    return accuracy * spectrum.condition_number * secants.max()


def gap(found, expected):
    costs = np.abs(np.asarray(found)[:, None] - np.asarray(expected)[None])
    assert costs.shape[0] == costs.shape[1]
    return costs[linear_sum_assignment(costs)].max()


@MODEST
@given(SEEDS, SOLVERS, st.integers(0, 3))
def test_an_orthogonal_change_of_basis_changes_no_number(seed, solver, delays):
    rng = np.random.default_rng(seed)
    runs = noisy_runs(rng)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    a, b = (fit(r, delays, 4, solver) for r in (runs, [run @ turn for run in runs]))
    assert gap(a.eigenvalues, b.eigenvalues) < allowed(a)
    np.testing.assert_allclose(np.sort(a.residuals), np.sort(b.residuals), atol=1e-9)


@MODEST
@given(SEEDS, SOLVERS, st.floats(-20, 20))
def test_the_unit_of_the_weights_changes_the_amplitudes_alone(seed, solver, exponent):
    runs = noisy_runs(np.random.default_rng(seed))
    scale = 2.0 ** round(exponent)
    a, b = (fit(r, 1, 4, solver) for r in (runs, [scale * run for run in runs]))
    assert gap(a.eigenvalues, b.eigenvalues) < allowed(a)
    np.testing.assert_allclose(b.amplitudes, scale * a.amplitudes, rtol=1e-6)


@MODEST
@given(SEEDS, SOLVERS)
def test_weights_that_are_always_zero_change_nothing(seed, solver):
    runs = noisy_runs(np.random.default_rng(seed))
    wider = [np.pad(run, [(0, 0), (2, 5)]) for run in runs]
    a, b = (fit(r, 2, 4, solver) for r in (runs, wider))
    assert gap(a.eigenvalues, b.eigenvalues) < allowed(a)


@MODEST
@given(SEEDS, st.integers(4, 9), st.integers(0, 3))
def test_where_the_data_have_few_directions_all_solvers_agree(seed, directions, delays):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(directions, 30))
    runs = [run @ mixing for run in noisy_runs(rng, directions)]
    dense, lanczos, products = (fit(runs, delays, 4, s) for s in ("full", "lanczos", "gram"))
    assert gap(dense.eigenvalues, lanczos.eigenvalues) < allowed(dense)
    assert gap(dense.eigenvalues, products.eigenvalues) < allowed(dense)


@MODEST
@given(SEEDS, SOLVERS)
def test_seen_twice_every_run_gives_the_same_spectrum(seed, solver):
    runs = noisy_runs(np.random.default_rng(seed))
    a, b = (fit(r, 1, 4, solver) for r in (runs, runs + runs))
    assert gap(a.eigenvalues, b.eigenvalues) < allowed(a)


@MODEST
@given(SEEDS, SOLVERS, st.integers(0, 2))
def test_backwards_the_eigenvalues_of_a_linear_system_are_inverted(seed, solver, delays):
    runs, expected = linear_runs(np.random.default_rng(seed))
    found = fit([run[::-1].copy() for run in runs], delays, 4, solver)
    assert gap(found.eigenvalues, 1 / expected) < allowed(found)


@MODEST
@given(SEEDS, SOLVERS, st.integers(1, 4))
def test_every_kth_state_gives_the_kth_powers(seed, solver, k):
    runs, expected = linear_runs(np.random.default_rng(seed))
    found = fit([run[::k] for run in runs], 0, 4, solver)
    assert gap(found.eigenvalues, expected**k) < allowed(found)


@MODEST
@given(SEEDS, SOLVERS, st.integers(1, 5))
def test_any_stretch_of_a_linear_system_has_its_eigenvalues(seed, solver, start):
    runs, expected = linear_runs(np.random.default_rng(seed))
    found = fit([run[start : start + 5] for run in runs], 1, 4, solver)
    assert gap(found.eigenvalues, expected) < allowed(found)


@MODEST
@given(SEEDS)
def test_real_data_have_conjugate_spectra(seed):
    found = fit(noisy_runs(np.random.default_rng(seed)), 2, 5)
    assert gap(found.eigenvalues, found.eigenvalues.conj()) < 1e-12
