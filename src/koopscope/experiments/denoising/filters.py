"""Denoising without a network: the plain baselines.

A method named "oracle" has seen the clean values: a bound, not a competitor.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pywt
from scipy.signal import savgol_filter

from koopscope.errors import InputError
from koopscope.experiments.denoising.names import FILTERS
from koopscope.experiments.denoising.waves import Waves

WAVELET = "sym8"
# Median absolute value of a standard normal variable.
MEDIAN = 0.6744897501960817
# Coefficients a side that are left as they are.
COARSEST = 4
ORDER = 3
CUT_OFFS = 60


def noise_estimate(noisy: np.ndarray, boundary: str) -> float:
    """Standard deviation of white noise, from the median of the finest wavelet coefficients.

    Source: Donoho and Johnstone, Biometrika 81 (1994).

    Parameters
    ----------
    noisy
        One or two dimensions.
    boundary
        ``"periodic"`` or ``"reflecting"``.

    Returns
    -------
    float
        In the unit of the values.
    """
    finest = _details(_decomposed(noisy, boundary)[-1])
    values = np.concatenate([part.ravel() for part in finest])
    # Across all axes at once where there are two: the least of the signal is there.
    values = finest[-1].ravel() if noisy.ndim > 1 else values
    return float(np.median(np.abs(values)) / MEDIAN)


def wiener_oracle(clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str) -> np.ndarray:
    """Least mean square for the clean values' own spectrum and the true noise.

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    waves = Waves(noisy.shape, boundary)
    power = np.abs(waves.coefficients(clean)) ** 2
    return waves.values(waves.coefficients(noisy) * power / (power + noise**2))


def wiener_estimated(
    clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str
) -> np.ndarray:
    """Wiener gains from the noisy values alone: max(0, 1 − η²/P) with the periodogram P.

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; ``clean`` and ``noise`` are not looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    waves = Waves(noisy.shape, boundary)
    found = waves.coefficients(noisy)
    variance = noise_estimate(noisy, boundary) ** 2
    # Not smoothed over neighbours, since that would spread tones.
    power = np.maximum(np.abs(found) ** 2, np.finfo(float).tiny)
    return waves.values(found * np.maximum(0, 1 - variance / power))


def low_pass_oracle(
    clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str
) -> np.ndarray:
    """Gaussian low-pass, its cut-off the best of many for the clean values.

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; ``noise`` is not looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    waves = Waves(noisy.shape, boundary)
    found, k = waves.coefficients(noisy), waves.numbers
    cut_offs = np.geomspace(0.25, 4 * k.max(), CUT_OFFS)
    return _best(clean, (waves.values(found * np.exp(-((k / c) ** 2) / 2)) for c in cut_offs))


def visushrink(clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str) -> np.ndarray:
    """Soft threshold η √(2 ln n) for all wavelet coefficients (Donoho and Johnstone 1994).

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; ``clean`` and ``noise`` are not looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    threshold = noise_estimate(noisy, boundary) * np.sqrt(2 * np.log(noisy.size))
    return _shrunk(noisy, boundary, lambda band: threshold)


def bayesshrink(clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str) -> np.ndarray:
    """Soft threshold η²/σ for each band of wavelet coefficients (Chang, Yu, Vetterli 2000).

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; ``clean`` and ``noise`` are not looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    variance = noise_estimate(noisy, boundary) ** 2

    def threshold(band: np.ndarray) -> float:
        own = max(float(np.mean(band**2)) - variance, 0.0)
        return variance / np.sqrt(own) if own else float(np.abs(band).max())

    return _shrunk(noisy, boundary, threshold)


def savitzky_golay_oracle(
    clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str
) -> np.ndarray:
    """Cubic Savitzky–Golay filter along each axis, its window the best for the clean values.

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; ``noise`` is not looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    mode = "wrap" if boundary == "periodic" else "mirror"
    longest = min(noisy.shape)
    windows = sorted({2 * round(w / 2) + 1 for w in np.geomspace(5, longest - 2, 25)})

    def filtered(window: int) -> np.ndarray:
        values = noisy
        for axis in range(noisy.ndim):
            values = savgol_filter(values, window, ORDER, axis=axis, mode=mode)
        return values

    return _best(clean, (noisy, *(filtered(w) for w in windows if ORDER < w < longest)))


def noisy(clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str) -> np.ndarray:
    """Return the noisy values themselves.

    Parameters
    ----------
    clean, noisy, noise, boundary
        As for :func:`denoised`; only ``noisy`` is looked at.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.
    """
    return noisy


def denoised(
    name: str, clean: np.ndarray, noisy: np.ndarray, noise: float, boundary: str
) -> np.ndarray:
    """Values that a filter makes of noisy ones.

    Parameters
    ----------
    name
        One of :data:`koopscope.experiments.denoising.names.FILTERS`.
    clean, noise
        For the oracles alone: the clean values, and the standard deviation of the noise.
    noisy
        One or two dimensions.
    boundary
        ``"periodic"`` or ``"reflecting"``.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``noisy``.

    Raises
    ------
    InputError
        For an unknown filter.
    """
    if name not in FILTERS:
        raise InputError(f"filter: unknown {name!r}; give one of {', '.join(FILTERS)}")
    return globals()[name.replace("-", "_")](clean, noisy, noise, boundary)


def _best(clean: np.ndarray, candidates) -> np.ndarray:
    return min(candidates, key=lambda values: np.mean((values - clean) ** 2))


def _decomposed(values: np.ndarray, boundary: str) -> list:
    # Down to few coefficients, since what is left coarse is not shrunk: in small images that would
    # be most of the noise. PyWavelets warns that the wavelet is longer than the data there.
    depth = max(1, int(np.log2(min(values.shape) / COARSEST)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Level value of")
        return pywt.wavedecn(values, WAVELET, mode=_mode(boundary), level=depth)


def _mode(boundary: str) -> str:
    return "periodization" if boundary == "periodic" else "symmetric"


def _details(level: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [level[name] for name in sorted(level, key=lambda name: (name.count("d"), name))]


def _shrunk(
    noisy: np.ndarray, boundary: str, threshold: Callable[[np.ndarray], float]
) -> np.ndarray:
    coarse, *levels = _decomposed(noisy, boundary)
    kept = [
        {name: pywt.threshold(band, threshold(band), "soft") for name, band in level.items()}
        for level in levels
    ]
    values = pywt.waverecn([coarse, *kept], WAVELET, mode=_mode(boundary))
    return values[tuple(slice(0, n) for n in noisy.shape)]
