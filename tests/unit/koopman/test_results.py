"""What a spectrum carries beside its eigenvalues: residuals, coordinates, modes, predictions."""

import numpy as np
import pytest
import xarray as xr

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit

SOLVERS = ("full", "lanczos", "gram", "covariance")
EXACT = {"full": 1e-10, "lanczos": 1e-10, "gram": 1e-6, "covariance": 1e-6}
MATRIX = np.array([[0.9, 0.35, 0.1], [-0.35, 0.9, 0.0], [0.0, 0.1, 0.5]])


def linear_runs(lengths=(20, 14, 25), seed=0):
    rng = np.random.default_rng(seed)
    runs = []
    for length in lengths:
        run = [rng.normal(size=3)]
        for _ in range(length - 1):
            run.append(MATRIX @ run[-1])
        runs.append(np.array(run))
    return runs


def noisy_runs(seed=0):
    """A slow rotation seen by 20 weights, with noise."""
    rng = np.random.default_rng(seed)
    angle = 0.1 * np.arange(80)
    plane = np.linalg.qr(rng.normal(size=(20, 2)))[0]
    clean = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.T
    return [clean + 0.01 * rng.normal(size=clean.shape) for _ in range(4)]


def dense(runs, delays):
    """X and Y, column by column."""
    windows = [[run[t : t + delays + 1].ravel() for t in range(len(run) - delays)] for run in runs]
    x = np.array([w for run in windows for w in run[:-1]]).T
    y = np.array([w for run in windows for w in run[1:]]).T
    return x, y


@pytest.mark.parametrize("delays", [0, 3])
@pytest.mark.parametrize("solver", SOLVERS)
def test_residuals_vanish_where_the_data_are_exactly_linear(solver, delays):
    found = fit(linear_runs(), delays, rank=3, solver=solver)
    assert found.residuals.shape == (3,)
    assert found.residuals.max() < EXACT[solver]


@pytest.mark.parametrize("solver", SOLVERS)
def test_residuals_tell_true_eigenvalues_from_those_of_noise(solver):
    found = fit(noisy_runs(), rank=8, solver=solver)
    true = np.abs(found.eigenvalues - np.exp(0.1j * np.sign(found.eigenvalues.imag))) < 0.01
    assert true.sum() == 2
    assert found.residuals[true].max() < 1e-3
    assert found.residuals[~true].min() > 0.1


