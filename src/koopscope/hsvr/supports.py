"""Frequencies that make up sampled data: four ways to find them.

Each function returns the frequencies of the data's support, ascending, in cycles per unit of the
coordinates, never 0: the mean has no scale. In several dimensions they are lengths of wave vectors.
Shape (frequency,), empty if there are none. Values are taken to be finite and not all alike, as
:func:`koopscope.hsvr.frequencies` has checked.
"""

import numpy as np
from scipy.fft import irfftn
from scipy.signal.windows import hann

from koopscope.errors import InputError
from koopscope.hsvr.periodogram import amplitudes
from koopscope.koopman.fitting import fit

MIN_POINTS = 8
# DMD: a delayed state joins so many values. Long enough to tell a tone from noise by its residual
# (at 10 % noise below 0.003 against above 0.07), short enough to cost milliseconds.
DELAYS = 128
RESIDUAL_LIMIT = 0.02
# The noise is the quietest of so many bands, as a signal seldom fills them all; but the median of
# too few coefficients is no measure.
BANDS = 8
BAND_ENTRIES = 256
# Of finding a frequency where there is only noise, in the whole spectrum, if its level were known.
FALSE_ALARM = 0.01


def fourier(y: np.ndarray, dx: tuple[float, ...], threshold: float = 0.01) -> np.ndarray:
    """Frequencies whose Fourier coefficient is above a share of the largest one.

    Parameters
    ----------
    y
        Values on an equidistant grid, one axis a dimension.
    dx
        Spacing along each axis.
    threshold
        Share of the largest modulus, the mean's left out.

    References
    ----------
    Mohr et al., Entropy 23(1), 37 (2021), Algorithm 1.
    """
    frequencies = _grid_frequencies(y.shape, dx)
    moduli = np.abs(np.fft.fftn(y - y.mean()))
    moduli[frequencies == 0] = 0
    return np.unique(frequencies[moduli > threshold * moduli.max()])


def tapered(y: np.ndarray, dx: tuple[float, ...], epsilon: float = 0.01) -> np.ndarray:
    """Frequencies up to the one beyond which nothing of size ε is left.

    [ours, not the paper's] A Hann taper keeps what the window cuts from leaking into all
    frequencies. Coefficients that white noise would explain are dropped: its power is the least
    median over bands, and few noises leave any coefficient. Then the support ends at the lowest
    frequency such that everything above it adds up to no more than ε · (max y - min y) at any
    point: this is the error that a fit with all lower frequencies leaves.

    Parameters
    ----------
    y, dx
        As for :func:`fourier`.
    epsilon
        Share of the range of y.
    """
    frequencies = _grid_frequencies(y.shape, dx)
    taper = np.ones(())
    for length in y.shape:
        taper = np.multiply.outer(taper, hann(length, sym=False))
    coefficients = np.fft.fftn((y - np.average(y, weights=taper)) * taper)
    power = np.abs(coefficients) ** 2
    by_frequency = power.ravel()[np.argsort(frequencies, axis=None)]
    coefficients[power <= _noise_ceiling(by_frequency)] = 0
    coefficients[frequencies == 0] = 0

    present = np.unique(frequencies[coefficients != 0])
    # Values are real: half of the coefficients gives all of them.
    half = (..., slice(y.shape[-1] // 2 + 1))
    coefficients, frequencies = coefficients[half], frequencies[half]
    enough = epsilon * np.ptp(y)
    low, high = 0, len(present)  # bisection: the first so many frequencies are enough
    while low < high:
        middle = (low + high) // 2
        kept = present[middle - 1] if middle else 0.0
        above = np.where(frequencies > kept, coefficients, 0)
        if np.abs(irfftn(above, y.shape)).max() <= enough:
            high = middle
        else:
            low = middle + 1
    return present[:low]


def koopman(
    y: np.ndarray,
    dx: tuple[float, ...],
    threshold: float = 0.01,
    residual_limit: float = RESIDUAL_LIMIT,
) -> np.ndarray:
    """Frequencies of the DMD modes that can be believed and weigh something.

    A mode counts if its residual is at most ``residual_limit`` and its root mean square over the
    window is above a share ``threshold`` of the largest one's. DMD needs no whole number of
    periods, so nothing leaks. [ours] In several dimensions the modes over the first axis are
    patterns over the others, which are decomposed in the same way, axis after axis.

    Parameters
    ----------
    y, dx
        As for :func:`fourier`.
    threshold
        Share of the largest weight.
    residual_limit
        See :class:`koopscope.koopman.Spectrum`; eigenvalues are per sample.

    References
    ----------
    After the idea of Mohr et al. (2021); residuals: Drmač, Mezić, Mohr (2018).
    """
    frequencies, weights = _plane_waves((y - y.mean())[..., None], dx, threshold, residual_limit)
    # A trend turns less than once in six windows: it is coarser than any scale of interest.
    turning = frequencies > 1 / (6 * max(n * step for n, step in zip(y.shape, dx, strict=True)))
    frequencies, weights = frequencies[turning], weights[turning]
    return np.unique(frequencies[weights > threshold * weights.max(initial=0.0)])


def lomb_scargle(x: np.ndarray, y: np.ndarray, epsilon: float = 0.01) -> np.ndarray:
    """Frequencies of scattered points in one dimension.

    [ours, not the paper's] Least-squares amplitudes up to half the mean density of the points; a
    frequency counts if its amplitude is above ε · (max y - min y) and above what noise explains.
    The points' irregularity turns a strong tone into noise, about its amplitude · √(10 / n), under
    which weaker tones are lost.

    Parameters
    ----------
    x, y
        Shape (point,), in any order.
    epsilon
        Share of the range of y.

    Returns
    -------
    numpy.ndarray
        Shape (frequency,), multiples of half a cycle in the extent of x, below half the density.

    Raises
    ------
    InputError
        If all points coincide.

    References
    ----------
    Lomb (1976), Scargle (1982); see :mod:`koopscope.hsvr.periodogram`.
    """
    window = np.ptp(x)
    if window == 0:
        raise InputError("x: all points coincide; give at least two different ones")
    # Twice as dense as the window resolves, so that no peak falls between two frequencies. At half
    # the density itself, equidistant points could not tell a wave from zero.
    frequencies = np.arange(1, len(x) - 1) / (2 * window)
    sizes = amplitudes(x, y, len(frequencies))
    floor = np.sqrt(_noise_ceiling(sizes**2))
    return frequencies[sizes > max(floor, epsilon * np.ptp(y))]


def _grid_frequencies(shape: tuple[int, ...], dx: tuple[float, ...]) -> np.ndarray:
    axes = (np.fft.fftfreq(n, step) for n, step in zip(shape, dx, strict=True))
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True))
    # Rounded, so that equal wave lengths in different directions are one frequency.
    return np.sqrt(squares).round(12 - int(np.floor(np.log10(squares.max()) / 2)))


