"""CIFAR-10 from the archive that the user has; its checksum decides.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009): 50,000 training
and 10,000 test images of 32×32 pixels in three colours, ten classes. Taken is the binary version,
since the other one holds pickles, which run code when they are read.
"""

import hashlib
import tarfile
from pathlib import Path

import numpy as np
import xarray as xr

from koopscope.data import dataset
from koopscope.errors import InputError

ARCHIVE = "cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
# The archive has 170 million bytes.
MOST = 180_000_000
PIXELS = 3 * 32 * 32


def load(path: Path) -> xr.Dataset:
    """50,000 training and 10,000 test images of 32×32 pixels in three colours.

    Parameters
    ----------
    path
        The archive ``cifar-10-binary.tar.gz``, or the folder that holds it.

    Returns
    -------
    xr.Dataset
        In the common form (:func:`koopscope.data.make`): uint8 levels from 0 to 255, 3,072 pixels,
        red first, then green, then blue, each row by row; ``mean`` and ``sd`` are those of all
        pixels of the training images.

    Raises
    ------
    InputError
        If the archive is not there, cannot be read, or is not the original one.
    """
    archive = Path(path)
    try:
        archive = archive / ARCHIVE if archive.is_dir() else archive
        found = _digest(archive)
    except OSError as error:
        raise InputError(
            f"data.cifar10.path: {archive} cannot be read ({error.strerror or error}); give it to "
            f"yourself to read, or give another copy of {ARCHIVE}"
        ) from None
    if found != SHA256:
        raise InputError(
            f"data.cifar10.path: {archive} has SHA-256 {found}, not {SHA256}; "
            "give the original archive of the binary version"
        )
    with tarfile.open(archive) as opened:
        parts = [_records(opened, names) for names in (TRAIN, TEST)]
    arrays = [array for part in parts for array in part]
    return dataset.make(*arrays, kind="cifar10", manifest={"files": {ARCHIVE: SHA256}})


def _digest(archive: Path) -> str:
    if not archive.is_file():
        raise InputError(f"data.cifar10.path: {archive} is not there; give {ARCHIVE} or its folder")
    if (size := archive.stat().st_size) > MOST:
        raise InputError(
            f"data.cifar10.path: {archive} has {size} bytes, more than {ARCHIVE} has; "
            "give the original archive of the binary version"
        )
    with archive.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _records(archive: tarfile.TarFile, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images (sample, pixel) and labels (sample,): each record is a label and then its image."""
    # Each is a file, as the checksum has vouched for: only of a folder there is nothing to extract.
    content = b"".join(archive.extractfile(f"{FOLDER}/{name}").read() for name in names)  # type: ignore[union-attr]
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0]
