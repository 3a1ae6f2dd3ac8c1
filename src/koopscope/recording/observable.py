"""What is compared of a run: its weights or a part of them, or numbers that it logged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.recording.naming import listed
from koopscope.recording.spacing import evenly, finite_part, lost_at
from koopscope.recording.writer import VALUES


def observed(
    run: xr.Dataset, layers: Sequence[str] | None = None, columns: Sequence[str] | None = None
) -> xr.DataArray:
    """Observable of a run, dims (step, weight).

    Parameters
    ----------
    run
        As :func:`koopscope.recording.open_run` gives it, of one seed.
    layers
        Layers or parameters, names or patterns such as ``"encoder.*"``; all by default.
    columns
        Logged numbers in place of weights; by default only where there are no weights.

    Returns
    -------
    xarray.DataArray
        As lazy as the run, called ``weights``, ``sketch`` or ``logged``; ``layer`` (weight) has the
        attribute ``flag_meanings``, which names the parameters or columns.

    Raises
    ------
    InputError
        If it has no such layer or column, or nothing at all.
    """
    values = next((name for name in VALUES if name in run), None)
    logged = logged_of(run)
    if columns is not None or values is None:
        if layers is not None:
            raise InputError("layers: logged numbers have none; give layers or columns")
        return _columns(run, columns, logged)
    found = run[values].rename({VALUES[values]: "weight"}).rename(values)
    if layers is None:
        return found
    if isinstance(layers, str) or not layers:
        raise InputError(f"layers: {layers!r}; give a list of names or patterns")
    names = [str(name) for name in found["layer"].attrs["flag_meanings"]]
    for layer in layers:
        if not any(_of(name, layer) for name in names):
            shown = listed(names)
            raise InputError(f"layers: no {layer!r} was recorded; there are {shown}")
    taken = [i for i, name in enumerate(names) if any(_of(name, layer) for layer in layers)]
    return found.isel(weight=places(found, taken))


def logged_of(run: xr.Dataset) -> list[str]:
    """Names of the numbers beside the weights, one a step, or one a seed and step.

    In an order of their own: that of a folder's files differs between machines.
    """
    return sorted(
        str(n) for n, v in run.data_vars.items() if v.dims in (("step",), ("seed", "step"))
    )


@dataclass(frozen=True)
class Part:
    """What is taken of each run.

    Attributes
    ----------
    layers, columns
        As for :func:`observed`.
    begin, end
        First and last step; those of the run where they are None.
    every
        Steps of which multiples are kept; None for all.
    """

    layers: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    begin: int | None = None
    end: int | None = None
    every: int | None = None

    def values(self, run: xr.Dataset) -> xr.DataArray:
        """Observable of a run, dims (step, weight), in this stretch of even steps."""
        if self.begin is not None or self.end is not None:
            run = run.sel(step=slice(self.begin, self.end))
        return observed(evenly(run, self.every), self.layers, self.columns)

    def of(self, run: xr.Dataset) -> tuple[xr.DataArray, int | None]:
        """As :meth:`values`, up to the step from which on it is not finite; and that step."""
        part, ended = finite_part(self.values(run))
        # Checkpoints are brought in up to there, so that their store is finite.
        lost = lost_at(run)
        if ended is None and lost is not None and (self.end is None or self.end >= lost):
            ended = lost
        return part, ended


def layers_of(values: xr.DataArray) -> dict[str, list[int]]:
    """Numbers (flags of ``layer``) of the parameters of each layer, by the layer's name.

    A layer is what its parameters' names have in common before the last dot.
    """
    found: dict[str, list[int]] = {}
    present = set(np.unique(values["layer"].values).tolist())
    for i, name in enumerate(values["layer"].attrs["flag_meanings"]):
        if i in present:
            layer = str(name).rpartition(".")[0] or str(name)
            found.setdefault(layer, []).append(i)
    return found


def places(values: xr.DataArray, numbers: Iterable[int]) -> slice | np.ndarray:
    """Places of the parameters of these numbers; a slice where they lie together, to read less."""
    at = np.flatnonzero(np.isin(values["layer"].values, list(numbers)))
    together = len(at) and at[-1] - at[0] + 1 == len(at)
    return slice(int(at[0]), int(at[-1]) + 1) if together else at


def _of(name: str, layer: str) -> bool:
    return name == layer or name.startswith(f"{layer}.") or fnmatchcase(name, layer)


def _columns(run: xr.Dataset, columns: Sequence[str] | None, logged: Sequence[str]) -> xr.DataArray:
    there = ", ".join(logged) or "none"
    if isinstance(columns, str) or (columns is not None and not columns):
        raise InputError(f"columns: {columns!r}; give a list of names; there are {there}")
    if not logged:
        raise InputError("run: holds neither weights nor logged numbers; record some")
    # As importers call them: Zarr takes a slash for a folder.
    columns = columns and [name.replace("/", ".") for name in columns]
    for name in columns or ():
        if name not in logged:
            raise InputError(f"columns: no {name!r} was logged; there are {there}")
    names = list(columns or logged)
    stacked = np.column_stack([run[name].values.astype(float) for name in names])
    flags = {"flag_values": list(range(len(names))), "flag_meanings": names}
    return xr.DataArray(
        stacked,
        dims=("step", "weight"),
        coords={"step": run["step"], "layer": ("weight", np.arange(len(names)), flags)},
        name="logged",
    )
