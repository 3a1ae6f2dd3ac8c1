"""Names by which an artefact's seal and stamp are found, and what lies in a folder."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

SEAL = "content.sha256"
PROVENANCE = "provenance.json"
PARTIAL = ".partial-"
OLD = f"{PARTIAL}old-"
# Within a store: what was measured with a clock, which is not part of the contents.
TIMINGS = "timings.zarr"
ENGINES = ".snakemake_timestamp"
# Put into folders by the workflow engine, file managers and network file systems at their own will;
# not part of the contents.
FOREIGN = re.compile(
    rf"{re.escape(ENGINES)}|\.DS_Store|\._.+|Thumbs\.db|desktop\.ini|\.directory"
    r"|\.nfs[0-9a-fA-F]+|\.fuse_hidden\w+|\.smb\w+"
)
# What Zarr v3 writes: metadata and chunks.
ZARR = re.compile(r"(?:.+/)?(?:zarr\.json|c(?:/\d+)*)")


def file_digest(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def partial_of(store: Path) -> Path:
    """Where a store lies until it is whole."""
    store = place_of(store)
    return store.with_name(PARTIAL + store.name)


def former_of(store: Path) -> Path:
    """Where what stood in a store's place lies while the new one is moved there."""
    store = place_of(store)
    return store.with_name(OLD + store.name)


def place_of(store: Path) -> Path:
    """Where a store lies whose path may be a link, which is to stay one."""
    return Path(os.path.realpath(store)) if store.is_symlink() else store


def stop(error: OSError) -> None:
    """Raise an error."""
    raise error


def walk(
    root: Path, unreadable: Callable[[OSError], object] = stop
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folders from a root down, with the names of folders and files in each, all in order.

    As :func:`os.walk`, links followed; who takes names from the list of folders is spared what lies
    in them. What to do of a folder that cannot be read is given.
    """
    for name, folders, files in os.walk(root, followlinks=True, onerror=unreadable):
        # A link to a folder that it lies in leads round for ever.
        above = {os.path.realpath(name)} | set(map(str, Path(os.path.realpath(name)).parents))
        folders[:] = sorted(f for f in folders if os.path.realpath(Path(name, f)) not in above)
        yield Path(name), folders, sorted(files)
