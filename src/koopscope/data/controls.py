"""Data sets that say the same as another in other words: controls with a known answer.

[ours, not the paper's] A fully connected network with independent initial weights meets a data set
and a control of it with the same law: permuting the pixels permutes rows of its first matrix,
renaming the classes permutes columns of its last.
"""

import numpy as np
import xarray as xr

from koopscope.data import dataset

GENERATORS = {"permuted": "pixel-permutation", "relabelled": "class-derangement"}


def permute(like: xr.Dataset, seed: int) -> xr.Dataset:
    """Shuffle the pixels, the same way in every image of both splits.

    Parameters
    ----------
    like
        The data set to change, in the common form (:func:`koopscope.data.make`).
    seed
        Of the generator (``np.random.default_rng``) that draws the permutation.

    Returns
    -------
    xr.Dataset
        In the common form, with the types, labels, order of samples, ``mean`` and ``sd`` of
        ``like``.

    Raises
    ------
    InputError
        If the seed is not a whole number of at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.data import digits, permute
    >>> original = digits.load()
    >>> control = permute(original, seed=0)
    >>> [np.array_equal(control[v], original[v]) for v in ("train_images", "train_labels")]
    [False, True]
    >>> np.array_equal(np.sort(control["train_images"]), np.sort(original["train_images"]))
    True
    """
    dataset.check_seed(seed)
    order = np.random.default_rng(seed).permutation(like.sizes["pixel"])
    return _made(like.isel(pixel=order), "permuted", seed, like)


def relabel(like: xr.Dataset, seed: int) -> xr.Dataset:
    """Shuffle the names of the classes, the same way in both splits, so that none keeps its own.

    Parameters
    ----------
    like
        The data set to change, in the common form (:func:`koopscope.data.make`).
    seed
        Of the generator (``np.random.default_rng``) that draws the names, all derangements being
        equally likely.

    Returns
    -------
    xr.Dataset
        In the common form, with the images, order of samples, ``mean`` and ``sd`` of ``like``.

    Raises
    ------
    InputError
        If the seed is not a whole number of at least 0.

    Examples
    --------
    >>> from koopscope.data import digits, relabel
    >>> original = digits.load()
    >>> control = relabel(original, seed=0)
    >>> bool((control["train_images"] == original["train_images"]).all())
    True
    >>> bool((control["train_labels"] == original["train_labels"]).any())
    False
    """
    dataset.check_seed(seed)
    names = derangement(like.attrs["classes"], seed)
    labels = {v: (like[v].dims, names[like[v].values]) for v in ("train_labels", "test_labels")}
    return _made(like.assign(labels), "relabelled", seed, like)


def derangement(count: int, seed: int) -> np.ndarray:
    """Other names for 0 to ``count`` - 1, so that none keeps its own.

    Parameters
    ----------
    count
        How many, from 2 to 256.
    seed
        Of the generator (``np.random.default_rng``) that draws them, all derangements being
        equally likely.

    Returns
    -------
    np.ndarray
        Shape (count,), uint8: the name of each.

    Examples
    --------
    >>> from koopscope.data.controls import derangement
    >>> derangement(5, seed=0).tolist()
    [2, 4, 3, 0, 1]
    """
    rng = np.random.default_rng(seed)
    own = np.arange(count, dtype=np.uint8)
    names = own
    # One permutation in e is a derangement.
    while (names == own).any():
        names = rng.permutation(own)
    return names


def _made(changed: xr.Dataset, kind: str, seed: int, like: xr.Dataset) -> xr.Dataset:
    manifest = {"generator": GENERATORS[kind], "seed": int(seed), "like": like.attrs["digest"]}
    return dataset.make(
        *(changed[variable].values for variable in dataset.VARIABLES),
        kind=kind,
        manifest=manifest,
        classes=like.attrs["classes"],
        # The very same numbers, which a sum in another order would miss by rounding.
        mean=like.attrs["mean"],
        sd=like.attrs["sd"],
    )
