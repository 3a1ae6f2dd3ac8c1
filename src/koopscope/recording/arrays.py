"""Arrays that exist already, of any program, brought into the form of a recording."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.recording import array_files
from koopscope.recording.described import OWN, attributes, described
from koopscope.recording.layers import Shapes, coordinates
from koopscope.recording.values import flattened, plain
from koopscope.recording.writer import VALUES

# What may come before the steps, and the steps.
LEAD = ("seed", "init", "step")


def from_arrays(
    values: Any,
    *,
    step: Sequence[int] | np.ndarray | None = None,
    layers: Shapes | None = None,
    scalars: Mapping[str, Any] | None = None,
    seeds: Sequence[int] | None = None,
    name: str = "",
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Bring arrays into the form that :func:`koopscope.open_snapshots` gives.

    Parameters
    ----------
    values
        One of

        - an array (step, weight), (seed, step, weight), or of one number a step (step,); of four
          axes and more (step, …), whose rows are flattened;
        - a list of one-dimensional arrays, one a step, or of any of the other things, one a seed;
        - a mapping from the name of a layer to an array (step, …), or (seed, step, …) if ``seeds``
          are given, perhaps nested; arrays without further axes become scalars, and ``step`` the
          steps;
        - an :class:`xarray.DataArray` or :class:`xarray.Dataset` with the dim ``step`` and perhaps
          ``seed`` and ``init``; all other dims are flattened into ``weight``;
        - a file ``.npy``, ``.npz``, NetCDF (``.nc``), or a Zarr store, also of the workflow's
          trajectories. Python objects in them are never loaded.
    step
        Optimiser steps done at each row; by default those of ``values``, or 1, 2, ….
    layers
        Shapes of the layers by name whose weights a row lists, in order; by default one,
        ``values``.
    scalars
        Numbers beside them by name, each (step,), or (seed, step).
    seeds
        Of the runs that lie side by side along the first axis.
    name, seed, settings
        What the run is of, kept as attributes; settings are JSON values.

    Returns
    -------
    xarray.Dataset
        ``weights`` (step, weight), perhaps with ``seed`` and ``init`` before, in the precision
        given, and scalars (step) in double precision; coordinates ``step`` (optimiser steps),
        ``layer`` and ``index``; attribute ``complete``.

    Raises
    ------
    InputError
        If they are no real numbers, differ in their steps, or do not fit ``step`` or ``layers``; if
        a file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> import koopscope as ks
    >>> weights = 0.9 ** np.arange(20)[:, None] * np.ones(6)
    >>> run = ks.from_arrays(weights, step=range(10, 210, 10), layers={"kernel": (2, 3)}, seed=0)
    >>> dict(run["weights"].sizes), run["layer"].attrs["flag_meanings"], int(run["step"][-1])
    ({'step': 20, 'weight': 6}, ['kernel'], 200)

    Layers by name, and a curve beside them:

    >>> run = ks.from_arrays({"kernel": np.ones((20, 2, 3)), "bias": np.ones((20, 2)),
    ...                       "loss": np.ones(20)})
    >>> run["weights"].shape, run["loss"].shape, run["layer"].attrs["flag_meanings"]
    ((20, 8), (20,), ['kernel', 'bias'])
    """
    known = described(name, seed, settings)
    if isinstance(values, str | Path):
        values = array_files.read(values)
    if isinstance(values, xr.DataArray):
        values = _named(values)
    if isinstance(values, xr.Dataset):
        run = _of_dataset(values, layers)
    elif isinstance(values, Mapping):
        run = _of_mapping(values, layers, seeds)
    elif isinstance(values, list | tuple) and any(_is_run(value) for value in values):
        return _side_by_side(values, step, layers, scalars, seeds, known)
    else:
        run = _of_array(plain("values", values), layers, seeds)
    run = _with_steps(run, step, seeds)
    for label, given in (scalars or {}).items():
        run = _with_scalar(run, label, plain(label, given))
    return run.assign_attrs({**attributes(known), "complete": True})


def _is_run(value: Any) -> bool:
    return isinstance(value, str | Path | Mapping | xr.Dataset) or np.ndim(value) > 1


