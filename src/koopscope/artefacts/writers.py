"""One writer at a time in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from koopscope.errors import InputError

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Make a folder and be the only one who writes there, by a lock that ends with the process.

    Where the system or the file system has no such locks nothing is claimed.

    Raises
    ------
    InputError
        If another process or thread is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    held = _locked(folder)
    try:
        yield
    finally:
        # Said, since processes that were forked meanwhile hold it too.
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_UN)
        os.close(held)


def _locked(folder: Path) -> int:
    held = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # no locks there
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(folder) from None
        # Whoever had it before may have moved it to its place meanwhile.
        if not folder.exists() or not os.path.samestat(os.fstat(held), folder.stat()):
            raise _busy(folder)
    except InputError:
        os.close(held)
        raise
    return held


def _busy(folder: Path) -> InputError:
    return InputError(
        f"{folder}: another process or thread is writing there; wait for its end, or give "
        "another place"
    )
