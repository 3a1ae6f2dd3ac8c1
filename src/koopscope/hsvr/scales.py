"""From the frequencies of data to the scales of a hierarchical SVR, before any training.

A scale σ is the standard deviation of the Gaussian kernel exp(-‖x - x'‖² / 2σ²), in the unit of x.
The critical scale is the one with which the training error falls to about ε. (Mohr, Fonoberova,
Drmač, Manojlović, Mezić, Entropy 23(1), 37, 2021.)
"""

import math
import warnings
from collections.abc import Sequence

import numpy as np
from scipy.special import lambertw

from koopscope.errors import InputError
from koopscope.hsvr import supports
from koopscope.hsvr.names import METHODS
from koopscope.hsvr.points import even_spacing

# [paper] ±3σ span one wavelength.
SCALES_PER_WAVELENGTH = 6
# So that a ratio that is a power up to rounding is taken for that power.
ROUNDING = 1e-9


def frequencies(
    y: np.ndarray,
    dx: float | Sequence[float] | None = None,
    method: str = "tapered",
    *,
    x: np.ndarray | None = None,
    threshold: float = 0.01,
    epsilon: float = 0.01,
) -> np.ndarray:
    """Frequencies of the support of data, ascending, in cycles per unit of x.

    Parameters
    ----------
    y
        Values on an equidistant grid, one axis a dimension; with ``x`` shape (point,).
    dx
        Spacing of the grid, one number or one an axis.
    method
        ``"fft"`` (the paper's), ``"dmd"`` (on :func:`koopscope.koopman.fit`), ``"tapered"`` (ours)
        or ``"lomb-scargle"`` (ours, for scattered points); see :mod:`koopscope.hsvr.supports`.
    x
        Instead of ``dx``: positions of the points, in one dimension.
    threshold
        Share of the largest component that counts, for ``"fft"`` and ``"dmd"``.
    epsilon
        Share of the range of y that counts, for ``"tapered"`` and ``"lomb-scargle"``.

    Returns
    -------
    numpy.ndarray
        Shape (frequency,); empty, with a warning, if y is constant or nothing in it can be told
        from noise.

    Raises
    ------
    InputError
        If the method is unknown or does not fit the points, y is not finite or too short, or a
        parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.hsvr import frequencies
    >>> x = np.arange(100) / 100
    >>> frequencies(np.sin(2 * np.pi * 5 * x), 0.01, "fft").round(9).tolist()
    [5.0]
    """
    y = np.asarray(y, dtype=float)
    if method not in METHODS:
        raise InputError(f"method: unknown {method!r}; give one of {', '.join(METHODS)}")
    for name, share in (("threshold", threshold), ("epsilon", epsilon)):
        if not 0 < share < 1:
            raise InputError(f"{name}: {share} is not between 0 and 1")
    if not np.isfinite(y).all():
        raise InputError("y: holds NaN or infinite values; leave those points out")
    if y.ndim == 0 or min(y.shape) < supports.MIN_POINTS:
        raise InputError(
            f"y: shape is {y.shape}; a spectrum needs at least {supports.MIN_POINTS} points an axis"
        )
    if x is not None and np.shape(x) != y.shape:
        raise InputError(f"x: shape is {np.shape(x)}, but y has {y.shape}; give one x for each y")
    if method == "lomb-scargle":
        if x is None:
            raise InputError("x: 'lomb-scargle' needs the positions of the points; give x")
        points = np.asarray(x, dtype=float)
        if not np.isfinite(points).all():
            raise InputError("x: holds NaN or infinite values; leave those points out")
    else:
        steps = _steps(y, dx, x)
    if is_constant(y):
        warnings.warn("y: constant, so it has no scale; one layer is enough", stacklevel=2)
        return np.empty(0)
    if method == "fft":
        found = supports.fourier(y, steps, threshold)
    elif method == "dmd":
        found = supports.koopman(y, steps, threshold)
    elif method == "tapered":
        found = supports.tapered(y, steps, epsilon)
    else:
        found = supports.lomb_scargle(points, y, epsilon)
    if len(found) == 0:
        warnings.warn(f"y: {method!r} finds no frequency, only noise or a trend", stacklevel=2)
    return found


