"""Prove or refute the chain of digests behind every result in a folder."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from koopscope.artefacts import files, store
from koopscope.artefacts.expected import Expected, check_expected
from koopscope.artefacts.provenance import digest
from koopscope.artefacts.seals import PARTIAL, PROVENANCE, SEAL, TIMINGS, walk
from koopscope.errors import InputError

ZARRS = {"zarr.json", ".zgroup", ".zarray"}


@dataclass(frozen=True)
class Finding:
    """What is known of one artefact: ``holds`` or ``broken``, and why if broken.

    Attributes
    ----------
    ours
        Whether koopscope made it, so that it can be made again.
    """

    path: Path
    holds: bool
    reason: str = ""
    ours: bool = True

    def __str__(self) -> str:
        """One line."""
        return f"{'holds ' if self.holds else 'BROKEN'}  {self.path}" + (
            f": {self.reason}" if self.reason else ""
        )


def verify(root: Path, expected: Mapping[str, Expected] | None = None) -> Iterator[Finding]:
    """Check every artefact that ought to be there or is there below a folder, in order of path.

    An artefact holds if its contents match its seal, its parameters match their digest and the
    digest in its name, every input that it names is there, sealed with the digest that was
    recorded when it was read, or was deleted since as its stamp says, and it is what is expected in
    its place. Inputs are named relative to the folder that holds ``root``. Links are followed.

    Parameters
    ----------
    root
        Folder of results.
    expected
        What ought to be there (:func:`koopscope.artefacts.expected.expected`), by paths relative to
        the folder that holds ``root``.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; run the workflow first")
    asked = {root.parent / path: of for path, of in (expected or {}).items()}
    findings: dict[Path, Finding] = {}
    found = dict.fromkeys(asked, False) | {
        path: left for path, left in _found(root, _unreadable(findings))
    }
    for path, left in found.items():
        if left:
            reason = "left by an interrupted run; it is no result, delete it"
            # Elsewhere it may be a recording of somebody who wants to go on with it.
            ours = expected is None or path.parent in {place.parent for place in asked}
            findings[path] = Finding(path, False, reason, ours)
        else:
            findings[path] = _judged(path, root.parent, asked.get(path))
    yield from (findings[path] for path in sorted(findings))


def remove_refuted(findings: Iterable[Finding]) -> list[Path]:
    """Delete what was refuted and koopscope made, so that it can be made again.

    A link stays, and what it leads to goes. Returns what was there to delete.
    """
    removed = []
    for finding in findings:
        if finding.holds or not finding.ours:
            continue
        if os.path.lexists(finding.path):
            removed.append(finding.path)
        store.remove(Path(os.path.realpath(finding.path)))
        store.remove(files.sidecar(finding.path))
    return removed


def _found(root: Path, unreadable: Callable[[OSError], object]) -> Iterator[tuple[Path, bool]]:
    """Artefacts below a folder, and whether each was left by an interrupted run."""
    for folder, folders, names in walk(root, unreadable):
        for name in [*folders, *names]:
            if name.startswith(PARTIAL):
                yield folder / name, True
        folders[:] = [name for name in folders if not name.startswith(PARTIAL)]
        if folder != root and ({SEAL, PROVENANCE} | ZARRS) & set(names):
            yield folder, False
            # What lies in it is part of it, but for what is sealed by itself.
            folders[:] = [name for name in folders if name == TIMINGS]
            continue
        for name in names:
            alone = name.removesuffix(f".{PROVENANCE}")
            if alone != name and not name.startswith(PARTIAL):
                yield folder / alone, False


def _unreadable(findings: dict[Path, Finding]) -> Callable[[OSError], None]:
    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        # Not to be made again: nobody knows what is in it.
        findings[path] = Finding(path, False, f"cannot be read ({error.strerror})", ours=False)

    return unreadable


def _judged(path: Path, base: Path, asked: Expected | None) -> Finding:
    try:
        if path.is_file() or (files.sidecar(path).exists() and not path.is_dir()):
            recorded, strays = files.check_file(path), []
        else:
            strays, recorded = store.check(path), store.read_provenance(path)
        if asked is not None:
            check_expected(path, asked, recorded)
        _check_chain(recorded, base)
    # Whatever is wrong with one, the others are judged.
    except Exception as error:
        reason = " ".join(str(error).removeprefix(f"{path}: ").split()) or repr(error)
        return Finding(path, False, reason, ours=not isinstance(error, store.NotOurs))
    return Finding(path, True, store.strays_said(strays) if strays else "")


def _check_chain(recorded: Mapping[str, Any], base: Path) -> None:
    for key in ("parameters", "inputs"):
        if not isinstance(recorded.get(key), Mapping):
            raise InputError(f"its provenance has no {key}; delete it and run again")
    if digest(recorded["parameters"]) != recorded.get("parameters_digest"):
        raise InputError("its parameters differ from their digest; delete it and run again")
    for name, content in recorded["inputs"].items():
        gone = recorded.get("consumed", {}).get(name)
        if gone and gone["digest"] == content and not (base / name).exists():
            continue
        if _content(base / name) != content:
            raise InputError(f"made from another version of {name}; run the workflow again")


def _content(path: Path) -> str | None:
    return files.read_sidecar(path).get("sha256") if path.is_file() else store.sealed_digest(path)
