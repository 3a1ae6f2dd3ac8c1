"""Spectra of the seeds of a trajectory store, as it is or made into a control."""

from collections.abc import Callable
from pathlib import Path

import xarray as xr
from distributed import Client

from koopscope.config.control_fit import ControlFit
from koopscope.config.fit import FitSpec
from koopscope.controls.making import making
from koopscope.koopman.ensemble import fit_seeds, runs_of_seeds


def fit_ensemble(
    path: Path,
    fit: FitSpec,
    client: Client,
    progress: Callable[[int], object] = lambda seeds: None,
) -> xr.Dataset:
    """Fit every seed, of a :class:`koopscope.config.control_fit.ControlFit` what is made of it.

    Parameters, result and errors are those of :func:`koopscope.koopman.ensemble.fit_seeds`.
    """
    instead = None
    if isinstance(fit, ControlFit):
        instead = making(fit.control, runs_of_seeds(path, fit))
    return fit_seeds(path, fit, client, progress, instead)
