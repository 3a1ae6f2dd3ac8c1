"""A synthetic twin of a data set: same size and pixel statistics, but nothing of handwriting.

[ours, not the paper's] Redman et al. (NeurIPS 2024) compare training on handwritten digits with
training on "synthetic" data whose definition was not found; this one is our own.
"""

import math

import numpy as np
import xarray as xr

from koopscope.data import dataset
from koopscope.errors import InputError

GENERATOR = "gaussian-prototypes"


def synthesize(like: xr.Dataset, difficulty: float, seed: int) -> xr.Dataset:
    """Draw a Gaussian cloud a class with the pixel means and variances of another data set.

    [ours, not the paper's] A sample of class c is, pixel by pixel and without clipping::

        x = mean + sd * (sqrt(1 - difficulty) * prototype_c + sqrt(difficulty) * noise)

    with ``mean`` and ``sd`` over the training images of ``like``, standard normal noise, and
    prototypes that are drawn standard normal and then standardised over the classes in each
    pixel. So each pixel has the mean and variance of ``like`` in expectation, at any difficulty,
    but pixels of one class are independent.

    In p varying pixels two prototypes lie about ``sqrt(2 p (1 - difficulty) / difficulty)``
    standard deviations of noise apart. So with MNIST's 717 varying pixels a difficulty of 0.5
    still leaves the classes far apart, and only above about 0.99 do they overlap.

    Parameters
    ----------
    like
        The data set to imitate, in the common form (:func:`koopscope.data.make`).
    difficulty
        Share of each pixel's variance that says nothing about the class, in [0, 1).
    seed
        Of one generator (``np.random.default_rng``) that draws prototypes, labels and noise.

    Returns
    -------
    xr.Dataset
        In the common form, float32, in the unit of ``like``, with as many pixels, training and
        test samples; classes are balanced (sizes differ by one at most) and in random order.
        ``mean`` and ``sd`` are those of its own training images.

    Raises
    ------
    InputError
        If the difficulty is not in [0, 1), or the seed is not a whole number of at least 0.

    Examples
    --------
    >>> from koopscope.data import digits, synthesize
    >>> original = digits.load()
    >>> twin = synthesize(original, difficulty=0.5, seed=0)
    >>> twin.sizes == original.sizes, twin["train_images"].dtype.name
    (True, 'float32')
    >>> bool(abs(twin["train_images"].mean() - original["train_images"].mean()) < 0.5)
    True
    """
    if not 0 <= difficulty < 1:
        raise InputError(f"difficulty: {difficulty} is not in [0, 1)")
    dataset.check_seed(seed)
    images = like["train_images"].values
    mean, sd = images.mean(axis=0, dtype=np.float64), images.std(axis=0, dtype=np.float64)
    rng = np.random.default_rng(seed)
    prototypes = rng.standard_normal((like.attrs["classes"], len(mean)))
    prototypes = (prototypes - prototypes.mean(axis=0)) / prototypes.std(axis=0)
    centres = (mean + sd * math.sqrt(1 - difficulty) * prototypes).astype(np.float32)
    spread = (sd * math.sqrt(difficulty)).astype(np.float32)
    arrays: list[np.ndarray] = []
    for split in dataset.SPLITS:
        arrays += _draw(rng, like.sizes[f"{split}_sample"], centres, spread)
    manifest = {
        "generator": GENERATOR,
        "difficulty": float(difficulty),
        "seed": int(seed),
        "like": like.attrs["digest"],
    }
    return dataset.make(*arrays, kind="synthetic", manifest=manifest, classes=like.attrs["classes"])


def _draw(
    rng: np.random.Generator, samples: int, centres: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.permutation(np.arange(samples) % len(centres)).astype(np.uint8)
    images = rng.standard_normal((samples, len(spread)), dtype=np.float32)
    images *= spread
    # Class by class: a table of every sample's centre would be as large as the images.
    for label, centre in enumerate(centres):
        images[labels == label] += centre
    return images, labels
