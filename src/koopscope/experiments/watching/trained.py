"""The runs of a question about watching training."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from koopscope.experiments.means import Means
from koopscope.experiments.watching.names import FULLY_CONNECTED
from koopscope.experiments.watching.runs import Schedule, train_ensemble, train_models
from koopscope.experiments.watching.setup import setup_of
from koopscope.training.devices import choose_device

if TYPE_CHECKING:
    from koopscope.experiments.watching.plan import Runs, Watching


def trained(
    plan: "Watching", starts: tuple[str, ...], data: Sequence[xr.Dataset], means: Means
) -> "Iterator[tuple[Runs, xr.Dataset]]":
    """Yield each kind of runs, trained; only one kind's sketches are in memory at a time."""
    schedule = Schedule(
        plan.epochs,
        plan.snapshots_per_epoch,
        plan.train_samples,
        plan.validation_samples,
        plan.test_samples,
    )
    device = choose_device(means.device)
    for runs, its_data in zip(plan.runs, data, strict=True):
        setup = setup_of(runs, plan.seeds)
        if runs.model == FULLY_CONNECTED:
            yield runs, train_ensemble(setup, starts, its_data, schedule, device, means.progress)
        else:
            yield runs, train_models(runs.model, setup, its_data, schedule, means.progress)
