"""The Koopman mode of a window of snapshots whose eigenvalue is nearest 1: where training goes.

Redman et al. (ICLR 2022): the weights' trajectory is θ_t ≈ Σ_i b_i λ_i^t v_i, the mode of λ = 1 is
its fixed point, the others pass. As in the authors' scripts: exact DMD of the snapshots as they
are, without delays. The mean must not be taken off, since that removes λ = 1.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.koopman.dmd import Rank
from koopscope.koopman.fitting import fit
from koopscope.koopman.spectrum import Spectrum
from koopscope.pruning.names import EIGENVALUE_TOLERANCE

# Two eigenvalues whose powers come no further apart over the window are one, and a defective one:
# a single trajectory cannot show two modes of one eigenvalue otherwise. [ours]
SMALLEST_DIFFERENCE = 0.01


@dataclass(frozen=True)
class FixedPoint:
    """Spectrum of a window, and which of its eigenvalues is taken for 1.

    Attributes
    ----------
    window
        Snapshots, dims (step, weight).
    spectrum
        Of the window.
    index, second
        Numbers of the eigenvalue nearest 1 and of the next that is not its conjugate (None if there
        is no other).
    """

    window: xr.DataArray
    spectrum: Spectrum
    index: int
    second: int | None

    @property
    def eigenvalue(self) -> complex:
        """The one taken for 1, per step."""
        return complex(self.spectrum.eigenvalues[self.index])

    @property
    def residual(self) -> float:
        """Its residual (:class:`koopscope.koopman.Spectrum`)."""
        return float(self.spectrum.residuals[self.index])

    @property
    def others(self) -> np.ndarray:
        """Whether each mode passes: all but the one taken for 1 and its conjugate; (mode,)."""
        values = self.spectrum.eigenvalues
        fixed = np.isin(np.arange(len(values)), [self.index])
        if self.eigenvalue.imag != 0:
            fixed |= np.isclose(values, np.conj(self.eigenvalue), rtol=0, atol=1e-12)
        return ~fixed

    def facts(self) -> xr.Dataset:
        """What the choice rests on, as scalars.

        ``eigenvalue`` and ``residual``; ``second_eigenvalue`` and ``second_residual``, of the next
        nearest 1 (NaN if there is none); ``gap``, by how much that one is further from 1; ``rank``;
        ``condition_number`` of the window; ``slowest_decay``, the largest modulus below 1 of the
        others; ``decaying_share``, the size of all that passes in the last snapshot relative to it.
        """
        spectrum, second = self.spectrum, self.second
        other = complex(np.nan, np.nan) if second is None else spectrum.eigenvalues[second]
        moduli = np.abs(spectrum.eigenvalues[self.others])
        # The operator's own length of Σ_{i≠1} b_i v_i, in coordinates whose basis is orthonormal.
        final = spectrum.final_coordinates[0]
        passing = np.linalg.norm(spectrum.vectors @ (final * self.others))
        return xr.Dataset(
            {
                "eigenvalue": self.eigenvalue,
                "residual": self.residual,
                "second_eigenvalue": other,
                "second_residual": np.nan if second is None else spectrum.residuals[second],
                "gap": abs(other - 1) - abs(self.eigenvalue - 1),
                "rank": spectrum.rank,
                "condition_number": spectrum.condition_number,
                "slowest_decay": max(moduli[moduli < 1], default=np.nan),
                "decaying_share": passing / np.linalg.norm(spectrum.vectors @ final),
            }
        )


def fixed_point(
    window: xr.DataArray,
    rank: Rank = "rounding",
    eigenvalue_tolerance: float = EIGENVALUE_TOLERANCE,
) -> FixedPoint:
    """Fit a window and take the eigenvalue nearest 1 for 1.

    Parameters
    ----------
    window
        Snapshots, dims (step, weight); read in blocks of weights if it is lazy.
    rank
        See :func:`koopscope.koopman.fit`. By default all directions above the rounding of the
        stored numbers, which for real windows is the paper's full rank (``"all"``).
    eigenvalue_tolerance
        Largest distance from 1.

    Returns
    -------
    FixedPoint
        With the window, its spectrum and which eigenvalue it is.

    Raises
    ------
    InputError
        If the window has other dims or fewer than two snapshots, is constant or not finite, has no
        eigenvalue within the tolerance, or has a defective one there: then the weights drift.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from koopscope.pruning import fixed_point
    >>> step = np.arange(10)[:, None]
    >>> window = [3, 0, -1] + np.array([0, 1, 2]) * 0.5**step
    >>> window = xr.DataArray(window, dims=("step", "weight"))
    >>> found = fixed_point(window)
    >>> round(found.eigenvalue.real, 6), found.spectrum.eigenvalues.real.round(6).tolist()
    (1.0, [1.0, 0.5])
    >>> found.others.tolist(), round(float(found.facts()["gap"]), 6)
    ([False, True], 0.5)
    """
    if set(window.dims) != {"step", "weight"}:
        raise InputError(f"window: dims are {window.dims}; give (step, weight)")
    if window.sizes["step"] < 2:
        raise InputError(f"window: {window.sizes['step']} snapshots; give at least 2")
    try:
        spectrum = fit(window, rank=rank, solver="gram")
    except InputError as error:
        raise InputError(str(error).replace("trajectories: ", "window: ", 1)) from None
    distances = np.abs(spectrum.eigenvalues - 1)
    order = np.lexsort((np.arange(len(distances)), distances))
    nearest = int(order[0])
    value, residual = spectrum.eigenvalues[nearest], spectrum.residuals[nearest]
    if distances[nearest] > eigenvalue_tolerance:
        raise InputError(
            f"window: no eigenvalue within {eigenvalue_tolerance:g} of 1; the nearest is "
            f"{value:.4g}, residual {residual:.2g}: give a longer or later window, or raise "
            "eigenvalue_tolerance"
        )
    if len(order) > 1:
        next_value = spectrum.eigenvalues[order[1]]
        if abs(next_value - value) * window.sizes["step"] < SMALLEST_DIFFERENCE:
            raise InputError(
                f"window: the eigenvalue 1 is defective ({value:.7g} and {next_value:.7g} are one "
                f"within this window, residual {residual:.2g}): the weights drift without "
                "settling; give a longer or later window"
            )
    found = FixedPoint(window, spectrum, nearest, None)
    further = [int(i) for i in order[1:] if found.others[i]]
    return FixedPoint(window, spectrum, nearest, further[0] if further else None)
