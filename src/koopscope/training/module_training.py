"""Train an ensemble of any module, as :mod:`koopscope.training.ensemble` does its own networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr

from koopscope.config.models import ModelSetup
from koopscope.training.answers import responses
from koopscope.training.architectures import build
from koopscope.training.batches import EVALUATION_SAMPLES, probe_samples
from koopscope.training.devices import choose_device
from koopscope.training.loop import Accuracy, Block, Marker, on_device, run
from koopscope.training.memory import COPIES, GPU_SHARE
from koopscope.training.modules import ModuleEnsemble
from koopscope.training.one_module import computed_together, inputs_of, units_of
from koopscope.training.optimizers import state_copies

# Bytes of weights that train side by side on a processor, and of what they give on a batch where
# they are computed at once: more would not stay in its cache from one pass to the next.
CACHE_BYTES, ACTIVE_BYTES = 16 * 2**20, 4 * 2**20


def train_modules(
    setup: ModelSetup,
    data: xr.Dataset,
    steps_per_block: int,
    device: torch.device | str = "auto",
    progress: Callable[[int], object] = lambda runs: None,
    markers: Mapping[str, Marker] | None = None,
) -> Iterator[Block | Accuracy]:
    """Train every run of a setup and yield its snapshots as they are made.

    Parameters
    ----------
    setup
        What to train.
    data
        Data set with ``train_*`` and ``test_*`` variables (:mod:`koopscope.data`).
    steps_per_block
        Snapshots in a :class:`~koopscope.training.loop.Block`.
    device
        Name or device.
    progress
        Called with the number of network steps done since the last call.
    markers
        What else is seen at each snapshot, by name: functions of the networks
        (:class:`~koopscope.training.modules.ModuleEnsemble`) and of their samples (images, labels)
        by split, that give an array (seed, init, feature).

    Yields
    ------
    Block or Accuracy
        Seed by seed block; within one, in the order of steps.

    Raises
    ------
    InputError
        If the data do not fit the setup, a batch or the probe is larger than its data set, or the
        module cannot be trained in an ensemble.

    Examples
    --------
    Small networks with bias on the digits, four seeds:

    >>> from koopscope.config.data import DataSpec
    >>> from koopscope.config.models import ModelSetup
    >>> from koopscope.data import digits
    >>> from koopscope.training.module_training import train_modules
    >>> setup = ModelSetup(
    ...     DataSpec("digits", "digits"), architecture="mlp", options={"hidden_widths": (5,)},
    ...     optimizer="adam", learning_rate=0.01, steps=6, record_every=2, seeds=(0, 1, 2, 3),
    ... )
    >>> *_, last = train_modules(setup, digits.load(), steps_per_block=3, device="cpu")
    >>> last.observed["weights"].shape
    (4, 1, 3, 385)
    """
    device = choose_device(device) if isinstance(device, str) else device
    samples = on_device(inputs_of(setup, data), device)
    observe: dict[str, Callable[[ModuleEnsemble], torch.Tensor]] = {
        "weights": ModuleEnsemble.snapshot
    }
    if setup.probe:
        chosen = torch.as_tensor(probe_samples(setup.probe, len(samples["test"][1]))).to(device)
        images, labels = (part[chosen] for part in samples["test"])
        observe["probe"] = lambda networks: responses(networks, images, labels, setup.loss)

    def networks_of(seeds: Sequence[int]) -> ModuleEnsemble:
        return ModuleEnsemble(setup, seeds, device)

    together = seeds_together(setup, steps_per_block, device)
    yield from run(
        setup, samples, networks_of, together, steps_per_block, observe, markers, progress
    )


def trained(
    setup: ModelSetup,
    data: xr.Dataset,
    device: torch.device | str = "auto",
    progress: Callable[[int], object] = lambda runs: None,
    markers: Mapping[str, Marker] | None = None,
) -> xr.Dataset:
    """Trajectories of a setup, held in memory; parameters and errors as of :func:`train_modules`.

    Returns
    -------
    xarray.Dataset
        Dims ``(seed, init, step, …)``, coordinate ``step`` after which a snapshot was taken:
        ``weights`` (…, weight), ``loss`` (of the batch, before the step), each of the markers (…,
        its name with ``_feature``; without that dim where it is a single number), and ``probe``
        (…, response) if it is recorded. ``accuracy`` (seed, init, evaluation). ``diverged_at``
        (seed, init), the first snapshot that is not known, −1 for none.
    """
    shape = len(setup.seeds), setup.initialisations, setup.states
    losses = np.full(shape, np.nan, np.float32)
    found: dict[str, np.ndarray] = {}
    accuracy: dict[int, np.ndarray] = {}
    for piece in train_modules(setup, data, setup.states, device, progress, markers):
        if isinstance(piece, Accuracy):
            of_step = accuracy.setdefault(piece.step, np.full(shape[:2], np.nan))
            of_step[piece.seeds] = piece.values
            continue
        losses[piece.seeds, :, piece.steps] = piece.losses
        for name, values in piece.observed.items():
            if name not in found:
                found[name] = np.full((*shape, values.shape[3]), np.nan, np.float32)
            found[name][piece.seeds, :, piece.steps] = values
    dims = ("seed", "init", "step")
    of_feature = {"weights": "weight", "probe": "response"}
    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {"loss": (dims, losses)}
    for name, values in found.items():
        if name not in of_feature and values.shape[3] == 1:
            variables[name] = dims, values[..., 0]
        else:
            variables[name] = (*dims, of_feature.get(name, f"{name}_feature")), values
    unknown = np.isnan(found["weights"]).any(axis=3)
    diverged = np.where(unknown.any(axis=2), unknown.argmax(axis=2), -1)
    variables["diverged_at"] = dims[:2], diverged
    variables["accuracy"] = (*dims[:2], "evaluation"), np.stack(list(accuracy.values()), axis=2)
    return xr.Dataset(
        variables,
        coords={
            "seed": list(setup.seeds),
            "step": np.arange(1, setup.states + 1) * setup.record_every,
            "evaluation": list(accuracy),
        },
    )


def seeds_together(setup: ModelSetup, steps_per_block: int, device: torch.device) -> int:
    """Seeds to train side by side: of small networks many, or as many as a GPU's memory takes."""
    weights = 4 * setup.initialisations * setup.parameters
    if device.type != "cuda":
        fit = CACHE_BYTES // weights
        if computed_together(setup, build(setup, setup.seeds[0])):
            active = 4 * setup.initialisations * setup.batch * units_of(setup)
            fit = min(fit, ACTIVE_BYTES // active)
        return int(max(1, min(len(setup.seeds), fit)))
    samples = max(setup.batch, EVALUATION_SAMPLES, setup.probe)
    activations = 4 * setup.initialisations * samples * units_of(setup)
    snapshots = weights * steps_per_block
    needed = (COPIES + state_copies(setup.optimizer)) * weights + COPIES * activations + snapshots
    free = torch.cuda.mem_get_info(device)[0]
    return int(max(1, min(len(setup.seeds), GPU_SHARE * free // needed)))
