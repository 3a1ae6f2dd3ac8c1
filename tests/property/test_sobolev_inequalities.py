"""Properties of negative Sobolev norms that hold for every residual."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.sobolev.norms import SobolevLoss

MODEST = settings(max_examples=40, deadline=None)
ORDERS = st.floats(0, 5)
LENGTHS = st.floats(0.1, 100)
BOUNDARIES = st.sampled_from(["periodic", "reflecting"])
SHAPES = st.sampled_from([(1,), (2,), (7,), (16,), (3, 4), (5, 5), (2, 3, 4)])
SEEDS = st.integers(0, 2**32 - 1)


def drawn(shape, seed):
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


@MODEST
@given(SHAPES, SEEDS, ORDERS, ORDERS, LENGTHS, BOUNDARIES)
def test_norm_falls_with_the_order(shape, seed, s, t, length, boundary):
    e = drawn(shape, seed)
    low, high = (
        SobolevLoss(order, length, grid=shape, boundary=boundary).squared_norm(e).item()
        for order in (min(s, t), max(s, t))
    )
    assert high <= low * (1 + 1e-9)
    # Never below the part that no order damps.
    assert high >= e.mean().item() ** 2 * (1 - 1e-9)


@MODEST
@given(SHAPES, SEEDS, ORDERS, LENGTHS, BOUNDARIES, st.floats(-50, 50))
def test_norm_is_quadratic(shape, seed, s, length, boundary, factor):
    e, loss = drawn(shape, seed), SobolevLoss(s, length, grid=shape, boundary=boundary)
    expected = factor**2 * loss.squared_norm(e).item()
    assert loss.squared_norm(factor * e).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    f = drawn(shape, seed + 1)
    both = loss.squared_norm(e + f) + loss.squared_norm(e - f)
    torch.testing.assert_close(both, 2 * (loss.squared_norm(e) + loss.squared_norm(f)))


@MODEST
@given(SHAPES, SEEDS, ORDERS, LENGTHS)
def test_periodic_norm_does_not_change_under_shifts(shape, seed, s, length):
    e, loss = drawn(shape, seed), SobolevLoss(s, length, grid=shape)
    shifted = e.roll(tuple(range(1, len(shape) + 1)), tuple(range(len(shape))))
    torch.testing.assert_close(loss.squared_norm(shifted), loss.squared_norm(e))


@MODEST
@given(SHAPES, SEEDS, ORDERS, BOUNDARIES)
def test_norm_does_not_change_when_axes_are_exchanged_or_turned(shape, seed, s, boundary):
    e = drawn(shape, seed)
    sides = tuple(1.0 + i for i in range(len(shape)))
    found = SobolevLoss(s, sides, grid=shape, boundary=boundary).squared_norm(e)
    turned = SobolevLoss(s, sides[::-1], grid=shape[::-1], boundary=boundary)
    axes = tuple(reversed(range(len(shape))))
    torch.testing.assert_close(turned.squared_norm(e.permute(axes).flip(0)), found)


@MODEST
@given(st.integers(2, 12), SEEDS, st.floats(0.1, 4), LENGTHS)
def test_scattered_norm_is_never_negative(n, seed, s, length):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, length, n)
    points[-1] = points[0]
    e = drawn(n, seed)
    for boundary in ("periodic", "reflecting", *(["free"] if s > 0.5 else [])):
        loss = SobolevLoss(s, length, points=points, boundary=boundary)
        assert loss.squared_norm(e).item() >= -1e-12
        assert math.isfinite(loss.expected_noise())
