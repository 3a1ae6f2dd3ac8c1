"""What is recorded of networks after each step: weights, projections of them, and answers.

Projections and answers are as many numbers for networks of any width, so that spectra can be had
of the same observable where the numbers of weights differ.
"""

from collections.abc import Callable

import numpy as np
import torch

from koopscope.config.fit import OBSERVABLES
from koopscope.config.setup import NetworkSetup
from koopscope.training.answers import responses
from koopscope.training.batches import probe_samples
from koopscope.training.networks import NetworkEnsemble

# The same for every setup, so that what is recorded can be compared.
SKETCH_SEED = 7001
LEFT, RIGHT = 1, 2

Observer = Callable[[NetworkEnsemble], torch.Tensor]


def recorded(setup: NetworkSetup) -> tuple[str, ...]:
    """Names of the observables that a setup records, the weights first."""
    return tuple(name for name in OBSERVABLES if name == "weights" or getattr(setup, name))


def observers(
    setup: NetworkSetup, images: torch.Tensor, labels: torch.Tensor
) -> dict[str, Observer]:
    """For each recorded observable, what gives it, shape (seed, init, feature).

    Parameters
    ----------
    setup
        What to record.
    images, labels
        The test set as networks see it, shapes (sample, pixel) and (sample,).

    Raises
    ------
    InputError
        If the probe is larger than the test set.
    """
    made: dict[str, Observer] = {"weights": NetworkEnsemble.snapshot}
    if setup.sketch:
        sides = {
            layer: tuple(torch.as_tensor(side).to(images) for side in projection(setup, layer))
            for layer in setup.layers
        }
        made["sketch"] = lambda networks: torch.cat(
            [networks.projected(layer, *pair).flatten(2) for layer, pair in sides.items()], dim=2
        )
    if setup.probe:
        chosen = torch.as_tensor(probe_samples(setup.probe, len(images))).to(images.device)
        probe, answers = images[chosen], labels[chosen]
        made["probe"] = lambda networks: responses(networks, probe, answers)
    return made


def projection(setup: NetworkSetup, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian matrices A (inputs, k) and B (outputs, k), whose AᵀWB is the sketch of a layer W.

    Entries have variance 1/k, so that the sum of squares of AᵀWB is on average that of W. A depends
    on the number of inputs and k alone, B on outputs, k and the layer's name: setups share them.
    """
    inputs, outputs = setup.shapes[layer]
    left = np.random.default_rng([SKETCH_SEED, LEFT, inputs])
    right = np.random.default_rng([SKETCH_SEED, RIGHT, outputs, *layer.encode()])
    spread = 1 / np.sqrt(setup.sketch)
    return (
        left.normal(0, spread, (inputs, setup.sketch)),
        right.normal(0, spread, (outputs, setup.sketch)),
    )
