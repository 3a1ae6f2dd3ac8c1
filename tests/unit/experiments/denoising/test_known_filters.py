"""Filters against their closed forms, coefficient by coefficient."""

import numpy as np
import pytest
import pywt
from scipy.signal import savgol_filter

from koopscope.experiments.denoising.filters import denoised, noise_estimate
from koopscope.experiments.denoising.waves import Waves

POINTS = 1024


def details(values):
    """All wavelet coefficients but the four coarsest; periodic, so that the transform is a turn."""
    coarse, *levels = pywt.wavedec(values, "sym8", mode="periodization", level=8)
    assert len(coarse) == 4
    return levels


@pytest.fixture(scope="module")
def noisy():
    x = np.arange(POINTS) / POINTS
    return np.sin(2 * np.pi * 3 * x) + 0.3 * np.random.default_rng(2).normal(size=POINTS)


def test_noise_is_the_median_of_the_finest_coefficients_over_that_of_a_normal(noisy):
    finest = details(noisy)[-1]
    # 0.6745 is the third quartile of a standard normal variable.
    expected = np.median(np.abs(finest)) / 0.6744897501960817
    assert noise_estimate(noisy, "periodic") == pytest.approx(expected)


def test_visushrink_takes_off_the_universal_threshold(noisy):
    # Donoho and Johnstone 1994: of 1,024 values √(2 ln 1024) = 3.723 deviations.
    threshold = noise_estimate(noisy, "periodic") * 3.7233
    found = details(denoised("visushrink", noisy, noisy, 1.0, "periodic"))
    for shrunk, whole in zip(found, details(noisy), strict=True):
        soft = np.sign(whole) * np.maximum(np.abs(whole) - threshold, 0)
        np.testing.assert_allclose(shrunk, soft, atol=1e-4)
    assert sum(np.count_nonzero(np.abs(part) > 1e-9) for part in found) > 5


def test_bayesshrink_takes_off_the_variance_over_the_bands_own_deviation(noisy):
    # Chang, Yu and Vetterli 2000.
    variance = noise_estimate(noisy, "periodic") ** 2
    found = details(denoised("bayesshrink", noisy, noisy, 1.0, "periodic"))
    partly = 0
    for shrunk, whole in zip(found, details(noisy), strict=True):
        own = np.mean(whole**2) - variance
        threshold = variance / np.sqrt(own) if own > 0 else np.inf
        soft = np.sign(whole) * np.maximum(np.abs(whole) - threshold, 0)
        np.testing.assert_allclose(shrunk, soft, atol=1e-9)
        partly += own > 0
    assert partly >= 3


def test_the_estimated_wiener_gain_is_one_less_the_noise_over_the_periodogram(noisy):
    found = np.fft.rfft(denoised("wiener-estimated", noisy, noisy, 1.0, "periodic"))
    whole = np.fft.rfft(noisy)
    power = np.abs(whole) ** 2 / POINTS
    gain = np.maximum(0, 1 - noise_estimate(noisy, "periodic") ** 2 / power)
    np.testing.assert_allclose(found, gain * whole, atol=1e-8)
    assert (gain == 0).any() and gain.max() > 0.99


@pytest.mark.parametrize(("points", "longest"), [(64, 63), (40, 39)])
def test_the_longest_window_that_fits_is_tried(points, longest):
    noise = np.random.default_rng(points).normal(size=points)
    found = denoised("savitzky-golay-oracle", np.zeros(points), noise, 1.0, "periodic")
    errors = {
        window: np.mean(savgol_filter(noise, window, 3, mode="wrap") ** 2)
        for window in range(5, points, 2)
    }
    assert min(errors, key=errors.get) >= longest - 2
    np.testing.assert_allclose(found, savgol_filter(noise, longest, 3, mode="wrap"))


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("window", [5, 7, 9])
def test_each_short_window_is_tried(window, boundary):
    mode = {"periodic": "wrap", "reflecting": "mirror"}[boundary]
    noisy = np.random.default_rng(window).normal(size=64)
    clean = savgol_filter(noisy, window, 3, mode=mode)
    found = denoised("savitzky-golay-oracle", clean, noisy, 1.0, boundary)
    np.testing.assert_allclose(found, clean)


def test_values_that_no_window_improves_are_left_as_they_are():
    noisy = np.random.default_rng(0).normal(size=64)
    found = denoised("savitzky-golay-oracle", noisy, noisy, 1.0, "periodic")
    np.testing.assert_array_equal(found, noisy)


def test_a_field_is_filtered_along_each_axis():
    noisy = np.random.default_rng(1).normal(size=(32, 32))
    clean = savgol_filter(
        savgol_filter(noisy, 7, 3, axis=0, mode="wrap"), 7, 3, axis=1, mode="wrap"
    )
    found = denoised("savitzky-golay-oracle", clean, noisy, 1.0, "periodic")
    np.testing.assert_allclose(found, clean)


@pytest.mark.parametrize("end", ["narrow", "wide"])
def test_cut_offs_reach_from_a_quarter_of_the_first_wave_to_four_times_the_last(end):
    noisy = np.random.default_rng(3).normal(size=64)
    waves = Waves((64,), "periodic")
    cut = 0.25 if end == "narrow" else 4 * waves.numbers.max()
    expected = waves.values(waves.coefficients(noisy) * np.exp(-((waves.numbers / cut) ** 2) / 2))
    clean = np.full(64, noisy.mean()) if end == "narrow" else expected
    found = denoised("low-pass-oracle", clean, noisy, 1.0, "periodic")
    np.testing.assert_allclose(found, expected, atol=1e-12)
