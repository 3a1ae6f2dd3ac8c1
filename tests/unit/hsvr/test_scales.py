"""Frequencies and scales of signals whose scales are known."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.hsvr.points import even_spacing, find_grid, neighbour_distance
from koopscope.hsvr.scales import (
    critical_scale,
    dyadic_scales,
    filter_scales,
    frequencies,
    layers_to,
    predict_layers,
    reachable_scale,
    scales_of,
)

RNG = np.random.default_rng(0)
DX = 0.01


def tone(frequency, points=500, phase=0.3):
    return np.sin(2 * np.pi * frequency * DX * np.arange(points) + phase)


@pytest.mark.parametrize("method", ["fft", "dmd"])
@pytest.mark.parametrize("frequency", [0.2, 3.0, 17.6, 40.0])
def test_a_pure_tone_with_whole_periods_has_its_frequency_alone(method, frequency):
    found = frequencies(5 + 2 * tone(frequency), DX, method)
    np.testing.assert_allclose(found, [frequency], rtol=1e-8)
    assert critical_scale(tone(frequency), DX, method) == pytest.approx(1 / (6 * frequency))


@pytest.mark.parametrize("method", ["fft", "dmd"])
def test_tones_add_up(method):
    y = tone(1) + 0.5 * tone(8.4) + 0.05 * tone(31)
    np.testing.assert_allclose(frequencies(y, DX, method), [1, 8.4, 31], rtol=1e-6)
    assert frequencies(y, DX, method, threshold=0.1)[-1] == pytest.approx(8.4)


@pytest.mark.parametrize("frequency", [3.07, 7.31, 11.11])
def test_broken_periods_leak_into_the_fourier_rule_and_not_into_dmd(frequency):
    y = tone(frequency)
    np.testing.assert_allclose(frequencies(y, DX, "dmd"), [frequency], rtol=1e-8)
    assert frequencies(y, DX, "fft")[-1] > 1.3 * frequency
    # The taper leaves it to the neighbouring bins.
    assert frequencies(y, DX, "tapered")[-1] == pytest.approx(frequency, abs=0.6)
    assert predict_layers(y, DX, "fft") > predict_layers(y, DX, "dmd")


def test_dmd_finds_plane_waves_of_a_field_exactly():
    t, x = np.meshgrid(0.1 * np.arange(60), 0.2 * np.arange(40), indexing="ij")
    first, second = (0.31, 0.22), (0.9, 0.55)
    y = sum(
        size * np.sin(2 * np.pi * (a * t - b * x) + 1)
        for size, (a, b) in ((1, first), (0.4, second))
    )
    found = frequencies(y, (0.1, 0.2), "dmd")
    np.testing.assert_allclose(found, [np.hypot(*first), np.hypot(*second)], rtol=1e-6)


def test_dmd_finds_steady_patterns_and_uniform_oscillations():
    t, x = np.meshgrid(np.arange(50), np.arange(40), indexing="ij")
    y = np.sin(2 * np.pi * 0.13 * x) + 0.5 * np.cos(2 * np.pi * 0.07 * t)
    np.testing.assert_allclose(frequencies(y, 1, "dmd"), [0.07, 0.13], rtol=1e-6)


@pytest.mark.parametrize("method", ["tapered", "dmd"])
def test_a_tone_is_found_under_noise_that_fills_the_fourier_rule(method):
    y = tone(7, 1000) + 0.2 * RNG.normal(size=1000)
    assert frequencies(y, DX, method)[-1] == pytest.approx(7, abs=0.15)
    assert frequencies(y, DX, "fft")[-1] > 40


@pytest.mark.parametrize("method", ["tapered", "dmd"])
def test_white_noise_has_no_scale(method):
    with pytest.warns(UserWarning, match=f"y: '{method}' finds no frequency, only noise"):
        assert predict_layers(np.random.default_rng(1).normal(size=600), DX, method) == 1


def test_scattered_points_give_the_frequency_of_a_tone():
    x = np.sort(RNG.uniform(0, 4, 400))
    found = frequencies(np.sin(2 * np.pi * 9.3 * x), x=x, method="lomb-scargle")
    assert found.min() == pytest.approx(9.3, abs=0.4)
    assert found.max() == pytest.approx(9.3, abs=0.4)


def test_the_taper_keeps_only_what_epsilon_can_see():
    y = tone(2) + 0.02 * tone(30)
    assert frequencies(y, DX, "tapered", epsilon=0.005)[-1] == pytest.approx(30, abs=0.5)
    assert frequencies(y, DX, "tapered", epsilon=0.02)[-1] == pytest.approx(2, abs=0.5)


def test_x_may_stand_for_the_spacing():
    x = 3 + DX * np.arange(500)
    for method in ("fft", "dmd", "tapered"):
        expected = critical_scale(tone(5), DX, method)
        assert critical_scale(tone(5), x=x, method=method) == pytest.approx(expected)


def test_the_filter_keeps_what_the_last_kept_is_decay_times():
    scales = [1, 16, 8, 7.9, 4.1, 4, 0.5]
    assert filter_scales(scales, 2).tolist() == [16, 8, 4, 1, 0.5]
    assert filter_scales(scales, 4).tolist() == [16, 4, 1]
    np.testing.assert_allclose(scales_of([1, 2, 3, 4]), [1 / 6, 1 / 12, 1 / 24])


def test_layers_count_from_the_extent_to_the_critical_scale():
    assert layers_to(1.0, 1.0) == 1
    assert layers_to(0.25, 1.0) == 3
    assert layers_to(0.24, 1.0) == 4
    assert layers_to(0.25, 1.0, 4.0) == 2
    assert layers_to(7.0, 1.0) == 1
    for extent in (0.1, 1.0, 2 * np.pi):
        scales = dyadic_scales(extent, 9)
        assert [layers_to(scale, extent) for scale in scales] == list(range(1, 10))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("bound", [1, 5, 25])
def test_the_reachable_scale_solves_its_equation(dims, bound):
    density, frequency = 100.0**dims, 3.0
    sigma = reachable_scale(frequency, density, dims, bound)
    reach = density * bound * (sigma * np.sqrt(2 * np.pi)) ** dims
    assert reach * np.exp(-2 * (np.pi * frequency * sigma) ** 2) == pytest.approx(1)
    assert sigma > 1 / (6 * frequency)


def test_too_few_points_for_any_scale_give_a_sixth_of_the_wavelength():
    assert reachable_scale(3.0, 0.5) == pytest.approx(1 / 18)


@pytest.mark.parametrize("method", ["fft", "dmd", "tapered"])
def test_a_constant_needs_one_layer_and_says_so(method):
    with pytest.warns(UserWarning, match="y: constant, so it has no scale; one layer is enough"):
        assert predict_layers(np.full(50, 0.1), DX, method) == 1


def test_grids_are_recognised_in_any_order():
    axes = np.meshgrid(np.linspace(0, 1, 5), np.linspace(2, 5, 7), indexing="ij")
    points = np.stack([axis.ravel() for axis in axes], axis=1)
    order = RNG.permutation(35)
    grid = find_grid(points[order])
    assert grid.shape == (5, 7)
    np.testing.assert_allclose(grid.spacing, (0.25, 0.5))
    np.testing.assert_array_equal(points[order][grid.order], points)
    for other in (points[:-1], points + 0.01 * RNG.normal(size=points.shape), points[[0] * 35]):
        assert find_grid(other) is None
    assert neighbour_distance(points) == pytest.approx(0.25)


Y = tone(3, 50)
CASES = {
    "method": (dict(method="wavelet"), "method: unknown 'wavelet'; give one of fft, dmd, tapered"),
    "no spacing": (dict(dx=None), "dx, x: give one of them"),
    "both": (dict(x=np.arange(50)), "dx, x: give one of them"),
    "zero spacing": (dict(dx=0), "dx: 0; give one positive spacing, or one for each axis"),
    "spacings": (dict(dx=(1, 2)), r"dx: \(1, 2\); give one positive spacing, or one for each"),
    "short": (dict(y=Y[:7]), r"y: shape is \(7,\); a spectrum needs at least 8 points"),
    "number": (dict(y=3.0), r"y: shape is \(\)"),
    "nan": (dict(y=np.where(Y > 0.9, np.nan, Y)), "y: holds NaN or infinite values; leave those"),
    "infinite": (dict(y=np.where(Y > 0.9, np.inf, Y)), "y: holds NaN or infinite values"),
    "threshold": (dict(threshold=0), "threshold: 0 is not between 0 and 1"),
    "epsilon": (dict(epsilon=1), "epsilon: 1 is not between 0 and 1"),
    "decay": (dict(decay=1), "decay: 1 is not a finite number above 1"),
    "lengths": (dict(dx=None, x=np.arange(49)), r"x: shape is \(49,\), but y has \(50,\); give"),
    "unsorted": (
        dict(dx=None, x=np.r_[1, 0, 2:50]),
        "x: falls after 1; sort x, and y with it",
    ),
    "repeated": (
        dict(dx=None, x=np.r_[0, 0, 2:50]),
        "x: 0 is there twice; average the values of equal points",
    ),
    "uneven": (
        dict(dx=None, x=np.arange(50) ** 2),
        "x: steps from 1 to 97; give equidistant points, or method 'lomb-scargle'",
    ),
    "x not finite": (dict(dx=None, x=np.r_[np.nan, 1:50]), "x: not finite at 0; give finite"),
    "no positions": (dict(method="lomb-scargle"), "x: 'lomb-scargle' needs the positions"),
    "positions not finite": (
        dict(method="lomb-scargle", dx=None, x=np.r_[np.inf, 1:50]),
        "x: holds NaN or infinite values",
    ),
    "one position": (
        dict(method="lomb-scargle", dx=None, x=np.zeros(50)),
        "x: all points coincide; give at least two different ones",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_no_rule_can_use_is_refused_in_one_clear_line(case):
    arguments, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        predict_layers(**{"y": Y, "dx": DX} | arguments)
    assert "\n" not in str(refused.value)


def test_scales_that_are_none_are_refused():
    for scales, match in (
        ([1, 0], "scales: 0.0 is not a positive number; give lengths in the unit of x"),
        ([1, -2], "scales: -2.0 is not a positive"),
        ([np.nan], "scales: nan is not a positive"),
        ([], r"scales: shape is \(0,\); give \(layer,\) with at least one scale"),
    ):
        with pytest.raises(InputError, match=match):
            filter_scales(scales)
    with pytest.raises(InputError, match=r"x: shape is \(1,\); give \(n,\) with at least 2"):
        even_spacing([1.0])
