"""Which eigenvalues differ most between two groups of spectra, and how long their modes last."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from koopscope.compare.barycentre import matched_modes

# Eigenvalues closer to the real axis than this do not oscillate.
REAL = 1e-9


@dataclass(frozen=True)
class Mode:
    """One mode of a group: medians over its seeds, with the least and the greatest.

    Attributes
    ----------
    eigenvalue
        Mean over seeds, of the upper one of a conjugate pair.
    time_constant
        -1 / ln |λ|, in steps; infinite where it does not decay. Median, least, greatest.
    period
        2π / |arg λ|, in steps; infinite where it does not oscillate. Median, least, greatest.
    """

    eigenvalue: complex
    time_constant: tuple[float, float, float]
    period: tuple[float, float, float]


@dataclass(frozen=True)
class Moved:
    """A mode of one group and the mode of another that an optimal matching puts beside it.

    Attributes
    ----------
    first, second
        The mode in each group.
    distance
        Between the two means, in the eigenvalues' unit.
    spread
        Mean distance of a seed's eigenvalue from its group's mean.
    """

    first: Mode
    second: Mode
    distance: float
    spread: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        found = asdict(self)
        for side in ("first", "second"):
            value = found[side].pop("eigenvalue")
            found[side] |= {"real": value.real, "imag": value.imag}
        return found


def moved_most(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], spacing: float = 1, most: int = 3
) -> list[Moved]:
    """Modes whose eigenvalues differ most between two groups of spectra.

    Parameters
    ----------
    first, second
        Eigenvalues of each seed, finite, shape (mode,).
    spacing
        Steps from one state to the next.
    most
        How many to give, the farthest first; of a conjugate pair one.

    Returns
    -------
    list of Moved
        Fewer where there are fewer modes; none where a group has none.

    Examples
    --------
    Two seeds of each group; one mode is the same, the other decays faster:

    >>> from koopscope.compare import moved_most
    >>> found = moved_most([[1, 0.9], [1, 0.92]], [[1, 0.5], [1, 0.5]], most=1)[0]
    >>> round(found.first.eigenvalue.real, 6), found.second.eigenvalue.real
    (0.91, 0.5)
    >>> [round(value, 1) for value in found.first.time_constant]
    [10.7, 9.5, 12.0]
    """
    modes = [matched_modes(padded(group)) for group in (first, second)]
    if not all(modes):
        return []
    ours, theirs = ([np.array(mode) for mode in group] for group in modes)
    gaps = np.abs(
        np.array([m.mean() for m in ours])[:, None] - np.array([m.mean() for m in theirs])
    )
    found = []
    for i, j in zip(*linear_sum_assignment(gaps), strict=True):
        if ours[i].mean().imag < -REAL:
            continue
        spreads = [np.abs(mode - mode.mean()) for mode in (ours[i], theirs[j])]
        sides = _mode(ours[i], spacing), _mode(theirs[j], spacing)
        found.append(Moved(*sides, float(gaps[i, j]), float(np.concatenate(spreads).mean())))
    return sorted(found, key=lambda moved: -moved.distance)[:most]


def padded(spectra: Sequence[np.ndarray]) -> np.ndarray:
    """Eigenvalues of each spectrum as rows, padded with NaN to the longest."""
    rows = [np.asarray(values, complex) for values in spectra]
    out = np.full((len(rows), max((len(row) for row in rows), default=0)), np.nan, complex)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def _mode(values: np.ndarray, spacing: float) -> Mode:
    moduli, angles = np.abs(values), np.abs(np.angle(values))
    with np.errstate(divide="ignore"):
        lasts = np.where(moduli < 1, -spacing / np.log(np.where(moduli < 1, moduli, 0.5)), np.inf)
        periods = np.where(angles > REAL, 2 * np.pi * spacing / np.maximum(angles, REAL), np.inf)
    mean = complex(values.mean())
    return Mode(mean if mean.imag >= 0 else mean.conjugate(), _range(lasts), _range(periods))


def _range(values: np.ndarray) -> tuple[float, float, float]:
    return float(np.median(values)), float(values.min()), float(values.max())
