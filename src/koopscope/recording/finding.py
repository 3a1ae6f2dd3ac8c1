"""Which runs a path or pattern means, and digests of what they hold; nothing numerical."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from glob import glob
from pathlib import Path

from koopscope.artefacts.seals import PARTIAL, SEAL, file_digest
from koopscope.errors import InputError

MAGIC = re.compile("[*?[]")


def find_runs(pattern: str | Path | Sequence[str | Path]) -> list[Path]:
    """Runs that a path, a pattern, or a list of them means, in natural order.

    Parameters
    ----------
    pattern
        Such as ``"runs/sgd/*"``; a path that exists is taken as it is, whatever it is called.

    Returns
    -------
    list of pathlib.Path
        Each once; not what is still being written.

    Raises
    ------
    InputError
        If there is none, or one of them is being written or was cut short.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from koopscope.recording import find_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("10", "2"):
    ...         Path(folder, name).mkdir()
    ...     [path.name for path in find_runs(f"{folder}/*")]
    ['2', '10']
    """
    if not isinstance(pattern, str | Path):
        found = [path for one in pattern for path in find_runs(one)]
        if not found:
            raise InputError("runs: an empty list; give one path or pattern or more")
        return list(dict.fromkeys(found))
    given = Path(pattern).expanduser()
    if given.exists():
        return [given]
    # Not those of pathlib, which take no absolute pattern.
    names = glob(str(given)) if MAGIC.search(str(given)) else []  # noqa: PTH207
    # Those whose recording has not ended lie beside, under another name.
    unfinished = glob(str(given.with_name(PARTIAL + given.name)))  # noqa: PTH207
    unfinished = [name for name in unfinished if not Path(name).name.startswith(f"{PARTIAL}old-")]
    if unfinished:
        raise InputError(
            f"{pattern}: {unfinished[0]} is being written or was cut short; wait, go on with it "
            "(resume=True), or delete it"
        )
    if not names:
        there = next((str(p) for p in given.parents if p.exists()), ".")
        raise InputError(f"{pattern}: no run is there; what exists of this path is {there}")
    return sorted(map(Path, names), key=lambda path: natural(str(path)))


def natural(name: str) -> list[tuple[int, int | str]]:
    """Key that sorts numbers in names by their size."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


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
