"""What a person sees of a stage at work: a log, a progress bar, and one line if input is wrong."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from koopscope.artefacts import running
from koopscope.errors import InputError


@contextmanager
def stage(log: Path) -> Iterator[None]:
    """Send log records to a file; end the process with one line if the input cannot be used.

    The line goes to the log and to standard error. A job of a run ends with its run
    (:func:`koopscope.artefacts.running.follow`).
    """
    running.follow()
    logging.basicConfig(
        filename=log, filemode="w", level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
    )
    # Their start and end are of no interest to whoever reads the log.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    try:
        yield
    except InputError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(f"Error: {error}")
    except Exception:
        logging.getLogger(__name__).exception("the stage failed")
        raise


@contextmanager
def bar(total: int, title: str, unit: str) -> Iterator[tqdm]:
    """Progress bar on standard error; at most one line every few seconds when that is no terminal.

    Yields
    ------
    tqdm.tqdm
        Call its ``update(n)`` as work is done.
    """
    interval = 0.2 if sys.stderr.isatty() else 10
    with tqdm(total=total, desc=title, unit=unit, mininterval=interval, unit_scale=True) as shown:
        yield shown
