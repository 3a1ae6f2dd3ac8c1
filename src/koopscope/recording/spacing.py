"""The part of a run that a fit can use: even steps, finite numbers."""

import math
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from koopscope.errors import InputError, whole_number
from koopscope.recording.naming import listed
from koopscope.recording.writer import STEPS, VALUES

Run = TypeVar("Run", xr.Dataset, xr.DataArray)


def evenly(run: Run, every: int | None = None) -> Run:
    """Keep the rows of a run whose steps are evenly spaced, or refuse it.

    Parameters
    ----------
    run
        With the coordinate ``step``, in optimiser steps; a Dataset or one variable of it.
    every
        Keep the steps that are multiples of this; by default all.

    Returns
    -------
    xarray.Dataset or xarray.DataArray
        The run, or those of its rows.

    Raises
    ------
    InputError
        If the steps repeat or go back, or those kept are unevenly spaced, or fewer than two. It
        names the spacings, a multiple that would do, and the longest even stretch.

    Examples
    --------
    >>> import numpy as np
    >>> import koopscope as ks
    >>> from koopscope.recording.spacing import evenly
    >>> run = ks.from_arrays(np.ones((6, 2)), step=[1, 2, 4, 10, 20, 30])
    >>> evenly(run, every=10)["step"].values.tolist()
    [10, 20, 30]
    """
    steps = run["step"].values
    gaps = np.diff(steps)
    if (gaps <= 0).any():
        at = int(np.argmax(gaps <= 0))
        raise InputError(
            f"step: goes from {steps[at]} to {steps[at + 1]} at row {at + 1}; give each step once, "
            "in ascending order"
        )
    if every is None:
        if gaps.size and (gaps != gaps[0]).any():
            raise InputError(
                f"step: unevenly spaced, by {listed(dict.fromkeys(gaps.tolist()))}; "
                f"{_ways_out(steps)}"
            )
        return run
    every = whole_number("every", every)
    kept = np.flatnonzero(steps % every == 0)
    gaps = np.diff(steps[kept])
    if kept.size < 2 or (gaps != gaps[0]).any():
        found = f"spaced by {listed(dict.fromkeys(gaps.tolist()))}" if gaps.size else "too few"
        raise InputError(
            f"every: {every} keeps {kept.size} of {steps.size} steps, {found}; {_ways_out(steps)}"
        )
    return run.isel(step=kept)


def _ways_out(steps: np.ndarray) -> str:
    """What can be done about uneven steps, in words."""
    gaps = np.diff(steps)
    ways = []
    # A spacing of steps that are there, so that a run on a grid with gaps finds its grid.
    kept = {int(n): steps[steps % n == 0] for n in np.unique(gaps)[:100]}
    even = {n: k.size for n, k in kept.items() if k.size > 2 and np.ptp(np.diff(k)) == 0}
    if even:
        best = max(even, key=lambda n: even[n])
        ways.append(f"give every={best}, which keeps {even[best]}")
    starts = np.flatnonzero(np.diff(gaps, prepend=0, append=0) != 0)
    lengths = np.diff(starts)
    at = int(np.argmax(lengths))
    if lengths[at] > 1:
        first, last = steps[starts[at]], steps[starts[at + 1]]
        ways.append(
            f"take the longest even stretch, run.sel(step=slice({first}, {last})): "
            f"{lengths[at] + 1} steps by {gaps[starts[at]]}"
        )
    return ", or ".join(ways) or "no three of them are even: record every so many steps"


def finite_part(run: Run) -> tuple[Run, int | None]:
    """Rows of a run before its first number that is not finite.

    Looked at are the weights or the sketch; where there are none, all scalars, in which NaN stands
    for a number that was not logged too.

    Parameters
    ----------
    run
        With the coordinate ``step``, in optimiser steps; a Dataset or one variable of it.

    Returns
    -------
    part : xarray.Dataset or xarray.DataArray
        The whole run if all is finite.
    ended : int or None
        Step at which the numbers ended; also of a run imported up to there
        (:func:`koopscope.from_checkpoints`). None if the run is whole.

    Examples
    --------
    >>> import numpy as np
    >>> import koopscope as ks
    >>> from koopscope.recording.spacing import finite_part
    >>> run = ks.from_arrays([[1.0], [2.0], [np.inf], [np.nan]], step=[5, 10, 15, 20])
    >>> part, ended = finite_part(run)
    >>> part["step"].values.tolist(), ended
    ([5, 10], 15)
    """
    for start in range(0, run.sizes["step"], STEPS):
        # In blocks: a run may be larger than the memory.
        block = run.isel(step=slice(start, start + STEPS))
        finite = np.ones(block.sizes["step"], bool)
        for array in _looked_at(block):
            finite &= xr.apply_ufunc(np.isfinite, array).all(set(array.dims) - {"step"}).values
        if not finite.all():
            at = start + int(finite.argmin())
            return run.isel(step=slice(at)), int(run["step"][at])
    return run, lost_at(run)


def lost_at(run: Run) -> int | None:
    """Step from which on a run that was brought in was not finite; None if it never was.

    Only a step says so: runs made elsewhere have −1 or NaN there, or nothing.
    """
    ended: Any = run.attrs.get("diverged_at")
    number = float(ended) if isinstance(ended, Real) and not isinstance(ended, bool) else -1.0
    return int(number) if 0 <= number < math.inf else None


def _looked_at(run: xr.Dataset | xr.DataArray) -> list[xr.DataArray]:
    """What must be finite."""
    if isinstance(run, xr.DataArray):
        return [run]
    values = [run[name] for name in VALUES if name in run]
    return values or [array for array in run.data_vars.values() if "step" in array.dims]
