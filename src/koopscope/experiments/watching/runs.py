"""Training runs as a monitor sees them: sketches of the weights, beside losses and accuracies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.config.setup import NetworkSetup
from koopscope.data.dataset import standardised
from koopscope.errors import InputError
from koopscope.experiments.watching.names import PLAIN
from koopscope.experiments.watching.starts import initial_weights
from koopscope.recording.sketch import Sketch
from koopscope.training.answers import log_likelihood
from koopscope.training.batches import EVALUATION_SAMPLES, rows, sample_order
from koopscope.training.devices import choose_device
from koopscope.training.memory import seeds_per_block
from koopscope.training.models import build
from koopscope.training.networks import NetworkEnsemble
from koopscope.training.single import sgd

# Random stream of the split, the same for all seeds.
SPLIT = 41
PARTS = ("train", "validation", "test")
Samples = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long runs are, how often they are looked at, and on how many samples.

    Attributes
    ----------
    epochs
        Length of each run.
    snapshots_per_epoch
        Sketches an epoch; one more at the start.
    train_samples, validation_samples, test_samples
        Numbers of samples; validation samples are taken from the training set.
    projection
        Size of the sketch.
    """

    epochs: int
    snapshots_per_epoch: int
    train_samples: int
    validation_samples: int
    test_samples: int
    projection: int | None = 4096


def split(data: xr.Dataset, schedule: Schedule, device: torch.device) -> dict[str, Samples]:
    """Images (sample, pixel) and labels of each of ``PARTS``, drawn once and for all.

    Raises
    ------
    InputError
        If the data set has too few samples.
    """
    rng = np.random.default_rng(SPLIT)
    asked = {
        "train": schedule.train_samples + schedule.validation_samples,
        "test": schedule.test_samples,
    }
    found = {}
    for name, count in asked.items():
        there = data.sizes[f"{name}_sample"]
        if count > there:
            raise InputError(
                f"{name}: {count} samples are asked for, but the data set has {there}; give fewer"
            )
        chosen = rng.permutation(there)[:count]
        images = torch.as_tensor(standardised(data, name)[chosen]).to(device)
        labels = data[f"{name}_labels"].values[chosen].astype(np.int64)
        found[name] = images, torch.as_tensor(labels).to(device)
    images, labels = found["train"]
    at = schedule.train_samples
    return {
        "train": (images[:at], labels[:at]),
        "validation": (images[at:], labels[at:]),
        "test": found["test"],
    }


def steps_between(schedule: Schedule, batch_size: int) -> np.ndarray:
    """Steps done at each snapshot of an epoch, the last one the epoch's; shape (snapshots,).

    Raises
    ------
    InputError
        If an epoch has fewer steps than snapshots.
    """
    per_epoch = schedule.train_samples // batch_size
    if per_epoch < schedule.snapshots_per_epoch:
        raise InputError(
            f"snapshots_per_epoch: {schedule.snapshots_per_epoch}, but an epoch has {per_epoch} "
            "steps; give fewer snapshots or more training samples"
        )
    return np.round(np.linspace(0, per_epoch, schedule.snapshots_per_epoch + 1)).astype(int)[1:]


def train_ensemble(
    setup: NetworkSetup,
    starts: tuple[str, ...],
    data: xr.Dataset,
    schedule: Schedule,
    device: torch.device | str = "auto",
    progress: Callable[[int], object] = lambda done: None,
) -> xr.Dataset:
    """Train fully connected networks of several starts and seeds as one batch.

    Parameters
    ----------
    setup
        Architecture, optimiser, batch size and seeds; steps and initialisations follow from the
        other arguments.
    starts
        Kinds of :func:`koopscope.experiments.watching.starts.initial_weights`; a seed's starts see
        the same batches.
    data
        In the common form (:mod:`koopscope.data`).
    schedule
        Length and snapshots.
    device
        Name or device.
    progress
        Called with the number of runs × epochs done since the last call.

    Returns
    -------
    xarray.Dataset
        Dims ``run`` (coordinates ``seed`` and ``start``), ``snapshot`` (coordinate ``step``),
        ``epoch`` (0 for the start) and ``feature``. ``sketch`` (run, snapshot, feature);
        ``train_loss`` (run, snapshot), mean over the batches since the snapshot before (of the
        first batch at the start); ``gradient_norm`` (run, snapshot), length of the gradient, mean
        over the same batches;
        ``validation_loss``, ``validation_accuracy``, ``test_loss``, ``test_accuracy`` (run, epoch).
        NaN from where a run is not finite.
    """
    device = choose_device(device) if isinstance(device, str) else device
    parts = split(data, schedule, device)
    setup = _adjusted(setup, starts, schedule)
    mean = parts["train"][0].mean(dim=0).cpu().numpy()
    together = seeds_per_block(setup, 1, device)
    found = []
    for low in range(0, len(setup.seeds), together):
        seeds = setup.seeds[low : low + together]
        weights = [initial_weights(setup, starts, seed, mean) for seed in seeds]
        networks = NetworkEnsemble(setup, weights, device)
        order = np.stack([sample_order(setup, seed, schedule.train_samples) for seed in seeds])
        runs = _Ensemble(networks, parts, torch.as_tensor(order).to(device))
        found.append(_recorded(runs, setup.batch_size, schedule, progress))
    return _joined(found, setup.seeds, starts, schedule, setup.batch_size)


