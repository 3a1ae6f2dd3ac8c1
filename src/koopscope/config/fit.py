"""How a Koopman spectrum is estimated.

A plain frozen value without numerical libraries, so that a workflow engine can plan with it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from koopscope.artefacts.provenance import digest, short
from koopscope.config.values import checked

SOLVERS = ("auto", "full", "hankel", "gram", "covariance")
# Each with the dim that its features have in a store of trajectories.
OBSERVABLES = {"weights": "weight", "sketch": "feature", "probe": "response"}


@dataclass(frozen=True)
class FitSpec:
    """How a Koopman spectrum is estimated, and from which part of the trajectories.

    Parameters
    ----------
    delays, rank, solver
        See :func:`koopscope.koopman.fit`.
    observable
        ``"weights"``: the recorded layers or coordinates; ``"sketch"`` or ``"sketch:LAYER"``: the
        random projection of all layers or of one; ``"probe"``: loss and logits on the probe set.
    start, stop
        Window of snapshots, as a slice; the whole run by default.
    every
        Snapshots from one to the next that is used: eigenvalues are those of so many steps.
    initialisations
        The first so many of each seed; all by default.
    seeds
        The first so many of the setup's; all by default.
    resamples
        Refits of the first seed on initialisations drawn with replacement, to show its spread.
    """

    delays: int = 0
    rank: int | None = None
    solver: str = "auto"
    observable: str = "weights"
    start: int = 0
    stop: int | None = None
    every: int = 1
    initialisations: int | None = None
    seeds: int | None = None
    resamples: int = 0

    def __post_init__(self) -> None:
        """Refuse what no data could serve."""
        checked(self)

    @property
    def window(self) -> slice:
        """Snapshots that the fit reads."""
        return slice(self.start, self.stop, self.every)

    def canonical(self) -> dict[str, Any]:
        """What the spectra depend on, as JSON values."""
        return asdict(self)

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"d{self.delays}-r{self.rank or 'max'}-{self.solver}"
        return f"{readable}.{short(digest(self.canonical()))}"
