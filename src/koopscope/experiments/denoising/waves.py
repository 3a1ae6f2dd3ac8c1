"""Waves of a grid: one transform, its inverse and its wave numbers, periodic or reflecting."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.fft import dctn, fftn, idctn, ifftn

# [ours] Bands have the tones of koopscope.experiments.denoising.targets in their geometric middle.
RATIO = 3


@dataclass(frozen=True)
class Waves:
    """Orthonormal waves of an equidistant grid.

    Attributes
    ----------
    shape
        Points in each dimension.
    boundary
        ``"periodic"`` (Fourier) or ``"reflecting"`` (cosines between the points' cells).
    """

    shape: tuple[int, ...]
    boundary: str

    def coefficients(self, values: np.ndarray) -> np.ndarray:
        """Coefficients of values (…, *shape), of the same shape and sum of squares."""
        transform = fftn if self.boundary == "periodic" else dctn
        return transform(values, axes=self._axes, norm="ortho")

    def values(self, coefficients: np.ndarray) -> np.ndarray:
        """Real values of coefficients (…, *shape)."""
        inverse = ifftn if self.boundary == "periodic" else idctn
        return inverse(coefficients, axes=self._axes, norm="ortho").real

    @cached_property
    def numbers(self) -> np.ndarray:
        """Wave number of each coefficient: periods in the length of the domain; shape ``shape``."""
        if self.boundary == "periodic":
            axes = [np.fft.fftfreq(n, 1 / n) for n in self.shape]
        else:
            axes = [np.arange(n) / 2 for n in self.shape]
        return np.sqrt(sum(k**2 for k in np.meshgrid(*axes, indexing="ij", sparse=True)))

    @cached_property
    def bands(self) -> np.ndarray:
        """Band of each coefficient, 0 for the coarsest; shape ``shape``."""
        return np.digitize(self.numbers, edges(self.shape))

    def band_power(self, values: np.ndarray) -> np.ndarray:
        """Mean square of values (…, *shape) by band, shape (…, band); over bands the whole."""
        power = np.abs(self.coefficients(values)) ** 2 / np.prod(self.shape)
        count = len(edges(self.shape)) + 1
        return np.stack(
            [power[..., self.bands == band].sum(axis=-1) for band in range(count)], axis=-1
        )

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))


def tones_of(points: int) -> list[int]:
    """1, 3, 9, … periods, up to half of the finest wave number of so many points an axis.

    Above it there is noise alone, by which filters may know its size.
    """
    return [RATIO**j for j in range(20) if 4 * RATIO**j <= points]


def edges(shape: Sequence[int]) -> np.ndarray:
    """Wave numbers between the bands of a grid: √3 times 1, 3, 9, …; the last has no tone."""
    return np.sqrt(RATIO) * np.array(tones_of(min(shape)))