def train_models(
    model: str,
    setup: NetworkSetup,
    data: xr.Dataset,
    schedule: Schedule,
    progress: Callable[[int], object] = lambda done: None,
) -> xr.Dataset:
    """Train networks of :mod:`koopscope.training.models` one after another on the processor.

    Parameters
    ----------
    model
        Name in :data:`koopscope.training.names.MODELS`; its images have the data's size.
    setup
        Learning rate, momentum and batch size of SGD; seeds, each of which draws the initial
        weights and the order of the samples.
    data, schedule, progress
        As for :func:`train_ensemble`.

    Returns
    -------
    xarray.Dataset
        As :func:`train_ensemble` gives it, all starts being ``plain``.
    """
    parts = split(data, schedule, torch.device("cpu"))
    found = []
    for seed in setup.seeds:
        runs = _Model(build(model, seed), parts, setup, seed)
        found.append(_recorded(runs, setup.batch_size, schedule, progress))
    return _joined(found, setup.seeds, (PLAIN,), schedule, setup.batch_size)


class _Ensemble:
    """Networks that train as one batch: what the recording needs to know of them."""

    def __init__(
        self, networks: NetworkEnsemble, parts: Mapping[str, Samples], order: torch.Tensor
    ) -> None:
        self.networks, self.parts, self.order = networks, parts, order
        self.runs, self.steps = networks.seeds * networks.inits, 0

    def weights(self) -> torch.Tensor:
        """All weights, shape (run, weight)."""
        return self.networks.snapshot().flatten(0, 1)

    def descend(self) -> torch.Tensor:
        """One step; losses before it and lengths of the gradients, shape (2, run)."""
        images, labels = self.parts["train"]
        batch = self.order[:, self.steps]
        self.steps += 1
        seen = rows(images, batch)
        losses, *gradients = self.networks.gradients(seen, labels[batch])
        norms = self.networks.gradient_norms(seen, *gradients)
        self.networks.update(seen, *gradients)
        return torch.stack([losses.flatten(), norms.flatten()])

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Shape (run, sample, class)."""
        return self.networks.logits(images).flatten(0, 1)


class _Model:
    """A single network: what the recording needs to know of it."""

    runs = 1

    def __init__(
        self, model: nn.Module, parts: Mapping[str, Samples], setup: NetworkSetup, seed: int
    ) -> None:
        self.model, self.parts = model, parts
        self.optimizer = sgd(model, setup.learning_rate, setup.momentum or 0.0, nesterov=False)
        self.batches = self._batches(setup.batch_size, np.random.default_rng([seed, 2]))

    def _batches(self, size: int, rng: np.random.Generator) -> Iterator[torch.Tensor]:
        samples = len(self.parts["train"][0])
        while True:
            order = torch.as_tensor(rng.permutation(samples)[: samples // size * size])
            yield from order.split(size)

    def weights(self) -> torch.Tensor:
        """All parameters, shape (1, weight)."""
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])[None]

    def descend(self) -> torch.Tensor:
        """One step; loss before it and length of the gradient, shape (2, 1)."""
        images, labels = self.parts["train"]
        batch = next(self.batches)
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self._answers(images[batch]), labels[batch])
        loss.backward()
        norms = [torch.linalg.vector_norm(p.grad) for p in self.model.parameters()]
        self.optimizer.step()
        return torch.stack([loss.detach(), torch.linalg.vector_norm(torch.stack(norms))])[:, None]

    @torch.no_grad()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Shape (1, sample, class)."""
        return self._answers(images)[None]

    def _answers(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images.reshape(len(images), 1, 28, 28))


