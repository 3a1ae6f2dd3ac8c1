"""How a Koopman spectrum is estimated.

A plain frozen value without numerical libraries, so that a workflow engine can plan with it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from koopscope.artefacts.provenance import digest, short
from koopscope.config.coordinates import RAW
from koopscope.config.key import key
from koopscope.config.values import checked

SOLVERS = ("auto", "full", "lanczos", "gram", "covariance")
# Each with the dim that its features have in a store of trajectories.
OBSERVABLES = {"weights": "weight", "sketch": "feature", "probe": "response"}


@dataclass(frozen=True)
class FitSpec:
    """How a Koopman spectrum is estimated, and from which part of the trajectories.

    Its fields are the keys of ``fit``; ``delays``, ``rank`` and ``solver`` are those of
    :func:`koopscope.koopman.fit`.
    """

    delays: Annotated[int, key("number of time delays", "steps", ge=0)] = 0
    rank: Annotated[
        int | None, key("directions kept; `null` for the data's numerical rank", ge=1)
    ] = None
    solver: Annotated[
        str, key(f"solver: {', '.join(f'`{name}`' for name in SOLVERS)}", one_of=SOLVERS)
    ] = "auto"
    coordinates: Annotated[
        str,
        key(
            "coordinates of the weights: `raw`, `standardised`, `per_step` (in units of each "
            "weight's own steps), `normal_scores`, `whitened:k` (k principal components of "
            "variance 1), or some joined by `+`, the first first",
            default="those that known answers chose, `normal_scores+per_step`",
        ),
    ] = RAW
    observable: Annotated[
        str,
        key(
            "observable: `weights` (the recorded layers or coordinates), `sketch` or "
            "`sketch:LAYER` (the random projection of all layers or of one) or `probe` (loss and "
            "logits on the probe samples); the setup must record it"
        ),
    ] = "weights"
    start: Annotated[int, key("first snapshot of the window", "snapshots", ge=0)] = 0
    stop: Annotated[
        int | None,
        key("end of the window; `null` for that of the run", "snapshots", ge=1),
    ] = None
    stride: Annotated[
        int,
        key(
            "snapshots from one that is used to the next: eigenvalues are those of so many steps",
            "snapshots",
            ge=1,
        ),
    ] = 1
    initialisations: Annotated[
        int | None, key("first so many initialisations of each seed; `null` for all", ge=1)
    ] = None
    seeds: Annotated[
        int | None, key("first so many of the setup's seeds; `null` for all", ge=1)
    ] = None
    resamples: Annotated[
        int,
        key(
            "refits of the first seed on initialisations drawn with replacement, to show how far "
            "they scatter",
            ge=0,
        ),
    ] = 0

    renamed: ClassVar[Mapping[str, str]] = {"every": "stride"}

    def __post_init__(self) -> None:
        """Refuse what no data could serve."""
        checked(self)

    @property
    def window(self) -> slice:
        """Snapshots that the fit reads."""
        return slice(self.start, self.stop, self.stride)

    def to_dict(self) -> dict[str, Any]:
        """What the spectra depend on, as JSON values; raw coordinates go without saying."""
        said = asdict(self)
        if self.coordinates == RAW:
            del said["coordinates"]
        return said

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"d{self.delays}-r{self.rank or 'max'}-{self.solver}"
        return f"{readable}.{short(digest(self.to_dict()))}"
