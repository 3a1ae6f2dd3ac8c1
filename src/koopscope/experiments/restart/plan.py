"""Bad starts: what is asked, and of which runs."""

from dataclasses import dataclass
from typing import Annotated

from koopscope.config.checks import ascending, one_of
from koopscope.config.key import key
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry
from koopscope.experiments.watching.names import FULLY_CONNECTED, PLAIN, STARTS
from koopscope.experiments.watching.plan import Runs, Watching, read_watching, rebuilt_watching


@dataclass(frozen=True)
class Restart(Watching):
    """Which starts end badly, how early that shows, and what starting again saves."""

    starts: Annotated[
        tuple[tuple[str, int], ...],
        key(
            "number in a seed of each kind of initial weights: "
            f"{', '.join(f'`{name}`' for name in STARTS)}; "
            "`koopscope.experiments.watching.starts` says what they are; `plain` must be among "
            "them",
            written=dict[str, int],
            default="3 plain, 2 he, 1 of each other",
            ge=1,
        ),
    ] = (
        *((PLAIN, 3), ("he", 2)),
        *((kind, 1) for kind in STARTS[2:]),
    )
    checkpoints: Annotated[
        tuple[int, ...], key("epochs at which the end is predicted", "epochs", ge=1)
    ] = (1, 2, 5, 10)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        for kind, _ in self.starts:
            one_of("starts", kind, STARTS)
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
        if self.checkpoints[-1] >= self.epochs:
            raise InputError(
                f"checkpoints: {list(self.checkpoints)}; give epochs from 1 to "
                f"{self.epochs - 1}, before the runs end"
            )

    @property
    def starts_of_a_seed(self) -> int:
        """Number of initialisations that a seed trains."""
        return sum(dict(self.starts).values())


KEYS = {"": (Restart,), "runs.*": (Runs,)}


def read(name: str, entry: Entry, data: DataSets, config: Entry) -> Restart:
    """Question of a configuration's entry."""
    return read_watching(Restart, name, entry, data)


def rebuilt(canonical: Entry) -> Restart:
    """Question of a canonical form."""
    return rebuilt_watching(Restart, canonical)
