"""One run at a time works in a folder, and its jobs end when it does.

Both rest on locks of the operating system, which go with the process that holds them, however it
ends. A file system without them gives no such guarantees, and then none are claimed.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from koopscope.artefacts.locks import lock
from koopscope.errors import InputError

RUN = "KOOPSCOPE_RUN"  # host, process and lock of the run that a process is a job of
PATIENCE = 60.0  # seconds that a run waits for the jobs of one that was killed
PAUSE = 0.5  # seconds between two looks


class Run:
    """The right to be the only run in a folder, held until this process ends.

    Parameters
    ----------
    path
        File of the lock; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).absolute()
        self._held: list[IO[str]] = []

    def begin(self, environment: MutableMapping[str, str], patience: float = PATIENCE) -> bool:
        """Take the lock, wait for the jobs of a run that was killed, and name this run to its jobs.

        Parameters
        ----------
        environment
            Of the jobs that are to end with this run.
        patience
            Seconds to wait for those of the one before.

        Returns
        -------
        bool
            False where the file system has no locks.

        Raises
        ------
        InputError
            If a run is at work here, or jobs of one that was killed go on.
        """
        try:
            # Whoever only looks whether somebody is at work holds it for a moment.
            file = _locked(self.path, False, 4 * PAUSE)
            if file is None:
                raise InputError(
                    f"{self.path.parent.parent}: another run ({self.path.read_text()}) is "
                    "at work in this folder; wait for its end, or stop it"
                )
            self._held.append(file)
            file.truncate(0)
            file.write(_name(os.getpid()))
            file.flush()
            jobs = _locked(_of_jobs(self.path), False, patience)
        except OSError:
            return False
        if jobs is None:
            raise InputError(
                f"{self.path.parent.parent}: jobs of a run that was stopped are still at work in "
                "this folder; wait for their end, or stop them"
            )
        jobs.close()
        environment[RUN] = f"{socket.gethostname()}:{os.getpid()}:{self.path}"
        return True

    def idle(self) -> bool:
        """Whether nobody is known to work here; false where the file system has no locks."""
        with suppress(OSError):
            for path in filter(Path.exists, (self.path, _of_jobs(self.path))):
                if (file := _locked(path, True, 0)) is None:
                    return False
                file.close()
            return True
        return False


def follow(environment: Mapping[str, str] = os.environ) -> None:
    """End this process soon after the run that it is a job of, if it is one of a run on this host.

    A run that was killed cannot end its jobs; were they to go on, the next one would write beside
    them.
    """
    host, _, rest = environment.get(RUN, "").partition(":")
    # Elsewhere the lock of a run may not be seen, and the run seem dead.
    if host != socket.gethostname():
        return
    process, _, name = rest.partition(":")
    with suppress(OSError):
        # Held until the process ends.
        held = _locked(_of_jobs(Path(name)), True, PATIENCE)
        watched = Path(name), _name(int(process)), held
        threading.Thread(target=_watch, args=watched, daemon=True).start()


def _name(process: int) -> str:
    return f"process {process} on {socket.gethostname()}"


def _watch(path: Path, run: str, held: IO[str] | None) -> None:
    while held is not None:
        with suppress(OSError):
            file = _locked(path, True, 0)
            # Nobody holds it, or the next run does already.
            if file is not None or path.read_text() not in ("", run):
                logging.getLogger(__name__).error("the run that this is a job of was killed")
                os._exit(1)
        time.sleep(PAUSE)


def _of_jobs(path: Path) -> Path:
    return path.with_name(f"jobs-{path.name}")


def _locked(path: Path, shared: bool, patience: float) -> IO[str] | None:
    """Open a file and lock it, or None if others hold it for longer than some seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + patience
    with ExitStack() as closing:
        file = closing.enter_context(path.open("a+"))
        while not lock(file, shared):
            if time.monotonic() >= end:
                return None
            time.sleep(PAUSE / 10)
        closing.pop_all()
    return file
