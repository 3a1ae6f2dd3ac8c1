"""The runs of a question about watching training."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import xarray as xr

from koopscope.monitor.runs import Schedule, train_ensemble, train_models
from koopscope.monitoring import FULLY_CONNECTED, Plan, Restart, Runs

Progress = Callable[[int], object]


def schedule_of(plan: Plan) -> Schedule:
    """Schedule of a question's runs."""
    return Schedule(plan.epochs, plan.snapshots, plan.train, plan.validation, plan.test)


def trained(
    plan: Plan,
    starts: tuple[str, ...],
    data: Sequence[xr.Dataset],
    device: torch.device | str,
    progress: Progress,
) -> Iterator[tuple[Runs, xr.Dataset]]:
    """Yield each kind of runs, trained; only one kind's sketches are in memory at a time."""
    schedule = schedule_of(plan)
    for runs, its_data in zip(plan.runs, data, strict=True):
        setup = runs.setup(plan.seeds)
        if runs.model == FULLY_CONNECTED:
            yield runs, train_ensemble(setup, starts, its_data, schedule, device, progress)
        else:
            values: dict[str, Any] = {
                "learning_rate": setup.learning_rate,
                "momentum": setup.momentum,
                "batch_size": setup.batch_size,
            }
            yield (
                runs,
                train_models(runs.model, values, plan.seeds, its_data, schedule, progress),
            )


def epochs_in_all(plan: Plan) -> int:
    """Number of runs × epochs that a question trains, for a progress bar."""
    starts = len(plan.kinds) if isinstance(plan, Restart) else 1
    return len(plan.runs) * len(plan.seeds) * starts * plan.epochs
