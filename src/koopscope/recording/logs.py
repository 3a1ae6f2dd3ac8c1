"""Logs that exist already: curves of CSV, JSON lines and TensorBoard as runs of scalars."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.faces import needed
from koopscope.recording.described import OWN, attributes, described
from koopscope.recording.naming import listed, natural
from koopscope.recording.values import flattened

# Columns that count steps, as loops and loggers call them; those of optimiser steps first.
OPTIMISER_STEPS = ("step", "global_step", "trainer/global_step", "train/global_step", "_step")
STEPS = (*OPTIMISER_STEPS, "iteration", "iter", "epoch")
TABLES, LINES, EVENTS = (".csv", ".tsv"), (".jsonl", ".ndjson", ".json"), "tfevents"
# A column's numbers by step.
Series = dict[int, float]


def from_csv(
    path: str | Path,
    columns: str | Sequence[str] | None = None,
    step: str | None = None,
    *,
    name: str = "",
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read curves of a table (CSV, TSV), such as Lightning's ``metrics.csv``.

    Parameters
    ----------
    path
        File whose first line names the columns; they are parted by commas, semicolons or tabs.
    columns
        Which to take; by default all numeric ones. Steps at which one of those named is missing
        are left out; by default NaN stands there. A cell that says ``nan`` is a number.
    step
        Column that counts the steps; by default ``step``, ``global_step``,
        ``trainer/global_step``, ``train/global_step``, ``_step``, ``iteration``, ``iter`` or
        ``epoch``, the first that is there.
    name, seed, settings
        What the run is of, kept as attributes; settings are JSON values.

    Returns
    -------
    xarray.Dataset
        A variable (step) for each column, in double precision, with ``.`` in place of ``/`` in its
        name; coordinate ``step``; attribute ``complete``.

    Raises
    ------
    InputError
        If a column is not there, or holds text; if a step is no whole number, goes back, or has
        two numbers of a column; if the file is empty or damaged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import koopscope as ks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "metrics.csv")
    ...     written = table.write_text("step,loss,val/loss\\n10,3,\\n10,,4\\n20,2,\\n")
    ...     run = ks.from_csv(table, columns=["loss"])
    ...     whole = ks.from_csv(table)
    >>> run["loss"].values.tolist(), run["step"].values.tolist()
    ([3.0, 2.0], [10, 20])
    >>> whole["val.loss"].values.tolist()
    [4.0, nan]
    """
    text = _text(path)
    first = text.partition("\n")[0]
    parted = max(",\t;", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}: no table ({error}); give the log as it was written") from None
    names = table[0]
    if twice := [each for each in names if names.count(each) > 1]:
        raise InputError(f"{path}: the column {twice[0]!r} is there twice; rename one")
    rows = [
        (f"line {i}", dict(zip(names, row, strict=False)))
        for i, row in enumerate(table[1:], start=2)
        if row
    ]
    return _run(path, rows, columns, step, described(name, seed, settings))