def critical_scale(
    y: np.ndarray,
    dx: float | Sequence[float] | None = None,
    method: str = "tapered",
    *,
    x: np.ndarray | None = None,
    threshold: float = 0.01,
    epsilon: float = 0.01,
    C: float = 5.0,  # noqa: N803
) -> float:
    """Scale with which the training error will fall to about ε.

    For ``"fft"`` and ``"dmd"`` one sixth of the shortest wavelength of the support, as in the
    paper; for ``"tapered"`` and ``"lomb-scargle"`` what the layer can reach
    (:func:`reachable_scale`).

    Parameters
    ----------
    y, dx, method, x, threshold, epsilon
        As for :func:`frequencies`.
    C
        Bound of the coefficients as a share of the range of a layer's targets.

    Returns
    -------
    float
        In the unit of x; the extent of the grid if nothing oscillates.

    Raises
    ------
    InputError
        As :func:`frequencies`.

    Examples
    --------
    Of tones of 5 and 20 cycles a unit, the finer one decides: a sixth of its wavelength is 1/120.

    >>> import numpy as np
    >>> from koopscope.hsvr import critical_scale
    >>> x = np.arange(200) / 200
    >>> y = np.sin(2 * np.pi * 5 * x) + np.sin(2 * np.pi * 20 * x)
    >>> round(120 * critical_scale(y, 1 / 200, "fft"), 6)
    1.0
    """
    y = np.asarray(y, dtype=float)
    found = frequencies(y, dx, method, x=x, threshold=threshold, epsilon=epsilon)
    sides = _sides(y, dx, x)
    if len(found) == 0:
        return max(sides)
    if method in ("fft", "dmd"):
        return float(1 / (SCALES_PER_WAVELENGTH * found[-1]))
    density = float(np.prod([(n - 1) / side for n, side in zip(y.shape, sides, strict=True)]))
    return min(reachable_scale(found[-1], density, y.ndim, C), max(sides))


def reachable_scale(frequency: float, density: float, dims: int = 1, C: float = 5.0) -> float:  # noqa: N803
    """Coarsest scale at which a layer can still follow a tone.

    [ours, derived] The coefficients of a layer are bounded by C times the range of its targets.
    With ``density`` points per unit the kernel's Fourier transform bounds the amplitude of a wave
    that they can give by C · range · density · (σ√2π)^dims · exp(-2π² f² σ²), about half of it at
    the ends. For a wave whose amplitude is half the range, the two halves cancel, and the coarsest
    scale solves density · C · (σ√2π)^dims · exp(-2π² f² σ²) = 1.

    Parameters
    ----------
    frequency
        Cycles per unit of x.
    density
        Points per unit of length, area, …
    dims
        Number of coordinates.
    C
        As for :func:`critical_scale`.

    Returns
    -------
    float
        In the unit of x; one sixth of the wavelength where the points are too few for any scale.
    """
    rate = 4 * (np.pi * frequency) ** 2 / dims
    argument = -rate * (density * C) ** (-2 / dims) / (2 * np.pi)
    if argument < -1 / math.e:
        return 1 / (SCALES_PER_WAVELENGTH * frequency)
    return float(np.sqrt(-lambertw(argument, -1).real / rate))


def filter_scales(scales: np.ndarray, decay: float = 2.0) -> np.ndarray:
    """Thin scales out: keep the largest, then each that the last kept one is ``decay`` times.

    Parameters
    ----------
    scales
        Shape (scale,), positive, in any order.
    decay
        Above 1.

    Returns
    -------
    numpy.ndarray
        Descending.

    Raises
    ------
    InputError
        If a scale is not positive, or ``decay`` not above 1.

    References
    ----------
    Mohr et al. (2021), Algorithm 2.
    """
    check_decay(decay)
    scales = check_scales(scales)
    kept: list[float] = []
    for scale in np.sort(scales)[::-1]:
        if not kept or kept[-1] >= decay * scale * (1 - ROUNDING):
            kept.append(scale)
    return np.array(kept)


def scales_of(found: np.ndarray, decay: float = 2.0) -> np.ndarray:
    """Scales of a hierarchy from frequencies: sixths of the wavelengths, thinned out, descending.

    Parameters
    ----------
    found
        Cycles per unit of x, shape (frequency,), positive, in any order.
    decay
        Above 1.

    Returns
    -------
    numpy.ndarray
        In the unit of x, shape (layer,).

    Raises
    ------
    InputError
        If there is no frequency or one is not positive, or ``decay`` is not above 1.

    References
    ----------
    Mohr et al. (2021), Algorithms 1 and 2.
    """
    return filter_scales(1 / (SCALES_PER_WAVELENGTH * np.asarray(found, dtype=float)), decay)


