"""Spectra of every seed of a set of trajectories, in parallel."""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from distributed import Client, KilledWorker, LocalCluster, as_completed
from threadpoolctl import threadpool_limits

from koopscope.artefacts import store
from koopscope.config.fit import FitSpec
from koopscope.config.scheduler import check_answers, unanswered
from koopscope.errors import InputError
from koopscope.koopman import workers as elsewhere
from koopscope.koopman.seeds import fit_one, of_seeds

# Random stream of a seed; see also the streams of training.batches.
RESAMPLES = 20
Instead = Callable[[xr.DataArray, int], xr.DataArray]


@contextmanager
def cluster(scheduler: str | None = None, workers: int = 1) -> Iterator[Client]:
    """Dask client of a scheduler, or of threads of this process.

    Parameters
    ----------
    scheduler
        Address of a running scheduler; None for a local one. Its workers must see the stores under
        the same paths, run the same koopscope, and have one thread each
        (:mod:`koopscope.koopman.workers`).
    workers
        Threads of a local one.

    Raises
    ------
    InputError
        If no scheduler answers at the address, or if one of its workers cannot compute the fits.
    """
    if scheduler is not None:
        check_answers(scheduler)
        try:
            client = Client(scheduler, timeout="10s")
        except Exception as error:  # of many kinds: whatever answers there may say anything
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise unanswered(scheduler, reason) from None
        with client:
            elsewhere.check(client)
            yield client
        return
    # Threads suffice: the fits spend their time in products that release the interpreter's lock.
    local = LocalCluster(
        n_workers=1, threads_per_worker=workers, processes=False, dashboard_address="127.0.0.1:0"
    )
    # Set here, for all threads at once: the limit that a fit sets falls when another fit's ends.
    with threadpool_limits(1), local, Client(local) as client:
        yield client


def fit_seeds(
    path: Path,
    spec: FitSpec,
    client: Client,
    progress: Callable[[int], object] = lambda seeds: None,
    instead: Instead | None = None,
) -> xr.Dataset:
    """Fit every seed of a trajectory store by itself.

    Runs that diverged are left out of their seed's fit; a seed without any other run gets no
    eigenvalues. Each fit computes on one thread, so the numbers are the same for any number of
    workers.

    Parameters
    ----------
    path
        Store with ``weights`` (seed, init, step, weight) or another observable, and ``diverged_at``
        (seed, init).
    spec
        Delays, rank and solver; observable, window, numbers of initialisations and seeds; refits of
        the first seed on initialisations drawn with replacement.
    client
        Where to compute; see :func:`cluster`.
    progress
        Called with the number of seeds done since the last call.
    instead
        Of a seed's runs, dims (init, step, weight), and the seed: what is fitted in their place.

    Returns
    -------
    xarray.Dataset
        Dims ``(seed, mode)``: ``eigenvalue``, ``residual``, ``amplitude``; NaN where a seed has
        fewer modes than another. Dim ``seed``: ``runs_used``, ``rank``, ``numerical_rank``
        (-1: not found by the solver), ``condition_number``. Eigenvalues are those of
        ``spec.stride`` steps. Attributes: the spec's fields, the solver that was taken, and
        ``weight_coordinates``.
        With ``spec.resamples``, ``resampled`` (resample, mode): eigenvalues of the refits.

    Raises
    ------
    InputError
        If a fit is not possible; the line names the store and the seed.
    """
    path = Path(path).absolute()
    seeds = store.read(path, "trajectories")["seed"].values.tolist()[: spec.seeds]
    asked = [(seed, None) for seed in seeds] + [(seeds[0], i) for i in range(spec.resamples)]
    whose, resamples = zip(*asked, strict=True)
    # One seed's spectrum is the same work whatever else the cluster holds: no shared keys.
    work = _fit_seed if client.cluster else partial(_fit_seed_elsewhere, elsewhere.OURS)
    futures = client.map(
        work,
        *([path] * len(asked), whose, [spec] * len(asked), resamples, [instead] * len(asked)),
        pure=False,
    )
    found = {}
    try:
        for future in as_completed(futures):
            # Fetched as soon as it is there: its worker may die later.
            found[future.key] = future.result()
            progress(1)
    except KilledWorker as error:
        raise InputError(
            f"{path.name}: {error.allowed_failures + 1} workers died during the same fit, the last "
            f"at {error.last_worker.address}; give workers more memory"
        ) from None
    except CancelledError:
        raise InputError(
            "koopman.scheduler: the scheduler went away; start it anew, then run again"
        ) from None
    in_order = [found[future.key] for future in futures]
    fits, refits = in_order[: len(seeds)], in_order[len(seeds) :]
    out = of_seeds(fits, seeds, spec)
    if refits:
        clouds = [refit["eigenvalue"] for refit in refits]
        out["resampled"] = xr.concat(clouds, dim="resample", join="outer")
    return out