def from_json_lines(
    path: str | Path,
    columns: str | Sequence[str] | None = None,
    step: str | None = None,
    *,
    name: str = "",
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read curves of a log of JSON objects, one a line.

    Also of Hugging Face's ``trainer_state.json`` (its ``log_history``), and of a JSON list of
    objects. Names of nested values are joined by dots.

    Parameters
    ----------
    path
        File ``.jsonl``, ``.ndjson`` or ``.json``.
    columns, step, name, seed, settings
        As for :func:`koopscope.from_csv`.

    Returns
    -------
    xarray.Dataset
        As of :func:`koopscope.from_csv`.

    Raises
    ------
    InputError
        As of :func:`koopscope.from_csv`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import koopscope as ks
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder, "log.jsonl")
    ...     written = log.write_text('{"_step": 0, "loss": 3}\\n{"_step": 1, "loss": 2.5}\\n')
    ...     run = ks.from_json_lines(log)
    >>> run["loss"].values.tolist(), run["step"].values.tolist()
    ([3.0, 2.5], [0, 1])
    """
    rows = [(where, dict(flattened(row))) for where, row in _objects(path, _text(path))]
    return _run(path, rows, columns, step, described(name, seed, settings))


def from_tensorboard(
    path: str | Path,
    tags: str | Sequence[str] | None = None,
    *,
    name: str = "",
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Read scalars of TensorBoard's event files.

    Parameters
    ----------
    path
        An event file, or the folder of those of one run. What a run that was started again
        overtook is left out, as TensorBoard does.
    tags
        Which to take, as ``columns`` of :func:`koopscope.from_csv`.
    name, seed, settings
        What the run is of, kept as attributes; settings are JSON values.

    Returns
    -------
    xarray.Dataset
        As of :func:`koopscope.from_csv`.

    Raises
    ------
    InputError
        If there is no event file, or it has no such tag.
    ModuleNotFoundError
        If TensorBoard is not installed.

    Examples
    --------
    >>> import koopscope as ks
    >>> run = ks.from_tensorboard("runs/Nov26", tags=["train/loss"])  # doctest: +SKIP
    """
    where = Path(path).expanduser()
    if not (EVENTS in where.name if where.is_file() else events_in(where)):
        raise InputError(f"{path}: no event file of TensorBoard; give one, or the folder of a run")
    reading = needed("tensorboard.backend.event_processing.event_accumulator", str(path))
    opened = reading.EventAccumulator(str(where), size_guidance={"scalars": 0, "tensors": 0})
    opened.Reload()
    series: dict[str, Series] = {}
    for tag in opened.Tags()["scalars"]:
        _fill(path, series, tag, [(f"tag {tag}", e.step, e.value) for e in opened.Scalars(tag)])
    decode = needed("tensorboard.util.tensor_util", str(path)).make_ndarray
    for tag in opened.Tags()["tensors"]:
        values = [(e.step, decode(e.tensor_proto)) for e in opened.Tensors(tag)]
        if all(v.size == 1 and v.dtype.kind in "iuf" for _, v in values):
            _fill(path, series, tag, [(f"tag {tag}", s, v.item()) for s, v in values])
    known = described(name, seed, settings)
    chosen = _chosen(path, series, tags, [tag for tag in series if tag not in OWN])
    return _dataset(path, series, chosen, tags is not None, known)


def events_in(folder: Path) -> list[Path]:
    """Event files of TensorBoard in a folder."""
    return sorted(folder.glob(f"*{EVENTS}*")) if folder.is_dir() else []


def _text(path: str | Path) -> str:
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text of UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); give a log") from None
    if not text.strip():
        raise InputError(f"{path}: an empty file; give the log of a run")
    return text


