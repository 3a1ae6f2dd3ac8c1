"""Least-squares amplitudes of waves in scattered points, in time n log n.

Lomb-Scargle with a free mean, as ``scipy.signal.lombscargle`` gives it in time n · frequencies. The
sums that it needs are Fourier sums over scattered points; these come from one FFT each, after the
points have been spread over a fine grid by a Kaiser-Bessel kernel (Fessler and Sutton 2003).
"""

import numpy as np
from scipy.fft import next_fast_len, rfft
from scipy.special import i0

# Grid points that a kernel covers, and grid points for each frequency, positive or negative: with
# these the sums are exact to 1e-7 of their terms.
WIDTH = 8
FINER = 2
SHAPE = np.pi * np.sqrt((WIDTH / FINER * (FINER - 0.5)) ** 2 - 0.8)
# Below this share of their size, cosine and sine are one and the same in all points.
ALIKE = 1e-9


def amplitudes(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """Amplitudes of the best fits a cos + b sin + c, one frequency at a time.

    Parameters
    ----------
    x, y
        Shape (point,), in any order, not all x alike.
    count
        Of frequencies: 1, 2, …, ``count`` half turns in the extent of x.

    Returns
    -------
    numpy.ndarray
        √(a² + b²); shape (count,).
    """
    turns = (x - x.min()) / (2 * np.ptp(x))
    ones, values = fourier_sums(turns, np.stack([np.ones_like(y), y - y.mean()]), 2 * count)
    once, twice, values = ones[1 : count + 1], ones[2::2], values[1 : count + 1]
    # Means, variances and covariances of the cosines, the sines and the values.
    once, twice, values = (sums / len(y) for sums in (once, twice, values))
    cosine = (1 + twice.real) / 2 - once.real**2
    sine = (1 - twice.real) / 2 - once.imag**2
    both = twice.imag / 2 - once.real * once.imag
    determinant, size = cosine * sine - both**2, cosine + sine
    alike = determinant <= ALIKE * size**2
    a = np.where(alike, values.real, values.real * sine - values.imag * both)
    b = np.where(alike, values.imag, values.imag * cosine - values.real * both)
    # Where no wave can be told from the mean, there is none.
    below = np.where(alike, size, determinant)
    return np.divide(np.hypot(a, b), below, out=np.zeros(count), where=below > ALIKE**2)


def fourier_sums(turns: np.ndarray, weights: np.ndarray, highest: int) -> np.ndarray:
    """Σ weight · exp(2πi k turn) over the points, for k = 0, 1, …, ``highest``.

    Parameters
    ----------
    turns
        In [0, 1), shape (point,).
    weights
        Real, shape (series, point).
    highest
        Largest k.

    Returns
    -------
    numpy.ndarray
        Complex, shape (series, highest + 1).
    """
    length = next_fast_len(2 * FINER * (highest + 1), real=True)
    place = turns * length
    first = np.ceil(place - WIDTH / 2).astype(int)
    near = first[:, None] + np.arange(WIDTH)
    kernel = i0(SHAPE * np.sqrt(np.clip(1 - (2 * (near - place[:, None]) / WIDTH) ** 2, 0, None)))
    cells = (near % length).ravel()
    grids = [np.bincount(cells, (kernel * series[:, None]).ravel(), length) for series in weights]
    sums = np.conj(rfft(np.stack(grids), axis=1)[:, : highest + 1])
    root = np.sqrt(SHAPE**2 - (np.pi * WIDTH * np.arange(highest + 1) / length) ** 2)
    return sums * (root / (WIDTH * np.sinh(root)))
