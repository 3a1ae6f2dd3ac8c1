"""Names by which an artefact's seal and stamp are found, and the digest of a file."""

import hashlib
from pathlib import Path

SEAL = "content.sha256"
PROVENANCE = "provenance.json"
PARTIAL = ".partial-"
OLD = f"{PARTIAL}old-"
# Within a store: what was measured with a clock, which is not part of the contents.
TIMINGS = "timings.zarr"
# Written into every output folder by the workflow engine; not part of the contents.
FOREIGN = {".snakemake_timestamp"}


def file_digest(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def partial_of(store: Path) -> Path:
    """Where a store lies until it is whole."""
    return store.with_name(PARTIAL + store.name)


def former_of(store: Path) -> Path:
    """Where what stood in a store's place lies while the new one is moved there."""
    return store.with_name(OLD + store.name)
