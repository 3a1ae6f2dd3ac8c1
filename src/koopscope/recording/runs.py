"""Runs on disk: found by a pattern, opened whatever they are, kept as sealed stores."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from koopscope.artefacts import store as stores
from koopscope.artefacts.seals import partial_of
from koopscope.errors import InputError
from koopscope.recording import array_files
from koopscope.recording.arrays import from_arrays
from koopscope.recording.naming import listed, nothing_found
from koopscope.recording.saving import save_run
from koopscope.recording.snapshots import KIND, open_snapshots


def open_run(path: Any, scratch: str | Path | None = None, **choices: Any) -> xr.Dataset:
    """Open a run, whatever it was kept as.

    Parameters
    ----------
    path
        A sealed store, or a file or folder of arrays; arrays in memory go to
        :func:`koopscope.from_arrays`.
    scratch
        Folder to import checkpoints into.
    **choices
        Of the reader that it takes: :func:`koopscope.from_arrays`, or
        :func:`koopscope.open_snapshots`. Those that are None count as not given. ``columns``
        keeps these scalars alone, of any sort of run.

    Returns
    -------
    xarray.Dataset
        As :func:`koopscope.open_snapshots` gives it; attribute ``source``, the path as given.

    Raises
    ------
    InputError
        If it is no run, or cannot be read; if a choice is none of its reader's.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import koopscope as ks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/run.npy", np.ones((5, 3)))
    ...     run = ks.open_run(f"{folder}/run.npy", step=[0, 10, 20, 30, 40])
    >>> run["weights"].shape, run["step"].values.tolist()
    ((5, 3), [0, 10, 20, 30, 40])
    """
    given = {name: value for name, value in choices.items() if value is not None}
    if not isinstance(path, str | Path):
        return _read(from_arrays, path, given)
    literal = Path(path).expanduser()
    if not literal.exists() and not partial_of(literal).exists():
        raise nothing_found(path)
    return _read(_reader(literal), literal, given).assign_attrs(source=str(path))


def _reader(path: Path) -> Callable[..., xr.Dataset]:
    """What reads a run, by its name and what lies in it."""
    if not path.exists():
        return open_snapshots
    if path.is_dir():
        if array_files.is_sealed(path):
            kind = stores.read_provenance(path)["kind"]
            return open_snapshots if kind == KIND else from_arrays
        if array_files.is_zarr(path):
            return from_arrays
    elif path.suffix.lower() in array_files.SUFFIXES:
        return from_arrays
    raise InputError(f"{path}: no run; give a sealed store, or arrays")


def _read(reader: Callable[..., xr.Dataset], path: Any, given: dict[str, Any]) -> xr.Dataset:
    known = inspect.signature(reader).parameters
    columns = None if "columns" in known else given.pop("columns", None)
    for name in given:
        if name not in known:
            takes = listed([*list(known)[1:], "columns"], 20)
            raise InputError(f"{name}: no choice for {path}; {reader.__name__} takes {takes}")
    run = reader(path, **given)
    return run if columns is None else only(run, columns)


def only(run: xr.Dataset, columns: str | Sequence[str]) -> xr.Dataset:
    """Scalars of a run, without its weights."""
    names = [columns] if isinstance(columns, str) else list(columns)
    there = [str(n) for n, v in run.data_vars.items() if v.dims[-1:] == ("step",)]
    for name in names:
        if name not in there:
            raise InputError(f"columns: no {name!r}; there is {listed(there) or 'none'}")
    return run[names]


def bring_in(path: Any, out: str | Path, **choices: Any) -> xr.Dataset:
    """Import a run of any sort into a sealed store.

    Parameters
    ----------
    path
        What :func:`open_run` takes.
    out
        Folder to write; must not exist.
    **choices
        See :func:`open_run`.

    Returns
    -------
    xarray.Dataset
        Opened from the store.

    Raises
    ------
    InputError
        See :func:`open_run`; if something stands at ``out``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from koopscope.recording import bring_in
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/run.npy", np.ones((5, 3)))
    ...     run = bring_in(f"{folder}/run.npy", f"{folder}/run", seed=4).load()
    >>> run["weights"].shape, run.attrs["seed"]
    ((5, 3), 4)
    """
    return save_run(open_run(path, **choices), out)
