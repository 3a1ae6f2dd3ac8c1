"""Train a network that is to be pruned, and keep what pruning after each epoch needs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import xarray as xr
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots, window
from koopscope.recording.weights import prunable
from koopscope.training.models import build
from koopscope.training.single import batches, samples, sgd, train_epoch

if TYPE_CHECKING:
    from koopscope.experiments.pruning.protocol import Protocol

CPU = torch.device("cpu")
# Random stream of a seed; see also the streams of training.batches.
ORDER = 30


def record_epochs(
    protocol: "Protocol",
    data: xr.Dataset,
    seed: int,
    folder: Path,
    device: torch.device = CPU,
    progress: Callable[[int], object] = lambda done: None,
) -> None:
    """Train a network, and record the epochs that end in pruning.

    Leaves for each of them in ``folder`` the snapshots after every batch, ``epoch-K.zarr``
    (:class:`Recorder`), and the network at its end, ``epoch-K.pt`` (its state by name).

    Parameters
    ----------
    protocol
        Of which its training part is used.
    data
        In the common form (:mod:`koopscope.data`).
    seed
        Draws the initial weights and the order of the samples.
    folder
        Must exist.
    device
        Where to train.
    progress
        Called with 1 after each epoch.
    """
    model = new_network(protocol.model, seed, device)
    split = samples(data.isel(train_sample=slice(protocol.train_samples)), model).to(device)
    optimizer = sgd(model, protocol.learning_rate, protocol.momentum)
    for epoch in range(1, protocol.epochs[-1] + 1):
        order = batches(split.train, protocol.batch_size, seed, ORDER, epoch)
        if epoch in protocol.epochs:
            store = folder / f"epoch-{epoch}.zarr"
            weights = included(model, protocol.classifier)
            with Recorder(model, store, optimizer, include=weights):
                train_epoch(model, optimizer, order)
            torch.save(model.state_dict(), folder / f"epoch-{epoch}.pt")
        else:
            train_epoch(model, optimizer, order)
        progress(1)


def recorded_epoch(
    name: str, folder: Path, epoch: int, device: torch.device = CPU
) -> tuple[nn.Module, xr.DataArray]:
    """Open what :func:`record_epochs` left of an epoch: the network at its end, and the window.

    Raises
    ------
    InputError
        If the epoch was not recorded, or the recording is of another network.
    """
    model = network_after(name, folder, epoch, device)
    return model, window(open_snapshots(folder / f"epoch-{epoch}.zarr", model))


def network_after(name: str, folder: Path, epoch: int, device: torch.device = CPU) -> nn.Module:
    """Network at the end of an epoch, alone.

    Raises
    ------
    InputError
        If the epoch was not recorded.
    """
    state = folder / f"epoch-{epoch}.pt"
    if not state.exists():
        raise InputError(f"{state}: no such file; record epoch {epoch} first")
    model = new_network(name, 0, device)
    model.load_state_dict(torch.load(state, weights_only=True, map_location=device))
    return model


def new_network(name: str, seed: int, device: torch.device = CPU) -> nn.Module:
    """Network of a name with the initial weights of a seed."""
    # Channels last: 1.4 × as fast on a processor. Not in `build`, since PyTorch's own pruning
    # flattens parameters in a way that needs the usual order.
    return build(name, seed).to(device, memory_format=torch.channels_last)


def included(model: nn.Module, classifier: bool) -> list[str]:
    """Names of the weights that are recorded and pruned, perhaps the classifier's too."""
    return [name for name in prunable(model) if classifier or name != model.classifier]
