"""Files that stand alone, each with its digest and provenance in a file beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from koopscope.artefacts.store import PARTIAL, PROVENANCE, file_digest
from koopscope.errors import InputError


def write_file(path: Path, text: str, provenance: Mapping[str, Any]) -> None:
    """Write a text file that stands alone, with its digest and provenance in a file beside it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(PARTIAL + path.name)
    partial.write_text(text, encoding="utf-8")
    seal_file(partial, path, provenance)


def seal_file(partial: Path, path: Path, provenance: Mapping[str, Any]) -> None:
    """Move a finished file to its place, with its digest and provenance in a file beside it."""
    sealed = {"sha256": file_digest(partial), **provenance}
    partial.replace(path)
    sidecar(path).write_text(json.dumps(sealed, indent=1, sort_keys=True) + "\n")


def sidecar(path: Path) -> Path:
    """File that holds the provenance of a file that stands alone."""
    return Path(path).with_name(f"{Path(path).name}.{PROVENANCE}")


def check_file(path: Path) -> None:
    """Compare a file that stands alone with its digest.

    Raises
    ------
    InputError
        If it changed since it was written.
    """
    if file_digest(Path(path)) != json.loads(sidecar(path).read_text())["sha256"]:
        raise InputError(f"{path}: contents differ from their digest; delete it and run again")