def _noise_ceiling(power: np.ndarray) -> float:
    """Power that white noise, exponentially distributed, passes by chance in a few spectra."""
    # The median of an exponential distribution is ln 2 of its mean.
    bands = np.array_split(power, min(max(power.size // BAND_ENTRIES, 1), BANDS))
    noise = min(np.median(band) for band in bands) / np.log(2)
    return float(noise * np.log(power.size / FALSE_ALARM))


def _plane_waves(
    field: np.ndarray, dx: tuple[float, ...], threshold: float, residual_limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and weights of a field with one axis a dimension and one of channels."""
    frequencies, weights, patterns = _modes(field.reshape(len(field), -1), residual_limit)
    frequencies = frequencies / dx[0]
    if len(dx) == 1:
        return frequencies, weights
    found = [(np.empty(0), np.empty(0))]
    for i in np.flatnonzero(weights > threshold * weights.max(initial=0.0)):
        pattern = patterns[i].reshape(field.shape[1:])
        channels = np.concatenate([pattern.real, pattern.imag], axis=-1)
        inner, shares = _plane_waves(channels, dx[1:], threshold, residual_limit)
        found.append((np.hypot(frequencies[i], inner), weights[i] * shares))
    frequencies, weights = (np.concatenate(part) for part in zip(*found, strict=True))
    return frequencies, weights


def _modes(series: np.ndarray, residual_limit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cycles per step, weight and unit pattern of each mode of a (step, weight) series."""
    steps, width = series.shape
    if (series == series[0]).all():
        size = np.linalg.norm(series[0])
        return np.zeros(1), np.array([size]), series[:1] / max(size, np.finfo(float).tiny)
    delays = min(max(DELAYS // width, 1), steps // 2 - 1)
    # At full rank every residual is 0 and says nothing.
    rank = max(1, min((delays + 1) * width, steps - delays - 1) // 2)
    try:
        spectrum = fit([series], delays, rank, "covariance")
    except InputError:  # the data have fewer directions: all of them
        spectrum = fit([series], delays, solver="covariance")
    believed = np.flatnonzero(spectrum.residuals <= residual_limit)
    if len(believed) == 0:
        return np.empty(0), np.empty(0), np.empty((0, width))
    # Over the whole window: a mode may grow or decay, or be weak where the window starts. Reduced
    # coordinates are uncorrelated over it, and their squares add up to the singular values'.
    coordinates = np.linalg.pinv(spectrum.vectors[:, believed]) * spectrum.singular_values
    weights = np.linalg.norm(coordinates, axis=1) / np.sqrt(steps - delays - 1)
    upper = spectrum.eigenvalues[believed].imag >= 0  # one of each conjugate pair
    patterns = spectrum.modes(believed[upper]).values[:, 0]
    patterns = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    turns = np.angle(spectrum.eigenvalues[believed[upper]]) / (2 * np.pi)
    return turns, weights[upper], patterns
