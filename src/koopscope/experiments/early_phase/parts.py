"""Parts of a network whose spectra are fitted: all layers, and each asked for by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from koopscope.config.models import recorded_names
from koopscope.errors import InputError
from koopscope.experiments.early_phase.names import ALL, in_coordinates

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
    places = columns(plan.model.sizes)
    together = np.concatenate(list(places.values()))
    found = {ALL: Part(together, plan.coordinates)}
    for layer in plan.layers:
        found[layer] = Part(of_layer(layer, places), plan.coordinates)
    for other in plan.other_coordinates:
        found[in_coordinates(other)] = Part(together, other)
    return found


def columns(sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Places in a snapshot of parameters, or of the random sums in their place, by their sizes."""
    ends = np.cumsum(list(sizes.values()))
    return {
        name: np.arange(end - size, end)
        for (name, size), end in zip(sizes.items(), ends, strict=True)
    }


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
