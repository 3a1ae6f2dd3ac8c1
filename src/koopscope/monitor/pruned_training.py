"""Pruning while training: what a score at early epochs saves of the way to a target accuracy.

[ours, after a claim of Manojlović et al. 2020 whose protocol could not be read] After chosen epochs
weights, or whole units, are pruned by a score; units that the masks leave dead are taken out of the
matrices at once, momentum and all, so that later steps are cheaper in time and not on paper alone.
All that a score costs counts: recording, fit and mode.
"""

import shutil
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data import standardised
from koopscope.errors import InputError
from koopscope.monitor import compaction
from koopscope.monitor.pruned_run import COUNTS, PrunedRun
from koopscope.pruning import SnapshotRecorder, fixed_point, open_snapshots, scores, window
from koopscope.pruning.fixed_point import FixedPoint
from koopscope.pruning.masks import EmptiedLayer, select_masks
from koopscope.pruning.refinement import Samples, batches, evaluate, samples
from koopscope.pruning.weights import by_layer, check_model, prunable, vector
from koopscope.pruning_plan import DENSE, UNITS, WINDOWED, PrunedTraining
from koopscope.setup import CLASSES
from koopscope.training.models import build

# Random streams of a seed; see also the streams of training.batches and pruning.
ORDER, RANDOM = 34, 35
WARM_UP = 5


def run(
    plan: PrunedTraining,
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
    plan: PrunedTraining,
    data: xr.Dataset,
    folder: Path,
    progress: Callable[[str], object] = lambda done: None,
) -> xr.Dataset:
    """Run every seed (:func:`run`), joined along ``seed``, with what each needs to the target.

    Returns
    -------
    xarray.Dataset
        Also the variables of :func:`to_target` under names that begin with ``target_``, and
        ``reached``; attributes ``target``, ``network``, ``epochs``, ``train_samples`` and
        ``test_samples``.
    """
    found = xr.concat([run(plan, data, s, folder, progress) for s in plan.seeds], dim="seed")
    needed = to_target(found, plan.target)
    needed = needed.rename({name: f"target_{name}" for name in needed if name != "reached"})
    network = plan.network
    if network == "fcn":
        network += " " + "-".join(map(str, plan.hidden))
    return found.merge(needed).assign_attrs(
        target=plan.target,
        network=network,
        epochs=plan.epochs,
        train_samples=plan.train_size,
        test_samples=min(plan.test_samples or data.sizes["test_sample"], data.sizes["test_sample"]),
    )


def to_target(found: xr.Dataset, target: float) -> xr.Dataset:
    """What each method needs to a target accuracy.

    Parameters
    ----------
    found
        What :func:`run` gives, also joined along ``seed``.
    target
        Accuracy in (0, 1).

    Returns
    -------
    xarray.Dataset
        ``reached`` (bool), ``epoch`` and the four costs at the first test with at least that
        accuracy; NaN where there is none. ``evaluation`` is gone, the other dims stay.

    Raises
    ------
    InputError
        If the target is no accuracy.
    """
    if not 0 < target < 1:
        raise InputError(f"target: {target} is no accuracy between 0 and 1; give a share")
    enough = found["accuracy"] >= target
    reached = enough.any("evaluation")
    first = enough.argmax("evaluation")
    costs = {name: found[name].isel(evaluation=first).where(reached) for name in COUNTS}
    epoch = found["epoch"].isel(evaluation=first).where(reached).drop_vars("epoch")
    return xr.Dataset({"reached": reached, "epoch_needed": epoch} | costs).drop_vars(
        "epoch", errors="ignore"
    )


def score_weights(
    method: str,
    model: nn.Module,
    trajectory: xr.DataArray | None,
    *stream: int,
) -> xr.DataArray:
    """Scores of all weights of a chain by a method, dim ``weight``.

    ``"koopman"`` is the modulus of the mode of eigenvalue 1 (KMP); ``"koopman_spent"`` [ours] adds
    what the passing modes still hold of the weight, |Σ_{i≠1} c_i v_i|, to the fixed part,
    |c_1 v_1|, so that a weight goes only when it tends to 0 and its transients are spent.

    Parameters
    ----------
    method
        With or without ``":units"``.
    model
        The network as it is.
    trajectory
        Snapshots (step, weight) of it, for the scores that need them.
    *stream
        Random stream of ``"random"``.

    Raises
    ------
    InputError
        If the window has no eigenvalue that can be taken for 1.
    """
    score = method.removesuffix(UNITS)
    if score == "koopman":
        return scores.koopman_magnitude(fixed_point(trajectory))
    if score == "koopman_spent":
        return _spent(fixed_point(trajectory))
    if score == "window_mean":
        return scores.window_mean(trajectory)
    now = vector(prunable(model, _names(model)))
    return scores.random(now, list(stream)) if score == "random" else scores.magnitude(now)


def _spent(found: FixedPoint) -> xr.DataArray:
    shares = found.spectrum.final_coordinates[0]
    parts = [shares * ~found.others, shares * found.others]
    moduli = [np.abs(found.spectrum.combined(part, "exact")[0]) for part in parts]
    return scores.magnitude(found.window.isel(step=-1)).copy(data=sum(moduli))


