"""The form that every data set has: images and labels for training and testing, with a digest.

Images are stored as they came (bytes, or float32 if they were drawn), one row a sample, so that
the digest speaks of the data and not of a way to scale them. The two numbers that scale them for
a network, ``mean`` and ``sd``, are attributes.
"""

import hashlib
import math
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import xarray as xr

from koopscope.artefacts.provenance import canonical
from koopscope.config.data import CLASSES
from koopscope.errors import InputError, whole_number

SPLITS = ("train", "test")
# The digest runs over the variables in this order.
VARIABLES = {
    f"{split}_{what}": (f"{split}_sample", *inner)
    for split in SPLITS
    for what, inner in (("images", ("pixel",)), ("labels", ()))
}
ATTRIBUTES = ("kind", "classes", "mean", "sd", "manifest", "digest")
IMAGE_TYPES = ("uint8", "float32")
# A label is one byte.
MOST_CLASSES = 256


def make(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    *,
    kind: str,
    manifest: Mapping[str, Any],
    classes: int = CLASSES,
    mean: float | None = None,
    sd: float | None = None,
) -> xr.Dataset:
    """Put four arrays into the common form.

    Parameters
    ----------
    train_images, test_images
        Shape (sample, pixel), uint8 or float32, in the unit of their source.
    train_labels, test_labels
        Shape (sample,), uint8, each below ``classes``.
    kind
        As in :class:`koopscope.config.data.DataSpec`.
    manifest
        Where the data come from, as JSON values: digests of raw files, or a generator's name and
        parameters.
    classes
        Number of classes, from 2 to 256.
    mean, sd
        A network sees ``(x - mean) / sd``; in the unit of the images. By default those of all
        pixels of all training images.

    Returns
    -------
    xr.Dataset
        Variables ``train_images (train_sample, pixel)``, ``train_labels (train_sample)``,
        ``test_images (test_sample, pixel)``, ``test_labels (test_sample)``; attributes ``kind``,
        ``classes``, ``mean``, ``sd``, ``manifest`` (JSON text) and ``digest``
        (:func:`dataset_digest`).

    Raises
    ------
    InputError
        If there cannot be so many classes, or the arrays do not fit together; see :func:`check`.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.data import make
    >>> images = np.array([[0, 2], [4, 6]], dtype=np.uint8)
    >>> labels = np.array([3, 7], dtype=np.uint8)
    >>> ds = make(images, labels, images, labels, kind="digits", manifest={"drawn": "by hand"})
    >>> dict(ds.sizes), ds.attrs["mean"], round(ds.attrs["sd"], 6)
    ({'train_sample': 2, 'pixel': 2, 'test_sample': 2}, 3.0, 2.236068)
    """
    classes = whole_number("classes", classes, 2, MOST_CLASSES)
    arrays = (train_images, train_labels, test_images, test_labels)
    for (variable, dims), array in zip(VARIABLES.items(), arrays, strict=True):
        if np.ndim(array) != len(dims):
            raise InputError(f"{variable}: shape {np.shape(array)}; give dims ({', '.join(dims)})")
    if train_images.shape[1] != test_images.shape[1]:
        raise InputError(
            f"test_images: {test_images.shape[1]} pixels, but train_images have "
            f"{train_images.shape[1]}; give images of one size"
        )
    for split, images, labels in zip(SPLITS, arrays[::2], arrays[1::2], strict=True):
        if len(images) != len(labels):
            raise InputError(
                f"{split}_labels: {len(labels)} labels for {len(images)} images; give one each"
            )
    ds = xr.Dataset(
        {name: (dims, array) for (name, dims), array in zip(VARIABLES.items(), arrays, strict=True)}
    )
    _check_arrays(ds, classes)
    ds.attrs = {
        "kind": kind,
        "classes": classes,
        "mean": float(np.mean(train_images, dtype=np.float64) if mean is None else mean),
        "sd": float(np.std(train_images, dtype=np.float64) if sd is None else sd),
        "manifest": canonical(manifest),
        "digest": dataset_digest(ds),
    }
    _check_scale(ds)
    return ds


