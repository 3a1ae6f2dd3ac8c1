"""Parts of a network whose spectra are fitted: all layers, and each asked for by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from koopscope.config.models import ModelSetup, recorded_names
from koopscope.errors import InputError
from koopscope.experiments.early_phase.names import ALL, in_coordinates
from koopscope.training.architectures import build

if TYPE_CHECKING:
    from koopscope.experiments.early_phase.plan import EarlyPhase


@dataclass(frozen=True)
class Part:
    """Some of the recorded numbers, and the coordinates in which they are fitted."""

    columns: np.ndarray
    coordinates: str


def parts_of(plan: "EarlyPhase") -> dict[str, Part]:
    """Parts by name: all layers, each layer, all layers in other coordinates.

    Raises
    ------
    InputError
        If a layer is no recorded parameter, which of a module of the user's own is not known
        before it is built.
    """
    places = columns(plan.model, build(plan.model, plan.model.seeds[0]))
    together = np.concatenate(list(places.values()))
    found = {ALL: Part(together, plan.coordinates)}
    for layer in plan.layers:
        found[layer] = Part(of_layer(layer, places), plan.coordinates)
    for other in plan.other_coordinates:
        found[in_coordinates(other)] = Part(together, other)
    return found


def columns(setup: ModelSetup, module: nn.Module) -> dict[str, np.ndarray]:
    """Places in a snapshot of each recorded parameter, or of the random sums in its place."""
    sizes = {name: values.numel() for name, values in module.named_parameters()}
    found, start = {}, 0
    for name in recorded_names(sizes, setup.observable):
        count = min(setup.sketch, sizes[name]) if setup.sketch else sizes[name]
        found[name] = np.arange(start, start + count)
        start += count
    return found


def of_layer(layer: str, places: Mapping[str, np.ndarray]) -> np.ndarray:
    """Places of the parameters that a name or pattern means."""
    names = recorded_names(places, (layer,))
    if not names:
        raise InputError(
            f"layers: {layer} is no recorded parameter; give some of {', '.join(places)}, or "
            "patterns"
        )
    return np.concatenate([places[name] for name in names])


def gradient_lengths(networks: object, samples: object) -> torch.Tensor:
    """Marker of a training: the length of each network's gradient, shape (seed, init, 1)."""
    del samples
    return networks.gradient_lengths()[:, :, None]  # type: ignore[attr-defined]
