"""What the run of an experiment may use, and whom it tells how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import xarray as xr


@dataclass(frozen=True)
class Means:
    """Device, threads, room on the disk, and a place to report progress to.

    Attributes
    ----------
    device
        Name, as :func:`koopscope.training.devices.choose_device` takes it.
    threads
        Of one job.
    folder
        Empty, deleted after the run; beside the results, so that gigabytes have room.
    progress
        Called with the amount of work that is done since the last call, in the unit of the plan's
        ``work``.
    """

    device: str = "cpu"
    threads: int = 1
    folder: Path = Path()
    progress: Callable[[int], object] = lambda done: None


def timings(found: xr.Dataset) -> list[str]:
    """Variables of a run's answer that a clock measured: those whose names end in ``seconds``."""
    return [str(name) for name in found if str(name).endswith("seconds")]
