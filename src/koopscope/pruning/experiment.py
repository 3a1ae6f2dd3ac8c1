"""The pruning experiment: train with snapshots, prune after some epochs, refine, compare."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.pruning import masks, scores
from koopscope.pruning.agreement import chance_jaccard, jaccard, spearman
from koopscope.pruning.fixed_point import fixed_point
from koopscope.pruning.protocol import PAIRS, Protocol
from koopscope.pruning.recorder import SnapshotRecorder, open_snapshots, window
from koopscope.pruning.refinement import (
    Samples,
    batches,
    evaluate,
    optimizer_of,
    refined,
    samples,
    train_epoch,
)
from koopscope.pruning.weights import prunable, vector
from koopscope.training.models import build

# Random streams of a seed; see also the streams of training.batches.
ORDER, SHUFFLE, RANDOM = 30, 31, 32
SHUFFLED = "koopman_magnitude_shuffled"


def run(
    protocol: Protocol,
    data: xr.Dataset,
    seed: int,
    folder: Path,
    progress: Callable[[str], object] = lambda done: None,
) -> xr.Dataset:
    """Run the experiment for one seed.

    Parameters
    ----------
    protocol
        What to run.
    data
        In the common form (:mod:`koopscope.data`).
    seed
        Draws the initial weights and the order of the samples.
    folder
        Where the snapshots of each epoch go, ``epoch-1.zarr`` and so on.
    progress
        Called with a few words after each epoch, fit and refinement.

    Returns
    -------
    xarray.Dataset
        Scalars of the seed, to be joined along ``seed``; dims ``epoch``, ``score``,
        ``compression``, ``pair`` (``"a / b"``) and ``layer``:
        ``accuracy`` and ``loss`` (epoch, score, compression, moment): of the test set, ``moment``
        before and after refinement; ``accuracy_unpruned``, ``loss_unpruned`` (epoch);
        ``kept`` (epoch, score, compression, layer): share of a layer's weights that stays;
        ``jaccard`` (epoch, pair, compression) and ``jaccard_by_chance`` (compression);
        ``spearman`` (epoch, pair); and the :meth:`FixedPoint.facts` (epoch). NaN for the Koopman
        methods of a window without a usable eigenvalue 1, with the reason in ``refused`` (epoch).
    """
    model = build(protocol.model, seed)
    split = samples(data, model)
    new = copy.deepcopy(model)
    optimizer = optimizer_of(protocol, model)
    found = []
    for epoch in range(1, max(protocol.epochs) + 1):
        order = batches(split.train, protocol.batch_size, seed, ORDER, epoch)
        if epoch not in protocol.epochs:
            train_epoch(model, optimizer, order)
            progress(f"epoch {epoch}")
            continue
        store = folder / f"epoch-{epoch}.zarr"
        with SnapshotRecorder(model, store, _included(protocol, model)) as recorder:
            recorder.follow(optimizer)
            train_epoch(model, optimizer, order)
        progress(f"epoch {epoch}")
        snapshots = open_snapshots(store, model)
        pruned = prune_all(protocol, model, new, window(snapshots), split, seed, epoch, progress)
        found.append(pruned.assign_coords(epoch=epoch))
    return xr.concat(found, dim="epoch", join="outer", combine_attrs="drop").assign_coords(
        seed=seed
    )


def prune_all(
    protocol: Protocol,
    model: nn.Module,
    new: nn.Module,
    trajectory: xr.DataArray,
    split: Samples,
    seed: int,
    epoch: int,
    progress: Callable[[str], object] = lambda done: None,
) -> xr.Dataset:
    """Score, prune and refine a trained network by every method of a protocol.

    Parameters
    ----------
    protocol, split, seed, epoch, progress
        See :func:`run`.
    model, new
        The network at the window's end, and at its initialisation; both stay as they are.
    trajectory
        The window, dims (step, weight).

    Returns
    -------
    xarray.Dataset
        As :func:`run` gives it, for one epoch.
    """
    found, facts = all_scores(protocol, model, new, trajectory, split, seed, epoch)
    progress(f"scores after epoch {epoch}")
    others = sum(p.numel() for p in model.parameters()) - trajectory.sizes["weight"]
    chosen = {
        (method, compression): masks.select_masks(values, compression, others)
        for method, values in found.items()
        for compression in protocol.compressions
    }
    tested = {}
    for (method, compression), mask in chosen.items():
        part = refined(protocol, model, mask, split, seed, epoch)
        tested[method, compression] = part.assign(kept=masks.layer_shares(mask))
        progress(f"{method} at compression {compression:g} after epoch {epoch}")
    missing = xr.full_like(next(iter(tested.values())), np.nan)
    table = [
        xr.concat([tested.get((m, c), missing) for c in protocol.compressions], dim="compression")
        for m in protocol.methods
    ]
    accuracy, loss = evaluate(copy.deepcopy(model), split.test)
    return (
        xr.concat(table, dim="score")
        .assign_coords(score=list(protocol.methods), compression=list(protocol.compressions))
        .merge(overlaps(found, chosen, protocol.compressions))
        .merge(facts)
        .assign(accuracy_unpruned=accuracy, loss_unpruned=loss)
    )


def all_scores(
    protocol: Protocol,
    model: nn.Module,
    new: nn.Module,
    trajectory: xr.DataArray,
    split: Samples,
    seed: int,
    epoch: int,
) -> tuple[dict[str, xr.DataArray], xr.Dataset]:
    """Scores by method, and the facts of the eigenvalue taken for 1; see :func:`prune_all`.

    A Koopman method whose window gives no such eigenvalue is left out, and ``refused`` says why.

    Raises
    ------
    InputError
        If no method is left, or a score is not finite.
    """
    include = _included(protocol, model)
    # Batch normalisation changes with every forward pass.
    model, new = copy.deepcopy(model), copy.deepcopy(new)
    batch = [next(batches(split.train, protocol.batch_size, seed, ORDER, epoch + 1))]
    initial = vector(prunable(new, include))
    recipes: dict[str, Callable[[], xr.DataArray]] = {
        "magnitude": lambda: scores.last_snapshot(trajectory),
        "layer_magnitude": lambda: scores.layer_magnitude(trajectory.isel(step=-1)),
        "gradient": lambda: scores.gradient(model, batch, include=include),
        "layer_gradient": lambda: scores.layer_wise(scores.gradient(model, batch, include=include)),
        "snip": lambda: scores.snip(new, batch, include=include),
        "random": lambda: scores.random(initial, [seed, RANDOM]),
        "window_mean": lambda: scores.window_mean(trajectory),
        "first_snapshot": lambda: scores.first_snapshot(trajectory),
        "initial_magnitude": lambda: scores.magnitude(initial),
    }
    refused = []
    koopman = [method for method in protocol.methods if method not in recipes]
    shuffled = [method for method in koopman if method == SHUFFLED]
    facts = xr.Dataset()
    try:
        if koopman != shuffled:
            fitted = fixed_point(trajectory, protocol.rank, protocol.within)
            facts = fitted.facts()
            recipes["koopman_magnitude"] = lambda: scores.koopman_magnitude(fitted)
            for variant in scores.VARIANTS:
                recipes[f"koopman_gradient:{variant}"] = partial(
                    scores.koopman_gradient, fitted, variant
                )
    except InputError as error:
        refused.append(str(error))
    try:
        if shuffled:
            mixed = scores.shuffled(trajectory, [seed, SHUFFLE])
            fitted_mixed = fixed_point(mixed, protocol.rank, protocol.within)
            recipes[SHUFFLED] = lambda: scores.koopman_magnitude(fitted_mixed)
    except InputError as error:
        refused.append(f"shuffled {error}")
    found = {name: recipes[name]().rename(name) for name in protocol.methods if name in recipes}
    if not found:
        raise InputError("; ".join(refused))
    return found, facts.assign(refused="; ".join(refused))


def overlaps(
    found: Mapping[str, xr.DataArray],
    chosen: Mapping[tuple[str, float], xr.DataArray],
    compressions: tuple[float, ...],
) -> xr.Dataset:
    """Agreement of pairs of methods.

    Parameters
    ----------
    found
        Scores by method.
    chosen
        Masks by method and compression.
    compressions
        Which of them.

    Returns
    -------
    xarray.Dataset
        ``jaccard`` (pair, compression), ``spearman`` (pair) and ``jaccard_by_chance``
        (compression); the pairs of ``PAIRS`` of which both methods are there.
    """
    pairs = [pair for pair in PAIRS if set(pair) <= set(found)]
    some = next(iter(found))
    shares = [float(chosen[some, c].mean()) for c in compressions]
    indices = [[jaccard(chosen[a, c], chosen[b, c]) for c in compressions] for a, b in pairs]
    return xr.Dataset(
        {
            "jaccard": (
                ("pair", "compression"),
                np.array(indices).reshape(len(pairs), len(compressions)),
            ),
            "spearman": ("pair", [spearman(found[a], found[b]) for a, b in pairs]),
            "jaccard_by_chance": ("compression", list(map(chance_jaccard, shares))),
        },
        coords={"pair": [f"{a} / {b}" for a, b in pairs], "compression": list(compressions)},
    )


def _included(protocol: Protocol, model: nn.Module) -> list[str]:
    return [name for name in prunable(model) if protocol.classifier or name != model.classifier]
