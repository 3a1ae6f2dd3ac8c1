"""How many seeds train side by side: as many as fit a processor's cache, or a GPU's memory."""

import math
from typing import TYPE_CHECKING

import torch

from koopscope.config.fit import OBSERVABLES
from koopscope.training.batches import EVALUATION_SAMPLES
from koopscope.training.optimizers import state_copies

if TYPE_CHECKING:
    from koopscope.config.setup import NetworkSetup

# Seeds trained side by side on a processor: as many as leave their weights in its cache.
CACHE_BYTES = 4 * 2**20
# Share of a GPU's free memory that a block may take.
GPU_SHARE = 0.5
# Copies of weights and of activations that one step needs at its peak: themselves, gradients,
# signals. What an optimiser remembers of the weights comes on top.
COPIES = 4


def seeds_per_block(setup: "NetworkSetup", steps_per_block: int, device: torch.device) -> int:
    """Seeds to train side by side so that their weights fit the cache, or the GPU's memory."""
    if device.type == "cuda":
        return seeds_that_fit(setup, steps_per_block, torch.cuda.mem_get_info(device)[0])
    return int(max(1, min(len(setup.seeds), CACHE_BYTES // _weight_bytes(setup))))


def seeds_that_fit(setup: "NetworkSetup", steps_per_block: int, free: int) -> int:
    """Seeds whose training takes at most ``GPU_SHARE`` of ``free`` bytes; at least one.

    Parameters
    ----------
    setup
        What is trained.
    steps_per_block
        Snapshots in a block.
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


def seed_bytes(setup: "NetworkSetup", steps_per_block: int) -> int:
    """Bytes that the training of one seed needs at its peak, the data set aside."""
    copies = COPIES + state_copies(setup.optimizer)
    samples = max(setup.batch_size, EVALUATION_SAMPLES, setup.probe)
    units = sum(outputs for _, outputs in setup.shapes.values())
    activations = 4 * setup.initialisations * samples * units
    features = sum(map(setup.features, OBSERVABLES))
    snapshots = 4 * setup.initialisations * features * steps_per_block
    order, batch = 8 * setup.steps * setup.batch_size, 4 * setup.batch_size * setup.data.pixels
    return copies * _weight_bytes(setup) + COPIES * activations + snapshots + order + batch


def _weight_bytes(setup: "NetworkSetup") -> int:
    """Bytes of all weights of one seed."""
    return 4 * setup.initialisations * sum(map(math.prod, setup.shapes.values()))
