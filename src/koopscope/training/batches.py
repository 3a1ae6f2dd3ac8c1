"""What a seed fixes: the initial weights and the order of the samples.

Drawn with NumPy on the processor, so that every device sees the same numbers, and from one stream
each, so that neither changes when the other is asked for more.
"""

from typing import TYPE_CHECKING

import numpy as np

from koopscope.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from koopscope.config.models import ModelSetup
    from koopscope.config.setup import NetworkSetup

WEIGHTS, CLOUD, ORDER = 0, 1, 2
# The same for every setup, so that what is recorded can be compared.
PROBE_SEED = 7002
# Samples that are shown at once where networks are only asked.
EVALUATION_SAMPLES = 1000


def initial_weights(setup: "NetworkSetup", seed: int) -> dict[str, np.ndarray]:
    """Initial weight matrices of one seed's networks by layer.

    One network is drawn as PyTorch draws linear layers, U(-1, 1)/√inputs; the others are that one
    times ``1 + perturbation_scale · U(-1, 1)``, weight by weight (Redman et al. 2024).

    Returns
    -------
    dict of numpy.ndarray
        Shape (init, inputs, outputs) each, single precision.
    """
    drawn, cloud = np.random.default_rng([seed, WEIGHTS]), np.random.default_rng([seed, CLOUD])
    weights = {}
    for layer, (inputs, outputs) in setup.shapes.items():
        first = drawn.uniform(-1, 1, (inputs, outputs)) / np.sqrt(inputs)
        size = (setup.initialisations - 1, inputs, outputs)
        others = first * (1 + setup.perturbation_scale * cloud.uniform(-1, 1, size))
        weights[layer] = np.concatenate([first[None], others]).astype(np.float32)
    return weights


def sample_order(setup: "NetworkSetup | ModelSetup", seed: int, samples: int) -> np.ndarray:
    """Indices of the samples of each batch, shape (steps, batch).

    Each epoch is a new permutation (or the stored order without ``shuffle``); samples that do not
    fill a batch at its end are left out, so that every step sees as many.

    Raises
    ------
    InputError
        If a batch is larger than the data set.
    """
    size = setup.batch_size or samples
    per_epoch = samples // size
    if per_epoch == 0:
        raise InputError(f"batch_size: {size} is more than the {samples} training samples")
    rng = np.random.default_rng([seed, ORDER])
    epochs = []
    for _ in range(-(-setup.steps // per_epoch)):
        order = rng.permutation(samples) if setup.shuffle else np.arange(samples)
        epochs.append(order[: per_epoch * size].reshape(per_epoch, size))
    return np.concatenate(epochs)[: setup.steps]


def probe_samples(count: int, samples: int) -> np.ndarray:
    """Places of ``count`` fixed samples in a test set, the same in every set of that size.

    Raises
    ------
    InputError
        If the set has fewer.
    """
    if count > samples:
        raise InputError(f"probe: {count} is more than the {samples} test samples")
    return np.random.default_rng(PROBE_SEED).permutation(samples)[:count]


def rows(images: "Tensor", at: "Tensor") -> "Tensor":
    """``images[at]`` for integers: whole rows are copied in half the time that indexing takes."""
    return images.index_select(0, at.flatten()).unflatten(0, at.shape)