def runs_of_seeds(path: Path, spec: FitSpec) -> Iterator[xr.DataArray]:
    """What a fit reads of each seed of a trajectory store (:func:`finite_runs`), one by one."""
    trajectories = store.read(path, "trajectories")
    for seed in trajectories["seed"].values.tolist()[: spec.seeds]:
        yield finite_runs(trajectories, seed, spec)


def finite_runs(trajectories: xr.Dataset, seed: int, spec: FitSpec) -> xr.DataArray:
    """What a fit reads of one seed: its observable in its window, of the runs that it may use.

    Parameters
    ----------
    trajectories
        As :func:`koopscope.training.recording.record` writes them.
    seed
        One of the coordinate ``seed``.
    spec
        For its observable, its window and its number of initialisations, of which those that
        diverged are left out.

    Returns
    -------
    xarray.DataArray
        Dims ``(init, step, weight)``, the last one of whatever the observable's is called.

    Raises
    ------
    InputError
        If the observable was not recorded.
    """
    name, _, layer = spec.observable.partition(":")
    if name not in trajectories:
        raise InputError(
            f"observable: {spec.observable!r} is not recorded; give the setup a {name}"
        )
    of_seed = trajectories.sel(seed=seed).isel(init=slice(spec.initialisations))
    values = of_seed[name].isel(step=spec.window)
    if layer:
        values = values.isel(feature=_features(trajectories, layer))
    # Which weight is where matters to no fit.
    values = values.reset_coords(drop=True).rename({values.dims[-1]: "weight"})
    # Where the step is NaN, none is known; what is not finite is refused by the fit.
    kept = np.flatnonzero(~(of_seed["diverged_at"].values >= 0))
    return values if len(kept) == values.sizes["init"] else values.isel(init=kept)


def _features(trajectories: xr.Dataset, layer: str) -> slice:
    """Place of a layer's sketch among all; one slice, so that no more than that is read."""
    of = trajectories["sketch_layer"]
    names = list(of.attrs["flag_meanings"])
    if layer not in names:
        raise InputError(f"observable: no sketch of {layer!r}; give one of {', '.join(names)}")
    places = np.flatnonzero(of.values == names.index(layer))
    return slice(int(places[0]), int(places[-1]) + 1)


def _fit_seed_elsewhere(
    asker: dict[str, str],
    path: Path,
    seed: int,
    spec: FitSpec,
    resample: int | None,
    instead: Instead | None,
) -> xr.Dataset:
    # Workers come and go: this one may have joined after the others were checked.
    elsewhere.check_here(asker, path)
    return _fit_seed(path, seed, spec, resample, instead)


def _fit_seed(
    path: Path,
    seed: int,
    spec: FitSpec,
    resample: int | None = None,
    instead: Instead | None = None,
) -> xr.Dataset:
    # Sealed and checked by fit_seeds already: open it without reading it all again.
    trajectories = xr.open_zarr(path, consolidated=False, chunks=None)
    try:
        runs = finite_runs(trajectories, seed, spec)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    used = runs.sizes["init"]
    if instead is not None and used:
        runs = instead(runs, seed)
    if resample is not None and used:
        drawn = np.random.default_rng([seed, RESAMPLES, resample]).integers(0, used, used)
        runs = runs.isel(init=np.sort(drawn))
    try:
        return fit_one(runs, spec)
    except InputError as error:
        raise InputError(f"{path.name}: seed {seed}: {error}") from None