def _samples(plan: PrunedTraining, data: xr.Dataset) -> Samples:
    data = data.isel(train_sample=slice(plan.train_samples), test_sample=slice(plan.test_samples))
    if plan.network == "mnistnet":
        return samples(data, build("mnistnet", 0))

    def flat(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.as_tensor(data[f"{name}_labels"].values.astype(np.int64))
        return torch.as_tensor(standardised(data, name)), labels

    return Samples(flat("train"), flat("test"))


def _new(plan: PrunedTraining, seed: int, inputs: int) -> nn.Module:
    if plan.network == "mnistnet":
        return build("mnistnet", seed)
    return compaction.fully_connected((inputs, *plan.hidden, CLASSES), seed)


def _trained(
    plan: PrunedTraining, method: str, split: Samples, seed: int, folder: Path
) -> xr.Dataset:
    model = _new(plan, seed, split.train[0].shape[1])
    run = PrunedRun(model, _optimizer(plan, model), split.train[0][:1])
    whole = sum(mask.numel() for mask in run.masks.values())
    units = run.hidden_units
    batches_an_epoch = -(-len(split.train[1]) // plan.batch_size)
    ends = np.linspace(0, batches_an_epoch, plan.evaluations + 1).round().astype(int)
    windowed = method.removesuffix(UNITS) in WINDOWED
    tests, prunings = [_tested(run, split, method, seed, 0.0)], []
    for epoch in range(1, plan.epochs + 1):
        order = batches(split.train, plan.batch_size, seed, ORDER, epoch)
        prunes = method != DENSE and epoch in plan.prune_after
        store = folder / f"{method.replace(':', '-')}-{seed}-{epoch}.zarr"
        with ExitStack() as recording:
            for k, (begin, end) in enumerate(pairwise(ends), 1):
                with run.timed():
                    if k == 1 and windowed and prunes:
                        recorder = SnapshotRecorder(run.model, store, _names(run.model), plan.every)
                        recording.enter_context(recorder).follow(run.optimizer)
                    run.train(islice(order, end - begin))
                    if prunes and k == plan.evaluations:
                        recording.close()
                        start = perf_counter()
                        refused = _prune(plan, method, run, whole, store, seed, epoch)
                        seconds = perf_counter() - start
                tests.append(_tested(run, split, method, seed, epoch - 1 + k / plan.evaluations))
        shutil.rmtree(store, ignore_errors=True)
        if prunes:
            kept = sum(int(mask.sum()) for mask in run.masks.values())
            shares = kept / whole, run.hidden_units / units
            prunings.append((*shares, seconds, refused))
    return _dataset(plan, tests, prunings)


def _prune(
    plan: PrunedTraining,
    method: str,
    run: PrunedRun,
    whole: int,
    store: Path,
    seed: int,
    epoch: int,
) -> str:
    """Prune a network in place; return why it could not be, or nothing."""
    trajectory = None
    if method.removesuffix(UNITS) in WINDOWED:
        trajectory = window(open_snapshots(store, run.model))
        run.spend(_score_multiply_adds(method, *trajectory.transpose("step", "weight").shape))
    try:
        found = score_weights(method, run.model, trajectory, seed, RANDOM, epoch)
    except InputError as error:
        return str(error)
    compression = plan.compressions[plan.prune_after.index(epoch)]
    run.wear(select(method, found, run.model, run.masks, int(whole / compression)))
    return ""


def select(
    method: str,
    found: xr.DataArray,
    model: nn.Module,
    masks: compaction.Masks,
    budget: int,
) -> compaction.Masks:
    """Masks by layer that keep at most ``budget`` weights, all of them kept before.

    Parameters
    ----------
    method
        With ``":units"`` whole units go, else single weights, over all layers alike.
    found
        Scores of the model's weights.
    model
        The network that the masks are for.
    masks
        That it wears.
    budget
        Number of weights that may stay.

    Raises
    ------
    InputError
        If the scores are of another network, or too few weights are left.
    """
    check_model(found, model)
    worn = np.concatenate([masks[n].flatten().numpy() for n in compaction.chain_of(model)])
    found = found.copy(data=found.values * worn)
    if method.endswith(UNITS):
        by_name = {n.removesuffix(".weight"): s for n, s in by_layer(found).items()}
        chosen = compaction.unit_masks(by_name, compaction.chain_of(model), budget)
        return {name: chosen[name] & masks[name] for name in chosen}
    with warnings.catch_warnings():
        # Seen in what is left of the units.
        warnings.simplefilter("ignore", EmptiedLayer)
        mask = select_masks(found, found.size / (min(budget, found.size) + 0.5))
    return compaction.layer_masks(mask & worn, model)


def _score_multiply_adds(method: str, snapshots: int, weights: int) -> int:
    """Multiplications of a score with the weights: inner products of snapshots, and modes."""
    score = method.removesuffix(UNITS)
    if score == "window_mean":
        return weights * snapshots
    # A mode is complex: two real combinations of the snapshots.
    modes = 2 if score == "koopman" else 4
    return weights * snapshots * (snapshots + modes)


def _warm_up(plan: PrunedTraining, split: Samples) -> None:
    """Train a network that nobody looks at: the first steps of a process take longer."""
    model = _new(plan, 0, split.train[0].shape[1])
    run = PrunedRun(model, _optimizer(plan, model), split.train[0][:1])
    run.train(islice(batches(split.train, plan.batch_size, 0, ORDER, 0), WARM_UP))


def _optimizer(plan: PrunedTraining, model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        model.parameters(),
        lr=plan.learning_rate,
        momentum=plan.momentum,
        nesterov=plan.momentum > 0,
    )


def _names(model: nn.Module) -> list[str]:
    return [f"{name}.weight" for name in compaction.chain_of(model)]


def _tested(
    run: PrunedRun, split: Samples, method: str, seed: int, epoch: float
) -> tuple[float, ...]:
    if not all(layer.weight.isfinite().all() for layer in run.layers):
        raise InputError(
            f"learning_rate: {method}, seed {seed} diverged by epoch {epoch:g}; give a lower one"
        )
    return (epoch, evaluate(run.model, split.test)[0], *run.costs.values())


def _dataset(plan: PrunedTraining, tests: list, prunings: list) -> xr.Dataset:
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
            "compression": ("pruning", list(plan.compressions)),
        },
    )