def _side_by_side(
    values: Sequence[Any],
    step: Any,
    layers: Shapes | None,
    scalars: Mapping[str, Any] | None,
    seeds: Sequence[int] | None,
    known: Mapping[str, Any],
) -> xr.Dataset:
    """Runs of several seeds as one; each may hold several itself."""
    runs = [from_arrays(value, step=step, layers=layers) for value in values]
    runs = [run if "seed" in run.dims else run.expand_dims("seed") for run in runs]
    first = runs[0]
    for at, run in enumerate(runs):
        if not first["step"].equals(run["step"]):
            raise InputError(
                f"values: run {at} has {run.sizes['step']} steps up to {int(run['step'][-1])}, the "
                f"first {first.sizes['step']} up to {int(first['step'][-1])}; give runs of the "
                "same steps, or each by itself"
            )
        if set(run) != set(first) or any(
            run[name].dims != first[name].dims or run[name].shape[1:] != first[name].shape[1:]
            for name in first
        ):
            raise InputError(
                f"values: run {at} has {_sizes(run)}, the first {_sizes(first)}; give runs of one "
                "architecture, or each by itself"
            )
    joined = xr.concat(
        [run.drop_vars("seed", errors="ignore") for run in runs],
        dim="seed",
        data_vars="all",
        coords="minimal",
        compat="override",
        combine_attrs="override",
    )
    joined = _with_steps(joined, None, seeds)
    for label, given in (scalars or {}).items():
        joined = _with_scalar(joined, label, plain(label, given))
    return joined.assign_attrs({**attributes(known), "complete": True})


def _sizes(run: xr.Dataset) -> str:
    return ", ".join(f"{name} {run[name].shape[1:]}" for name in run)


def _of_array(array: np.ndarray, layers: Shapes | None, seeds: Sequence[int] | None) -> xr.Dataset:
    """An array (step, weight) or (seed, step, weight), or of more axes."""
    several = seeds is not None or array.ndim == 3
    lead = 2 if several else 1
    if array.ndim < lead:
        raise InputError(f"values: shape {array.shape}; give (step, weight), one row a step")
    whole = array.reshape(*array.shape[:lead], -1)
    shape = array.shape[lead:] or (1,)
    return _of_layers({"values": whole}, lead, layers or {"values": shape})


def _of_mapping(
    values: Mapping[str, Any], layers: Shapes | None, seeds: Sequence[int] | None
) -> xr.Dataset:
    arrays = {str(name): plain(str(name), value) for name, value in flattened(values)}
    if not arrays:
        raise InputError("values: an empty mapping; give one or more arrays by name")
    step = arrays.pop("step", None)
    lead = 1 if seeds is None else 2
    rows = {name: array for name, array in arrays.items() if array.ndim > lead}
    if list(rows) == ["weights"]:
        # All snapshots with numbers beside them, not a layer of that name.
        run = _of_array(rows["weights"], layers, seeds)
    elif rows:
        _refuse_seeds_as_steps(rows, seeds)
        run = _of_layers(rows, lead, layers or {n: a.shape[lead:] for n, a in rows.items()})
    else:
        run = xr.Dataset()
    for name in arrays.keys() - rows:
        run = _with_scalar(run, name, arrays[name])
    return run if step is None else _with_steps(run, step, None)


def _refuse_seeds_as_steps(rows: Mapping[str, np.ndarray], seeds: Sequence[int] | None) -> None:
    """Refuse ``weights`` (seed, step, weight) beside scalars (seed, step), unless told."""
    whole = rows.get("weights")
    if seeds is None and whole is not None and whole.ndim == 3:
        for name, array in rows.items():
            if array.shape == whole.shape[:2]:
                raise InputError(
                    f"{name}: shape {array.shape} beside weights {whole.shape} may be a layer or a "
                    "number a seed and step; give seeds=…, or the layer 'weights' another name"
                )


def _of_layers(rows: Mapping[str, np.ndarray], lead: int, layers: Shapes) -> xr.Dataset:
    """Rows of one or more layers one after another, after ``lead`` axes: steps, or seeds first."""
    shapes = {name: array.shape[:lead] for name, array in rows.items()}
    first = next(iter(shapes))
    for name, shape in shapes.items():
        if shape != shapes[first]:
            raise InputError(
                f"{name}: shape is {rows[name].shape}, but {first} has {rows[first].shape}; all "
                f"must begin with the same {'steps' if lead == 1 else 'seeds and steps'}"
            )
    parts = [array.reshape(*shapes[first], -1) for array in rows.values()]
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
    dims = (*LEAD[::2][-lead:], "weight")
    run = xr.Dataset({"weights": (dims, whole)})
    return run.assign_coords(_fitting(layers, whole.shape[-1], "weight"))


def _fitting(layers: Shapes, count: int, dim: str) -> dict[str, xr.DataArray]:
    """Coordinates of so many numbers."""
    layers = {name: tuple(shape) for name, shape in layers.items()}
    size = sum(int(np.prod(shape)) for shape in layers.values())
    if size != count:
        raise InputError(
            f"layers: {size} weights in {dict(layers)}, but a row has {count}; give the shapes of "
            "what a row lists"
        )
    return {name: value.rename(weight=dim) for name, value in coordinates(layers).items()}


def _named(values: xr.DataArray) -> xr.Dataset:
    name = "sketch" if VALUES["sketch"] in values.dims else "weights"
    if set(values.dims) <= set(LEAD):
        name = str(values.name or "values")
    return values.to_dataset(name=name)


