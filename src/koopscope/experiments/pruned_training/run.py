"""Pruning while training: what a score at early epochs saves of the way to a target accuracy.

[ours, after a claim of Manojlović et al. 2020 whose protocol could not be read] After chosen epochs
weights, or whole units, are pruned by a score; units that the masks leave dead are taken out of the
matrices at once, momentum and all, so that later steps are cheaper in time and not on paper alone.
All that a score costs counts: recording, fit and mode.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data.dataset import standardised
from koopscope.errors import InputError
from koopscope.experiments.means import Means
from koopscope.experiments.pruned_training.names import (
    DENSE,
    FULLY_CONNECTED,
    MNISTNET,
    train_size,
)
from koopscope.pruning import compaction
from koopscope.pruning.chains import score_weights, select, weight_names
from koopscope.pruning.names import STRUCTURED, WINDOWED
from koopscope.pruning.pruned_run import COUNTS, PrunedRun
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots, window
from koopscope.training.models import build
from koopscope.training.single import Samples, batches, evaluate, samples, sgd

if TYPE_CHECKING:
    from koopscope.experiments.pruned_training.plan import PrunedTraining, PruningWhileTraining

# Random streams of a seed; see also the streams of training.batches and pruning.
ORDER, RANDOM = 34, 35
WARM_UP = 5


def run(plan: "PruningWhileTraining", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Train the networks of a question, and count what each way to prune needs to the target.

    Returns
    -------
    xarray.Dataset
        Of :func:`run_seeds`.
    """
    torch.set_num_threads(means.threads)
    return run_seeds(plan.plan, data[0], means.folder, lambda _: means.progress(1))


def run_seed(
    plan: "PrunedTraining",
    data: xr.Dataset,
    seed: int,
    folder: Path,
    progress: Callable[[str], object] = lambda done: None,
) -> xr.Dataset:
    """Train one seed's network by every method.

    Parameters
    ----------
    plan
        What to run.
    data
        In the common form (:mod:`koopscope.data`).
    seed
        Draws the initial weights, the order of the samples and random scores.
    folder
        Where the windows are written, and deleted after use.
    progress
        Called with a method's name when it is done.

    Returns
    -------
    xarray.Dataset
        Dims ``pruner`` (methods), ``evaluation`` (coordinate ``epoch``) and ``pruning``
        (coordinates ``after_epoch``, ``compression``): ``accuracy`` (pruner, evaluation; of the
        test set);
        ``seconds`` and ``processor_seconds`` of training, scores included and tests not, and
        ``multiply_adds`` (of whole matrices) and ``multiply_adds_nonzero`` (of weights that are
        not pruned), all from the start (pruner, evaluation); ``weights_kept`` (share of the new
        network's), ``units_kept`` (share of its hidden units), ``score_seconds`` (scores,
        selection and compaction) and ``refused`` (pruner, pruning): why a Koopman score could not
        be had, in which case nothing is pruned there.

    Raises
    ------
    InputError
        If the data do not fit the network, or a run diverges.
    """
    split = _samples(plan, data)
    _warm_up(plan, split)
    found = []
    for method in plan.methods:
        found.append(_trained(plan, method, split, seed, Path(folder)))
        progress(method)
    return xr.concat(found, dim="pruner").assign_coords(pruner=list(plan.methods), seed=seed)


def run_seeds(
    plan: "PrunedTraining",
    data: xr.Dataset,
    folder: Path,
    progress: Callable[[str], object] = lambda done: None,
) -> xr.Dataset:
    """Run every seed (:func:`run_seed`), joined along ``seed``, with what each needs to the target.

    Returns
    -------
    xarray.Dataset
        Also the variables of :func:`to_target` under names that begin with ``target_``, and
        ``reached``; attributes ``target_accuracy``, ``model``, ``epochs``, ``train_samples`` and
        ``test_samples``.
    """
    found = xr.concat([run_seed(plan, data, s, folder, progress) for s in plan.seeds], dim="seed")
    needed = to_target(found, plan.target_accuracy)
    needed = needed.rename({name: f"target_{name}" for name in needed if name != "reached"})
    network = plan.model
    if network == FULLY_CONNECTED:
        network += " " + "-".join(map(str, plan.hidden_widths))
    return found.merge(needed).assign_attrs(
        target_accuracy=plan.target_accuracy,
        model=network,
        epochs=plan.epochs,
        train_samples=train_size(plan.train_samples, plan.data.train_samples),
        test_samples=min(plan.test_samples or data.sizes["test_sample"], data.sizes["test_sample"]),
    )


def to_target(found: xr.Dataset, target_accuracy: float) -> xr.Dataset:
    """What each method needs to a target accuracy.

    Parameters
    ----------
    found
        What :func:`run_seed` gives, also joined along ``seed``.
    target
        Accuracy in (0, 1).

    Returns
    -------
    xarray.Dataset
        ``reached`` (bool), ``epoch_needed`` and the four costs at the first test with at least that
        accuracy; NaN where there is none. ``evaluation`` is gone, the other dims stay.

    Raises
    ------
    InputError
        If the target is no accuracy.
    """
    if not 0 < target_accuracy < 1:
        raise InputError(f"target_accuracy: {target_accuracy} is no share in (0, 1); give one")
    enough = found["accuracy"] >= target_accuracy
    reached = enough.any("evaluation")
    first = enough.argmax("evaluation")
    costs = {name: found[name].isel(evaluation=first).where(reached) for name in COUNTS}
    epoch = found["epoch"].isel(evaluation=first).where(reached).drop_vars("epoch")
    return xr.Dataset({"reached": reached, "epoch_needed": epoch} | costs).drop_vars(
        "epoch", errors="ignore"
    )


