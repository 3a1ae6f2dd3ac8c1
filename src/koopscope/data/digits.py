"""The small handwritten digits that scikit-learn brings along: for smoke tests, never a download.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository (1998), its test part, as bundled with scikit-learn.
"""

import hashlib

import numpy as np
import xarray as xr
from sklearn.datasets import load_digits

from koopscope.data import dataset

SPLIT_SEED = 0
TRAIN_SAMPLES = 1437


def load() -> xr.Dataset:
    """1,797 images of 8×8 pixels with values 0 to 16, split once and for all.

    A permutation drawn by ``np.random.default_rng(0)`` orders the samples; the first 1,437 (80 %)
    train, the other 360 test. The source has no split of its own, and the same writers are in both
    parts, so test accuracy here says less than on MNIST.

    Returns
    -------
    xr.Dataset
        In the common form (:func:`koopscope.data.make`), uint8; ``mean`` and ``sd`` are those of
        the training images. The manifest holds the SHA-256 of images and labels as bundled (as
        bytes, in their order) and the split.
    """
    images, labels = (array.astype(np.uint8) for array in load_digits(return_X_y=True))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    train, test = order[:TRAIN_SAMPLES], order[TRAIN_SAMPLES:]
    manifest = {
        "source": "sklearn.datasets.load_digits",
        "images_sha256": hashlib.sha256(images.tobytes()).hexdigest(),
        "labels_sha256": hashlib.sha256(labels.tobytes()).hexdigest(),
        "split": {"seed": SPLIT_SEED, "train_samples": TRAIN_SAMPLES},
    }
    return dataset.make(
        images[train], labels[train], images[test], labels[test], kind="digits", manifest=manifest
    )
