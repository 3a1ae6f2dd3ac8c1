"""Groups of runs, read and refused where they cannot be compared."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.recording.finding import find_runs
from koopscope.recording.observable import Part
from koopscope.recording.runs import open_run

# Snapshots without which no fit says anything.
FEWEST = 10
# All runs are kept in memory if they are no more than this; snapshots read at once where not.
KEPT_BYTES, BLOCK = 400 * 2**20, 256


@dataclass(frozen=True)
class Groups:
    """Groups of runs that can be compared.

    Attributes
    ----------
    runs
        Observable (step, weight) by group and seed.
    sources
        Where each run comes from, in the seeds' order.
    digests
        SHA-256 of each run's numbers, by source.
    spacing
        Steps from one snapshot to the next.
    snapshots
        Of a run that was not cut short.
    notes
        What a reader has to know of them, a sentence each.
    """

    runs: dict[str, dict[int, xr.DataArray]]
    sources: dict[str, list[str]]
    digests: dict[str, str]
    spacing: int
    snapshots: int
    notes: list[str] = field(default_factory=list)

    @property
    def any(self) -> xr.DataArray:
        """One of the runs, for what all have in common."""
        return max(
            (run for runs in self.runs.values() for run in runs.values()),
            key=lambda run: run.sizes["step"],
        )


@dataclass
class _Run:
    source: str
    seed: int | None
    values: xr.DataArray
    broken_at: int | None
    known: dict[str, Any]

    @property
    def projection(self) -> dict[str, int] | None:
        """Size and seed of the sketch, where that is what is compared."""
        told = json.loads(self.known.get("recording", "{}")).get("projection")
        return told if self.values.name == "sketch" else None

    @property
    def kept(self) -> str:
        """What of it is compared, in words."""
        given = ", ".join(f"{name} {value}" for name, value in (self.projection or {}).items())
        return f"{self.values.name} ({given})" if given else str(self.values.name)

    @property
    def shapes(self) -> str:
        """Parameters with their shapes, as they were recorded."""
        layer = self.values["layer"].attrs
        return str(layer.get("shapes", layer.get("flag_meanings")))

    @property
    def spacing(self) -> int:
        steps = self.values["step"].values
        return int(steps[1] - steps[0])


def read_groups(groups: Mapping[str, Any], part: Part, scratch: Path, **choices: Any) -> Groups:
    """Read groups of runs.

    Parameters
    ----------
    groups
        By name: a path, a pattern, a list of them, or arrays.
    part
        What is taken of each run.
    scratch
        Folder into which checkpoints are brought in; must outlive what is returned.
    **choices
        More of :func:`koopscope.recording.open_run`.

    Raises
    ------
    InputError
        If there are not two groups of two runs, or the runs differ in what must be the same.
    """
    if not isinstance(groups, Mapping) or len(groups) < 2:
        raise InputError("groups: give a mapping of two names or more, each with its runs")
    found = {
        str(name): _read(str(name), given, part, scratch, choices) for name, given in groups.items()
    }
    for name, runs in found.items():
        if len(runs) < 2:
            raise InputError(
                f"{name}: {len(runs)} run; give at least 2 of each group, from different seeds "
                "(4 can reach p ≤ 0.05)"
            )
    everything = [run for runs in found.values() for run in runs]
    snapshots = _check_alike(found)
    digests = _check_different(found)
    notes = _notes(found, snapshots)
    return Groups(
        {name: _by_seed(those) for name, those in found.items()},
        {name: [run.source for run in those] for name, those in found.items()},
        digests,
        everything[0].spacing,
        snapshots,
        notes,
    )


def _by_seed(runs: list[_Run]) -> dict[int, xr.DataArray]:
    """Runs by their seeds, where all say one of their own; by number otherwise."""
    seeds = [run.seed for run in runs]
    own = None not in seeds and len(set(seeds)) == len(seeds)
    return {
        (run.seed if own and run.seed is not None else i): run.values for i, run in enumerate(runs)
    }


def _read(
    name: str, given: Any, part: Part, scratch: Path, choices: Mapping[str, Any]
) -> list[_Run]:
    """Runs of one group."""
    paths = isinstance(given, str | Path) or (
        isinstance(given, Sequence) and all(isinstance(one, str | Path) for one in given)
    )
    try:
        sources = find_runs(given) if paths else list(_in_memory(given))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    runs = []
    for i, source in enumerate(sources):
        said = str(source) if paths else f"{name}[{i}]"
        try:
            run = open_run(source, scratch=scratch, columns=part.columns, **choices)
            several = "seed" in run.dims
            for j, seed in enumerate(run["seed"].values.tolist() if several else [None]):
                one = run.isel(seed=j) if several else run
                one = one.drop_vars("seed", errors="ignore")
                where = f"{said} (seed {seed})" if several else said
                own = seed if several else run.attrs.get("seed")
                values, broken_at = part.of(one)
                if values.sizes["step"] < FEWEST:
                    raise InputError(
                        f"{values.sizes['step']} finite snapshots; give at least {FEWEST}, or "
                        "leave the run out"
                    )
                runs.append(_Run(where, own, values, broken_at, dict(run.attrs)))
        except InputError as error:
            text = str(error)
            raise InputError(text if said in text else f"{said}: {text}") from None
    return runs


def _in_memory(given: Any) -> Sequence[Any]:
    """Arrays one by one."""
    if isinstance(given, xr.DataArray | xr.Dataset) or hasattr(given, "ndim"):
        if getattr(given, "ndim", 3) == 3 and not isinstance(given, xr.Dataset):
            return [given[i] for i in range(len(given))]
        return [given]
    if isinstance(given, Sequence):
        return given
    raise InputError(f"a {type(given).__name__}; give a path, a pattern, or arrays (step, weight)")


def _check_alike(found: Mapping[str, list[_Run]]) -> int:
    """Refuse runs that differ in spacing, length or numbers; returns the number of snapshots."""
    first = next(iter(found.values()))[0]
    whole: _Run | None = None
    for runs in found.values():
        for run in runs:
            if run.spacing != first.spacing:
                raise InputError(
                    f"{run.source}: a snapshot every {run.spacing} steps, but {first.source} has "
                    f"one every {first.spacing}; give every= of a common multiple"
                )
            if (run.values.name, run.projection) != (first.values.name, first.projection):
                raise InputError(
                    f"{run.source}: {run.kept}, but {first.source} has {first.kept}; record both "
                    "alike, or give columns= that both have"
                )
            if run.values.sizes["weight"] != first.values.sizes["weight"]:
                raise InputError(
                    f"{run.source}: {run.values.sizes['weight']} numbers a snapshot, but "
                    f"{first.source} has {first.values.sizes['weight']}; record both by a sketch "
                    "of one size (projection=), or give layers= or columns= that both have"
                )
            if run.broken_at is None:
                whole = whole or run
                if run.values.sizes["step"] != whole.values.sizes["step"]:
                    ends = sorted(int(r.values["step"][-1]) for r in (run, whole))
                    raise InputError(
                        f"{run.source}: {run.values.sizes['step']} snapshots, but {whole.source} "
                        f"has {whole.values.sizes['step']}; give end={ends[0]} to compare what "
                        "both have"
                    )
    # Within a group they are of one architecture, or the group is none.
    for runs in found.values():
        names = [_names(run) for run in runs]
        for run, those in zip(runs, names, strict=True):
            if those != names[0]:
                raise InputError(
                    f"{run.source}: other parameters than {runs[0].source}; a group has runs of "
                    "one architecture"
                )
    whole = whole or max(
        (run for runs in found.values() for run in runs), key=lambda r: r.values.sizes["step"]
    )
    return int(whole.values.sizes["step"])


def _names(run: _Run) -> list[str]:
    return [str(name) for name in run.values["layer"].attrs.get("flag_meanings", [])]


def _check_different(found: Mapping[str, list[_Run]]) -> dict[str, str]:
    """Refuse a run that stands twice, or never moves; returns a digest of each."""
    everything = [run for runs in found.values() for run in runs]
    if sum(run.values.nbytes for run in everything) <= KEPT_BYTES:
        for run in everything:
            run.values.load()
    sources: dict[str, str] = {}
    for run in everything:
        content, moves = _content(run.values)
        if not moves:
            raise InputError(
                f"{run.source}: what is compared never changes; check what was recorded"
            )
        if content in sources:
            raise InputError(
                f"{run.source}: the same run as {sources[content]}; give each run once"
            )
        sources[content] = run.source
    return {source: content for content, source in sources.items()}


def _content(values: xr.DataArray) -> tuple[str, bool]:
    """SHA-256 of a run's numbers, and whether any of them changes; read in blocks."""
    joint, moves, last = hashlib.sha256(), False, None
    for low in range(0, values.sizes["step"], BLOCK):
        block = np.ascontiguousarray(values.isel(step=slice(low, low + BLOCK)).values)
        joint.update(block.data)
        if not moves:
            moves = bool(np.any(block != (block[0] if last is None else last)))
            last = block[-1]
    return joint.hexdigest(), moves


def _notes(found: Mapping[str, list[_Run]], snapshots: int) -> list[str]:
    notes = []
    for name, runs in found.items():
        for run in runs:
            if run.broken_at is not None:
                notes.append(
                    f"{run.source} ({name}) is not finite from step {run.broken_at} on: used up "
                    f"to there, {run.values.sizes['step']} of {snapshots} snapshots."
                )
    seeds = {
        name: {run.seed for run in runs if run.seed is not None} for name, runs in found.items()
    }
    names = list(seeds)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            if shared := seeds[first] & seeds[second]:
                notes.append(
                    f"{first} and {second} share {len(shared)} seeds: runs that begin alike lie "
                    "closer together than strangers, which blunts the test."
                )
    if len({run.shapes for runs in found.values() for run in runs}) > 1:
        notes.append(
            "The groups are of different architectures, or were recorded of different layers: what "
            "is compared are as many numbers of each, which need not mean the same."
        )
    starts = {int(run.values["step"][0]) for runs in found.values() for run in runs}
    if len(starts) > 1:
        notes.append(
            f"The runs begin at different steps, {min(starts)} to {max(starts)}: they are compared "
            "from the first snapshot of each."
        )
    return notes
