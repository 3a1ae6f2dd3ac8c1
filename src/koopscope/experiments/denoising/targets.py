"""Signals and images with many scales, clean and under white noise.

[ours] The paper's own signals could not be read (fact sheet of arXiv 2006.11765).
"""

import numpy as np
import xarray as xr
from sklearn.datasets import load_digits

from koopscope.data.signals import signal
from koopscope.errors import InputError
from koopscope.experiments.denoising.names import (
    DIGIT_SIDE,
    DIGITS,
    PLANE_WAVES,
    TARGETS,
    TONES,
)
from koopscope.experiments.denoising.waves import tones_of


def target(name: str, points: int, snr: float, seed: int) -> xr.Dataset:
    """Clean and noisy values of a target on an equidistant grid.

    Parameters
    ----------
    name
        ``"falling-tones"``: tones of 1, 3, 9, … periods (:func:`tones_of`), of amplitude k^{−½} and
        random phase; ``"equal-tones"``: the same of equal amplitude;
        ``"plane-waves"``: an image of waves of these lengths in random directions, amplitude
        k^{−½}; ``"digits"``: a mosaic of random handwritten digits of 8 × 8 points; or a signal of
        :data:`koopscope.data.names.SIGNALS`.
    points
        Grid points an axis.
    snr
        Signal-to-noise ratio in decibels: 20 log10 of the ratio of standard deviations.
    seed
        Draws what is random in the target, and from a stream of its own the noise.

    Returns
    -------
    xarray.Dataset
        ``clean`` (mean 0, standard deviation 1) and ``noisy`` over one dim an axis; attributes
        ``signal``, ``snr``, ``seed``, ``noise`` (standard deviation) and ``boundary``
        (``"periodic"`` for tones and waves, else ``"reflecting"``).

    Raises
    ------
    InputError
        If there is no such target, or an argument is out of its range.
    """
    if not np.isfinite(snr):
        raise InputError(f"snr: {snr} is not a finite number of decibels")
    if points < 3:
        raise InputError(f"points: {points} an axis hold no tone; give at least 3")
    of_target, of_noise = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    boundary = "reflecting"
    if name in TONES or name == PLANE_WAVES:
        boundary = "periodic"
        clean = _waves(points, TONES.get(name, -0.5), of_target, 2 if name == PLANE_WAVES else 1)
    elif name == DIGITS:
        clean = _mosaic(points, of_target)
    elif name in TARGETS:
        clean = signal(name, points, seed=seed)["clean"].values
    else:
        raise InputError(f"signal: unknown {name!r}; give one of {', '.join(TARGETS)}")
    clean = clean - clean.mean()
    size = clean.std()
    if not size > 0:
        raise InputError(f"signal: {name} is constant on {points} points; give more points")
    clean = clean / size
    noise = 10 ** (-snr / 20)
    noisy = clean + noise * of_noise.standard_normal(clean.shape)
    dims = ("x", "y")[: clean.ndim]
    return xr.Dataset(
        {"clean": (dims, clean), "noisy": (dims, noisy)},
        attrs={"signal": name, "snr": snr, "seed": seed, "noise": noise, "boundary": boundary},
    )


def _waves(points: int, power: float, rng: np.random.Generator, dimension: int) -> np.ndarray:
    at = 2 * np.pi * np.arange(points) / points
    total = np.zeros((points,) * dimension)
    for k in tones_of(points):
        phase, angle = rng.uniform(0, 2 * np.pi, 2)
        if dimension == 1:
            total += k**power * np.sin(k * at + phase)
        else:
            kx, ky = np.rint(k * np.array([np.cos(angle), np.sin(angle)]))
            total += k**power * np.sin(kx * at[:, None] + ky * at + phase)
    return total


def _mosaic(points: int, rng: np.random.Generator) -> np.ndarray:
    if points % DIGIT_SIDE:
        raise InputError(f"points: {points} is no multiple of {DIGIT_SIDE}, the side of a digit")
    count = points // DIGIT_SIDE
    images = load_digits().images
    drawn = images[rng.choice(len(images), (count, count))]
    return drawn.transpose(0, 2, 1, 3).reshape(points, points)
