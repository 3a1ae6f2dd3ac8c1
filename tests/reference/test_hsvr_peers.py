"""Fast routes to the frequencies of data against slow ones: SciPy's, and DMD by a dense SVD."""

import numpy as np
import pytest
from scipy.signal import lombscargle

from koopscope.data.names import SIGNALS
from koopscope.data.signals import signal
from koopscope.hsvr.periodogram import amplitudes, fourier_sums
from koopscope.hsvr.scales import frequencies, layers_to, predict_layers
from koopscope.hsvr.supports import DELAYS, RESIDUAL_LIMIT
from koopscope.koopman.fitting import fit

RNG = np.random.default_rng(0)
LINES = [name for name, made in SIGNALS.items() if len(made.extents) == 1]
SCATTERED = {
    "even": lambda n: np.linspace(3, 7, n),
    "random": lambda n: RNG.uniform(-500, 500, n),
    "clustered": lambda n: np.r_[RNG.uniform(0, 0.01, n // 2), RNG.uniform(0, 1, n - n // 2)],
}


def slow_amplitudes(x, y):
    turning = 2 * np.pi * np.arange(1, len(x) - 1) / (2 * np.ptp(x))
    return np.abs(lombscargle(x, y, turning, floating_mean=True, normalize="amplitude"))


@pytest.mark.parametrize("points", [8, 9, 50, 501, 1001])
@pytest.mark.parametrize("kind", SCATTERED)
def test_amplitudes_are_those_of_scipy(kind, points):
    x = SCATTERED[kind](points)
    y = 3 + np.sin(7 * x) + RNG.normal(size=points)
    slow = slow_amplitudes(x, y)
    np.testing.assert_allclose(amplitudes(x, y, points - 2), slow, atol=1e-5 * slow.max())


def test_fourier_sums_are_those_of_the_definition():
    turns, weights = RNG.uniform(0, 1, 40), RNG.normal(size=(2, 40))
    slow = weights @ np.exp(2j * np.pi * np.outer(turns, np.arange(121)))
    np.testing.assert_allclose(fourier_sums(turns, weights, 120), slow, atol=2e-5)


def test_waves_that_no_point_sees_have_no_amplitude_to_speak_of():
    # Each point twice: some frequency turns by half between neighbours, and its sine vanishes.
    x = np.repeat(np.linspace(0, 1, 26), 2)
    y = np.cos(6 * x) + RNG.normal(size=52)
    found = amplitudes(x, y, 50)
    assert np.isfinite(found).all()
    assert found.max() < 3 * np.ptp(y)


@pytest.mark.parametrize("noise", [0, 0.1])
@pytest.mark.parametrize("name", LINES)
def test_lomb_scargle_finds_the_same_frequencies_as_with_scipy(name, noise):
    made = signal(name, 401, noise, 1)
    x, y = made[made["value"].dims[0]].values, made["value"].values
    found = frequencies(y, x=x, method="lomb-scargle")
    sizes, rates = slow_amplitudes(x, y), np.arange(1, 400) / (2 * np.ptp(x))
    floor = np.sqrt(np.median(sizes**2) / np.log(2) * np.log(len(sizes) / 0.01))
    np.testing.assert_allclose(found, rates[sizes > max(floor, 0.01 * np.ptp(y))])


def dense_dmd(y, dx, threshold=0.01):
    """Frequencies of the believed modes that weigh something, every matrix at full size."""
    series = (y - y.mean())[:, None]
    delays = min(DELAYS, len(y) // 2 - 1)
    rank = min(delays + 1, len(y) - delays - 1) // 2
    rank = min(rank, fit([series], delays, solver="full").rank)
    found = fit([series], delays, rank, "full")
    believed = np.flatnonzero(found.residuals <= RESIDUAL_LIMIT)
    states = np.lib.stride_tricks.sliding_window_view(series[:, 0], delays + 1).T
    modes = found.modes(believed).values[..., 0]
    weights = np.sqrt(np.mean(np.abs(np.linalg.pinv(modes.T) @ states) ** 2, axis=1))
    rates = np.angle(found.eigenvalues[believed]) / (2 * np.pi * dx)
    kept = rates > 1 / (6 * len(y) * dx)
    rates, weights = rates[kept], weights[kept]
    return np.unique(rates[weights > threshold * weights.max(initial=0)])


@pytest.mark.parametrize("noise", [0, 0.1])
@pytest.mark.parametrize("name", LINES)
@pytest.mark.filterwarnings("ignore:y. 'dmd' finds no frequency")
def test_dmd_finds_the_same_frequencies_as_with_a_dense_decomposition(name, noise):
    y = signal(name, 401, noise, 1)["value"].values
    found, slow = frequencies(y, 0.1, "dmd"), dense_dmd(y, 0.1)
    # The finest decides. A chirp has directions below 1e-7 of the first, which products of inner
    # products do not see: there another set of modes follows it, but not to another layer.
    smooth = name == "chirp" and noise == 0
    assert found[-1] == pytest.approx(slow[-1], rel=0.1 if smooth else 1e-4)
    assert len(found) == len(slow) - smooth
    extent = 0.1 * (len(y) - 1)
    assert predict_layers(y, 0.1, "dmd") == layers_to(1 / (6 * slow[-1]), extent)