def _samples(plan: "PrunedTraining", data: xr.Dataset) -> Samples:
    data = data.isel(train_sample=slice(plan.train_samples), test_sample=slice(plan.test_samples))
    if plan.model == MNISTNET:
        return samples(data, build(MNISTNET, 0))

    def flat(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.as_tensor(data[f"{name}_labels"].values.astype(np.int64))
        return torch.as_tensor(standardised(data, name)), labels

    return Samples(flat("train"), flat("test"))


def _new(plan: "PrunedTraining", seed: int, inputs: int) -> nn.Module:
    if plan.model == MNISTNET:
        return build(MNISTNET, seed)
    return compaction.fully_connected((inputs, *plan.hidden_widths, plan.data.classes), seed)


def _trained(
    plan: "PrunedTraining", method: str, split: Samples, seed: int, folder: Path
) -> xr.Dataset:
    model = _new(plan, seed, split.train[0].shape[1])
    run = PrunedRun(model, sgd(model, plan.learning_rate, plan.momentum), split.train[0][:1])
    whole = sum(mask.numel() for mask in run.masks.values())
    units = run.hidden_units
    batches_an_epoch = -(-len(split.train[1]) // plan.batch_size)
    ends = np.linspace(0, batches_an_epoch, plan.evaluations_per_epoch + 1).round().astype(int)
    windowed = method.removesuffix(STRUCTURED) in WINDOWED
    tests, prunings = [_tested(run, split, method, seed, 0.0)], []
    for epoch in range(1, plan.epochs + 1):
        order = batches(split.train, plan.batch_size, seed, ORDER, epoch)
        prunes = method != DENSE and epoch in plan.prune_after
        store = folder / f"{method.replace(':', '-')}-{seed}-{epoch}.zarr"
        with ExitStack() as recording:
            for k, (begin, end) in enumerate(pairwise(ends), 1):
                with run.timed():
                    if k == 1 and windowed and prunes:
                        recorder = Recorder(
                            run.model,
                            store,
                            run.optimizer,
                            include=weight_names(run.model),
                            every=plan.record_every,
                        )
                        recording.enter_context(recorder)
                    run.train(islice(order, end - begin))
                    if prunes and k == plan.evaluations_per_epoch:
                        recording.close()
                        start = perf_counter()
                        refused = _prune(plan, method, run, whole, store, seed, epoch)
                        seconds = perf_counter() - start
                tests.append(
                    _tested(run, split, method, seed, epoch - 1 + k / plan.evaluations_per_epoch)
                )
        shutil.rmtree(store, ignore_errors=True)
        if prunes:
            kept = sum(int(mask.sum()) for mask in run.masks.values())
            shares = kept / whole, run.hidden_units / units
            prunings.append((*shares, seconds, refused))
    return _dataset(plan, tests, prunings)


def _prune(
    plan: "PrunedTraining",
    method: str,
    run: PrunedRun,
    whole: int,
    store: Path,
    seed: int,
    epoch: int,
) -> str:
    """Prune a network in place; return why it could not be, or nothing."""
    trajectory = None
    if method.removesuffix(STRUCTURED) in WINDOWED:
        trajectory = window(open_snapshots(store, run.model))
        run.spend(_score_multiply_adds(method, *trajectory.transpose("step", "weight").shape))
    try:
        found = score_weights(method, run.model, trajectory, seed, RANDOM, epoch)
    except InputError as error:
        return str(error)
    compression = plan.compression_ratios[plan.prune_after.index(epoch)]
    run.apply_masks(select(method, found, run.model, run.masks, int(whole / compression)))
    return ""


def _score_multiply_adds(method: str, snapshots: int, weights: int) -> int:
    """Multiplications of a score with the weights: inner products of snapshots, and modes."""
    score = method.removesuffix(STRUCTURED)
    if score == "window_mean":
        return weights * snapshots
    # A mode is complex: two real combinations of the snapshots.
    modes = 2 if score == "koopman" else 4
    return weights * snapshots * (snapshots + modes)


def _warm_up(plan: "PrunedTraining", split: Samples) -> None:
    """Train a network that nobody looks at: the first steps of a process take longer."""
    model = _new(plan, 0, split.train[0].shape[1])
    run = PrunedRun(model, sgd(model, plan.learning_rate, plan.momentum), split.train[0][:1])
    run.train(islice(batches(split.train, plan.batch_size, 0, ORDER, 0), WARM_UP))


def _tested(
    run: PrunedRun, split: Samples, method: str, seed: int, epoch: float
) -> tuple[float, ...]:
    if not all(layer.weight.isfinite().all() for layer in run.layers):
        raise InputError(
            f"learning_rate: {method}, seed {seed} diverged by epoch {epoch:g}; give a lower one"
        )
    return (epoch, evaluate(run.model, split.test)[0], *run.costs.values())


def _dataset(plan: "PrunedTraining", tests: list, prunings: list) -> xr.Dataset:
    epochs, accuracies, *costs = np.array(tests).T
    nothing = [(1.0, 1.0, 0.0, "")] * len(plan.prune_after)
    weights, units, seconds, refused = zip(*(prunings or nothing), strict=True)
    return xr.Dataset(
        {
            "accuracy": ("evaluation", accuracies),
            **{n: ("evaluation", v) for n, v in zip(COUNTS, costs, strict=True)},
            "weights_kept": ("pruning", list(weights)),
            "units_kept": ("pruning", list(units)),
            "score_seconds": ("pruning", list(seconds)),
            "refused": ("pruning", np.array(refused, dtype=object)),
        },
        coords={
            "epoch": ("evaluation", epochs),
            "after_epoch": ("pruning", list(plan.prune_after)),
            "compression": ("pruning", list(plan.compression_ratios)),
        },
    )
