"""When to stop: by the spectrum, by patience, or at a fixed number of epochs, on the same runs.

Thresholds of all rules were fixed before any result (see docs/decisions.md); their neighbours are
reported too, as a rule's curve of epochs saved against accuracy lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.compare.intervals import bounds, places
from koopscope.compare.words import word
from koopscope.experiments.means import Means
from koopscope.experiments.stopping.names import (
    AHEAD,
    BEHIND,
    CHOSEN,
    FIXED,
    PAIRS,
    PATIENCE,
    SETTINGS,
    SHARE,
)
from koopscope.experiments.watching.features import at_epochs
from koopscope.experiments.watching.names import PLAIN, WINDOW, pair_coordinates
from koopscope.experiments.watching.trained import trained
from koopscope.training.devices import one_blas_thread

if TYPE_CHECKING:
    from koopscope.experiments.stopping.plan import Stopping
    from koopscope.experiments.watching.plan import Runs

# Epochs in a row for which a rule's sign has to hold.
IN_A_ROW = 3
RESAMPLES = 2000
CURVES = ("validation_loss", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class Stop:
    """Epoch after which a run stops, the epoch whose weights are kept, and whether it came to it.

    A rule that does not speak within the run stops at its end, with ``reached`` false.
    """

    epoch: int
    kept: int
    reached: bool


def run(plan: "Stopping", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Train the runs of a question on stopping, and apply every rule to them.

    Parameters
    ----------
    plan
        The question.
    data
        Data set of each of its runs, in their order.
    means
        Progress is reported in runs × epochs.

    Returns
    -------
    xarray.Dataset
        Dim ``arm`` for the runs of one kind, and what :func:`stops`, :func:`summarised` (named
        ``mean_…``), :func:`compared` (``word`` and ``difference`` of each ``pair`` of rules) and
        :func:`koopscope.experiments.watching.features.at_epochs` (dim ``seen``) give for it, with
        its curves (run, epoch).
    """
    with one_blas_thread(means.threads):
        arms = [_arm(runs, found) for runs, found in trained(plan, (PLAIN,), data, means)]
    return xr.concat(
        arms, dim="arm", combine_attrs="drop_conflicts", data_vars="all"
    ).assign_coords(measure=["saved", "lost"], **pair_coordinates(PAIRS))


def _arm(runs: "Runs", found: xr.Dataset) -> xr.Dataset:
    """What the rules come to on the runs of one kind."""
    table, seen = stops(found)
    means = summarised(table)
    per_epoch = found.attrs["snapshots_per_epoch"]
    curves = {name: found[name] for name in CURVES}
    # The mean over an epoch's batches; the epochs' snapshots are equally far apart.
    losses = found["train_loss"].values[:, 1:].reshape(found.sizes["run"], -1, per_epoch)
    first = np.full((found.sizes["run"], 1), np.nan)
    epoch_losses = np.concatenate([first, losses.mean(axis=2)], axis=1)
    curves["train_loss"] = ("run", "epoch"), epoch_losses
    pairs = [compared(table, *pair) for pair in PAIRS]
    arm = xr.merge(
        [
            table,
            means.rename({name: f"mean_{name}" for name in means.data_vars}),
            seen.drop_vars(["seed", "start"]).rename(epoch="seen"),
            xr.Dataset(curves).drop_vars(["seed", "start"], errors="ignore"),
        ],
        combine_attrs="drop_conflicts",
    ).assign(
        word=("pair", np.array([word for word, _ in pairs], dtype=object)),
        difference=(("pair", "measure", "bound"), np.stack([d for _, d in pairs])),
        learning_rate=runs.learning_rate,
    )
    return arm.expand_dims(arm=[runs.name])


def first_in_a_row(sign: np.ndarray, count: int = IN_A_ROW) -> int | None:
    """Place of the last of the first ``count`` successive true values; None if there are none."""
    row = 0
    for place, holds in enumerate(sign):
        row = row + 1 if holds else 0
        if row == count:
            return place
    return None


def by_sign(sign: np.ndarray, epochs: np.ndarray, budget: int) -> Stop:
    """Stop where a sign, one at each of the epochs, has held three times in a row."""
    place = first_in_a_row(sign)
    if place is None:
        return Stop(budget, budget, False)
    return Stop(int(epochs[place]), int(epochs[place]), True)


def by_patience(validation_loss: np.ndarray, patience: int) -> Stop:
    """Stop when the loss has not been below its least value for so many epochs; keep that epoch.

    Parameters
    ----------
    validation_loss
        After each epoch, the first value before training; shape (epochs + 1,). A loss that is not
        finite never improves.
    patience
        At least 1.
    """
    budget = len(validation_loss) - 1
    best, kept = np.inf, 0
    for epoch, loss in enumerate(validation_loss):
        if loss < best:
            best, kept = loss, epoch
        elif epoch - kept >= patience:
            return Stop(epoch, kept, True)
    return Stop(budget, kept, False)


