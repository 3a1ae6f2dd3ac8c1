"""Runs on disk: found by a pattern, opened whatever they are, kept as sealed stores."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from koopscope.artefacts import store as stores
from koopscope.errors import InputError
from koopscope.recording import array_files
from koopscope.recording.arrays import from_arrays
from koopscope.recording.naming import listed, matches, natural, nothing_found
from koopscope.recording.saving import save_run
from koopscope.recording.snapshots import KIND, open_snapshots, partial_of


def find_runs(pattern: str | Path | Iterable[str | Path]) -> list[Path]:
    """Find the runs that a pattern names.

    Parameters
    ----------
    pattern
        A path, or a pattern such as ``"runs/sgd/*"`` (``**``: folders at any depth), or several of
        them. What is there by the very name is meant by it; ``~`` is the home folder.

    Returns
    -------
    list of pathlib.Path
        In natural order (``run-2`` before ``run-10``), each once. Hidden files are none.

    Raises
    ------
    InputError
        If nothing is there, or one of them is being written or was cut short; if what is matched
        lies inside of a run.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from koopscope.recording import find_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for seed in (10, 2, 1):
    ...         np.save(f"{folder}/run-{seed}.npy", np.ones((5, 3)))
    ...     found = find_runs(f"{folder}/run-*")
    >>> [path.name for path in found]
    ['run-1.npy', 'run-2.npy', 'run-10.npy']
    """
    patterns = [pattern] if isinstance(pattern, str | Path) else list(pattern)
    if not patterns:
        raise InputError("runs: none given; give a path or a pattern such as 'runs/sgd/*'")
    found: dict[Path, None] = {}
    for each in patterns:
        _refuse_unfinished(Path(each).expanduser())
        runs = [path for path in matches(each) if not path.name.startswith(stores.PARTIAL)]
        if not runs:
            raise nothing_found(each)
        for run in runs:
            _refuse_part(run, each)
        found.update(dict.fromkeys(runs))
    return sorted(found, key=natural)


def _refuse_unfinished(pattern: Path) -> None:
    """Refuse a pattern that a run fits which lies there under its unfinished name."""
    for partial in [] if pattern.exists() else matches(partial_of(pattern)):
        run = _run_of(partial)
        if run is not None:
            raise InputError(
                f"runs: {run} is being written or was cut short: wait, or go on with it "
                f"(resume=True), or delete {partial}"
            )


def _run_of(partial: Path) -> Path | None:
    """Run that an unfinished store is to be, if it is not there and this is no leftover."""
    run = partial.with_name(partial.name.removeprefix(stores.PARTIAL))
    for rest in ("old-", "scratch-"):
        # What a store that was being replaced leaves behind is no run of its own.
        of = run.with_name(run.name.removeprefix(rest))
        if of != run and (of.exists() or partial_of(of).exists()):
            return None
    return None if run.exists() else run


def _refuse_part(path: Path, pattern: str | Path) -> None:
    """Refuse what is not a run but lies in one."""
    if array_files.is_sealed(path.parent):
        raise InputError(
            f"runs: {pattern} matches {path.name}, a part of the run {path.parent}; give that"
        )


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
