"""Whatever people have in hand, as arrays that a fit can use, or one line that says why not."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace, is_array_api_obj, is_torch_array

from koopscope.errors import InputError, shown

DIMS = ("init", "step", "weight")
Array = Any
GIVE = "give a DataArray (init, step, weight), or a list of arrays (step, weight), one a run"
# Steps that are no whole numbers count as even up to this share of the first gap.
UNEVEN = 1e-6


def trajectories_of(given: Any) -> tuple[xr.DataArray | None, list[Array]]:
    """A labelled array of runs, or a list of arrays of one library and on one device.

    Parameters
    ----------
    given
        As for :func:`koopscope.koopman.fit`.

    Returns
    -------
    source : xarray.DataArray or None
        Dims ``(init, step, weight)`` or ``(step, weight)``, as lazy as it was.
    runs : list of arrays
        Each (step, weight); none if there is a source.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(given, xr.DataArray):
        return _labelled(given), []
    if isinstance(given, xr.Dataset):
        names = ", ".join(map(str, given.data_vars)) or "none"
        raise InputError(f"trajectories: a Dataset; give one of its variables ({names})")
    if isinstance(given, Mapping):
        raise InputError("trajectories: a mapping; give its runs alone: list(runs.values())")
    if _is_table(given):
        given = [given]
    if getattr(given, "ndim", None) in (2, 3) and not isinstance(given, Sequence):
        shape = tuple(given.shape)
        remedy = "[array]" if len(shape) == 2 else "list(array), one array (step, weight) a run"
        raise InputError(f"trajectories: one array of shape {shape}; give {remedy}")
    alone = getattr(given, "ndim", None) == 0
    if isinstance(given, str | bytes) or alone or not isinstance(given, Iterable):
        raise InputError(f"trajectories: {shown(given)}; {GIVE}")
    _same_columns(given := list(given))
    runs = [_run(f"run {i}", run) for i, run in enumerate(given)]
    shapes = [tuple(run.shape) for run in runs]
    if not shapes or any(len(s) != 2 or s[1] != shapes[0][1] for s in shapes):
        few = f"[{', '.join(map(str, shapes[:4]))}{', …' if len(shapes) > 4 else ''}]"
        raise InputError(
            f"trajectories: shapes are {few}; give one or more arrays (step, weight) "
            "with the same number of weights"
        )
    libraries = {array_namespace(run).__name__ for run in runs}
    if len(libraries | {str(getattr(run, "device", "")) for run in runs}) > 2:
        # Of several libraries or devices: all here.
        runs = [real_array(f"run {i}", run) for i, run in enumerate(runs)]
    return None, runs


def real_array(key: str, value: Any, finite: bool = False) -> np.ndarray:
    """Real numbers of any library or kind as an array in double precision.

    Raises
    ------
    InputError
        If they are none, or, where it is asked for, not all finite; the line begins with the key.
    """
    found = any_array(key, value)
    if found.dtype.kind not in "iufb":
        raise InputError(f"{key}: values are {found.dtype}; give real numbers")
    return _finite(key, found.astype(float), finite)


def complex_array(key: str, value: Any, finite: bool = False) -> np.ndarray:
    """Complex numbers of any library or kind as an array; refused as by :func:`real_array`."""
    found = any_array(key, value)
    if found.dtype.kind not in "iufbc":
        raise InputError(f"{key}: values are {found.dtype}; give numbers")
    return _finite(key, found.astype(complex), finite)


def one_of(key: str, value: Any, names: Iterable[str]) -> None:
    """Refuse what is not one of some names."""
    names = list(names)
    if not isinstance(value, str) or value not in names:
        raise InputError(f"{key}: unknown {shown(value)}; give one of {', '.join(names)}")


def _finite(key: str, found: np.ndarray, asked: bool) -> np.ndarray:
    if asked and not np.isfinite(found).all():
        place = np.unravel_index(int(np.argmin(np.isfinite(found))), found.shape)
        at = ", ".join(map(str, place))
        raise InputError(f"{key}: {found[place]} at [{at}]; give finite numbers")
    return found


def _labelled(source: xr.DataArray) -> xr.DataArray:
    # A single run may do without ``init``: giving it one would read lazy values.
    dims = [dim for dim in DIMS if dim != "init" or dim in source.dims]
    if set(source.dims) != set(dims):
        raise InputError(f"trajectories: dims are {source.dims}; give {DIMS}, one seed at a time")
    if "step" in source.coords and source["step"].dims == ("step",):
        even_steps(source["step"].values)
    return source.transpose(*dims)


