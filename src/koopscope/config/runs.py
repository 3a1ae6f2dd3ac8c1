"""Runs of someone's own that a study compares, and what is taken of each.

A plain frozen value without numerical libraries, so that a workflow engine can plan with it.
"""

import math
import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from koopscope.artefacts.provenance import digest, short
from koopscope.config.key import key
from koopscope.config.values import checked


@dataclass(frozen=True)
class RecordedRuns:
    """Runs that were recorded, or brought in, one a seed.

    Its fields but the last are the keys of a variant that has ``runs``. ``contents`` has a digest
    of each run, in their order, as it was when this was planned.
    """

    runs: Annotated[str, key("path or pattern of the runs, one a seed: stores, checkpoints, logs")]
    layers: Annotated[
        tuple[str, ...] | None, key("layers or parameters, names or patterns; `null` for all")
    ] = None
    columns: Annotated[
        tuple[str, ...] | None, key("logged numbers that are compared in place of weights")
    ] = None
    begin: Annotated[int | None, key("first step; `null` for that of the runs", "steps", ge=0)] = (
        None
    )
    end: Annotated[int | None, key("last step; `null` for that of the runs", "steps", ge=1)] = None
    every: Annotated[
        int | None,
        key("steps of which multiples are kept, for snapshots unevenly spaced", "steps", ge=1),
    ] = None
    contents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no run could serve."""
        checked(self)

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each run."""
        return tuple(range(len(self.contents)))

    @property
    def initialisations(self) -> int:
        """Of a seed there is one run."""
        return 1

    def per_step(self, time_unit: str) -> float:
        """How much of a unit of time one step takes; NaN where that was not recorded."""
        return 1.0 if time_unit == "step" else math.nan

    def to_dict(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"runs": asdict(self)}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = "-".join(re.findall(r"[A-Za-z0-9]+", self.runs))[-40:]
        return f"runs-{readable}.{short(digest(self.to_dict()))}"
