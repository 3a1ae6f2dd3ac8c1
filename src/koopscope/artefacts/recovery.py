"""Set right what a killed run has left, before anything is planned on it.

A result is replaced by two renames (:func:`koopscope.artefacts.store.staged`): a run that was
killed between them leaves the former one beside its place, under another name. Everything else
that it leaves begins with ``.partial-`` and is no result.
"""

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from koopscope.artefacts import files, store
from koopscope.artefacts.seals import OLD, PARTIAL, PROVENANCE, file_digest
from koopscope.errors import InputError


def left_in(folder: Path, below: Collection[str] | None = None) -> Iterator[Path]:
    """What killed writers have left in a folder and below, but for what lies in results.

    Parameters
    ----------
    folder
        Need not be there.
    below
        Names of the folders in it to go into; None for all. What lies in others may be an
        unfinished recording of somebody who wants to go on with it.
    """
    if not folder.is_dir() or (folder / PROVENANCE).exists():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(PARTIAL):
            yield path
        elif below is None or path.name in below:
            yield from left_in(path)


def put_back(folder: Path, below: Collection[str] | None = None) -> list[Path]:
    """Give former results back to places that were left empty; returns the places.

    Of :func:`left_in`, and only while nobody writes there: a writer's place is empty for a moment.
    """
    found = []
    for path in left_in(folder, below):
        place = path.with_name(path.name.removeprefix(OLD))
        if path.name.startswith(OLD) and not place.exists():
            path.replace(place)
            found.append(place)
    return found


def clear(folder: Path, below: Collection[str] | None = None) -> list[Path]:
    """Delete what killed writers have left (:func:`left_in`); returns what was deleted.

    After :func:`put_back`, and only while nobody writes there.
    """
    found = list(left_in(folder, below))
    for path in found:
        store.remove(path)
    return found


def restore(copies: Path, base: Path) -> list[Path]:
    """Put copies of results in the places of those that are not whole, and delete the rest.

    Parameters
    ----------
    copies
        Folder of copies that a run made of what it was about to make again, under their paths
        relative to ``base``. It is deleted.
    base
        Folder of the places.

    Returns
    -------
    list of pathlib.Path
        Places that have their former result again.
    """
    if not copies.is_dir():
        return []
    found = []
    for copy in sorted(_results_in(copies)):
        place = base / copy.relative_to(copies)
        if _whole(copy, place) and not _whole(place, place):
            store.remove(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            copy.replace(place)
            found.append(place)
    shutil.rmtree(copies)
    return found


def _results_in(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not (path / PROVENANCE).exists():
            yield from _results_in(path)
        else:
            yield path


def _whole(path: Path, place: Path) -> bool:
    """Whether a result is as it was sealed: a file alone by the digest beside its place."""
    try:
        if path.is_dir():
            store.check(path)
            return True
        return file_digest(path) == store.read_stamp(files.sidecar(place), place).get("sha256")
    except (InputError, OSError):
        return False