def check(ds: xr.Dataset) -> None:
    """Refuse a dataset that is not in the common form, or whose arrays are not those it names.

    Reads every byte once.

    Raises
    ------
    InputError
        If a variable or attribute is missing, has other dims or another type, ``classes`` is
        not from 2 to 256, a label is none of them, an image holds a value that is not finite,
        ``sd`` cannot scale, or the digest does not hold.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.data import check, make
    >>> images = np.arange(40, dtype=np.uint8).reshape(20, 2)
    >>> labels = np.tile(np.arange(10, dtype=np.uint8), 2)
    >>> ds = make(images, labels, images, labels, kind="digits", manifest={})
    >>> check(ds)
    >>> try:
    ...     check(ds.assign(train_images=ds["train_images"] + 1))
    ... except ValueError as error:
    ...     print(str(error).partition(":")[0])
    digest
    """
    for name in ATTRIBUTES:
        if name not in ds.attrs:
            raise InputError(f"{name}: attribute missing; make the data set with data.make")
    _check_arrays(ds, whole_number("classes", ds.attrs["classes"], 2, MOST_CLASSES))
    _check_scale(ds)
    found = dataset_digest(ds)
    if found != ds.attrs["digest"]:
        raise InputError(
            f"digest: the arrays give {found}, the data set names {ds.attrs['digest']}; "
            "make the data set again"
        )


def check_seed(seed: int) -> None:
    """Refuse the seed of a derived data set that is not a whole number of at least 0.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"seed: {seed!r} is not a whole number of at least 0")


def dataset_digest(ds: xr.Dataset) -> str:
    """SHA-256 over names, types, shapes and bytes of the four arrays; attributes do not count.

    Parameters
    ----------
    ds
        A data set with these arrays; nothing else is looked at.

    Returns
    -------
    str
        Hexadecimal, 64 characters.

    Raises
    ------
    KeyError
        If an array is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.data import dataset_digest, make
    >>> images = np.arange(40, dtype=np.uint8).reshape(20, 2)
    >>> labels = np.tile(np.arange(10, dtype=np.uint8), 2)
    >>> ds = make(images, labels, images, labels, kind="digits", manifest={})
    >>> dataset_digest(ds) == ds.attrs["digest"] == dataset_digest(ds.assign_attrs(name="twin"))
    True
    >>> dataset_digest(ds.assign(train_images=ds["train_images"] + 1)) == dataset_digest(ds)
    False
    """
    joint = hashlib.sha256()
    for name in VARIABLES:
        values = ds[name].values
        joint.update(canonical([name, values.dtype.name, values.shape]).encode() + b"\0")
        # One byte order, so that every machine finds the same digest.
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        joint.update(np.ascontiguousarray(little).data)
    return joint.hexdigest()


def standardised(ds: xr.Dataset, split: str) -> np.ndarray:
    """Images as a network sees them: ``(x - mean) / sd``.

    Parameters
    ----------
    ds
        A data set in the common form.
    split
        ``"train"`` or ``"test"``; both are scaled by the same two numbers.

    Returns
    -------
    np.ndarray
        A new float32 array of shape (sample, pixel), without unit.

    Raises
    ------
    InputError
        If the split is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.data import make, standardised
    >>> images = np.arange(40, dtype=np.uint8).reshape(20, 2)
    >>> labels = np.tile(np.arange(10, dtype=np.uint8), 2)
    >>> ds = make(images, labels, images, labels, kind="digits", manifest={})
    >>> seen = standardised(ds, "train")
    >>> seen.dtype.name, round(abs(float(seen.mean())), 4), round(float(seen.std()), 4)
    ('float32', 0.0, 1.0)
    """
    if split not in SPLITS:
        raise InputError(f"split: unknown {split!r}; give one of {', '.join(SPLITS)}")
    images = ds[f"{split}_images"].values.astype(np.float32)
    images -= np.float32(ds.attrs["mean"])
    images /= np.float32(ds.attrs["sd"])
    return images


def _check_arrays(ds: xr.Dataset, classes: int) -> None:
    for name, dims in VARIABLES.items():
        if name not in ds.data_vars:
            raise InputError(f"{name}: missing; a data set holds {', '.join(VARIABLES)}")
        if ds[name].dims != dims:
            raise InputError(f"{name}: dims {ds[name].dims}; give dims {dims}")
        is_image = "pixel" in dims
        allowed = IMAGE_TYPES if is_image else ("uint8",)
        if ds[name].dtype.name not in allowed:
            raise InputError(f"{name}: type {ds[name].dtype}; give {' or '.join(allowed)}")
        if not ds[name].size:
            raise InputError(f"{name}: empty; give at least one sample")
        if is_image and not np.isfinite(ds[name].values).all():
            raise InputError(f"{name}: a pixel is not finite; give finite values")
        if not is_image and (highest := int(ds[name].max())) >= classes:
            raise InputError(f"{name}: {highest} is no class; give 0 to {classes - 1}")


def _check_scale(ds: xr.Dataset) -> None:
    mean, sd = ds.attrs["mean"], ds.attrs["sd"]
    if not (math.isfinite(mean) and 0 < sd < math.inf):
        raise InputError(
            f"mean, sd: {mean}, {sd} cannot scale; give a finite mean and a finite sd above 0, "
            "or training pixels that are not all the same"
        )
