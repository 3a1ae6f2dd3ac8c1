"""Spectra of many seeds as one dataset, and fits of runs side by side on threads."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from koopscope.config.coordinates import RAW
from koopscope.config.fit import FitSpec
from koopscope.errors import InputError, RankError
from koopscope.koopman.coordinates import constant_weights
from koopscope.koopman.embedding import DelayEmbedding
from koopscope.koopman.fitting import fit
from koopscope.koopman.threads import one_thread

WORKERS = 2
FACTS = ("rank", "numerical_rank", "condition_number")


def fit_one(runs: xr.DataArray, spec: FitSpec) -> xr.Dataset:
    """Spectrum of a seed's runs, dims (init, step, weight), or of its only one (step, weight).

    Returns
    -------
    xarray.Dataset
        Dim ``mode``: ``eigenvalue``, ``residual``, ``amplitude``; ``runs_used``, ``rank``,
        ``numerical_rank``, ``condition_number``, ``constant_weights`` (left out; in raw coordinates
        none is); attribute ``solver``. Without a run no mode.
    """
    used = runs.sizes.get("init", 1)
    facts: dict[str, Any] = {"rank": 0, "numerical_rank": 0, "condition_number": np.nan}
    modes: dict[str, np.ndarray] = {
        "eigenvalue": np.empty(0, complex),
        "residual": np.empty(0),
        "amplitude": np.empty(0),
    }
    left_out, solver = 0, spec.solver
    if used:
        with one_thread():
            found = fit(runs.load(), spec.delays, spec.rank, spec.solver, spec.coordinates)
            if spec.coordinates != RAW:
                left_out = constant_weights(DelayEmbedding(runs))
            spectrum = found.to_dataset()
        facts = {name: spectrum.attrs[name] for name in FACTS}
        modes = {name: spectrum[name].values for name in modes}
        solver = spectrum.attrs["solver"]
    # At once: piece by piece it takes as long as a small fit.
    return xr.Dataset(
        {name: ("mode", values) for name, values in modes.items()}
        | {"runs_used": used, **facts, "constant_weights": left_out},
        coords={"mode": np.arange(len(modes["eigenvalue"]))},
        attrs={"solver": solver},
    )


def of_seeds(fits: Sequence[xr.Dataset], seeds: Sequence[int], spec: FitSpec) -> xr.Dataset:
    """Spectra of seeds together, dims (seed, mode); NaN where one has fewer modes than another.

    Parameters
    ----------
    fits
        As :func:`fit_one` gives them.
    seeds
        Coordinate ``seed``.
    spec
        Its fields become attributes, beside the solver that was taken and ``weight_coordinates``.
    """
    out = xr.concat(fits, dim="seed", join="outer", combine_attrs="drop")
    solver = next((fit.attrs["solver"] for fit in fits if fit["runs_used"] > 0), spec.solver)
    # A bare "coordinates" would be taken for the attribute of that name of CF's conventions, and
    # vanish on reading.
    attrs = spec.to_dict() | {"solver": solver, "weight_coordinates": spec.coordinates}
    attrs.pop("coordinates", None)
    return out.assign_coords(seed=list(seeds)).assign_attrs(attrs)


def fit_runs(
    groups: Mapping[str, Mapping[int, xr.DataArray]],
    spec: FitSpec,
    progress: Callable[[int], object] = lambda runs: None,
    instead: Callable[[xr.DataArray, int], xr.DataArray] | None = None,
) -> dict[str, xr.Dataset]:
    """Spectra of groups of runs, one run a seed, each fitted by itself.

    Parameters
    ----------
    groups
        By name and seed: dims (step, weight).
    spec
        Delays, rank and solver.
    progress
        Called with 1 for each run that is done.
    instead
        Of a run and its seed: what is fitted in its place.

    Returns
    -------
    dict of xarray.Dataset
        By name, as :func:`of_seeds` gives them.

    Raises
    ------
    InputError
        As :func:`koopscope.koopman.fit` does; the line names the group and the seed.
    """

    def one(job: tuple[str, int, xr.DataArray]) -> xr.Dataset:
        name, seed, run = job
        try:
            found = fit_one(run if instead is None else instead(run, seed), spec)
        except RankError as error:
            raise RankError(f"{name}, seed {seed}: {error}", error.found) from None
        except InputError as error:
            raise InputError(f"{name}, seed {seed}: {error}") from None
        progress(1)
        return found

    jobs = [(name, seed, run) for name, runs in groups.items() for seed, run in runs.items()]
    # Set here, for all threads at once: the limit that a fit sets falls when another fit's ends.
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS) as threads:
        found = list(threads.map(one, jobs))
    out, at = {}, 0
    for name, runs in groups.items():
        out[name] = of_seeds(found[at : at + len(runs)], list(runs), spec)
        at += len(runs)
    return out
