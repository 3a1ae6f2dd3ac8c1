"""When to stop: what is asked, and of which runs."""

from dataclasses import dataclass

from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry
from koopscope.experiments.watching.names import WINDOW
from koopscope.experiments.watching.plan import (
    Runs,
    Watching,
    watching_from_config,
    watching_from_dict,
)


@dataclass(frozen=True)
class Stopping(Watching):
    """When to stop: by the spectrum, by patience or at a fixed budget of ``epochs``."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        if self.epochs * self.snapshots_per_epoch + 1 < WINDOW + 3 * self.snapshots_per_epoch:
            raise InputError(
                f"epochs: {self.epochs} epochs of {self.snapshots_per_epoch} snapshots "
                f"leave no three windows of {WINDOW}; give more"
            )


KEYS = {"": (Stopping,), "runs.*": (Runs,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> Stopping:
    """Question of a configuration's entry."""
    return watching_from_config(Stopping, name, entry, data)


def from_dict(canonical: Entry) -> Stopping:
    """Question of a canonical form."""
    return watching_from_dict(Stopping, canonical)
