"""How a run does that is recorded, also while it is being written."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from koopscope.errors import InputError
from koopscope.monitor.losses import Losses
from koopscope.monitor.verdict import classify
from koopscope.monitor.window import SlidingWindow
from koopscope.recording.observable import logged_of, observed
from koopscope.recording.snapshots import open_snapshots

# As the live monitor's defaults: snapshots in a window, steps between them, directions kept.
WINDOW, EVERY, RANK = 32, 40, 4
# Beside it a run that has settled where the loss is no better is not called converged.
LOSS = "loss"


@dataclass(frozen=True)
class Look:
    """What a recording shows at a moment.

    Attributes
    ----------
    complete
        Whether the recording has ended.
    snapshots, step
        Whole ones so far; steps done at the last of them.
    logged
        Last finite value of each logged number.
    verdict
        Status and reason, or why there is none yet.
    time_constants
        Of the window's modes, in steps, longest first.
    """

    complete: bool
    snapshots: int
    step: int
    logged: dict[str, float] = field(default_factory=dict)
    verdict: str = ""
    time_constants: tuple[float, ...] = ()


def look(path: Path | str, window: int = WINDOW, every: int = EVERY) -> Look:
    """Look at a recording of one run, whole or being written.

    Parameters
    ----------
    path
        What the recorder was given.
    window
        Snapshots in the window that is judged.
    every
        Steps from one of them to the next, or the recording's own where those are more.

    Raises
    ------
    InputError
        If there is no such recording, not even its first block.
    """
    run = open_snapshots(path, unfinished=True)
    if "seed" in run.dims:
        run = run.isel(seed=0)
    steps = run["step"].values
    logged: dict[str, float] = {}
    for name in logged_of(run):
        known = run[name].values[np.isfinite(run[name].values)]
        logged |= {name: float(known[-1])} if known.size else {}
    complete, count = bool(run.attrs["complete"]), len(steps)
    last = int(steps[-1]) if count else 0
    spacing = int(steps[1] - steps[0]) if count > 1 else 1
    stride = max(1, round(every / spacing))
    at = np.arange(count - 1, -1, -stride)[:window][::-1]
    if len(at) < window:
        waits = f"no verdict before {window} snapshots {stride * spacing} steps apart"
        return Look(complete, count, last, logged, waits)
    values = observed(run)
    snapshots = np.asarray(values.isel(step=at).values, dtype=float)
    first = np.asarray(values.isel(step=0).values, dtype=float)
    kept = SlidingWindow(window, snapshots.shape[1], min(RANK, window - 1, snapshots.shape[1]))
    for snapshot in snapshots:
        kept.add(snapshot)
    if not kept.moved:
        return Look(complete, count, last, logged, f"no weight moved in {window} snapshots")
    spectrum = kept.spectrum()
    displacement = float(np.linalg.norm(snapshots[-1] - first))
    verdict = classify(spectrum, displacement, float(np.linalg.norm(snapshots[-1])))
    if LOSS in logged:
        losses = Losses(window)
        for number, i in enumerate([0, *at], 1):
            if not np.isnan(run[LOSS].values[i]):
                losses.log(run[LOSS].values[i])
                losses.take(number)
        verdict = losses.heeded(verdict, 1 + window)
    lasting = sorted(spectrum.time_constants[np.isfinite(spectrum.time_constants)], reverse=True)
    constants = tuple(float(value) * stride * spacing for value in lasting if value > 0)
    return Look(complete, count, last, logged, str(verdict), constants)


def refuse_nothing(path: Path) -> None:
    """Refuse a path where nothing is, nor anything being written."""
    from koopscope.artefacts.seals import partial_of

    if not path.exists() and not partial_of(path).exists():
        raise InputError(f"{path}: no such recording; give the path that the recorder was given")
