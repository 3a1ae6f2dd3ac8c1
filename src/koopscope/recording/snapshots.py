"""Recordings, read."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
import zarr

from koopscope.artefacts import store as stores
from koopscope.artefacts.seals import partial_of
from koopscope.errors import InputError
from koopscope.recording.writer import VALUES, dims_of, whole_steps

if TYPE_CHECKING:
    import torch

KIND = "snapshots"


def open_snapshots(
    store: Path | str, model: "torch.nn.Module | None" = None, unfinished: bool = False
) -> xr.Dataset:
    """Open a recording lazily.

    Parameters
    ----------
    store
        What :class:`koopscope.recording.Recorder` was given.
    model
        If given, refuse the recording of another architecture.
    unfinished
        Also accept a recording that was cut short: its whole blocks of snapshots.

    Returns
    -------
    xarray.Dataset
        ``weights`` (step, weight) or ``sketch`` (step, feature), ``initial`` (weight), what was
        logged (step), with ``seed`` before them where several runs were recorded side by side;
        coordinates ``step`` (optimiser steps done), ``layer`` and ``index``
        (:func:`koopscope.recording.layers.coordinates`); attribute ``complete``.

    Raises
    ------
    InputError
        If it is not there, is of another model, or was cut short or changed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from koopscope.recording import Recorder, open_snapshots
    >>> model = torch.nn.Linear(3, 2, bias=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Recorder(model, f"{folder}/run") as recorder:
    ...         recorder.snapshot()
    ...     snapshots = open_snapshots(f"{folder}/run", model).load()
    >>> bool((snapshots["initial"] == model.weight.detach().flatten()).all())
    True
    >>> snapshots["layer"].attrs["flag_meanings"], snapshots.attrs["complete"]
    (['weight'], True)
    """
    path, partial = Path(store), partial_of(Path(store))
    if path.exists() or not partial.exists():
        found = stores.read(path, KIND).assign_attrs(complete=True)
    elif unfinished:
        found = _whole_part(partial)
    else:
        raise InputError(
            f"store: the recording {path} was cut short, or is being written; give unfinished=True "
            "for what is there"
        )
    if model is not None:
        from koopscope.recording.weights import check_model

        if "weights" not in found:
            raise InputError(f"store: {path} holds a projection, which has no weights of a model")
        check_model(found["weights"], model)
    return found


def _whole_part(partial: Path) -> xr.Dataset:
    group = zarr.open_group(partial, mode="r")
    arrays = dict(group.arrays())
    if "step" not in arrays:
        raise InputError(f"store: {partial} was cut short before its first block; delete it")
    steps = whole_steps(group)
    # Arrays may be longer than the steps, each by itself, where the end came amid a block.
    name = next(name for name in VALUES if name in arrays)
    logged = [n for n, array in arrays.items() if "step" in dims_of(array) and n != name]
    opened = xr.open_dataset(
        partial, engine="zarr", consolidated=False, chunks=None, drop_variables=logged
    )
    whole = opened.isel(step=slice(len(steps))).assign_coords(step=steps)
    for scalar in set(logged) - {"step"}:
        values = np.asarray(arrays[scalar])[..., : len(steps)]
        whole[scalar] = dims_of(arrays[scalar]), values
    return whole.assign_attrs(complete=False)


def window(snapshots: xr.Dataset, last: int | None = None) -> xr.DataArray:
    """Weights of a recording, its ``last`` snapshots or all, dims (step, weight).

    Parameters
    ----------
    snapshots
        As :func:`open_snapshots` gives them, or any with ``weights`` (step, weight).
    last
        Number of snapshots, at least 2 and no more than there are; all by default.

    Returns
    -------
    xarray.DataArray
        As lazy as the recording.

    Raises
    ------
    InputError
        If there are fewer than two, or fewer than asked for.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.recording import window
    >>> snapshots = xr.Dataset({"weights": (("step", "weight"), np.zeros((100, 3)))})
    >>> window(snapshots, last=20).shape
    (20, 3)
    """
    weights = snapshots["weights"]
    chosen = weights if last is None else weights.isel(step=slice(-last, None))
    few = last is not None and not 2 <= last <= weights.sizes["step"]
    if few or chosen.sizes["step"] < 2:
        raise InputError(
            f"window: {chosen.sizes['step'] if last is None else last} of "
            f"{weights.sizes['step']} snapshots; give at least 2, and no more than there are"
        )
    return chosen
