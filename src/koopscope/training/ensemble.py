"""Train an ensemble of fully connected networks: a few seeds at a time, as many as fit."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
import xarray as xr

from koopscope.config.setup import NetworkSetup
from koopscope.data.dataset import standardised
from koopscope.errors import InputError
from koopscope.training.batches import initial_weights
from koopscope.training.devices import choose_device
from koopscope.training.loop import Accuracy, Block, run
from koopscope.training.networks import EVALUATION_SAMPLES, NetworkEnsemble
from koopscope.training.observables import observers, recorded
from koopscope.training.optimizers import state_copies

# Seeds trained side by side on a processor: as many as leave their weights in its cache.
CACHE_BYTES = 4 * 2**20
# Share of a GPU's free memory that a block may take.
GPU_SHARE = 0.5
# Copies of weights and of activations that one step needs at its peak: themselves, gradients,
# signals. What an optimiser remembers of the weights comes on top.
COPIES = 4


def seeds_per_block(setup: NetworkSetup, steps_per_block: int, device: torch.device) -> int:
    """Seeds to train side by side so that their weights fit the cache, or the GPU's memory."""
    if device.type == "cuda":
        return seeds_that_fit(setup, steps_per_block, torch.cuda.mem_get_info(device)[0])
    return int(max(1, min(len(setup.seeds), CACHE_BYTES // _weight_bytes(setup))))


def seeds_that_fit(setup: NetworkSetup, steps_per_block: int, free: int) -> int:
    """Seeds whose training takes at most ``GPU_SHARE`` of ``free`` bytes; at least one.

    Parameters
    ----------
    setup
        What is trained.
    steps_per_block
        Snapshots in a :class:`Block`.
    free
        Bytes of memory, the data set aside.

    Returns
    -------
    int
        From 1, even where that does not fit, to the number of the setup's seeds.
    """
    return int(
        max(1, min(len(setup.seeds), GPU_SHARE * free // seed_bytes(setup, steps_per_block)))
    )


def seed_bytes(setup: NetworkSetup, steps_per_block: int) -> int:
    """Bytes that the training of one seed needs at its peak, the data set aside."""
    copies = COPIES + state_copies(setup.optimizer)
    samples = max(setup.batch_size, EVALUATION_SAMPLES, setup.probe)
    units = sum(outputs for _, outputs in setup.shapes.values())
    activations = 4 * setup.initialisations * samples * units
    features = sum(map(setup.features, recorded(setup)))
    snapshots = 4 * setup.initialisations * features * steps_per_block
    order, batch = 8 * setup.steps * setup.batch_size, 4 * setup.batch_size * setup.data.pixels
    return copies * _weight_bytes(setup) + COPIES * activations + snapshots + order + batch


def _weight_bytes(setup: NetworkSetup) -> int:
    """Bytes of all weights of one seed."""
    return 4 * setup.initialisations * sum(map(math.prod, setup.shapes.values()))


def train(
    setup: NetworkSetup,
    data: xr.Dataset,
    steps_per_block: int,
    device: torch.device | str = "auto",
    progress: Callable[[int], object] = lambda runs: None,
) -> Iterator[Block | Accuracy]:
    """Train every run of a setup and yield its snapshots as they are made.

    On a processor the result is the same bit for bit for a setup and a number of threads; on a GPU
    it is not, since its products add in an order of their own.

    Parameters
    ----------
    setup
        What to train.
    data
        Data set with ``train_*`` and ``test_*`` variables (:mod:`koopscope.data`).
    steps_per_block
        Snapshots in a :class:`Block`.
    device
        Name or device.
    progress
        Called with the number of network steps done since the last call.

    Yields
    ------
    Block or Accuracy
        Seed by seed block; within one, in the order of steps.

    Raises
    ------
    InputError
        If the data do not fit the setup, or a batch or the probe is larger than its data set.
    """
    device = choose_device(device) if isinstance(device, str) else device
    if data.sizes["pixel"] != setup.data.pixels:
        raise InputError(
            f"data: {data.sizes['pixel']} pixels, but the setup is for {setup.data.pixels}"
        )
    samples = {
        split: (
            torch.as_tensor(standardised(data, split)).to(device),
            torch.as_tensor(data[f"{split}_labels"].values.astype(np.int64)).to(device),
        )
        for split in ("train", "test")
    }
    observe = observers(setup, *samples["test"])

    def networks_of(seeds: Sequence[int]) -> NetworkEnsemble:
        return NetworkEnsemble(setup, [initial_weights(setup, seed) for seed in seeds], device)

    together = seeds_per_block(setup, steps_per_block, device)
    yield from run(
        setup, samples, networks_of, together, steps_per_block, observe, progress=progress
    )
