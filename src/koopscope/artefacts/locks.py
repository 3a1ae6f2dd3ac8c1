"""Locks of the operating system, which go with the process that holds them, however it ends."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from koopscope.errors import InputError

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None


def lock(file: IO[str] | int, shared: bool = False) -> bool:
    """Take the lock of an open file, alone or shared, unless another holds one against it.

    Raises
    ------
    OSError
        If the system or the file system has no such locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOLCK, "the system has no locks of files")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
            if not lock(held):
                raise _busy(folder)
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
