"""Dates of results, which the workflow engine compares."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from koopscope.artefacts.files import sidecar
from koopscope.artefacts.seals import ENGINES, SEAL


def set_back(paths: Iterable[Path | str]) -> list[Path]:
    """Date results that are dated in the future to when they were sealed, or else to now.

    Whatever is made of a result from the future is older than it, so that the engine takes it for
    out of date as soon as it is made, fails the job and deletes what it made.

    Returns
    -------
    list of pathlib.Path
        Those that have another date now.
    """
    now = time.time()
    found = []
    for path in map(Path, paths):
        seal = path / SEAL if path.is_dir() else sidecar(path)
        sealed = seal.stat().st_mtime if seal.exists() else now
        dated = [
            (carrier, follow)
            for carrier, follow in ((path, True), (path, False), (path / ENGINES, True))
            if os.path.lexists(carrier)
            and (not follow or carrier.exists())
            and carrier.stat(follow_symlinks=follow).st_mtime > now
        ]
        for carrier, follow in dated:
            os.utime(carrier, (min(sealed, now),) * 2, follow_symlinks=follow)
        if dated:
            found.append(path)
    return found
