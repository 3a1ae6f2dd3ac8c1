"""Targets with known scales, bands of wave numbers, and the filters that need no network."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.experiments.denoising.filters import denoised, noise_estimate
from koopscope.experiments.denoising.names import FILTERS, TARGETS
from koopscope.experiments.denoising.targets import target
from koopscope.experiments.denoising.waves import Waves, edges, tones_of

CASES = [("falling-tones", 512), ("steps", 400), ("plane-waves", 48), ("digits", 48)]


def made(name, points, snr=0.0, seed=1):
    ds = target(name, points, snr, seed)
    clean, noisy = ds["clean"].values, ds["noisy"].values
    return clean, noisy, ds.attrs["noise"], ds.attrs["boundary"]


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


@pytest.mark.parametrize(("name", "points"), CASES)
def test_targets_have_unit_size_and_the_noise_asked_for(name, points):
    clean, noisy, noise, _ = made(name, points, snr=-20.0)
    assert clean.mean() == pytest.approx(0, abs=1e-9) and clean.std() == pytest.approx(1)
    assert noise == 10
    assert rms(noisy - clean) == pytest.approx(10, rel=0.15)
    again = made(name, points, snr=-20.0)
    np.testing.assert_array_equal(noisy, again[1])
    other = made(name, points, snr=0.0)
    np.testing.assert_array_equal(clean, other[0])
    # One draw of noise at every level, up to its size.
    np.testing.assert_allclose(noisy - clean, 10 * (other[1] - other[0]), atol=1e-12)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_that_a_plan_may_name_can_be_made(name):
    ds = target(name, 40, 10.0, 1)
    assert set(ds["clean"].sizes.values()) == {40} and ds.attrs["signal"] == name
    assert np.isfinite(ds["noisy"]).all() and float(ds["clean"].std()) == pytest.approx(1)


def test_tones_have_their_periods_and_sizes():
    assert tones_of(512) == [1, 3, 9, 27, 81] and tones_of(36) == [1, 3, 9]
    clean, *_ = made("falling-tones", 512)
    size = np.abs(np.fft.rfft(clean))
    assert np.flatnonzero(size > 1e-6).tolist() == tones_of(512)
    np.testing.assert_allclose(size[81] / size[9], (81 / 9) ** -0.5)
    equal = np.abs(np.fft.rfft(made("equal-tones", 512)[0]))
    np.testing.assert_allclose(equal[81], equal[1])
    power = Waves((512,), "periodic").band_power(made("equal-tones", 512)[0])
    np.testing.assert_allclose(power, [*[1 / 5] * 5, 0], atol=1e-12)


def test_plane_waves_have_one_length_a_band():
    clean, *_ = made("plane-waves", 48)
    power = Waves((48, 48), "periodic").band_power(clean)
    np.testing.assert_allclose(power, np.array([9, 3, 1, 0]) / 13, atol=1e-12)


def test_a_mosaic_is_made_of_digits():
    clean, *_ = made("digits", 16)
    tile = clean[:8, 8:]
    assert len(np.unique(tile.round(9))) <= 17 and not np.allclose(tile, clean[8:, :8])


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("shape", [(33,), (32,), (12, 12)])
def test_bands_add_up_and_the_transform_has_an_inverse(boundary, shape):
    waves = Waves(shape, boundary)
    values = np.random.default_rng(0).standard_normal((3, *shape))
    axes = tuple(range(1, 1 + len(shape)))
    np.testing.assert_allclose(waves.band_power(values).sum(-1), np.mean(values**2, axis=axes))
    np.testing.assert_allclose(waves.values(waves.coefficients(values)), values)
    assert waves.bands.max() == len(edges(shape))
    np.testing.assert_allclose(edges((36,)), np.sqrt(3) * np.array([1, 3, 9]))


@pytest.mark.parametrize(("name", "points"), CASES)
@pytest.mark.parametrize("method", FILTERS)
def test_filters_keep_the_shape_and_little_noise_changes_little(method, name, points):
    clean, noisy, noise, boundary = made(name, points, snr=60.0)
    found = denoised(method, clean, noisy, noise, boundary)
    assert found.shape == clean.shape
    # Of digits even the finest scale is full, which the blind ones take for noise.
    assert rms(found - clean) < (0.06 if name != "digits" or "oracle" in method else 1)


@pytest.mark.parametrize(("name", "points"), CASES)
def test_the_wiener_oracle_is_the_best_linear_filter(name, points):
    errors = {"wiener-oracle": [], "low-pass-oracle": [], "noisy": []}
    for seed in range(1, 9):
        case = made(name, points, snr=0.0, seed=seed)
        for method, found in errors.items():
            found.append(rms(denoised(method, *case) - case[0]))
    means = {method: np.mean(found) for method, found in errors.items()}
    assert means["wiener-oracle"] < means["low-pass-oracle"] < means["noisy"]


def test_the_wiener_oracle_has_the_textbook_gain():
    n = 64
    clean = np.sqrt(2) * np.sin(2 * np.pi * 5 * np.arange(n) / n)
    found = denoised("wiener-oracle", clean, clean, 2.0, "periodic")
    # Power n/2 in each of two coefficients, against noise of variance 4.
    np.testing.assert_allclose(found, clean * (n / 2) / (n / 2 + 4), atol=1e-12)


@pytest.mark.parametrize("shape", [(4096,), (64, 64)])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
def test_noise_is_estimated_and_shrinkage_removes_it(shape, boundary):
    noise = 3 * np.random.default_rng(0).standard_normal(shape)
    assert noise_estimate(noise, boundary) == pytest.approx(3, rel=0.05)
    nothing = np.zeros(shape)
    assert rms(denoised("visushrink", nothing, noise, 3.0, boundary)) < 0.6
    assert rms(denoised("bayesshrink", nothing, noise, 3.0, boundary)) < 1.2
    assert rms(denoised("wiener-estimated", nothing, noise, 3.0, boundary)) < 3


def test_no_filter_but_the_oracles_looks_at_the_clean_values():
    clean, noisy, noise, boundary = made("steps", 400)
    for method in FILTERS:
        found = denoised(method, clean, noisy, noise, boundary)
        blind = denoised(method, clean[::-1] ** 3, noisy, 7 * noise, boundary)
        assert ("oracle" in method) != np.array_equal(found, blind)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("sawtooth", 64, 0.0, 1), "signal: unknown 'sawtooth'; give one of falling-tones, "),
        (("digits", 60, 0.0, 1), "points: 60 is no multiple of 8"),
        (("steps", 64, np.nan, 1), "snr: nan is not a finite"),
        (("steps", 2, 0.0, 1), "points: 2 an axis hold no tone"),
    ],
)
def test_targets_that_cannot_be_had_are_refused(arguments, match):
    with pytest.raises(InputError, match=match):
        target(*arguments)


def test_an_unknown_filter_is_refused():
    with pytest.raises(InputError, match="filter: unknown 'median'; give one of noisy, "):
        denoised("median", *made("steps", 64))
