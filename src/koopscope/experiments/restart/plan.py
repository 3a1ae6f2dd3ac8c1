"""Poor initialisations: what is asked, and of which runs."""

from dataclasses import dataclass
from typing import Annotated

from koopscope.config.checks import ascending, one_of
from koopscope.config.key import key
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry
from koopscope.experiments.watching.names import FULLY_CONNECTED, INIT_SCHEMES, PLAIN
from koopscope.experiments.watching.plan import (
    Runs,
    Watching,
    watching_from_config,
    watching_from_dict,
)


@dataclass(frozen=True)
class Restart(Watching):
    """Which starts end badly, how early that shows, and what starting again saves."""

    init_schemes: Annotated[
        tuple[tuple[str, int], ...],
        key(
            "number in a seed of each kind of initial weights: "
            f"{', '.join(f'`{name}`' for name in INIT_SCHEMES)}; "
            "`koopscope.experiments.watching.starts` says what they are; `plain` must be among "
            "them",
            written=dict[str, int],
            default="3 plain, 2 he, 1 of each other",
            ge=1,
        ),
    ] = (
        *((PLAIN, 3), ("he", 2)),
        *((kind, 1) for kind in INIT_SCHEMES[2:]),
    )
    checkpoints: Annotated[
        tuple[int, ...], key("epochs at which the end is predicted", "epochs", ge=1)
    ] = (1, 2, 5, 10)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        for kind, _ in self.init_schemes:
            one_of("init_schemes", kind, INIT_SCHEMES)
        if PLAIN not in dict(self.init_schemes) or len(self.init_schemes) < 2:
            raise InputError(
                f"init_schemes: {', '.join(dict(self.init_schemes)) or 'none'}; give {PLAIN}, by "
                "which the others are measured, and at least one other"
            )
        if len(self.runs) < 2:
            raise InputError(
                f"runs: {len(self.runs)}; give at least two, so that each can be held out"
            )
        for runs in self.runs:
            if runs.model != FULLY_CONNECTED:
                raise InputError(
                    f"runs.{runs.name}.model: {runs.model} has no other starts; give mlp"
                )
        ascending("checkpoints", self.checkpoints)
        if self.checkpoints[0] * self.snapshots_per_epoch < 2:
            raise InputError(
                f"snapshots_per_epoch: {self.snapshots_per_epoch} leaves no window at epoch "
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
        return sum(dict(self.init_schemes).values())


KEYS = {"": (Restart,), "runs.*": (Runs,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> Restart:
    """Question of a configuration's entry."""
    return watching_from_config(Restart, name, entry, data)


def from_dict(canonical: Entry) -> Restart:
    """Question of a canonical form."""
    return watching_from_dict(Restart, canonical)
