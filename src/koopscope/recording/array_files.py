"""Arrays in files: NumPy's, NetCDF, Zarr. Nothing in them is ever run."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from koopscope.artefacts import store as stores
from koopscope.errors import InputError

Arrays = np.ndarray | dict[str, np.ndarray] | xr.Dataset
SUFFIXES = (".npy", ".npz", ".nc", ".nc4", ".zarr")


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr array or group."""
    return any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zarray"))


def is_sealed(path: Path) -> bool:
    """Whether a folder is a store of ours, whole or damaged."""
    return (path / stores.SEAL).exists() or (path / stores.PROVENANCE).exists()


def read(file: str | Path) -> Arrays:
    """Read what a file of arrays holds, as lazily as its format allows.

    Raises
    ------
    InputError
        If it is not there, of another format, cut short, or holds Python objects.
    """
    path = Path(file).expanduser()
    if not path.exists():
        raise InputError(f"{file}: no such file; give one of arrays ({', '.join(SUFFIXES)})")
    if path.is_dir():
        return _of_folder(path)
    readers: dict[str, Callable[[Path], Arrays]] = {
        ".npy": _npy,
        ".npz": _npz,
        ".nc": _netcdf,
        ".nc4": _netcdf,
    }
    if path.suffix.lower() not in readers:
        raise InputError(f"{file}: not a file of arrays; give one of {', '.join(SUFFIXES)}")
    if not path.stat().st_size:
        raise InputError(f"{file}: an empty file; write it again")
    try:
        return readers[path.suffix.lower()](path)
    except InputError:
        raise
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise unreadable(file, error) from None


def unreadable(file: str | Path, error: Exception) -> InputError:
    """Error of a file that its reader gave up on."""
    if "allow_pickle" in str(error) or "Python objects" in str(error):
        return InputError(f"{file}: holds Python objects, which are never loaded; save numbers")
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return InputError(f"{file}: cannot be read ({reason}); it is damaged or cut short: save again")


def _npy(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("no archive of arrays")
        arrays = {name: file[name] for name in file.files}
    wide = [name for name, array in arrays.items() if array.ndim > 1]
    # Numbers beside it apart, a file with one array holds the snapshots, whatever their name.
    return {"weights" if [name] == wide else name: array for name, array in arrays.items()}


def _netcdf(path: Path) -> xr.Dataset:
    try:
        return xr.open_dataset(path)
    except (ImportError, ValueError) as error:
        if isinstance(error, ValueError) and "xarray's IO backends" not in str(error):
            raise
        raise InputError(
            f"{path}: no reader of such NetCDF is installed, or it is damaged: "
            "pip install h5netcdf h5py, or save again"
        ) from None


def _of_folder(path: Path) -> Arrays:
    if is_sealed(path):
        return stores.read(path)
    if not is_zarr(path):
        raise InputError(f"{path}: a folder, but no Zarr store; give a file or a store")
    try:
        found = zarr.open(path, mode="r")
        if isinstance(found, zarr.Array):
            return np.asarray(found)
        try:
            return xr.open_zarr(path, consolidated=False, chunks=None)
        except (KeyError, ValueError):  # its arrays do not name their dims
            return {name: np.asarray(array) for name, array in found.arrays()}
    except (ValueError, KeyError, OSError, zarr.errors.BaseZarrError) as error:
        raise unreadable(path, error) from None
