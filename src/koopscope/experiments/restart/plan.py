"""Bad starts: what is asked, and of which runs."""

from dataclasses import dataclass

from koopscope.config.checks import ascending, one_of, positive
from koopscope.errors import InputError
from koopscope.experiments.watching.names import FULLY_CONNECTED, PLAIN, STARTS
from koopscope.experiments.watching.plan import Watching


@dataclass(frozen=True)
class Restart(Watching):
    """Which starts end badly, how early that shows, and what starting again saves.

    Attributes
    ----------
    starts
        Kinds of initial weights, each with its number in a seed.
    checkpoints
        Epochs at which the end is predicted.
    """

    starts: tuple[tuple[str, int], ...] = (
        *((PLAIN, 3), ("he", 2)),
        *((kind, 1) for kind in STARTS[2:]),
    )
    checkpoints: tuple[int, ...] = (1, 2, 5, 10)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        for kind, count in self.starts:
            one_of("starts", kind, STARTS)
            positive(f"starts.{kind}", count)
        if PLAIN not in dict(self.starts) or len(self.starts) < 2:
            raise InputError(
                f"starts: {', '.join(dict(self.starts)) or 'none'}; give {PLAIN}, by which "
                "the others are measured, and at least one other"
            )
        if len(self.runs) < 2:
            raise InputError(
                f"runs: {len(self.runs)}; give at least two, so that each can be held out"
            )
        for runs in self.runs:
            if runs.model != FULLY_CONNECTED:
                raise InputError(
                    f"runs.{runs.name}.model: {runs.model} has no other starts; give fcn"
                )
        ascending("checkpoints", self.checkpoints)
        if self.checkpoints[0] * self.snapshots < 2:
            raise InputError(
                f"snapshots: {self.snapshots} an epoch leaves no window at epoch "
                f"{self.checkpoints[0]}; give 2 or more, or later checkpoints"
            )
        if self.checkpoints[0] < 1 or self.checkpoints[-1] >= self.epochs:
            raise InputError(
                f"checkpoints: {list(self.checkpoints)}; give epochs from 1 to "
                f"{self.epochs - 1}, before the runs end"
            )

    @property
    def starts_of_a_seed(self) -> int:
        """Number of initialisations that a seed trains."""
        return sum(dict(self.starts).values())


read, rebuilt = Restart.read, Restart.rebuilt
