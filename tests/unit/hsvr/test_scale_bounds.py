"""Bounds and densities of the scales: what lies on a bound, and the numbers behind a scale."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.hsvr.scales import (
    critical_scale,
    dyadic_scales,
    filter_scales,
    frequencies,
    is_constant,
    layers_to,
    predict_layers,
    reachable_scale,
)


@pytest.mark.parametrize("bound", [1.0, 5.0, 50.0])
@pytest.mark.parametrize(("points", "step"), [(201, 0.01), (81, 0.05)])
def test_a_layers_density_is_of_intervals_over_the_extent(points, step, bound):
    y = np.sin(2 * np.pi * 4 * step * np.arange(points))
    frequency = frequencies(y, step)[-1]
    found = critical_scale(y, step, C=bound)
    # As many intervals in the extent as points less one: one a step.
    reach = (1 / step) * bound * found * np.sqrt(2 * np.pi)
    assert reach * np.exp(-2 * (np.pi * frequency * found) ** 2) == pytest.approx(1)
    at = 3 + step * np.arange(points)
    assert critical_scale(y, x=at, C=bound) == pytest.approx(found)


def test_a_fields_density_is_the_product_along_its_axes():
    one, two = 0.02 * np.arange(61), 0.05 * np.arange(31)
    y = np.sin(2 * np.pi * 3 * one)[:, None] * np.cos(2 * np.pi * 2 * two)
    frequency, found = frequencies(y, (0.02, 0.05))[-1], critical_scale(y, (0.02, 0.05))
    reach = (1 / 0.02) * (1 / 0.05) * 5 * 2 * np.pi * found**2
    assert reach * np.exp(-2 * (np.pi * frequency * found) ** 2) == pytest.approx(1)


def test_no_scale_is_wider_than_the_domain():
    y = np.sin(2 * np.pi * 0.35 * np.arange(64) / 64)
    assert critical_scale(y, 1 / 64, C=1e30) <= 63 / 64


@pytest.mark.parametrize("dims", [1, 2])
def test_points_are_too_few_below_the_density_at_which_the_equation_has_a_root(dims):
    # Its left side is greatest at σ = √dims / (2π f): density · C · (√(dims / 2πe) / f)^dims.
    frequency = 3.0
    least = (frequency / np.sqrt(dims / (2 * np.pi * np.e))) ** dims
    at = np.sqrt(dims) / (2 * np.pi * frequency)
    assert reachable_scale(frequency, least * 1.0001, dims, 1.0) == pytest.approx(at, rel=0.02)
    assert reachable_scale(frequency, least * 0.9999, dims, 1.0) == pytest.approx(1 / 18)


def test_a_scale_that_is_just_decay_times_smaller_is_kept():
    assert filter_scales([4, 2, 1], 2).tolist() == [4, 2, 1]
    assert filter_scales([4, 2 * (1 + 1e-12)], 2).tolist() == [4, 2 * (1 + 1e-12)]
    assert filter_scales([4, 2.001], 2).tolist() == [4]


def test_layers_shrink_from_the_extent_by_the_decay():
    np.testing.assert_allclose(dyadic_scales(8.0, 4, 2.0), [8, 4, 2, 1])
    np.testing.assert_allclose(dyadic_scales(8.0, 3, 4.0), [8, 2, 0.5])
    # A layer more as soon as the critical scale lies below.
    assert layers_to(0.125, 1.0) == 4
    assert layers_to(0.125 * (1 + 1e-12), 1.0) == layers_to(0.125 * (1 - 1e-12), 1.0) == 4
    assert layers_to(0.1249, 1.0) == 5
    y = np.sin(2 * np.pi * 5 * np.arange(200) / 200)
    critical = critical_scale(y, 1 / 200, "fft")
    assert critical == pytest.approx(1 / 30)
    # 0.995 / 2⁵ is below 1/30 and 0.995 / 2⁴ above.
    assert predict_layers(y, 1 / 200, "fft") == 6


def test_values_are_constant_up_to_rounding_alone():
    assert is_constant(np.array([1.0, 1 + 5e-14]))
    assert not is_constant(np.array([1.0, 1 + 5e-13]))
    assert is_constant(np.zeros(3))
    assert not is_constant(np.array([-1.0, 1.0]) * 1e-200)


@pytest.mark.parametrize("name", ["threshold", "epsilon"])
def test_shares_are_between_nothing_and_all(name):
    y = np.sin(np.arange(50.0))
    for share in (0, 1, -0.1, 1.1):
        with pytest.raises(InputError, match=f"{name}: {share} is not between 0 and 1"):
            frequencies(y, 1.0, **{name: share})


@pytest.mark.parametrize("length", [0.0, -1.0, np.inf, np.nan])
def test_a_length_is_above_nothing_and_finite(length):
    with pytest.raises(InputError, match="^critical: .* is no length"):
        layers_to(length, 1.0)
    with pytest.raises(InputError, match="^extent: .* is no length"):
        layers_to(1.0, length)


def test_eight_points_are_enough_for_a_spectrum():
    assert len(frequencies(np.sin(2 * np.pi * np.arange(8) / 4), 1.0, "fft"))
    with pytest.raises(InputError, match="at least 8 points"):
        frequencies(np.sin(np.arange(7.0)), 1.0, "fft")
