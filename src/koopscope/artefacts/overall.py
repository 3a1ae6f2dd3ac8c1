"""How far a whole run is: one line for each finished job, wherever it is written to."""

import time
from collections.abc import Callable

# Of the jobs; before, what is left is anybody's guess.
ENOUGH = 0.05


class Overall:
    """Time left of a run, from the time that its finished jobs took.

    Jobs differ, so the number is rough: of a run of twenty minutes it was off by up to a factor of
    two, too low early and too high late.

    Parameters
    ----------
    clock
        Gives seconds.

    Examples
    --------
    >>> from koopscope.artefacts.overall import Overall
    >>> seconds = iter([0, 60])
    >>> Overall(lambda: next(seconds)).line(10, 40, "Drawing width")
    '10 of 40 jobs (25 %), about 3 min left; last: Drawing width'
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()

    def line(self, done: int, total: int, last: str = "") -> str:
        """Say how many jobs are done, and about how long the others take.

        Parameters
        ----------
        done, total
            Jobs.
        last
            What the last finished one did.
        """
        said = f"{done} of {total} jobs ({100 * done // max(total, 1)} %)"
        if done < total and done >= ENOUGH * total:
            left = (self._clock() - self._begun) * (total - done) / done
            said += f", about {_duration(left)} left"
        return f"{said}; last: {last}" if last and done < total else said


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "1 min"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"
