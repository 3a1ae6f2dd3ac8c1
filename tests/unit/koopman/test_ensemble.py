"""Fits of every seed of a store of real trajectories, in parallel."""

import time
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from distributed import LocalCluster
from threadpoolctl import threadpool_info, threadpool_limits

from koopscope.artefacts import store
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.errors import InputError
from koopscope.koopman import ensemble, seeds, workers
from koopscope.koopman.ensemble import cluster, finite_runs, fit_seeds, runs_of_seeds
from koopscope.koopman.fitting import fit
from koopscope.training.recording import record

SPEC = FitSpec(delays=3, rank=5)
DIGITS = DataSpec("digits", "digits")
SETUP = NetworkSetup(
    DIGITS, hidden_widths=(4,), steps=40, seeds=(5, 1, 8, 3), initialisations=4, sketch=2, probe=3
)
DIVERGED = {1: [2], 5: [0, 1, 2, 3], 8: [0, 3]}


def stamp(kind):
    return {"kind": kind}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Digits networks, some of which are marked as diverged from step 20 on."""
    folder = tmp_path_factory.mktemp("stores")
    with store.staged(folder / "whole.zarr", stamp("trajectories")) as partial_folder:
        record(SETUP, load(DIGITS), partial_folder, "cpu")
    trajectories = store.read(folder / "whole.zarr").load()
    for seed, runs in DIVERGED.items():
        for run in runs:
            trajectories["diverged_at"].loc[{"seed": seed, "init": run}] = 20
            trajectories["weights"].loc[{"seed": seed, "init": run, "step": slice(20, None)}] = (
                np.nan
            )
    trajectories = trajectories.drop_encoding()
    store.write(folder / "runs.zarr", trajectories, stamp("trajectories"))
    return folder / "runs.zarr"


@pytest.fixture(scope="module")
def spectra(path):
    with cluster(workers=1) as client:
        return fit_seeds(path, SPEC, client)


def test_each_seed_has_the_spectrum_of_its_finite_runs_alone(path, spectra):
    weights = store.read(path)["weights"]
    for seed in (1, 8, 3):
        kept = [i for i in range(4) if i not in DIVERGED.get(seed, [])]
        expected = fit([weights.sel(seed=seed, init=i).values for i in kept], 3, 5)
        found = spectra.sel(seed=seed)
        np.testing.assert_allclose(found["eigenvalue"], expected.eigenvalues, atol=1e-9)
        np.testing.assert_allclose(found["residual"], expected.residuals, atol=1e-9)
        np.testing.assert_allclose(found["amplitude"], expected.amplitudes, rtol=1e-6)
        assert found["condition_number"] == pytest.approx(expected.condition_number)


def doubled(runs, seed):
    assert seed in SETUP.seeds and runs.sizes["init"]
    return runs * 2


def test_what_is_made_of_a_seeds_runs_is_fitted_in_their_place(path, spectra):
    with cluster(workers=1) as client:
        found = fit_seeds(path, replace(SPEC, seeds=2, resamples=1), client, instead=doubled)
    made = [runs * 2 for runs in runs_of_seeds(path, replace(SPEC, seeds=2))]
    assert [runs.sizes["init"] for runs in made] == [0, 3]
    expected = fit(made[1], 3, 5)
    np.testing.assert_allclose(found["eigenvalue"].sel(seed=1), expected.eigenvalues, atol=1e-9)
    assert np.isnan(found["eigenvalue"].sel(seed=5)).all()


def test_seeds_stand_in_the_order_of_the_store_with_their_numbers_of_runs(spectra):
    assert spectra["seed"].values.tolist() == [5, 1, 8, 3]
    assert spectra["runs_used"].values.tolist() == [0, 3, 2, 4]
    assert spectra["rank"].values.tolist() == [0, 5, 5, 5]
    assert spectra["eigenvalue"].dims == ("seed", "mode")
    assert spectra.sizes["mode"] == 5


def test_a_seed_whose_runs_all_diverged_has_no_eigenvalue_and_stops_no_other(spectra):
    assert np.isnan(spectra["eigenvalue"].sel(seed=5)).all()
    assert np.isfinite(spectra["eigenvalue"].sel(seed=[1, 8, 3])).all()
    assert np.isnan(spectra["condition_number"].sel(seed=5))


def test_the_solver_named_is_one_that_was_used(spectra):
    assert spectra.attrs["solver"] == "full"


def test_how_the_spectra_were_fitted_stands_in_their_attributes_also_in_a_store(spectra, tmp_path):
    asked = SPEC.to_dict() | {"solver": "full", "weight_coordinates": "raw"}
    assert spectra.attrs == asked
    store.write(tmp_path / "s.zarr", spectra, stamp("spectra"))
    assert store.read(tmp_path / "s.zarr").attrs.items() >= asked.items()


def test_two_threads_give_the_very_same_numbers(path, spectra):
    with cluster(workers=2) as client:
        assert fit_seeds(path, SPEC, client).identical(spectra)


def test_two_processes_reached_by_address_give_the_very_same_numbers(path, spectra, processes):
    with cluster(processes) as client:
        assert len(client.scheduler_info()["workers"]) == 2
        assert fit_seeds(path, SPEC, client).identical(spectra)


def test_every_fit_computes_on_one_thread_also_after_another_one_ended(path, monkeypatch):
    threads = []

    def blas_threads():
        blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
        return max(library["num_threads"] for library in blas)

    def slow_fit(runs, *arguments):
        # The fit of seed 1 starts first and ends while that of seed 8 goes on.
        time.sleep(0.6 if runs.sizes["init"] == 2 else 0.2)
        threads.append(blas_threads())
        return fit(runs, *arguments)

    monkeypatch.setattr(seeds, "fit", slow_fit)
    with threadpool_limits(2):
        with cluster(workers=2) as client:
            fit_seeds(path, SPEC, client)
        assert threads == [1, 1, 1]
        assert blas_threads() == 2


@pytest.mark.parametrize("observable", ["sketch", "sketch:hidden1", "sketch:output", "probe"])
def test_the_spectrum_is_that_of_the_observable(path, observable):
    name, _, layer = observable.partition(":")
    values = store.read(path).sel(seed=8, init=[1, 2])[name].values
    if layer:
        place = {"hidden1": slice(0, 4), "output": slice(4, 8)}[layer]
        values = values[..., place]
    assert values.shape[-1] == SETUP.features(observable)
    expected = fit(list(values), 3, 5)
    with cluster() as client:
        found = fit_seeds(path, replace(SPEC, observable=observable), client)
    np.testing.assert_allclose(found["eigenvalue"].sel(seed=8), expected.eigenvalues, atol=1e-9)
    assert found["runs_used"].values.tolist() == [0, 3, 2, 4]


@pytest.mark.parametrize(
    ("start", "stop", "stride"), [(0, 20, 1), (10, None, 1), (3, None, 3), (5, 36, 2)]
)
def test_a_fit_reads_its_window_alone(path, start, stop, stride):
    spec = FitSpec(delays=1, rank=4, start=start, stop=stop, stride=stride)
    weights = store.read(path)["weights"].sel(seed=3).values
    expected = fit(list(weights[:, start:stop:stride]), 1, 4)
    with cluster() as client:
        found = fit_seeds(path, spec, client).sel(seed=3)
    np.testing.assert_allclose(found["eigenvalue"], expected.eigenvalues, atol=1e-9)


def test_the_first_initialisations_are_counted_before_those_that_diverged_are_left_out(path):
    with cluster() as client:
        found = fit_seeds(path, replace(SPEC, initialisations=3), client)
    assert found["runs_used"].values.tolist() == [0, 2, 2, 3]
    weights = store.read(path)["weights"]
    expected = fit(list(weights.sel(seed=1, init=[0, 1]).values), 3, 5)
    np.testing.assert_allclose(found["eigenvalue"].sel(seed=1), expected.eigenvalues, atol=1e-9)


def test_what_a_fit_reads_carries_no_coordinate_of_the_weights(path):
    trajectories = store.read(path)
    for observable in ("weights", "sketch:output", "probe"):
        runs = finite_runs(trajectories, 3, FitSpec(observable=observable))
        assert runs.dims == ("init", "step", "weight")
        assert set(runs.coords) == {"init", "step"}


@pytest.mark.parametrize(
    ("observable", "match"),
    [
        ("probe", "^few.zarr: observable: 'probe' is not recorded; give the setup a probe"),
        ("sketch:hidden2", "observable: no sketch of 'hidden2'; give one of hidden1, output"),
    ],
)
def test_an_observable_that_was_not_recorded_is_refused(path, observable, match):
    few = store.read(path).load().drop_vars("probe").drop_encoding()
    store.write(path.with_name("few.zarr"), few, stamp("trajectories"))
    with cluster() as client, pytest.raises(InputError, match=match):
        fit_seeds(path.with_name("few.zarr"), FitSpec(observable=observable), client)


def test_progress_counts_every_seed_once(path):
    counts = []
    with cluster() as client:
        fit_seeds(path, SPEC, client, counts.append)
    assert sum(counts) == len(SETUP.seeds)


def test_an_impossible_fit_names_the_store_and_the_seed(path):
    # One pair a run: two for seed 8, three and four for the others.
    with (
        cluster() as client,
        pytest.raises(
            InputError, match=r"^runs.zarr: seed 8: rank: 3 is not possible here; give 1 to 2"
        ),
    ):
        fit_seeds(path, FitSpec(delays=38, rank=3), client)


def test_a_store_of_another_kind_is_refused(path):
    store.write(path.with_name("other.zarr"), store.read(path).load().drop_encoding(), stamp("x"))
    with cluster() as client, pytest.raises(InputError, match="holds x, not trajectories"):
        fit_seeds(path.with_name("other.zarr"), SPEC, client)


@pytest.fixture(scope="module")
def processes():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as processes:
        yield processes.scheduler_address


def test_refits_of_the_first_seed_stand_beside_the_spectra_and_change_none(path, spectra):
    with cluster(workers=1) as client:
        found = fit_seeds(path, replace(SPEC, seeds=3, resamples=4), client)
    assert found["seed"].values.tolist() == list(SETUP.seeds[:3])
    np.testing.assert_array_equal(found["eigenvalue"], spectra["eigenvalue"].isel(seed=slice(3)))
    # Every run of the first seed diverged here: nothing to resample.
    assert found["resampled"].sizes["resample"] == 4
    assert np.isnan(found["resampled"].values).all()


def test_refits_draw_runs_with_replacement(tmp_path):
    with store.staged(tmp_path / "runs.zarr", stamp("trajectories")) as folder:
        record(replace(SETUP, seeds=(5,), perturbation_scale=0.1), load(DIGITS), folder, "cpu")
    with cluster(workers=1) as client:
        found = fit_seeds(tmp_path / "runs.zarr", replace(SPEC, resamples=6), client)
    runs = store.read(tmp_path / "runs.zarr")["weights"].sel(seed=5)
    drawn = np.sort(np.random.default_rng([5, ensemble.RESAMPLES, 2]).integers(0, 4, 4))
    expected = fit([runs.isel(init=i).values for i in drawn], 3, 5)
    np.testing.assert_allclose(found["resampled"].values[2], expected.eigenvalues, atol=1e-12)
    assert len({tuple(row) for row in found["resampled"].values}) > 3


def refused(address, path=None):
    with pytest.raises(InputError) as error, cluster(address) as client:
        fit_seeds(path, SPEC, client)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_scheduler_that_does_not_answer_is_one_clear_line():
    line = refused("tcp://127.0.0.1:9")
    assert line.startswith("koopman.scheduler: nothing answers at 'tcp://127.0.0.1:9'")
    assert "give null" in line


def test_workers_of_another_koopscope_are_refused(processes, monkeypatch):
    monkeypatch.setitem(workers.OURS, "koopscope", "another")
    line = refused(processes)
    assert "worker tcp://" in line
    assert line.endswith("runs another koopscope than this one; restart it with the same")


def test_workers_of_another_numpy_are_refused(processes, monkeypatch):
    monkeypatch.setitem(workers.OURS, "numpy", "1.2.3")
    assert f"has numpy {np.__version__}; give it 1.2.3, as here" in refused(processes)


def test_a_worker_that_joined_after_the_check_is_checked_too(processes, path, monkeypatch):
    monkeypatch.setattr(workers, "check", lambda client: None)
    monkeypatch.setitem(workers.OURS, "koopscope", "another")
    line = refused(processes, path)
    assert "worker tcp://" in line
    assert "runs another koopscope than this one" in line


def test_a_worker_that_does_not_see_the_store_is_named(processes, path, monkeypatch):
    hidden = path.with_name("gone.zarr")
    monkeypatch.setattr(store, "read", lambda *_: xr.Dataset(coords={"seed": [1]}))
    assert f"does not see {hidden}; start it where this file system is" in refused(
        processes, hidden
    )


def test_a_worker_of_several_threads_is_refused():
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address="127.0.0.1:0"
    ) as local:
        assert "has 2 threads; restart it with --nthreads 1" in refused(local.scheduler_address)


def test_a_scheduler_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    with LocalCluster(n_workers=0, processes=True, dashboard_address="127.0.0.1:0") as local:
        address = local.scheduler_address
        line = refused(address)
    assert f"'{address}' has no workers; start some: dask worker {address} --nthreads 1" in line