def _adjusted(setup: NetworkSetup, starts: tuple[str, ...], schedule: Schedule) -> NetworkSetup:
    steps = schedule.epochs * (schedule.train_samples // setup.batch_size)
    return replace(setup, steps=steps, initialisations=len(starts), observable=("all",))


def _recorded(
    runs: _Ensemble | _Model,
    batch_size: int,
    schedule: Schedule,
    progress: Callable[[int], object],
) -> dict[str, np.ndarray]:
    """Arrays of :func:`train_ensemble`, run first."""
    ends = steps_between(schedule, batch_size)
    weights = runs.weights()
    sketch = Sketch(weights.shape[1], schedule.projection)
    sketches, tested = [sketch.of_runs(weights)], [_tested(runs)]
    measured: list[np.ndarray] = []
    for _ in range(schedule.epochs):
        at = 0
        for end in ends:
            batches = [runs.descend() for _ in range(at, end)]
            at = end
            sketches.append(sketch.of_runs(runs.weights()))
            if not measured:
                measured.append(batches[0].cpu().numpy())
            measured.append(torch.stack(batches).mean(dim=0).cpu().numpy())
        tested.append(_tested(runs))
        progress(runs.runs)
    losses, norms = np.stack(measured, axis=2)
    arrays = {
        "sketch": np.stack(sketches, axis=1),
        "gradient_norm": norms,
        "train_loss": losses,
    }
    alive = np.isfinite(arrays["sketch"]).all(axis=2)
    alive &= np.isfinite(arrays["train_loss"]) & np.isfinite(arrays["gradient_norm"])
    alive = np.logical_and.accumulate(alive, axis=1)
    for name, values in arrays.items():
        values[~alive] = np.nan
        arrays[name] = values.astype(np.float32)
    at_epochs = alive[:, :: schedule.snapshots_per_epoch]
    for name in tested[0]:
        values = np.stack([part[name] for part in tested], axis=1)
        arrays[name] = np.where(at_epochs, values, np.nan).astype(np.float32)
    return arrays


@torch.no_grad()
def _tested(runs: _Ensemble | _Model) -> dict[str, np.ndarray]:
    found = {}
    for name in ("validation", "test"):
        loss = right = 0
        images, labels = runs.parts[name]
        for part, truth in zip(
            images.split(EVALUATION_SAMPLES), labels.split(EVALUATION_SAMPLES), strict=True
        ):
            logits = runs.logits(part)
            chosen = log_likelihood(logits)[:, truth, torch.arange(len(truth))]
            loss = loss - chosen.sum(dim=1)
            right = right + (logits.argmax(dim=2) == truth).sum(dim=1)
        found[f"{name}_loss"] = (loss / len(labels)).cpu().numpy()
        found[f"{name}_accuracy"] = (right / len(labels)).cpu().numpy()
    return found


def _joined(
    found: Sequence[dict[str, np.ndarray]],
    seeds: Sequence[int],
    starts: tuple[str, ...],
    schedule: Schedule,
    batch_size: int,
) -> xr.Dataset:
    dims = {"sketch": ("run", "snapshot", "feature")}
    dims |= dict.fromkeys(("train_loss", "gradient_norm"), ("run", "snapshot"))
    ends = steps_between(schedule, batch_size)
    epochs = np.arange(schedule.epochs)[:, None] * ends[-1]
    return xr.Dataset(
        {
            name: (dims.get(name, ("run", "epoch")), np.concatenate([f[name] for f in found]))
            for name in found[0]
        },
        coords={
            "seed": ("run", np.repeat(seeds, len(starts))),
            "start": ("run", np.tile(np.array(starts, dtype=object), len(seeds))),
            "step": ("snapshot", np.concatenate([[0], (epochs + ends).ravel()])),
            "epoch": np.arange(schedule.epochs + 1),
        },
        attrs={
            "snapshots_per_epoch": schedule.snapshots_per_epoch,
            "steps_per_epoch": int(ends[-1]),
        },
    )