def dyadic_scales(extent: float, layers: int, decay: float = 2.0) -> np.ndarray:
    """Scales extent, extent / decay, extent / decay², …; shape (layer,).

    Parameters
    ----------
    extent
        Of the points, in the unit of x.
    layers
        Number of scales.
    decay
        Ratio of successive scales, above 1.

    Returns
    -------
    numpy.ndarray
        In the unit of x, descending.

    Raises
    ------
    InputError
        If ``decay`` is not above 1.
    """
    check_decay(decay)
    return extent / decay ** np.arange(layers)


def layers_to(critical: float, extent: float, decay: float = 2.0) -> int:
    """Number of layers from the extent down to the first scale that is not above the critical.

    Parameters
    ----------
    critical, extent
        Critical scale and extent of the points, in the unit of x, both above 0.
    decay
        Ratio of successive scales, above 1.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    InputError
        If ``decay`` is not above 1, or a length not above 0.
    """
    check_decay(decay)
    for name, length in (("critical", critical), ("extent", extent)):
        if not 0 < length < np.inf:
            raise InputError(f"{name}: {length!r} is no length; give a number above 0")
    return 1 + max(0, int(np.ceil(np.log(extent / critical) / np.log(decay) - ROUNDING)))


def predict_layers(
    y: np.ndarray,
    dx: float | Sequence[float] | None = None,
    method: str = "tapered",
    decay: float = 2.0,
    **options,
) -> int:
    """Predict the number of layers, with scales that shrink from the extent of x by ``decay``.

    Parameters
    ----------
    y, dx, method
        As for :func:`frequencies`.
    decay
        Ratio of successive scales, above 1.
    **options
        More of :func:`critical_scale`.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    InputError
        As :func:`critical_scale`, or if ``decay`` is not above 1.

    Examples
    --------
    From an extent of about 1, seven halvings go below a critical scale of 1/120:

    >>> import numpy as np
    >>> from koopscope.hsvr import predict_layers
    >>> x = np.arange(200) / 200
    >>> y = np.sin(2 * np.pi * 5 * x) + np.sin(2 * np.pi * 20 * x)
    >>> predict_layers(y, 1 / 200, "fft")
    8
    """
    check_decay(decay)
    critical = critical_scale(y, dx, method, **options)
    return layers_to(critical, max(_sides(np.asarray(y), dx, options.get("x"))), decay)


def check_decay(decay: float) -> None:
    """Refuse a ratio of scales that is not above 1."""
    if not 1 < decay < np.inf:
        raise InputError(f"decay: {decay} is not a finite number above 1")


def check_scales(scales: np.ndarray) -> np.ndarray:
    """Return scales as an array, or refuse them if they are none, or not all positive."""
    scales = np.asarray(scales, dtype=float)
    if scales.ndim != 1 or len(scales) == 0:
        raise InputError(f"scales: shape is {scales.shape}; give (layer,) with at least one scale")
    if not ((scales > 0) & np.isfinite(scales)).all():
        bad = scales[~((scales > 0) & np.isfinite(scales))][0]
        raise InputError(f"scales: {bad} is not a positive number; give lengths in the unit of x")
    return scales


def is_constant(y: np.ndarray) -> bool:
    """Whether values differ by no more than rounding."""
    return bool(np.ptp(y) <= 1e-13 * np.abs(y).max())


def _steps(
    y: np.ndarray, dx: float | Sequence[float] | None, x: np.ndarray | None
) -> tuple[float, ...]:
    """Spacing along each axis."""
    if (dx is None) == (x is None):
        raise InputError("dx, x: give one of them: the spacing of the grid, or the points on it")
    steps = np.atleast_1d(np.asarray(dx, dtype=float)) if x is None else (even_spacing(x),)
    if len(steps) == 1:
        steps = np.repeat(steps, y.ndim)
    if len(steps) != y.ndim or not all(0 < step < np.inf for step in steps):
        raise InputError(f"dx: {dx}; give one positive spacing, or one for each axis of {y.shape}")
    return tuple(float(step) for step in steps)


def _sides(
    y: np.ndarray, dx: float | Sequence[float] | None, x: np.ndarray | None
) -> tuple[float, ...]:
    """Length of the domain along each axis."""
    if x is not None:
        return (float(np.ptp(x)),)
    return tuple((n - 1) * step for n, step in zip(y.shape, _steps(y, dx, None), strict=True))
