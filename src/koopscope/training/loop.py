"""The loop of training: an ensemble's steps, block by block, with what is seen after them.

A few seeds at a time, snapshots in runs of steps; which networks there are is the caller's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
import xarray as xr

from koopscope.data.dataset import standardised
from koopscope.errors import InputError
from koopscope.training.answers import accuracy
from koopscope.training.batches import rows, sample_order

if TYPE_CHECKING:
    from koopscope.config.models import ModelSetup
    from koopscope.config.setup import NetworkSetup

# Images and labels as the networks take them, by split.
Samples = Mapping[str, tuple[torch.Tensor, torch.Tensor]]


class Networks(Protocol):
    """An ensemble as the loop knows it."""

    def descend(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One step; the losses before it, shape (seed, init)."""

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of each network for images (sample, …), shape (seed, init, sample, class)."""


# Of the networks and of their samples, an array (seed, init, feature).
Marker = Callable[[Any, Samples], torch.Tensor]


@dataclass(frozen=True)
class Block:
    """Snapshots of some seeds over some steps.

    Attributes
    ----------
    seeds, steps
        Which ones, as slices into the setup's.
    losses
        Batch loss before the step that each snapshot follows, shape (seed, init, step).
    observed
        By observable that the setup records (:mod:`koopscope.training.observables`), the weights
        among them: shape (seed, init, step, feature), single precision, NaN from a run's divergence
        on.
    """

    seeds: slice
    steps: slice
    losses: np.ndarray
    observed: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Accuracy:
    """Test accuracy of some seeds' networks after ``step`` steps, shape (seed, init)."""

    seeds: slice
    step: int
    values: np.ndarray


def evaluation_steps(setup: "NetworkSetup | ModelSetup") -> list[int]:
    """Steps after which the test accuracy is measured: the start, a regular grid, the end."""
    return sorted({*range(0, setup.steps, setup.evaluate_every), setup.steps})


def samples_of(setup: "NetworkSetup | ModelSetup", data: xr.Dataset) -> Samples:
    """Images (sample, pixel) as networks see them, and labels, of both splits.

    Raises
    ------
    InputError
        If they are of another size than the setup's.
    """
    if data.sizes["pixel"] != setup.data.pixels:
        raise InputError(
            f"data: {data.sizes['pixel']} pixels, but the setup is for {setup.data.pixels}"
        )
    return {
        split: (
            torch.as_tensor(standardised(data, split)),
            torch.as_tensor(data[f"{split}_labels"].values.astype(np.int64)),
        )
        for split in ("train", "test")
    }


def on_device(samples: Samples, device: torch.device) -> Samples:
    """Return the same on a device."""
    return {
        split: (images.to(device), labels.to(device)) for split, (images, labels) in samples.items()
    }


def run(
    setup: "NetworkSetup | ModelSetup",
    samples: Samples,
    networks_of: Callable[[Sequence[int]], Networks],
    together: int,
    steps_per_block: int,
    observe: Mapping[str, Callable[[Any], torch.Tensor]],
    markers: Mapping[str, Marker] | None = None,
    progress: Callable[[int], object] = lambda runs: None,
) -> Iterator[Block | Accuracy]:
    """Train every run of a setup and yield its snapshots as they are made.

    Parameters
    ----------
    setup
        Seeds, steps and batches.
    samples
        As the networks take them.
    networks_of
        Of seeds: their networks.
    together
        Seeds side by side.
    steps_per_block
        Snapshots in a :class:`Block`.
    observe
        Observables by name, shape (seed, init, feature) each; a run diverges where one is not
        finite.
    markers
        What else is seen at each snapshot, by name.
    progress
        Called with the number of network steps done since the last call.

    Yields
    ------
    Block or Accuracy
        Seed by seed block; within one, in the order of steps.

    Raises
    ------
    InputError
        If a batch is larger than the data set.
    """
    images, labels = samples["train"]
    device = labels.device
    evaluations = set(evaluation_steps(setup))
    for low in range(0, len(setup.seeds), together):
        chosen = slice(low, min(low + together, len(setup.seeds)))
        seeds = setup.seeds[chosen]
        networks = networks_of(seeds)
        batch_of = _batches(setup, seeds, images, labels)
        yield Accuracy(chosen, 0, _numpy(accuracy(networks, *samples["test"])))
        alive = torch.ones(len(seeds), setup.initialisations, dtype=torch.bool, device=device)
        for start in range(0, setup.states, steps_per_block):
            states = slice(start, min(start + steps_per_block, setup.states))
            shape = (len(seeds), setup.initialisations, states.stop - start)
            losses = torch.empty(shape, device=device)
            snapshots: dict[str, torch.Tensor] = {}
            for step in range(start * setup.record_every, states.stop * setup.record_every):
                at, rest = divmod(step + 1, setup.record_every)
                loss = networks.descend(*batch_of(step))
                alive &= loss.isfinite()
                progress(len(seeds) * setup.initialisations)
                if rest == 0:
                    at -= start + 1
                    losses[:, :, at] = loss
                    seen = {name: observer(networks) for name, observer in observe.items()}
                    for values in seen.values():
                        alive &= values.isfinite().all(dim=2)
                    for name, marker in (markers or {}).items():
                        seen[name] = marker(networks, samples)
                    for name, values in seen.items():
                        if name not in snapshots:
                            snapshots[name] = torch.empty((*shape, values.shape[2]), device=device)
                        finite = torch.where(alive[:, :, None], values, torch.nan)
                        snapshots[name][:, :, at] = finite
                if step + 1 in evaluations:
                    right = accuracy(networks, *samples["test"])
                    right = torch.where(alive, right, torch.nan)
                    yield Accuracy(chosen, step + 1, _numpy(right))
            arrays = {name: _numpy(values) for name, values in snapshots.items()}
            yield Block(chosen, states, _numpy(losses), arrays)


def _batches(
    setup: "NetworkSetup | ModelSetup",
    seeds: Sequence[int],
    images: torch.Tensor,
    labels: torch.Tensor,
) -> Callable[[int], tuple[torch.Tensor, torch.Tensor]]:
    """What each step shows the networks of each seed, or all samples to all of them."""
    if setup.batch_size is None:
        return lambda step: (images[None], labels[None])
    drawn = np.stack([sample_order(setup, seed, len(images)) for seed in seeds])
    orders = torch.as_tensor(drawn).to(images.device)
    return lambda step: (rows(images, orders[:, step]), labels[orders[:, step]])


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
