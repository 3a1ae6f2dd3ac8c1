"""Names of files as people write them: patterns, and numbers in their natural order."""

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from koopscope.errors import InputError


def natural(name: object) -> list[tuple[int, int, str]]:
    """Key by which ``run-2`` comes before ``run-10``."""
    parts = re.split(r"([0-9]+)", str(name))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def matches(pattern: str | Path) -> list[Path]:
    """Files and folders that a pattern names, in natural order; ``~`` is the home folder.

    What is there by the very name is meant by it, also with ``[`` and ``*`` in it.
    """
    literal = Path(pattern).expanduser()
    if literal.exists():
        return [literal]
    # Not Path.glob, which takes no absolute pattern, and hidden files for others.
    found = glob.glob(str(literal), recursive=True)  # noqa: PTH207
    return sorted((Path(path) for path in found), key=natural)


def nothing_found(pattern: str | Path) -> InputError:
    """Error of a pattern without a match, with the folder up to which there is something."""
    literal = Path(pattern).expanduser()
    nearest = next(parent for parent in literal.absolute().parents if parent.is_dir())
    there = sorted((p.name for p in nearest.iterdir() if p.name[0] != "."), key=natural)
    holds = listed(there) if there else "nothing"
    return InputError(f"runs: nothing is called {pattern}; the folder {nearest} holds {holds}")


def listed(names: Iterable[object], most: int = 8) -> str:
    """The first few names as text."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")
