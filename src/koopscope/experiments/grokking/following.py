"""Train groups of runs and see, beside their weights, what tells memorising from generalising."""

from collections.abc import Callable

import torch
import xarray as xr

from koopscope.config.models import ModelSetup
from koopscope.training.answers import accuracy
from koopscope.training.loop import Samples
from koopscope.training.module_training import trained
from koopscope.training.modules import ModuleEnsemble


def follow(
    setup: ModelSetup,
    data: xr.Dataset,
    device: str = "cpu",
    progress: Callable[[int], object] = lambda steps: None,
) -> xr.Dataset:
    """Train the runs of a setup, one network a seed.

    Parameters
    ----------
    setup, data, device, progress
        As for :func:`koopscope.training.module_training.trained`.

    Returns
    -------
    xarray.Dataset
        Dims (seed, step): ``loss`` (of the training pairs, before the step), ``length`` (of all
        parameters), ``train_accuracy``, ``test_accuracy``; ``weights`` (seed, step, weight), the
        recorded parameters. NaN from a run's divergence on.
    """
    markers = {
        "length": lambda networks, samples: networks.lengths()[..., None],
        "train_accuracy": lambda networks, samples: _accuracy(networks, samples, "train"),
        "test_accuracy": lambda networks, samples: _accuracy(networks, samples, "test"),
    }
    found = trained(setup, data, device, progress, markers)
    return found[["weights", "loss", *markers]].isel(init=0, drop=True)


def _accuracy(networks: ModuleEnsemble, samples: Samples, split: str) -> torch.Tensor:
    return accuracy(networks, *samples[split])[..., None]
