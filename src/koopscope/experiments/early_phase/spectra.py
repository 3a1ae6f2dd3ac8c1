"""Spectra of windows of many runs, brought to one unit of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.controls.making import making
from koopscope.errors import InputError
from koopscope.experiments.early_phase.parts import Part
from koopscope.koopman.fitting import fit
from koopscope.koopman.threads import one_thread

if TYPE_CHECKING:
    from koopscope.experiments.early_phase.plan import EarlyPhase

# Windows that controls are made of: the first and the last.
CONTROLLED = (0, -1)


@dataclass(frozen=True)
class Spectra:
    """Spectra of runs.

    Attributes
    ----------
    eigenvalues
        Per snapshot, shape (…, mode), NaN where there is no spectrum.
    residuals, amplitudes
        Of the same shape.
    """

    eigenvalues: np.ndarray
    residuals: np.ndarray
    amplitudes: np.ndarray

    def listed(self) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Each spectrum with its residuals and amplitudes by itself, empty where there is none."""
        flat = self.eigenvalues.reshape(-1, self.eigenvalues.shape[-1])
        known = np.isfinite(flat)
        rows = tuple(
            [row[there] for row, there in zip(all_of.reshape(flat.shape), known, strict=True)]
            for all_of in (flat, self.residuals, self.amplitudes)
        )
        return rows[0], rows[1], rows[2]


def slices(plan: "EarlyPhase") -> list[slice]:
    """Snapshots that the fits of each window read, as places in a run.

    The first snapshot of a run is the one after its first ``record_every`` steps. A window's last
    one is that at its end.
    """
    every, bounds = plan.model.record_every, plan.windows.bounds
    found = []
    for start, stop, stride in zip(bounds, bounds[1:], plan.strides, strict=False):
        first = start // every + stride - 1
        found.append(slice(first, stop // every, stride))
    return found


def whole(plan: "EarlyPhase") -> list[slice]:
    """All snapshots of each window."""
    every, bounds = plan.model.record_every, plan.windows.bounds
    return [slice(a // every, b // every) for a, b in zip(bounds, bounds[1:], strict=False)]


def of_windows(weights: np.ndarray, plan: "EarlyPhase", part: Part) -> Spectra:
    """Spectra of all windows of runs.

    Parameters
    ----------
    weights
        Shape (run, snapshot, weight), all that is recorded.
    plan
        Windows, delays, rank.
    part
        Which numbers, in which coordinates.

    Returns
    -------
    Spectra
        Shape (window, run, mode), per snapshot of the least stride.
    """
    found = []
    for window, stride in zip(slices(plan), plan.strides, strict=True):
        of_window = [fitted(run[window][:, part.columns], plan, part) for run in weights]
        eigenvalues, residuals, amplitudes = (np.stack(v) for v in zip(*of_window, strict=True))
        found.append((per_step(eigenvalues, stride), residuals, amplitudes))
    return Spectra(*(np.stack(values) for values in zip(*found, strict=True)))


def of_control(
    control: str, runs: Mapping[int, np.ndarray], plan: "EarlyPhase", part: Part
) -> Spectra:
    """Spectra of what a control makes of the first and the last window, shape (2, run, mode).

    Parameters
    ----------
    control
        One of :data:`koopscope.config.controls.NAMES`.
    runs
        By seed, shape (snapshot, weight), all that is recorded.
    plan, part
        As for :func:`of_windows`.
    """
    found = []
    for place in CONTROLLED:
        window, stride = slices(plan)[place], plan.strides[place]
        states = {seed: _array(run[window][:, part.columns]) for seed, run in runs.items()}
        make = making(control, [run for run in states.values() if np.isfinite(run).all()])
        of_window = [fitted(make(run, seed).values, plan, part) for seed, run in states.items()]
        eigenvalues, residuals, amplitudes = (np.stack(v) for v in zip(*of_window, strict=True))
        found.append((per_step(eigenvalues, stride), residuals, amplitudes))
    return Spectra(*(np.stack(values) for values in zip(*found, strict=True)))


def per_step(eigenvalues: np.ndarray, stride: int) -> np.ndarray:
    """Eigenvalues of so many steps as those of one: the root of the smallest angle.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.experiments.early_phase.spectra import per_step
    >>> per_step(np.array([0.25, 1.0 + 0j]), 2).real.tolist()
    [0.5, 1.0]
    """
    return eigenvalues if stride == 1 else eigenvalues.astype(complex) ** (1 / stride)


def fitted(
    run: np.ndarray, plan: "EarlyPhase", part: Part
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, residuals and amplitudes of a window, shape (mode,); NaN where it has none.

    A run that diverged, or a layer that stands still, has no spectrum of the rank.
    """
    nothing = np.full(plan.rank, np.nan)
    if not np.isfinite(run).all():
        return nothing.astype(complex), nothing, nothing
    try:
        with one_thread():
            found = fit(_array(run), plan.delays, plan.rank, coordinates=part.coordinates)
    except InputError:
        return nothing.astype(complex), nothing, nothing
    return found.eigenvalues, found.residuals, found.amplitudes


def _array(run: np.ndarray) -> xr.DataArray:
    return xr.DataArray(run, dims=("step", "weight"))