def _objects(path: str | Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Objects of a log with where they stand."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, dict):
        whole = whole.get("log_history", [whole])
    if whole is not None:
        rows = [(f"entry {i}", row) for i, row in enumerate(whole, start=1)]
    else:
        rows = []
        for i, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    rows.append((f"line {i}", json.loads(line)))
                except ValueError:
                    raise InputError(
                        f"{path}: line {i} is no JSON, perhaps cut short; delete it"
                    ) from None
    for where, row in rows:
        if not isinstance(row, dict):
            raise InputError(f"{path}: {where} is no object; give one with names a line")
        yield where, row


def _run(
    path: str | Path,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    columns: str | Sequence[str] | None,
    step: str | None,
    known: Mapping[str, Any],
) -> xr.Dataset:
    """Rows with where they stand, as a run."""
    there = list(dict.fromkeys(name for _, row in rows for name in row))
    if not rows:
        raise InputError(f"{path}: no rows; give the log of a run")
    if step is None:
        step = next((name for name in STEPS if name in there), None)
        if step is None:
            raise InputError(f"{path}: no column of steps; name one by step=: {listed(there, 20)}")
    elif step not in there:
        raise InputError(f"step: {path} has no column {step!r}; it has {listed(there, 20)}")
    numeric = [n for n in there if n not in (step, *OWN) and _is_numeric(rows, n)]
    chosen = _chosen(path, there, columns, numeric)
    series: dict[str, Series] = {}
    for name in chosen:
        cells = [(at, row, _number(path, at, name, row.get(name))) for at, row in rows]
        numbers = [(at, _step(path, at, step, row), v) for at, row, v in cells if v is not None]
        _fill(path, series, name, numbers)
    return _dataset(path, series, chosen, columns is not None, known)


def _chosen(
    path: str | Path,
    there: Iterable[str],
    columns: str | Sequence[str] | None,
    default: Iterable[str],
) -> list[str]:
    """Columns that are asked for, each as it is called in the log."""
    if columns is None:
        return list(default)
    called = {name.replace("/", "."): name for name in there}
    names = [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        if name.replace("/", ".") not in called:
            raise InputError(
                f"columns: {path} has no {name!r}; it has {listed(called.values(), 20) or 'none'}"
            )
        if name in OWN:
            raise InputError(f"columns: {name!r} is a name of the form's own; rename the column")
    return [called[name.replace("/", ".")] for name in names]


def _fill(
    path: str | Path,
    series: dict[str, Series],
    name: str,
    numbers: Iterable[tuple[str, int, float]],
) -> None:
    """Numbers of one column by step; the same number twice, of rows that say the rest, is one."""
    found = series.setdefault(name, {})
    last = None
    for where, step, value in numbers:
        before = found.setdefault(step, value)
        if before != value and not (math.isnan(before) and math.isnan(value)):
            raise InputError(
                f"{path}: {where}: {name} is {value} at step {step}, but was {before} there; name "
                "a column that counts finer by step=, or keep the rows of one run"
            )
        if last is not None and step < last:
            raise InputError(
                f"{path}: {where}: the step of {name} goes back from {last} to {step}; keep the "
                "rows of one run"
            )
        last = step


def _dataset(
    path: str | Path,
    series: Mapping[str, Series],
    names: Sequence[str],
    whole: bool,
    known: Mapping[str, Any],
) -> xr.Dataset:
    """Columns as variables, at the steps that all of them have, or any."""
    sets = [set(series[name]) for name in names]
    steps = sorted((set.intersection if whole else set.union)(*sets)) if sets else []
    if not steps:
        what = "are at no step together" if len(sets) > 1 else "has no number"
        raise InputError(
            f"columns: {listed(names) or 'none numeric'} in {path} {what}; choose others"
        )
    curves = {
        name.replace("/", "."): ("step", np.array([series[name].get(s, np.nan) for s in steps]))
        for name in names
    }
    run = xr.Dataset(curves, coords={"step": np.array(steps, "int64")})
    return run.assign_attrs({**attributes(known), "complete": True})


def _is_numeric(rows: Iterable[tuple[str, Mapping[str, Any]]], name: str) -> bool:
    try:
        return any(_number("", at, name, row.get(name)) is not None for at, row in rows)
    except InputError:
        return False


def _number(path: str | Path, where: str, name: str, value: Any) -> float | None:
    """Number of a cell; None where there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(
            f"{path}: {where}: {name} is {str(value)[:40]!r}; give columns of numbers"
        ) from None


def _step(path: str | Path, where: str, name: str, row: Mapping[str, Any]) -> int:
    value = row.get(name)
    number = _number(path, where, name, value)
    if number is None or not number.is_integer():
        raise InputError(
            f"{path}: {where}: {name} is {value!r}, no whole number; name another column of steps "
            "by step="
        )
    return int(number)


def logs_in(folder: Path) -> list[Path]:
    """Logs in the folder of a run, those that were meant for reading first."""
    tables = [p for p in folder.iterdir() if p.suffix.lower() in (*TABLES, ".jsonl", ".ndjson")]
    states = [p for p in folder.iterdir() if p.name == "trainer_state.json"]
    return sorted(tables, key=natural) + states + events_in(folder)[:1]