def even_steps(steps: np.ndarray, remedy: Any = None) -> None:
    """Refuse steps that repeat, go back, or are not evenly spaced.

    Parameters
    ----------
    steps
        Shape (step,): numbers, or times.
    remedy
        Called for what can be done about uneven ones, in words.

    Raises
    ------
    InputError
        With the spacings found.
    """
    if steps.dtype.kind not in "iufmM":
        raise InputError(f"step: values are {steps.dtype}; give numbers, or leave the steps out")
    gaps = np.diff(steps.astype(np.int64) if steps.dtype.kind in "ubmM" else steps)
    if (wrong := ~(gaps > 0)).any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"step: goes from {steps[at]} to {steps[at + 1]} at row {at + 1}; give each step once, "
            "in ascending order"
        )
    if gaps.size and not _even(gaps, steps):
        spacings = list(dict.fromkeys(gaps.tolist()))
        listed = ", ".join(f"{gap:g}" for gap in spacings[:8]) + (", …" if spacings[8:] else "")
        said = remedy() if remedy else "take a stretch with even steps: array.sel(step=slice(…))"
        raise InputError(f"step: unevenly spaced, by {listed}; {said}")


def _even(gaps: np.ndarray, steps: np.ndarray) -> bool:
    if gaps.dtype.kind != "f":
        return bool((gaps == gaps[0]).all())
    # Written down in so few digits, large times differ by rounding alone.
    rounding = 4 * np.finfo(gaps.dtype).eps * np.abs(steps).max()
    return bool(np.ptp(gaps) <= UNEVEN * gaps[0] + rounding)


def _is_table(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def _same_columns(runs: list[Any]) -> None:
    """Refuse tables whose columns are not the first one's, in its order."""
    columns = [list(run.columns) for run in runs if _is_table(run)]
    for found in columns[1:]:
        if found != columns[0]:
            raise InputError(
                f"trajectories: columns are {shown(found)}, but the first table has "
                f"{shown(columns[0])}; give all the same, in one order"
            )


def _run(name: str, run: Any) -> Array:
    """One run as an array (step, weight) of its own library."""
    name = f"trajectories: {name}"
    if isinstance(run, xr.DataArray):
        if set(run.dims) != {"step", "weight"}:
            raise InputError(f"{name} has dims {run.dims}; give (step, weight)")
        return any_array(name, _labelled(run).values)
    if _is_table(run) and getattr(getattr(run, "index", None), "name", None) == "step":
        even_steps(np.asarray(run.index))
    if is_array_api_obj(run) and not isinstance(run, np.ndarray):
        return _tensor(name, run) if is_torch_array(run) else run
    found = any_array(name, run)
    # Lists say nothing of precision.
    listed = isinstance(run, list | tuple) and found.dtype.kind in "iub"
    return found.astype(float) if listed else found


def _tensor(name: str, tensor: Any) -> Any:
    """A PyTorch tensor with numbers that may be read, dense and without a graph."""
    torch = sys.modules["torch"]  # there already, as a tensor is

    if tensor.device.type == "meta":
        raise InputError(f"{name}: is on the device 'meta', which holds no numbers")
    if tensor.is_quantized:
        raise InputError(f"{name}: is quantised; give tensor.dequantize()")
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    # NumPy has none of so short a mantissa, so they count as single precision from here on.
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor.resolve_conj().resolve_neg()


def any_array(name: str, value: Any) -> np.ndarray:
    """Values of any library or kind as a NumPy array of whatever they are.

    Raises
    ------
    InputError
        If they cannot be read, are masked or on no device; the line begins with the name.
    """
    if isinstance(value, xr.Dataset | Mapping | str | bytes):
        raise InputError(f"{name}: a {type(value).__name__}; give an array")
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.is_masked(value):
            place = np.argwhere(np.ma.getmaskarray(value))[0].tolist()
            raise InputError(f"{name}: masked at {place}; fill those numbers in or leave them out")
        value = value.data
    try:
        if is_torch_array(value):
            return _tensor(name, value).cpu().numpy()
        if _is_table(value):
            return _of_table(name, value)
        if isinstance(value, list | tuple):
            value = [any_array(name, v) if is_torch_array(v) else v for v in value]
        found = np.asarray(value)
    except InputError:
        raise
    except Exception as error:  # of any kind: whatever was given reads itself
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name}: {shown(value)} cannot be read as an array ({reason})") from None
    if found.dtype.kind == "O" and found.ndim == 0:
        raise InputError(f"{name}: a {type(value).__name__}; give an array")
    return found.astype(np.float64) if found.dtype.kind == "f" and found.itemsize > 8 else found


def _of_table(name: str, table: Any) -> np.ndarray:
    """Columns of numbers of a table, in their order."""
    for column, dtype in zip(table.columns, getattr(table, "dtypes", ()), strict=False):
        if getattr(dtype, "kind", "f") not in "iuf":
            raise InputError(f"{name}: column {column!r} is {dtype}; give real numbers")
    found = np.asarray(table.to_numpy())
    return found if found.dtype == np.float32 else found.astype(float)
