"""The pruning experiment: train with snapshots, prune after some epochs, refine, compare."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.plans.protocol import LATE, PAIRS, VARIANTS, Protocol
from koopscope.pruning import masks, scores
from koopscope.pruning.agreement import chance_jaccard, jaccard, spearman
from koopscope.pruning.epochs import (
    CPU,
    ORDER,
    included,
    new_network,
    record_epochs,
    recorded_epoch,
    split_of,
)
from koopscope.pruning.fixed_point import fixed_point
from koopscope.pruning.refinement import Samples, batches, evaluate, trial
from koopscope.pruning.weights import prunable, vector

# Random streams of a seed; see also the streams of training.batches.
SHUFFLE, RANDOM = 31, 32
SHUFFLED = "koopman_magnitude_shuffled"


def run(
    protocol: Protocol, data: xr.Dataset, seed: int, folder: Path, device: torch.device = CPU
) -> xr.Dataset:
    """Record one seed's training and prune after each epoch that the protocol names.

    Parameters
    ----------
    protocol, data, seed, device
        See :func:`koopscope.pruning.epochs.record_epochs`.
    folder
        Must exist; what is recorded stays there.

    Returns
    -------
    xarray.Dataset
        As :func:`prune` gives it, along ``epoch``.
    """
    record_epochs(protocol, data, seed, folder, device)
    found = [prune(protocol, data, seed, epoch, folder, device) for epoch in protocol.epochs]
    return gathered(found).isel(seed=0)


def gathered(found: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join what :func:`prune` gave for several seeds and epochs, along ``seed`` and ``epoch``.

    What a window could not give is NaN.
    """
    seeds: dict[int, list[xr.Dataset]] = {}
    for part in found:
        seeds.setdefault(int(part["seed"]), []).append(part)
    joined = {"join": "outer", "combine_attrs": "drop", "coords": "minimal"}
    by_seed = [xr.concat(parts, dim="epoch", **joined) for parts in seeds.values()]
    return xr.concat(by_seed, dim="seed", **joined)


def prune(
    protocol: Protocol,
    data: xr.Dataset,
    seed: int,
    epoch: int,
    folder: Path,
    device: torch.device = CPU,
    progress: Callable[[int], object] = lambda done: None,
) -> xr.Dataset:
    """Score, prune and refine the network of one recorded epoch by every method of a protocol.

    Parameters
    ----------
    protocol, data, seed, folder, device
        As they were given to :func:`koopscope.pruning.epochs.record_epochs`.
    epoch
        One of the recorded.
    progress
        Called with 1 after the scores, and after each method and compression that is tested.

    Returns
    -------
    xarray.Dataset
        Numbers of one seed and epoch (coordinates), to be joined along both; dims ``score``,
        ``compression``, ``pair`` (``"a / b"``) and ``layer``:
        ``accuracy`` and ``loss`` (score, compression, moment): of the test set, ``moment``
        before and after refinement; ``accuracy_unpruned``, ``loss_unpruned``;
        ``kept`` (score, compression, layer): share of a layer's weights that stays;
        ``jaccard`` (pair, compression) and ``jaccard_by_chance`` (compression); ``spearman``
        (pair); and the facts of :meth:`koopscope.pruning.FixedPoint.facts`. NaN for what was not
        measured and for the Koopman methods of a window without a usable eigenvalue 1, with the
        reason in ``refused``.
    """
    model, window = recorded_epoch(protocol, folder, epoch, device)
    _, last_window = recorded_epoch(protocol, folder, protocol.epochs[-1], device)
    new = new_network(protocol, seed, device)
    split = split_of(protocol, data, model, device)
    found, facts = all_scores(protocol, model, new, window, split, seed, epoch)
    late = scores.last_snapshot(last_window).rename(LATE)
    progress(1)
    others = sum(p.numel() for p in model.parameters()) - window.sizes["weight"]
    chosen = {
        (name, compression): masks.select_masks(values, compression, others)
        for name, values in (found | {LATE: late}).items()
        for compression in protocol.compressions
    }
    accuracy, loss = evaluate(copy.deepcopy(model), split.test)
    return (
        _tested(protocol, model, chosen, split, seed, epoch, progress)
        .merge(overlaps(found | {LATE: late}, chosen, protocol.compressions))
        .merge(facts)
        .assign(accuracy_unpruned=accuracy, loss_unpruned=loss)
        .assign_coords(epoch=epoch, seed=seed)
    )


def _tested(
    protocol: Protocol,
    model: nn.Module,
    chosen: Mapping[tuple[str, float], xr.DataArray],
    split: Samples,
    seed: int,
    epoch: int,
    progress: Callable[[int], object],
) -> xr.Dataset:
    """Accuracy, loss and kept shares of all methods and compressions; NaN where there are none."""
    unknown = xr.Dataset(
        {name: ("moment", [np.nan, np.nan]) for name in ("accuracy", "loss")},
        coords={"moment": ["before", "after"]},
    )
    names = list(next(iter(chosen.values()))["layer"].attrs["flag_meanings"])
    nothing = xr.DataArray(np.full(len(names), np.nan), dims="layer", coords={"layer": names})
    rows = []
    for method in protocol.methods:
        row = []
        for compression in protocol.compressions:
            mask = chosen.get((method, compression))
            part = unknown
            if mask is not None and method in protocol.trial:
                refine = protocol.refines(method, compression)
                part = trial(protocol, model, mask, split, refine, seed, epoch)
            row.append(part.assign(kept=nothing if mask is None else masks.layer_shares(mask)))
            if method in protocol.trial:
                progress(1)
        rows.append(xr.concat(row, dim="compression"))
    return xr.concat(rows, dim="score").assign_coords(
        score=list(protocol.methods), compression=list(map(float, protocol.compressions))
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
    """Scores by method, and the facts of the eigenvalue taken for 1; see :func:`prune`.

    A Koopman method whose window gives no such eigenvalue is left out, and ``refused`` says why.

    Parameters
    ----------
    protocol, split, seed, epoch
        See :func:`prune`.
    model, new
        The network at the window's end, and at its initialisation; both stay as they are.
    trajectory
        The window, dims (step, weight).

    Raises
    ------
    InputError
        If no method is left, or a score is not finite.
    """
    include = included(protocol, model)
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
            for variant in VARIANTS:
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
        coords={
            "pair": [f"{a} / {b}" for a, b in pairs],
            "compression": list(map(float, compressions)),
        },
    )
