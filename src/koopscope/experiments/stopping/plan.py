"""When to stop: what is asked, and of which runs."""

from dataclasses import dataclass

from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry
from koopscope.experiments.watching.names import WINDOW
from koopscope.experiments.watching.plan import Runs, Watching, read_watching, rebuilt_watching


@dataclass(frozen=True)
class Stopping(Watching):
    """When to stop: by the spectrum, by patience or at a fixed budget of ``epochs``."""

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        if self.epochs * self.snapshots + 1 < WINDOW + 3 * self.snapshots:
            raise InputError(
                f"epochs: {self.epochs} epochs of {self.snapshots} snapshots "
                f"leave no three windows of {WINDOW}; give more"
            )


KEYS = {"": (Stopping,), "runs.*": (Runs,)}


def read(name: str, entry: Entry, data: DataSets, config: Entry) -> Stopping:
    """Question of a configuration's entry."""
    return read_watching(Stopping, name, entry, data)


def rebuilt(canonical: Entry) -> Stopping:
    """Question of a canonical form."""
    return rebuilt_watching(Stopping, canonical)