@pytest.mark.parametrize("delays", [0, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_residuals_are_those_of_the_definition(solver, delays):
    runs, rank = noisy_runs(1), 6
    left, values, right_t = np.linalg.svd(dense(runs, delays)[0], full_matrices=False)
    left, image = left[:, :rank], dense(runs, delays)[1] @ right_t[:rank].T / values[:rank]
    eigenvalues, vectors = np.linalg.eig(left.T @ image)
    expected = np.linalg.norm(image @ vectors - left @ vectors * eigenvalues, axis=0)
    found = fit(runs, delays, rank, solver)
    nearest = np.abs(found.eigenvalues[:, None] - eigenvalues).argmin(axis=1)
    assert sorted(nearest) == list(range(rank))
    np.testing.assert_allclose(found.eigenvalues, eigenvalues[nearest], atol=1e-8)
    np.testing.assert_allclose(found.residuals, expected[nearest], atol=1e-7)


@pytest.mark.parametrize("delays", [0, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_coordinates_times_modes_are_the_first_delayed_states(solver, delays):
    runs = linear_runs()
    found = fit(runs, delays, rank=3, solver=solver)
    first = np.einsum("ik,kjw->ijw", found.coordinates, found.modes().values)
    np.testing.assert_allclose(first, [run[: delays + 1] for run in runs], atol=100 * EXACT[solver])


@pytest.mark.parametrize("delays", [0, 4])
def test_an_amplitude_is_the_length_of_a_modes_share_in_the_weights_unit(delays):
    direction = np.array([0.6, 0.0, -0.8])
    runs = [c * 0.9 ** np.arange(12)[:, None] * direction for c in (3.0, -4.0)]
    found = fit(runs, delays, rank=1)
    length = np.sqrt(np.sum(0.81 ** np.arange(delays + 1)))
    np.testing.assert_allclose(np.abs(found.coordinates[:, 0]), [3 * length, 4 * length])
    np.testing.assert_allclose(found.amplitudes, [np.sqrt((9 + 16) / 2) * length])


@pytest.mark.parametrize("kind", ["projected", "exact"])
@pytest.mark.parametrize("delays", [0, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_modes_are_eigenvectors_of_the_true_matrix(solver, delays, kind):
    found = fit(linear_runs(), delays, rank=3, solver=solver)
    modes = found.modes(kind=kind)
    assert modes.dims == ("mode", "delay", "weight")
    for value, mode in zip(found.eigenvalues, modes.values, strict=True):
        np.testing.assert_allclose(MATRIX @ mode[0], value * mode[0], atol=EXACT[solver])
        powers = value ** np.arange(delays + 1)[:, None]
        np.testing.assert_allclose(mode, powers * mode[0], atol=EXACT[solver])
    if kind == "projected":
        lengths = np.linalg.norm(modes.values.reshape(3, -1), axis=1)
        np.testing.assert_allclose(lengths, 1, atol=EXACT[solver])


@pytest.mark.parametrize("kind", ["projected", "exact"])
def test_modes_can_be_asked_for_one_by_one(kind):
    found = fit(noisy_runs(), 1, rank=5)
    every = found.modes(kind=kind)
    chosen = found.modes([3, 0], kind=kind)
    np.testing.assert_allclose(chosen.values, every.values[[3, 0]], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(chosen["eigenvalue"], found.eigenvalues[[3, 0]])


def test_modes_over_many_weights_join_without_a_seam(monkeypatch):
    whole = fit(noisy_runs(), 2, rank=4).modes(kind="exact").values
    monkeypatch.setattr("koopscope.koopman.spectrum.BLOCK_BYTES", 1000)
    in_blocks = fit(noisy_runs(), 2, rank=4).modes(kind="exact").values
    np.testing.assert_allclose(in_blocks, whole, rtol=1e-12, atol=1e-14)


def test_the_exact_mode_of_a_zero_eigenvalue_and_unknown_kinds_are_refused():
    found = fit([np.array([[1.0, 1.0], [0.5, 0.0], [0.25, 0.0]])], rank=2)
    zero = found.__class__(**{**vars(found), "eigenvalues": np.array([0.5 + 0j, 0])})
    with pytest.raises(InputError, match="exact mode of an eigenvalue 0"):
        zero.modes(kind="exact")
    with pytest.raises(InputError, match="kind: unknown 'left'; give one of projected, exact"):
        found.modes(kind="left")


@pytest.mark.parametrize("delays", [0, 1, 4])
@pytest.mark.parametrize("solver", SOLVERS)
def test_reconstruction_of_linear_data_is_exact(solver, delays):
    runs = linear_runs()
    again = fit(runs, delays, rank=3, solver=solver).reconstruct()
    assert len(again) == len(runs)
    for found, run in zip(again, runs, strict=True):
        np.testing.assert_allclose(found, run, atol=100 * EXACT[solver])


def test_reconstruction_of_a_dataarray_is_one_with_its_coordinates():
    runs = xr.DataArray(
        np.stack(linear_runs((15, 15))),
        dims=("init", "step", "weight"),
        coords={"step": np.arange(1, 16), "init": [4, 7]},
    )
    again = fit(runs.transpose("weight", "init", "step"), 2, rank=3).reconstruct()
    xr.testing.assert_allclose(again, runs, atol=1e-9)


@pytest.mark.parametrize("delays", [0, 1, 4])
@pytest.mark.parametrize("solver", SOLVERS)
def test_prediction_of_linear_data_is_exact(solver, delays):
    run = linear_runs((40,), seed=5)[0]
    found = fit(linear_runs(), delays, rank=3, solver=solver)
    future = found.predict(run[: delays + 1], 12)
    assert future.shape == (12, 3)
    np.testing.assert_allclose(future, run[delays + 1 : delays + 13], atol=1000 * EXACT[solver])


def test_prediction_from_a_window_of_another_shape_is_refused():
    found = fit(linear_runs(), 2)
    with pytest.raises(InputError, match=r"window: shape is \(2, 3\); give .* \(3, 3\)"):
        found.predict(np.zeros((2, 3)), 4)


def test_the_dataset_of_a_spectrum_holds_its_numbers():
    found = fit(noisy_runs(), 1, rank=4, solver="lanczos")
    dataset = found.to_dataset()
    np.testing.assert_array_equal(dataset["eigenvalue"], found.eigenvalues)
    np.testing.assert_array_equal(dataset["residual"], found.residuals)
    np.testing.assert_array_equal(dataset["amplitude"], found.amplitudes)
    assert dataset.attrs["solver"] == "lanczos"
    assert (dataset.attrs["delays"], dataset.attrs["rank"]) == (1, 4)
    assert dataset.attrs["numerical_rank"] == -1


def test_the_condition_is_that_of_the_directions_kept():
    runs = noisy_runs()
    values = np.linalg.svd(dense(runs, 1)[0], compute_uv=False)
    for solver in SOLVERS:
        found = fit(runs, 1, rank=4, solver=solver)
        assert found.condition_number == pytest.approx(values[0] / values[3], rel=1e-8)
