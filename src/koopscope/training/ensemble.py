"""Train an ensemble of fully connected networks: a few seeds at a time, as many as fit."""

from collections.abc import Callable, Iterator, Sequence

import torch
import xarray as xr

from koopscope.config.setup import NetworkSetup
from koopscope.training.batches import initial_weights
from koopscope.training.devices import choose_device
from koopscope.training.loop import Accuracy, Block, on_device, run, samples_of
from koopscope.training.memory import seeds_per_block
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.observables import observers


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
    samples = on_device(samples_of(setup, data), device)
    observe = observers(setup, *samples["test"])

    def networks_of(seeds: Sequence[int]) -> NetworkEnsemble:
        return NetworkEnsemble(setup, [initial_weights(setup, seed) for seed in seeds], device)

    together = seeds_per_block(setup, steps_per_block, device)
    yield from run(
        setup, samples, networks_of, together, steps_per_block, observe, progress=progress
    )
