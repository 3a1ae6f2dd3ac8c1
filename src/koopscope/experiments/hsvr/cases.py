"""Results of single signals, joined along ``case``; and the size of errors."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from koopscope.errors import InputError


def named(found: xr.Dataset, signal: xr.Dataset) -> xr.Dataset:
    """What was found of a signal, as a case with its name, noise, seed and digest."""
    names = ("signal", "noise", "seed", "digest")
    coords = {name: ("case", [signal.attrs[name]]) for name in names}
    return found.expand_dims("case").assign_coords(coords)


def joined(cases: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join cases; refuses none."""
    if not cases:
        raise InputError("signals: none; give at least one")
    return xr.concat(cases, dim="case", data_vars="minimal", coords="minimal", join="outer")


def rms(errors: np.ndarray) -> np.ndarray:
    """Root mean square over the last axis."""
    return np.sqrt(np.mean(np.square(errors), axis=-1))
