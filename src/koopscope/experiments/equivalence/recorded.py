"""Recorded runs as the trajectories of a study."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from koopscope.config.runs import RecordedRuns
from koopscope.errors import InputError
from koopscope.recording.finding import content_digest, find_runs
from koopscope.recording.observable import Part
from koopscope.recording.runs import open_run

LOSS, NO_LOSS = "loss", "loss, where it was logged"


def trajectories(
    setup: RecordedRuns, scratch: Path, progress: Callable[[int], object] = lambda runs: None
) -> xr.Dataset:
    """Runs as trajectories of one initialisation a seed, all of one length.

    Parameters
    ----------
    setup
        Which runs, and what of them.
    scratch
        Folder for what has to be brought in first.
    progress
        Called with 1 for each run that is read.

    Returns
    -------
    xarray.Dataset
        As :func:`koopscope.training.recording.record` writes it: ``weights``, ``loss`` (NaN where
        none was logged), ``diverged_at`` (the first step that is not finite, or -1).

    Raises
    ------
    InputError
        If a run changed since it was planned, or the runs differ in length, spacing or numbers.
    """
    part = Part(setup.layers, setup.columns, setup.begin, setup.end, setup.every)
    found: list[xr.Dataset] = []
    for path, planned in zip(find_runs(setup.runs), setup.contents, strict=True):
        if content_digest(path) != planned:
            raise InputError(f"{path}: changed since this was planned; run again")
        run = open_run(path, scratch=scratch, columns=setup.columns)
        if "seed" in run.dims:
            raise InputError(f"{path}: holds several seeds; give a store of one run each")
        try:
            found.append(_of_seed(run, part))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        first = found[0]
        for name in ("step", "weight"):
            if found[-1].sizes[name] != first.sizes[name]:
                raise InputError(
                    f"{path}: {found[-1].sizes[name]} {name}s, but others have {first.sizes[name]};"
                    " give begin and end, or layers, that all have"
                )
        if not np.array_equal(np.diff(found[-1]["step"]), np.diff(first["step"])):
            raise InputError(f"{path}: its snapshots are spaced otherwise; give every")
        found[-1] = found[-1].assign_coords(step=first["step"])
        progress(1)
    joined = xr.concat(found, dim="seed", combine_attrs="drop", coords="minimal", compat="override")
    return joined.assign_coords(seed=list(setup.seeds), init=[0]).assign_attrs(loss_name=NO_LOSS)


def _of_seed(run: xr.Dataset, part: Part) -> xr.Dataset:
    """One run as a seed of one initialisation, NaN where it is not finite."""
    values = part.values(run).load()
    finite = np.isfinite(values.values).all(axis=1)
    steps = values["step"].values
    broken = -1 if finite.all() else int(steps[finite.argmin()])
    loss = np.full(len(steps), np.nan, np.float32)
    if LOSS in run and run[LOSS].dims == ("step",):
        loss = run[LOSS].sel(step=steps).values.astype(np.float32)
    return xr.Dataset(
        {
            "weights": values.expand_dims(init=[0]).transpose("init", "step", "weight"),
            "loss": (("init", "step"), loss[None]),
            "diverged_at": ("init", [broken]),
        }
    )
