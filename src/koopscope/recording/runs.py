"""Runs on disk: found by a pattern, opened whatever they are, kept as sealed stores."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import digest, short
from koopscope.artefacts.seals import partial_of
from koopscope.errors import InputError
from koopscope.recording import array_files
from koopscope.recording.arrays import from_arrays
from koopscope.recording.checkpoint_names import checkpoints_in, is_checkpoint, numbered
from koopscope.recording.checkpoints import from_checkpoints
from koopscope.recording.logs import (
    EVENTS,
    LINES,
    TABLES,
    from_csv,
    from_json_lines,
    from_tensorboard,
    logs_in,
)
from koopscope.recording.naming import listed, nothing_found
from koopscope.recording.observable import logged_of
from koopscope.recording.saving import save_run
from koopscope.recording.snapshots import KIND, open_snapshots


def open_run(path: Any, scratch: str | Path | None = None, **choices: Any) -> xr.Dataset:
    """Open a run, whatever it was kept as.

    Parameters
    ----------
    path
        A sealed store (:func:`koopscope.open_snapshots`); a folder or list of checkpoints
        (:func:`koopscope.from_checkpoints`); a file of arrays (:func:`koopscope.from_arrays`); a
        log (:func:`koopscope.from_csv`, :func:`koopscope.from_json_lines`,
        :func:`koopscope.from_tensorboard`), or its folder. In a folder that has checkpoints and
        logs, logs are meant if ``columns`` are given. Arrays in memory go to
        :func:`koopscope.from_arrays`.
    scratch
        Folder into which checkpoints are brought; once, unless they change.
    **choices
        Of the function that reads it. Those that are None count as not given. ``columns`` keeps
        these scalars alone, of any sort of run but checkpoints.

    Returns
    -------
    xarray.Dataset
        As :func:`koopscope.open_snapshots` gives it; attribute ``source``, the path as given.

    Raises
    ------
    InputError
        If it is no run, or cannot be read; if a choice is none of its reader's; if checkpoints are
        given without ``scratch``.

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
    reader, found, given = _how(path, choices)
    if reader is from_checkpoints:
        if scratch is None:
            raise InputError(
                f"{path}: checkpoints; give scratch, a folder to bring them into, or use "
                "from_checkpoints(path, out)"
            )
        run = _brought_in(found, Path(scratch), given)
    else:
        columns = None if _takes(reader, "columns") else given.pop("columns", None)
        run = reader(found, **given)
        run = run if columns is None else only(run, columns)
    return run.assign_attrs(source=str(path)) if isinstance(path, str | Path) else run


def _how(
    path: Any, choices: Mapping[str, Any]
) -> tuple[Callable[..., xr.Dataset], Any, dict[str, Any]]:
    """What reads a run, where it lies, and the choices that the reader takes."""
    given = {name: value for name, value in choices.items() if value is not None}
    found = path
    if isinstance(path, str | Path):
        found = Path(path).expanduser()
        if not found.exists() and not partial_of(found).exists():
            raise nothing_found(path)
        reader, found = _reader(found, "columns" in given)
    elif isinstance(path, list | tuple) and all(
        isinstance(p, str | Path) and is_checkpoint(Path(p).expanduser()) for p in path
    ):
        reader = from_checkpoints
    else:
        reader = from_arrays
    if reader is from_tensorboard and "columns" in given:
        given["tags"] = given.pop("columns")
    takes = [*list(inspect.signature(reader).parameters)[1:], "columns"]
    if reader is from_checkpoints:
        takes = [name for name in takes if name not in ("out", "columns")]
    for name in given:
        if name not in takes:
            raise InputError(
                f"{name}: no choice for {path}; {reader.__name__} takes {listed(takes, 20)}"
            )
    return reader, found, given


def _takes(reader: Callable[..., xr.Dataset], name: str) -> bool:
    return name in inspect.signature(reader).parameters


def _reader(path: Path, logged: bool) -> tuple[Callable[..., xr.Dataset], Path]:
    """What reads a run, by its name and what lies in it, and the path that it takes."""
    if not path.exists():
        return open_snapshots, path
    if path.is_file():
        return _file_reader(path), path
    if array_files.is_sealed(path):
        ours = stores.read_provenance(path)["kind"] == KIND
        return (open_snapshots if ours else from_arrays), path
    if array_files.is_zarr(path):
        return from_arrays, path
    # Lightning puts them into a folder of their own.
    folders = [f for f in (path, path / "checkpoints") if f.is_dir() and checkpoints_in(f)]
    logs = logs_in(path)
    if folders and not (logged and logs):
        return from_checkpoints, folders[0]
    if logs:
        return _file_reader(logs[0]), path if EVENTS in logs[0].name else logs[0]
    raise InputError(
        f"{path}: no run; give a sealed store, a folder of checkpoints, arrays or a log, or a "
        f"pattern of runs such as '{path.name}/*'"
    )


def _file_reader(path: Path) -> Callable[..., xr.Dataset]:
    suffix = path.suffix.lower()
    if EVENTS in path.name:
        return from_tensorboard
    if is_checkpoint(path):
        raise InputError(f"{path}: one checkpoint is no run; give its folder {path.parent}")
    for suffixes, reader in (
        (array_files.SUFFIXES, from_arrays),
        (TABLES, from_csv),
        (LINES, from_json_lines),
    ):
        if suffix in suffixes:
            return reader
    known = (*array_files.SUFFIXES, *TABLES, *LINES)
    raise InputError(f"{path}: no run; files of runs end in {', '.join(known)}")


def _brought_in(path: Any, scratch: Path, given: Mapping[str, Any]) -> xr.Dataset:
    """Checkpoints from a store in the scratch folder, made unless it is there already."""
    made_of = [[str(file), *_state(file)] for file in numbered(path).values()]
    name = path.name if isinstance(path, Path) else "checkpoints"
    out = scratch / f"{name}.{short(digest([made_of, repr(sorted(given.items()))]))}"
    return open_snapshots(out) if out.exists() else from_checkpoints(path, out, **given)


def _state(file: Path) -> tuple[int, int]:
    """Size of a checkpoint and when it was last changed."""
    stats = [each.stat() for each in (file.iterdir() if file.is_dir() else [file])]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def only(run: xr.Dataset, columns: str | Sequence[str]) -> xr.Dataset:
    """Scalars of a run, without its weights."""
    names = [columns] if isinstance(columns, str) else list(columns)
    # As importers call them: Zarr takes a slash for a folder.
    called = {name: name.replace("/", ".") for name in names}
    there = logged_of(run)
    for name in names:
        if called[name] not in there:
            raise InputError(f"columns: no {name!r}; there is {listed(there) or 'none'}")
    return run[list(called.values())]


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
    reader, found, given = _how(path, choices)
    if reader is from_checkpoints:
        return from_checkpoints(found, out, **given)
    return save_run(open_run(path, **choices), out)
