"""Which runs a path or pattern means, and digests of what they hold; nothing numerical."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from koopscope.artefacts.seals import PARTIAL, SEAL, file_digest, partial_of
from koopscope.errors import InputError
from koopscope.recording.checkpoint_names import is_checkpoint
from koopscope.recording.naming import matches, natural, nothing_found


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
    ...         Path(folder, f"run-{seed}").mkdir()
    ...     found = find_runs(f"{folder}/run-*")
    >>> [path.name for path in found]
    ['run-1', 'run-2', 'run-10']
    """
    patterns = [pattern] if isinstance(pattern, str | Path) else list(pattern)
    if not patterns:
        raise InputError("runs: none given; give a path or a pattern such as 'runs/sgd/*'")
    found: dict[Path, None] = {}
    for each in patterns:
        _refuse_unfinished(Path(each).expanduser())
        runs = [path for path in matches(each) if not path.name.startswith(PARTIAL)]
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
    run = partial.with_name(partial.name.removeprefix(PARTIAL))
    for rest in ("old-", "scratch-"):
        # What a store that was being replaced leaves behind is no run of its own.
        of = run.with_name(run.name.removeprefix(rest))
        if of != run and (of.exists() or partial_of(of).exists()):
            return None
    return None if run.exists() else run


def _refuse_part(path: Path, pattern: str | Path) -> None:
    """Refuse what is not a run but lies in one."""
    if (path.parent / SEAL).exists() or is_checkpoint(path):
        raise InputError(
            f"runs: {pattern} matches {path.name}, a part of the run {path.parent}; give that"
        )


def content_digest(path: Path) -> str:
    """SHA-256 of what a run holds: its seal, or its files where it has none.

    Raises
    ------
    InputError
        If nothing is there.
    """
    path = Path(path)
    if (path / SEAL).exists():
        return (path / SEAL).read_text().strip()
    if path.is_file():
        return file_digest(path)
    joint = hashlib.sha256()
    for file in _files(path):
        joint.update(f"{file_digest(file)}  {file.relative_to(path).as_posix()}\n".encode())
    return joint.hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    if not found:
        raise InputError(f"{folder}: no file is there; give a run")
    return found
