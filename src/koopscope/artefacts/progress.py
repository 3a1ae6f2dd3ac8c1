"""What a person sees of a stage at work: a log, a progress bar, and one line if input is wrong."""

import errno
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tqdm import tqdm

from koopscope.artefacts import running
from koopscope.errors import InputError

# What no code can mend, with the remedy.
FULL, RIGHTS = "make room and run again", "give the right to read and write there"
OF_THE_SYSTEM = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: RIGHTS,
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EIO: "look after the disk",
    errno.ENOTDIR: "a file stands where a folder is needed; move it elsewhere",
    errno.ENAMETOOLONG: "give shorter names",
}


@contextmanager
def stage(log: Path) -> Iterator[None]:
    """Send log records to a file; end the process with one line if the input cannot be used.

    The last record says how long it took and how much memory at most.

    So it does if the system gives no room, or no right to write. The line goes to the log and to
    standard error. A job of a run ends with its run
    (:func:`koopscope.artefacts.running.follow`).
    """
    running.follow()
    # A log on a full disk: said once, below.
    logging.raiseExceptions = False
    start, before = monotonic(), peak()
    try:
        logging.basicConfig(
            filename=log,
            filemode="w",
            level=logging.INFO,
            format="%(levelname)s %(name)s: %(message)s",
        )
        # Their start and end are of no interest to whoever reads the log.
        logging.getLogger("distributed").setLevel(logging.WARNING)
        yield
        said = "took %.1f s and %.0f MB, %.0f of them to begin with"
        taken = monotonic() - start, peak() / 2**20, before / 2**20
        logging.getLogger(__name__).info(said, *taken)
    except Exception as error:
        if isinstance(error, InputError):
            line = str(error)
        elif isinstance(error, OSError) and error.errno in OF_THE_SYSTEM:
            line = f"{error.filename or 'the disk'}: {error.strerror}; {OF_THE_SYSTEM[error.errno]}"
        else:
            logging.getLogger(__name__).exception("the stage failed")
            raise
        logging.getLogger(__name__).error("%s", line)
        sys.exit(f"Error: {line}")


def peak() -> float:
    """Most memory of this process so far, in bytes; NaN where the system does not say."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+)", status.read_text() if status.exists() else "")
    return 2**10 * float(found[1] if found else "nan")


@contextmanager
def bar(total: int, title: str, unit: str) -> Iterator[tqdm]:
    """Progress bar on standard error, where that is a terminal; elsewhere fragments would stay.

    Yields
    ------
    tqdm.tqdm
        Call its ``update(n)`` as work is done.
    """
    # Between lines for the whole run a finished bar would only be in the way.
    choices = {"mininterval": 0.2, "unit_scale": True, "leave": False}
    with tqdm(
        total=total, desc=title, unit=unit, disable=not sys.stderr.isatty(), **choices
    ) as shown:
        yield shown
