"""Every eigenvalue of a study with its numbers."""

import numpy as np
import xarray as xr

from koopscope.experiments.equivalence.figures.spectra import read_spectra, window_near_1
from koopscope.report.datasets import require
from koopscope.report.hover import Series, plane_page
from koopscope.report.style import looks, reported


@reported("9 all eigenvalues, to point at", of="comparison")
def every_eigenvalue(comparison: xr.Dataset) -> str:
    """Make a page on which eigenvalues tell seed, residual and amplitude when pointed at.

    Parameters
    ----------
    comparison
        As for :func:`koopscope.experiments.equivalence.figures.spectra.spectra`, with
        ``amplitude`` (sample, mode).

    Raises
    ------
    InputError
        If a variable is missing or there is no sample.
    """
    groups, eigenvalue, residual = read_spectra(comparison, "every_eigenvalue")
    require(comparison, "every_eigenvalue", "comparison", ("amplitude",))
    amplitude = comparison["amplitude"].transpose("sample", "mode").values
    seed = comparison["seed"].values
    window = window_near_1(eigenvalue[np.isfinite(eigenvalue)])
    farthest = np.abs(eigenvalue[np.isfinite(eigenvalue)]).max(initial=1)
    view = 1.05 * float(farthest)
    series = [
        Series(name, look, eigenvalue[at], residual[at], amplitude[at], seed[at])
        for (name, at), look in zip(groups.items(), looks(groups).values(), strict=True)
    ]
    title = str(comparison.attrs.get("question") or comparison.attrs.get("study", "Eigenvalues"))
    return plane_page(title, series, view, view if window is None else window[2] / 2)
