"""The pruning experiment: prune what was recorded after some epochs, fine-tune, compare."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.experiments.pruning.epochs import (
    CPU,
    ORDER,
    included,
    network_after,
    new_network,
    recorded_epoch,
)
from koopscope.experiments.pruning.finetuning import FineTuning, finetunes, trial
from koopscope.experiments.pruning.names import (
    KOOPMAN,
    LATE,
    MAGNITUDE,
    MEAN,
    MOMENTS,
    PAIRS,
    SHUFFLED,
    evaluated,
    pair_name,
)
from koopscope.pruning import masks, scores
from koopscope.pruning.agreement import chance_jaccard, jaccard, spearman
from koopscope.pruning.fixed_points import fixed_point
from koopscope.pruning.names import VARIANTS
from koopscope.recording.weights import prunable, vector
from koopscope.training.single import Samples, batches, evaluate, samples

if TYPE_CHECKING:
    from koopscope.experiments.pruning.protocol import Protocol

# Random streams of a seed; see also the streams of training.batches.
SHUFFLE, RANDOM = 31, 32


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
    protocol: "Protocol",
    data: xr.Dataset,
    seed: int,
    epoch: int,
    folder: Path,
    device: torch.device = CPU,
    progress: Callable[[int], object] = lambda done: None,
) -> xr.Dataset:
    """Score, prune and fine-tune the network of one recorded epoch by every method of a protocol.

    Parameters
    ----------
    protocol, data, seed, folder, device
        As they were given to :func:`koopscope.experiments.pruning.epochs.record_epochs`.
    epoch
        One of the recorded.
    progress
        Called with 1 after the scores, and after each method and compression that is tested.

    Returns
    -------
    xarray.Dataset
        Numbers of one seed and epoch (coordinates), to be joined along both; dims ``score``,
        ``compression``, ``pair`` and ``layer``:
        ``accuracy`` and ``loss`` (score, compression, moment): of the test set, ``moment``
        before and after fine-tuning; ``accuracy_unpruned``, ``loss_unpruned``;
        ``kept`` (score, compression, layer): share of a layer's weights that stays;
        ``jaccard`` (pair, compression) and ``jaccard_by_chance`` (compression); ``spearman``
        (pair); and the facts of :meth:`koopscope.pruning.FixedPoint.facts`. NaN for what was not
        measured and for the Koopman methods of a window without a usable eigenvalue 1, with the
        reason in ``refused``.
    """
    model, window = recorded_epoch(protocol.model, folder, epoch, device)
    if SHUFFLED in protocol.methods:
        # Loaded for that anyway: all before it need not read the snapshots once more each.
        window.load()
    counts = {"train_sample": protocol.train_samples, "test_sample": protocol.test_samples}
    chosen_data = data.isel({name: slice(count) for name, count in counts.items()})
    split = samples(chosen_data, model).to(device)
    plain = plain_scores(
        model,
        new_network(protocol.model, seed, device),
        window,
        # The first batch of the epoch to come.
        next(batches(split.train, protocol.batch_size, seed, ORDER, epoch + 1)),
        included(model, protocol.classifier),
        seed,
    )
    koopman, facts = koopman_scores(
        window,
        [m for m in protocol.methods if m not in plain],
        protocol.rank,
        protocol.eigenvalue_tolerance,
        seed,
    )
    recipes = plain | koopman
    found = {name: recipes[name]().rename(name) for name in protocol.methods if name in recipes}
    if not found:
        raise InputError(str(facts["refused"].values))
    # Not a method, but what early pruning should foresee.
    late = network_after(protocol.model, folder, protocol.epochs[-1], device)
    last = vector(prunable(late, included(late, protocol.classifier)))
    with_late = found | {LATE: scores.magnitude(last).rename(LATE)}
    progress(1)
    others = sum(p.numel() for p in model.parameters()) - window.sizes["weight"]
    chosen = {
        (name, compression): masks.select_masks(values, compression, others)
        for name, values in with_late.items()
        for compression in protocol.compression_ratios
    }
    accuracy, loss = evaluate(copy.deepcopy(model), split.test)
    return (
        _trials(protocol, model, chosen, split, (seed, epoch), progress)
        .merge(overlaps(with_late, chosen, protocol.compression_ratios))
        .merge(facts)
        .assign(accuracy_unpruned=accuracy, loss_unpruned=loss)
        .assign_coords(epoch=epoch, seed=seed)
    )


def plain_scores(
    model: nn.Module,
    new: nn.Module,
    window: xr.DataArray,
    batch: tuple[torch.Tensor, torch.Tensor],
    include: list[str],
    seed: int,
) -> dict[str, Callable[[], xr.DataArray]]:
    """What gives the scores of each method without a spectrum.

    Parameters
    ----------
    model, new
        The network at the window's end, and at its initialisation; both stay as they are.
    window
        Snapshots, dims (step, weight).
    batch
        Images and labels, for gradients.
    include
        Names of the weights that have scores.
    seed
        Draws random ones.
    """
    # Batch normalisation changes with every forward pass.
    model, new = copy.deepcopy(model), copy.deepcopy(new)
    initial = vector(prunable(new, include))

    def gradient() -> xr.DataArray:
        return scores.gradient(model, [batch], include=include)

    return {
        MAGNITUDE: lambda: scores.last_snapshot(window),
        "layer_magnitude": lambda: scores.layer_magnitude(window.isel(step=-1)),
        "gradient": gradient,
        "layer_gradient": lambda: scores.layer_wise(gradient()),
        "snip": lambda: scores.snip(new, [batch], include=include),
        "random": lambda: scores.random(initial, [seed, RANDOM]),
        MEAN: lambda: scores.window_mean(window),
        "first_snapshot": lambda: scores.first_snapshot(window),
        "initial_magnitude": lambda: scores.magnitude(initial),
    }


def koopman_scores(
    window: xr.DataArray,
    methods: list[str],
    rank: int | str | None,
    eigenvalue_tolerance: float,
    seed: int,
) -> tuple[dict[str, Callable[[], xr.DataArray]], xr.Dataset]:
    """What gives the scores of Koopman methods, and the facts of the eigenvalue taken for 1.

    A method whose window gives no such eigenvalue is left out, and ``refused`` says why.

    Parameters
    ----------
    window
        Snapshots, dims (step, weight).
    methods
        Which ones are asked for.
    rank, within
        See :func:`koopscope.pruning.fixed_point`.
    seed
        Draws the order of the shuffled window.
    """
    recipes: dict[str, Callable[[], xr.DataArray]] = {}
    refused, facts = [], xr.Dataset()
    try:
        if set(methods) - {SHUFFLED}:
            fitted = fixed_point(window, rank, eigenvalue_tolerance)
            facts = fitted.facts()
            recipes[KOOPMAN] = partial(scores.koopman_magnitude, fitted)
            for variant in VARIANTS:
                recipes[f"koopman_gradient:{variant}"] = partial(
                    scores.koopman_gradient, fitted, variant
                )
    except InputError as error:
        refused.append(str(error))
    try:
        if SHUFFLED in methods:
            mixed = fixed_point(
                scores.shuffled(window, [seed, SHUFFLE]), rank, eigenvalue_tolerance
            )
            recipes[SHUFFLED] = partial(scores.koopman_magnitude, mixed)
    except InputError as error:
        refused.append(f"shuffled {error}")
    return recipes, facts.assign(refused="; ".join(refused))


def _trials(
    protocol: "Protocol",
    model: nn.Module,
    chosen: Mapping[tuple[str, float], xr.DataArray],
    split: Samples,
    stream: tuple[int, ...],
    progress: Callable[[int], object],
) -> xr.Dataset:
    """Accuracy, loss and kept shares of all methods and compressions; NaN where there are none."""
    unknown = xr.Dataset(
        {name: ("moment", [np.nan, np.nan]) for name in ("accuracy", "loss")},
        coords={"moment": list(MOMENTS)},
    )
    names = list(next(iter(chosen.values()))["layer"].attrs["flag_meanings"])
    nothing = xr.DataArray(np.full(len(names), np.nan), dims="layer", coords={"layer": names})
    training = FineTuning(
        protocol.learning_rate, protocol.momentum, protocol.batch_size, protocol.finetune_epochs
    )
    rows = []
    for method in protocol.methods:
        row = []
        for compression in protocol.compression_ratios:
            mask = chosen.get((method, compression))
            part = unknown
            if mask is not None and method in evaluated(protocol.methods, protocol.evaluated):
                finetuning = training if finetunes(protocol, method, compression) else None
                part = trial(model, mask, split, finetuning, *stream)
            row.append(part.assign(kept=nothing if mask is None else masks.layer_shares(mask)))
            if method in evaluated(protocol.methods, protocol.evaluated):
                progress(1)
        rows.append(xr.concat(row, dim="compression"))
    return xr.concat(rows, dim="score").assign_coords(
        score=list(protocol.methods), compression=list(map(float, protocol.compression_ratios))
    )


def overlaps(
    found: Mapping[str, xr.DataArray],
    chosen: Mapping[tuple[str, float], xr.DataArray],
    compression_ratios: tuple[float, ...],
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
    shares = [float(chosen[some, c].mean()) for c in compression_ratios]
    indices = [[jaccard(chosen[a, c], chosen[b, c]) for c in compression_ratios] for a, b in pairs]
    return xr.Dataset(
        {
            "jaccard": (
                ("pair", "compression"),
                np.array(indices).reshape(len(pairs), len(compression_ratios)),
            ),
            "spearman": ("pair", [spearman(found[a], found[b]) for a, b in pairs]),
            "jaccard_by_chance": ("compression", list(map(chance_jaccard, shares))),
        },
        coords={
            "pair": [pair_name(*pair) for pair in pairs],
            "compression": list(map(float, compression_ratios)),
        },
    )
