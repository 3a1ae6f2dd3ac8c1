"""When to stop: what is asked, and of which runs."""

from dataclasses import dataclass

from koopscope.errors import InputError
from koopscope.experiments.watching.names import WINDOW
from koopscope.experiments.watching.plan import Watching


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


read, rebuilt = Stopping.read, Stopping.rebuilt
