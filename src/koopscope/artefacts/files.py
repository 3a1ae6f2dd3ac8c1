"""Files that stand alone, each with its digest and provenance in a file beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.artefacts import store
from koopscope.artefacts.seals import PROVENANCE, file_digest, partial_of
from koopscope.errors import InputError


def write_files(texts: Mapping[Path, str], provenance: Mapping[str, Any]) -> None:
    """Write text files that stand alone, each with its digest and provenance in a file beside it.

    None takes its place before all are written.
    """
    partials = {path: partial_of(Path(path)) for path in texts}
    try:
        for path, partial in partials.items():
            partial.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(texts[path], encoding="utf-8")
            _write_sidecar(partial, provenance)
    except BaseException:
        for partial in partials.values():
            store.remove(partial)
            store.remove(sidecar(partial))
        raise
    for path, partial in partials.items():
        _move(partial, Path(path))


def seal_file(partial: Path, path: Path, provenance: Mapping[str, Any]) -> None:
    """Move a finished file to its place, with its digest and provenance in a file beside it."""
    _write_sidecar(partial, provenance)
    _move(partial, path)


def _write_sidecar(path: Path, provenance: Mapping[str, Any]) -> None:
    sealed = {"sha256": file_digest(path), **provenance}
    text = json.dumps(sealed, indent=1, sort_keys=True) + "\n"
    sidecar(path).write_text(text, encoding="utf-8")


def _move(partial: Path, path: Path) -> None:
    partial.replace(path)
    sidecar(partial).replace(sidecar(path))


def sidecar(path: Path) -> Path:
    """File that holds the provenance of a file that stands alone."""
    return Path(path).with_name(f"{Path(path).name}.{PROVENANCE}")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Digest and provenance of a file that stands alone.

    Raises
    ------
    InputError
        If the file or its sidecar is missing, damaged or cannot be read.
    """
    path, beside = Path(path), sidecar(path)
    with store.readable(path):
        if not path.exists():
            raise InputError(f"{path}: no such artefact; run the stage that makes it")
        if not beside.exists():
            raise InputError(f"{path}: its {beside.name} is missing; delete it and run again")
        return store.read_stamp(beside, path)


def check_file(path: Path) -> dict[str, Any]:
    """Compare a file that stands alone with its digest, and give its stamp.

    Raises
    ------
    InputError
        As :func:`read_sidecar`, and if it changed since it was written.
    """
    recorded = read_sidecar(path)
    with store.readable(path):
        found = file_digest(Path(path))
    if found != recorded.get("sha256"):
        raise InputError(f"{path}: contents differ from their digest; delete it and run again")
    return recorded