def stops(
    runs: xr.Dataset, progress: Callable[[str], object] = lambda done: None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Where each rule stops each run, and what that saves and loses.

    Parameters
    ----------
    runs
        As :func:`koopscope.experiments.watching.runs.train_ensemble` gives them.
    progress
        Called with a few words after the spectra.

    Returns
    -------
    xarray.Dataset
        Dims (run, setting), coordinates ``rule``, ``threshold`` and ``chosen`` of each setting:
        ``stop`` (epoch), ``reached``, ``saved`` (epochs of the budget), ``lost`` (test accuracy at
        the end of the budget less that of the weights kept; weights that are not finite have no
        right answers).
    xarray.Dataset
        The spectra (:func:`koopscope.experiments.watching.features.at_epochs`) that the rules saw.
    """
    budget = runs.sizes["epoch"] - 1
    # A window of two epochs has to be full.
    whole = -(-(WINDOW - 1) // runs.attrs["snapshots_per_epoch"])
    epochs = np.arange(min(whole, budget), budget + 1)
    seen = at_epochs(runs, epochs.tolist())
    progress("spectra")
    signs = {
        SHARE: lambda run, level: seen["slow_share"].values[run] >= level,
        AHEAD: lambda run, level: seen["predicted_displacement"].values[run] <= level,
        BEHIND: lambda run, level: seen["past_displacement"].values[run] <= level,
    }
    settings = [(rule, value) for rule, values in SETTINGS.items() for value in values]
    settings += [(FIXED, epoch) for epoch in range(1, budget + 1)]
    accuracy = np.nan_to_num(runs["test_accuracy"].values, nan=0.0)
    loss = runs["validation_loss"].values
    columns: dict[str, list] = {name: [] for name in ("stop", "reached", "saved", "lost")}
    for rule, value in settings:
        for run in range(runs.sizes["run"]):
            if rule == PATIENCE:
                found = by_patience(loss[run], value)
            elif rule == FIXED:
                found = Stop(value, value, True)
            else:
                found = by_sign(signs[rule](run, value), epochs, budget)
            columns["stop"].append(found.epoch)
            columns["reached"].append(found.reached)
            columns["saved"].append(budget - found.epoch)
            columns["lost"].append(accuracy[run, budget] - accuracy[run, found.kept])
    shape = (len(settings), runs.sizes["run"])
    table = xr.Dataset(
        {n: (("setting", "run"), np.array(v).reshape(shape)) for n, v in columns.items()},
        coords={
            "rule": ("setting", np.array([rule for rule, _ in settings], dtype=object)),
            "threshold": ("setting", [float(value) for _, value in settings]),
            "chosen": ("setting", [CHOSEN.get(rule) == value for rule, value in settings]),
            "seed": runs["seed"],
        },
        attrs={"budget": budget},
    )
    return table.transpose("run", "setting"), seen


def summarised(table: xr.Dataset, seed: int = 0) -> xr.Dataset:
    """Means over runs with intervals, and what a fixed budget of the same mean length would lose.

    Parameters
    ----------
    table
        As :func:`stops` gives it.
    seed
        Draws the resamples of runs.

    Returns
    -------
    xarray.Dataset
        Dims (setting, bound), ``bound`` being ``mean``, ``low`` and ``high`` (95 % over resampled
        runs): ``saved``, ``lost``, ``lost_by_fixed`` (of the fixed budget of the setting's mean
        stop, between two whole epochs by straight line) and ``less_lost``, ``lost_by_fixed`` less
        ``lost``: above 0, choosing when to stop run by run has paid. Dim (setting): ``reached``,
        share of the runs.
    """
    draws = places(table.sizes["run"], RESAMPLES, seed)
    saved, lost, stop = (table[n].values.astype(float) for n in ("saved", "lost", "stop"))
    fixed = table["rule"].values == FIXED
    budgets = table["threshold"].values[fixed]
    mean_saved, mean_lost, mean_stop = (
        values[draws].mean(axis=1) for values in (saved, lost, stop)
    )
    by_fixed = np.stack(
        [
            np.interp(at, budgets, curve)
            for at, curve in zip(mean_stop, mean_lost[:, fixed], strict=True)
        ]
    )
    found = {
        "saved": mean_saved,
        "lost": mean_lost,
        "lost_by_fixed": by_fixed,
        "less_lost": by_fixed - mean_lost,
    }
    return xr.Dataset(
        {
            name: (("setting", "bound"), bounds(values.T, table.sizes["run"]))
            for name, values in found.items()
        }
        | {"reached": ("setting", table["reached"].values.mean(axis=0))},
        coords={name: table[name] for name in ("rule", "threshold", "chosen")}
        | {"bound": ["mean", "low", "high"]},
    )


def compared(table: xr.Dataset, rule: str, other: str, seed: int = 0) -> tuple[str, np.ndarray]:
    """Whether a rule is better than another, each at its chosen setting, on the same runs.

    Parameters
    ----------
    table
        As :func:`stops` gives it.
    rule, other
        Names.
    seed
        Draws the resamples of runs.

    Returns
    -------
    str
        ``"better"`` if the rule saves no fewer epochs and loses no more accuracy on average, one of
        the two beyond its 95 % interval; ``"worse"`` the other way round; ``"neither"`` otherwise.
    numpy.ndarray
        Differences, rule less other, shape (2, 3): of epochs saved and of accuracy lost, each as
        mean, low and high.
    """
    one, two = (
        table.isel(setting=int(np.flatnonzero((table["rule"] == name) & table["chosen"])[0]))
        for name in (rule, other)
    )
    draws = places(table.sizes["run"], RESAMPLES, seed)
    found = np.stack(
        [
            bounds(
                (one[name].values.astype(float) - two[name].values)[draws].mean(axis=1),
                table.sizes["run"],
            )
            for name in ("saved", "lost")
        ]
    )
    saved, lost = found
    better = saved[0] >= 0 and lost[0] <= 0 and (saved[1] > 0 or lost[2] < 0)
    worse = saved[0] <= 0 and lost[0] >= 0 and (saved[2] < 0 or lost[1] > 0)
    return word(better, worse), found
