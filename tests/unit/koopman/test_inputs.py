"""Every form of trajectories gives the same numbers; what cannot be fitted is refused."""

from itertools import permutations

import numpy as np
import pytest
import torch
import xarray as xr

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit

SOLVERS = ("full", "lanczos", "gram", "covariance")
RNG = np.random.default_rng(0)
STACK = RNG.normal(size=(3, 16, 6)).cumsum(axis=1)
RUNS = list(STACK)


def same(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a.eigenvalues, b.eigenvalues, atol=tolerance)
    np.testing.assert_allclose(a.residuals, b.residuals, atol=100 * tolerance)
    np.testing.assert_allclose(a.amplitudes, b.amplitudes, rtol=100 * tolerance)


@pytest.mark.parametrize("dims", list(permutations(("init", "step", "weight"))))
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_dataarray_in_any_order_of_dims_equals_a_list_of_arrays(solver, dims):
    array = xr.DataArray(STACK, dims=("init", "step", "weight")).transpose(*dims)
    same(fit(array, 2, 4, solver), fit(RUNS, 2, 4, solver))


@pytest.mark.parametrize("solver", SOLVERS)
def test_torch_tensors_give_the_numbers_of_numpy(solver):
    tensors = [torch.as_tensor(run) for run in RUNS]
    found, expected = fit(tensors, 2, 4, solver), fit(RUNS, 2, 4, solver)
    same(found, expected)
    np.testing.assert_allclose(
        np.abs(found.modes(kind="exact").values), np.abs(expected.modes(kind="exact").values)
    )
    for a, b in zip(found.reconstruct(), expected.reconstruct(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)
    np.testing.assert_allclose(
        found.predict(RUNS[0][:3], 3), expected.predict(RUNS[0][:3], 3), atol=1e-8
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_single_precision_data_are_computed_with_in_double(solver):
    single = [run.astype(np.float32) for run in RUNS]
    found = fit(single, 2, 4, solver)
    assert found.eigenvalues.dtype == complex
    same(found, fit([run.astype(np.float64) for run in single], 2, 4, solver))
    same(found, fit([torch.as_tensor(run) for run in single], 2, 4, solver))


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_order_of_the_runs_does_not_matter(solver):
    unequal = [RUNS[0], RUNS[1][:9], RUNS[2][3:]]
    same(fit(unequal, 2, 4, solver), fit(unequal[::-1], 2, 4, solver))


@pytest.mark.parametrize("solver", SOLVERS)
def test_runs_of_unequal_length_give_every_pair_they_hold(solver):
    unequal = [RUNS[0], RUNS[1][:9], RUNS[2][3:]]
    # Without delays, a run is as good as all of its pairs, each a run of two states.
    pairs = [run[t : t + 2] for run in unequal for t in range(len(run) - 1)]
    found, expected = fit(unequal, 0, 4, solver), fit(pairs, 0, 4, solver)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, atol=1e-9)
    np.testing.assert_allclose(found.residuals, expected.residuals, atol=1e-7)


def test_gram_over_blocks_of_weights_equals_gram_at_once(monkeypatch):
    whole = fit(RUNS, 2, 4, "gram")
    monkeypatch.setattr("koopscope.koopman.dmd.GRAM_BLOCK_BYTES", 8 * 48)
    array = xr.DataArray(STACK, dims=("init", "step", "weight"))
    for trajectories in (RUNS, array):
        same(fit(trajectories, 2, 4, "gram"), whole)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_by_run_and_step(solver, value):
    runs = [r.copy() for r in RUNS]
    runs[1][5, 2] = value
    match = "trajectories: run 1 is not finite at step 5; leave that run out or cut it"
    with pytest.raises(InputError, match=match):
        fit(runs, rank=2, solver=solver)
    with pytest.raises(InputError, match=match):
        fit([torch.as_tensor(r) for r in runs], rank=2, solver=solver)


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_that_never_change_are_refused(solver):
    with pytest.raises(InputError, match="no weight ever changes.*check the learning rate"):
        fit([np.ones((9, 3)), np.full((9, 3), 2.0)], 1, rank=1, solver=solver)


@pytest.mark.parametrize(
    ("solver", "rank"), [("full", None), ("full", 1), ("lanczos", 1), ("gram", None), ("gram", 1)]
)
def test_states_that_are_all_zero_before_the_last_are_refused(solver, rank):
    with pytest.raises(InputError, match="trajectories: every state that has a successor is 0"):
        fit([np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])], rank=rank, solver=solver)


CASES = {
    "one step": (dict(trajectories=[RUNS[0][:1]]), "run 0 has 1 steps, but 0 delays need .* 2"),
    "fewer states than delays": (
        dict(trajectories=[RUNS[0], RUNS[1][:5]], delays=4),
        "run 1 has 5 steps, but 4 delays need at least 6; give longer runs or fewer delays",
    ),
    "complex": (dict(trajectories=[RUNS[0] + 0j]), "values are complex128; give real floating"),
    "a later run complex": (
        dict(trajectories=[RUNS[0], RUNS[1] * 1j]),
        "values are complex128; give real floating",
    ),
    "integer": (dict(trajectories=[(9 * RUNS[0]).astype(int)]), "values are int64; give real"),
    "complex tensors": (
        dict(trajectories=[torch.as_tensor(RUNS[0]).cfloat()]),
        "values are complex64; give real",
    ),
    "unequal weights": (
        dict(trajectories=[RUNS[0], RUNS[1][:, :4]]),
        r"shapes are \[\(16, 6\), \(16, 4\)\]; give one or more arrays \(step, weight\)",
    ),
    "an array instead of a list": (dict(trajectories=RUNS[0]), r"shape \(16, 6\); give \[array\]"),
    "empty list": (dict(trajectories=[]), "give one or more arrays"),
    "no weight": (dict(trajectories=[np.zeros((5, 0))]), "give at least one run and one weight"),
    "no run": (
        dict(trajectories=xr.DataArray(STACK[:0], dims=("init", "step", "weight"))),
        "give at least one run and one weight",
    ),
    "wrong dims": (
        dict(trajectories=xr.DataArray(STACK, dims=("seed", "step", "weight"))),
        "dims are .*'seed'.*; give .*'init'.* one seed at a time",
    ),
    "a dim too many": (
        dict(trajectories=xr.DataArray(STACK[None], dims=("seed", "init", "step", "weight"))),
        "one seed at a time",
    ),
    "negative delays": (dict(trajectories=RUNS, delays=-1), "delays: -1 is negative; give 0 or"),
    "rank 0": (dict(trajectories=RUNS, rank=0), "rank: 0 is not possible here; give 1 to 6"),
    "negative rank": (dict(trajectories=RUNS, rank=-2), "rank: -2 is not possible here"),
    "rank above the shape": (
        dict(trajectories=RUNS, delays=1, rank=13),
        "rank: 13 is not possible here; give 1 to 12",
    ),
    "unknown solver": (
        dict(trajectories=RUNS, solver="svd"),
        "solver: unknown 'svd'; give one of auto, full, lanczos, gram",
    ),
    "lanczos without a rank": (
        dict(trajectories=RUNS, solver="lanczos"),
        "solver: 'lanczos' needs a rank; give rank, or solver='full'",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_fitted_is_refused_in_one_clear_line(case):
    arguments, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        fit(**arguments)
    assert "\n" not in str(refused.value)
