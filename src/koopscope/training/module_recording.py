"""Trajectories of networks of any module on disk, laid out as those of fully connected ones."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from koopscope.config.models import ModelSetup
from koopscope.training.module_training import train_modules
from koopscope.training.recording import CHUNK_BYTES, flags, template, write


def record_modules(
    setup: ModelSetup,
    data: xr.Dataset,
    folder: Path,
    device: torch.device | str = "auto",
    progress: Callable[[int], object] = lambda runs: None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Train a setup and write its trajectories into an empty folder.

    Variables as of :func:`koopscope.training.recording.record`: ``weights``, ``loss``,
    ``accuracy``, ``diverged_at``, and ``probe`` if the setup says so. The coordinate ``layer`` says
    which parameter each weight is of, ``index`` which entry of it, row by row, or which of its
    random sums. Parameters and errors as there.

    Examples
    --------
    >>> import tempfile
    >>> import xarray as xr
    >>> from koopscope.config.data import DataSpec
    >>> from koopscope.config.models import ModelSetup
    >>> from koopscope.data import digits
    >>> from koopscope.training.module_recording import record_modules
    >>> setup = ModelSetup(
    ...     DataSpec("digits", "digits"), architecture="mlp", options={"hidden_widths": (4,)},
    ...     observable=("output.*",), steps=6, record_every=2, seeds=(0, 1),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record_modules(setup, digits.load(), folder, device="cpu")
    ...     found = xr.open_zarr(folder, consolidated=False, chunks=None).load()
    >>> dict(found["weights"].sizes), found["step"].values.tolist()
    ({'seed': 2, 'init': 1, 'step': 3, 'weight': 50}, [2, 4, 6])
    """
    sizes = setup.sizes
    observables = ("weights", *(["probe"] if setup.probe else []))
    widths = {name: setup.features(name) for name in observables}
    widest = 4 * setup.initialisations * max(widths.values())
    chunk = int(np.clip(CHUNK_BYTES // widest, 1, setup.states))
    layer = np.repeat(np.arange(len(sizes)), list(sizes.values()))
    index = np.concatenate([np.arange(size) for size in sizes.values()])
    coordinates = {
        "layer": ("weight", layer, flags(tuple(sizes))),
        "index": ("weight", index, {}),
    }
    group = template(setup, widths, coordinates, chunk, folder)
    write(setup, group, train_modules(setup, data, chunk, device, progress), provenance)