def _of_dataset(values: xr.Dataset, layers: Shapes | None) -> xr.Dataset:
    """A dataset in the form of a recording, as lazy as it was where it is so already."""
    if "step" not in values.dims:
        dims = ", ".join(map(str, values.dims)) or "none"
        raise InputError(f"values: no dim 'step', only {dims}; rename one: values.rename(t='step')")
    if not any(name in values for name in VALUES):
        return _of_variables(values, layers)
    run = values
    for name, dim in VALUES.items():
        if name not in run:
            continue
        own = [d for d in run[name].dims if d not in LEAD]
        if own != [dim]:
            shape = tuple(run.sizes[d] for d in own)
            layers = layers or {"values": shape or (1,)}
            run = run.drop_vars([c for c in run.coords if set(run[c].dims) & set(own)])
            run[name] = (
                run[name].stack({dim: own}, create_index=False)
                if own
                else run[name].expand_dims(dim, -1)
            )
        lead = [d for d in LEAD if d in run[name].dims]
        run[name] = run[name].transpose(*lead, dim)
        if run[name].dtype.kind != "f":
            run[name] = run[name].copy(data=plain(name, run[name].values))
        if layers is not None or "shapes" not in getattr(run.get("layer"), "attrs", {}):
            count = run.sizes[dim]
            shapes = layers or _of_matrices(run, dim) or {"values": (count,)}
            run = run.assign_coords(_fitting(shapes, count, dim))
    scalars = [n for n, v in run.data_vars.items() if "step" in v.dims and set(v.dims) <= set(LEAD)]
    return run.assign({name: run[name].astype(float) for name in scalars})


def _of_variables(values: xr.Dataset, layers: Shapes | None) -> xr.Dataset:
    """A dataset with a variable for each layer and for each number beside them."""
    if "init" in values.dims:
        raise InputError("values: dim 'init', but no variable 'weights'; rename the one that is it")
    lead = [dim for dim in LEAD if dim in values.dims]
    arrays = {
        str(name): array.transpose(*lead, ...).values
        for name, array in values.data_vars.items()
        if set(lead) <= set(array.dims)
    }
    run = _of_mapping(arrays, layers, range(values.sizes["seed"]) if "seed" in lead else None)
    return run.assign_coords({d: values[d].values for d in lead if d in values.coords})


def _of_matrices(run: xr.Dataset, dim: str) -> Shapes | None:
    """Shapes of the layers of a store of trajectories, which says row and column of each weight."""
    if not {"layer", "row", "column"} <= set(run.coords) or run["layer"].dims != (dim,):
        return None
    layer = run["layer"].values
    names = run["layer"].attrs.get("flag_meanings") or [str(i) for i in np.unique(layer)]
    ends = [
        tuple(int(run[axis].values[layer == i].max()) + 1 for axis in ("row", "column"))
        for i in np.unique(layer)
    ]
    shapes = dict(zip(names, ends, strict=True))
    return shapes if sum(a * b for a, b in ends) == layer.size else None


def _with_steps(run: xr.Dataset, step: Any, seeds: Sequence[int] | None) -> xr.Dataset:
    """With whole numbers for steps, and for seeds where there are several."""
    for dim, given in (("step", step), ("seed", seeds)):
        if dim not in run.dims:
            if given is not None and dim == "seed":
                raise InputError("seeds: the values have no axis of seeds; leave them out")
            continue
        count = run.sizes[dim]
        start = 1 if dim == "step" else 0
        if given is None:
            given = run[dim].values if dim in run.coords else np.arange(start, start + count)
        numbers = np.asarray(given)
        whole = numbers.dtype.kind in "iuf" and bool((numbers == np.round(numbers)).all())
        if numbers.shape != (count,) or not whole:
            few = numbers.ndim == 1 and numbers.size < 9
            shown = numbers.tolist() if few else f"{numbers.dtype} of shape {numbers.shape}"
            raise InputError(f"{dim}: {shown}; give {count} whole numbers, one a {dim}")
        run = run.assign_coords({dim: numbers.astype("int64")})
    return run


def _with_scalar(run: xr.Dataset, name: str, array: np.ndarray) -> xr.Dataset:
    """With a number a step beside the weights."""
    if name in OWN:
        raise InputError(f"scalars: {name!r} is a name of the form's own; give another")
    dims = ("seed", "step")[-array.ndim :] if 1 <= array.ndim <= 2 else ()
    wrong = [dim for dim, n in zip(dims, array.shape, strict=False) if run.sizes.get(dim, n) != n]
    if not dims or wrong or ("seed" in dims and "weights" in run and "seed" not in run.dims):
        sizes = ", ".join(f"{dim} {n}" for dim, n in run.sizes.items() if dim in LEAD)
        raise InputError(f"{name}: shape {array.shape} beside {sizes}; give one number a step")
    return run.assign({name.replace("/", "."): (dims, array.astype(float))})
