"""Trajectories of networks on disk: one Zarr store per setup, written as the runs go.

Dims ``(seed, init, step, weight)``, and others in place of the weights for what else is recorded. A
chunk holds all initialisations of one seed over a run of steps: a Koopman fit of a seed reads whole
chunks, and a block of snapshots writes whole chunks.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec

from koopscope.config.fit import OBSERVABLES
from koopscope.config.setup import NetworkSetup
from koopscope.training.ensemble import train
from koopscope.training.loop import Accuracy, Block, evaluation_steps
from koopscope.training.observables import recorded

if TYPE_CHECKING:
    from koopscope.config.models import ModelSetup

CHUNK_BYTES = 4 * 2**20
DIMS = ("seed", "init", "step")


def steps_per_chunk(setup: NetworkSetup) -> int:
    """Steps of a chunk: about ``CHUNK_BYTES`` of one seed's snapshots of the widest observable."""
    widest = max(map(setup.features, recorded(setup)))
    return int(np.clip(CHUNK_BYTES // (4 * setup.initialisations * widest), 1, setup.states))


def record(
    setup: NetworkSetup,
    data: xr.Dataset,
    folder: Path,
    device: str = "auto",
    progress: Callable[[int], object] = lambda runs: None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Train a setup and write its trajectories into an empty folder.

    Variables: ``weights`` (seed, init, step, weight), ``loss`` (seed, init, step; of the batch,
    before the step), ``accuracy`` (seed, init, evaluation; share of the test set),
    ``diverged_at`` (seed, init; first step that is not finite, -1 for none). Coordinates ``layer``,
    ``row`` and ``column`` say which entry of which matrix each weight is.

    Only if the setup says so: ``sketch`` (seed, init, step, feature), the k × k entries of
    :func:`koopscope.training.observables.projection`'s AᵀWB row by row, layer after layer, with the
    coordinate ``sketch_layer``; ``probe`` (seed, init, step, response), the mean loss on the probe
    samples, then their logits sample by sample. NaN where the weights are.

    Parameters
    ----------
    setup
        What to train and to record.
    data
        Data set with ``train_*`` and ``test_*`` variables (:mod:`koopscope.data`).
    folder
        Where to write; made if it is not there.
    device
        Name, as ``"cpu"`` or ``"cuda"``, or ``"auto"``.
    progress
        Called with the number of network steps done since the last call.
    provenance
        Stamp of the store, kept as JSON text in its attribute ``provenance``.

    Raises
    ------
    InputError
        See :func:`koopscope.training.ensemble.train`.
    zarr.errors.ContainsArrayError
        If the folder holds a recording already.

    Examples
    --------
    Three nearby networks of each of two seeds, for five steps:

    >>> import tempfile
    >>> import xarray as xr
    >>> from koopscope.config.data import DataSpec
    >>> from koopscope.config.setup import NetworkSetup
    >>> from koopscope.data import digits
    >>> from koopscope.training.recording import record
    >>> spec = DataSpec("digits", "digits")
    >>> setup = NetworkSetup(spec, hidden_widths=(4,), steps=5, seeds=(0, 1), initialisations=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record(setup, digits.load(), folder, device="cpu")
    ...     found = xr.open_zarr(folder, consolidated=False, chunks=None).load()
    >>> dict(found["weights"].sizes), bool((found["diverged_at"] < 0).all())
    ({'seed': 2, 'init': 3, 'step': 5, 'weight': 40}, True)
    """
    chunk = steps_per_chunk(setup)
    widths = {name: setup.features(name) for name in recorded(setup)}
    group = template(setup, widths, _coordinates(setup), chunk, folder)
    write(setup, group, train(setup, data, chunk, device, progress), provenance)


def write(
    setup: "NetworkSetup | ModelSetup",
    group: zarr.Group,
    pieces: Iterable[Block | Accuracy],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write what a training gives into a store of :func:`template`, piece by piece."""
    group.attrs["provenance"] = json.dumps(provenance or {}, sort_keys=True)
    evaluations = evaluation_steps(setup)
    diverged = np.full((len(setup.seeds), setup.initialisations), -1)
    for piece in pieces:
        if isinstance(piece, Accuracy):
            group["accuracy"][piece.seeds, :, evaluations.index(piece.step)] = piece.values
            continue
        for name, values in piece.observed.items():
            group[name][piece.seeds, :, piece.steps] = values
        group["loss"][piece.seeds, :, piece.steps] = piece.losses
        _mark(diverged[piece.seeds], piece)
    group["diverged_at"][...] = diverged


def _mark(diverged: np.ndarray, block: Block) -> None:
    bad = np.isnan(block.observed["weights"][..., 0])
    first = block.steps.start + bad.argmax(axis=2) + 1
    diverged[...] = np.where((diverged < 0) & bad.any(axis=2), first, diverged)


def template(
    setup: "NetworkSetup | ModelSetup",
    widths: Mapping[str, int],
    coordinates: Mapping[str, tuple[str, np.ndarray, Mapping[str, Any]]],
    chunk: int,
    folder: Path,
) -> zarr.Group:
    """Empty store of a setup's trajectories.

    Parameters
    ----------
    setup
        Seeds, initialisations and snapshots.
    widths
        Numbers of a snapshot by observable.
    coordinates
        Of the observables' numbers, by name: dim, values, attributes.
    chunk
        Snapshots of a chunk.
    folder
        Where to write.
    """
    sizes = (len(setup.seeds), setup.initialisations, setup.states)
    group = zarr.open_group(folder, mode="a", zarr_format=3)
    group.attrs["loss_name"] = "training loss"
    # Bytes of one place compress well together: the exponents of weights hardly change.
    packed = [BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=4)]
    single = {"dtype": "float32", "fill_value": np.nan}

    def create(name: str, shape: Iterable[int], chunks: Iterable[int], dims: Iterable[str], **kind):
        return group.create_array(
            name, shape=tuple(shape), chunks=tuple(chunks), dimension_names=tuple(dims), **kind
        )

    for name, width in widths.items():
        chunks = (1, sizes[1], chunk, width)
        dims = (*DIMS, OBSERVABLES[name])
        create(name, (*sizes, width), chunks, dims, compressors=packed, **single)
    create("loss", sizes, (1, *sizes[1:]), DIMS, compressors=packed, **single)
    evaluations = evaluation_steps(setup)
    shape = (*sizes[:2], len(evaluations))
    create("accuracy", shape, shape, (*DIMS[:2], "evaluation"), **single)
    create("diverged_at", sizes[:2], sizes[:2], DIMS[:2], dtype="int64")
    for name, values in {
        "seed": list(setup.seeds),
        "init": np.arange(sizes[1]),
        "step": np.arange(1, sizes[2] + 1) * setup.record_every,
        "evaluation": evaluations,
    }.items():
        create(name, (len(values),), (len(values),), (name,), dtype="int64")[...] = values
    for name, (dim, values, attrs) in coordinates.items():
        array = create(name, values.shape, values.shape, (dim,), dtype="int32")
        array[...] = values
        array.attrs.update(attrs)
    group.attrs["coordinates"] = " ".join(coordinates)
    return group


def _coordinates(setup: NetworkSetup) -> dict[str, tuple[str, np.ndarray, dict[str, Any]]]:
    """Which entry of which matrix each weight is, and of which layer each number of a sketch."""
    shapes = [setup.shapes[layer] for layer in setup.recorded]
    sizes = [np.prod(shape) for shape in shapes]
    found = {
        "layer": ("weight", np.repeat(np.arange(len(shapes)), sizes), flags(setup.recorded)),
        "row": ("weight", np.concatenate([np.repeat(np.arange(a), b) for a, b in shapes]), {}),
        "column": ("weight", np.concatenate([np.tile(np.arange(b), a) for a, b in shapes]), {}),
    }
    if setup.sketch:
        layers = np.repeat(np.arange(len(setup.layers)), setup.sketch**2)
        found["sketch_layer"] = "feature", layers, flags(setup.layers)
    return found


def flags(layers: tuple[str, ...]) -> dict[str, Any]:
    """Attributes that give names to the numbers of layers, by the CF conventions."""
    return {"flag_values": list(range(len(layers))), "flag_meanings": layers}
