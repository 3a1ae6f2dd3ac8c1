"""Prove or refute the chain of digests behind every result in a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from koopscope.artefacts import files, store
from koopscope.artefacts.provenance import digest
from koopscope.errors import InputError


@dataclass(frozen=True)
class Finding:
    """What is known of one artefact: ``holds`` or ``broken``, and why if broken."""

    path: Path
    holds: bool
    reason: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{'holds ' if self.holds else 'BROKEN'}  {self.path}" + (
            f": {self.reason}" if self.reason else ""
        )


def verify(root: Path) -> Iterator[Finding]:
    """Check every artefact below a folder, in order of path.

    An artefact holds if its contents match its seal, its parameters match their digest and the
    digest in its name, and every input that it names is there, sealed with the digest that was
    recorded when it was read. Inputs are named relative to the folder that holds ``root``.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; run the workflow first")
    for found in sorted(root.rglob(f"*{store.PROVENANCE}")):
        if any(part.startswith(store.PARTIAL) for part in found.relative_to(root).parts):
            continue
        folder = found.name == store.PROVENANCE
        path = found.parent if folder else found.with_name(found.name[: -len(store.PROVENANCE) - 1])
        try:
            (store.check if folder else files.check_file)(path)
            _check_chain(json.loads(found.read_text()), root.parent)
        except (InputError, OSError, KeyError, json.JSONDecodeError) as error:
            yield Finding(path, False, " ".join(str(error).removeprefix(f"{path}: ").split()))
        else:
            yield Finding(path, True)
    for left in sorted(root.rglob(f"{store.PARTIAL}*")):
        yield Finding(left, False, "left by an interrupted run; it is no result, delete it")
    for bare in sorted(root.rglob("zarr.json")):
        inner = (bare.parent.parent / "zarr.json").exists()
        # A store that has its provenance was checked above, whether it is sealed or not.
        known = any(
            (parent / store.PROVENANCE).exists() or parent.name.startswith(store.PARTIAL)
            for parent in bare.parents
        )
        if not inner and not known:
            yield Finding(bare.parent, False, "a store without provenance; delete it and run again")


def _check_chain(recorded: dict[str, Any], base: Path) -> None:
    if digest(recorded["parameters"]) != recorded["parameters_digest"]:
        raise InputError("its parameters differ from their digest; delete it and run again")
    for name, content in recorded["inputs"].items():
        if store.sealed_digest(base / name) != content:
            raise InputError(f"made from another version of {name}; run the workflow again")
