"""Units and origins of x and y change nothing but units and origins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.scales import critical_scale, predict_layers

MODEST = settings(max_examples=20, deadline=None)
SHIFTS = st.floats(-100, 100)
STRETCHES = st.floats(0.01, 100)
TILTS = STRETCHES | STRETCHES.map(lambda stretch: -stretch)
METHODS = st.sampled_from(["fft", "dmd", "tapered", "lomb-scargle"])

X = np.linspace(0, 1, 121)
Y = np.sin(2 * np.pi * 1.3 * X) + 0.4 * np.sin(2 * np.pi * 6.6 * X)


def scale_of(y, x, method):
    place = {"x": x} if method == "lomb-scargle" else {"dx": (x[-1] - x[0]) / (len(x) - 1)}
    return critical_scale(y, method=method, **place), predict_layers(y, method=method, **place)


@MODEST
@given(SHIFTS, TILTS, SHIFTS, STRETCHES, METHODS)
def test_the_critical_scale_moves_with_x_alone(low, tilt, start, stretch, method):
    scale, layers = scale_of(Y, X, method)
    other, others = scale_of(low + tilt * Y, start + stretch * X, method)
    assert other == pytest.approx(stretch * scale, rel=1e-4)
    assert others == layers


@MODEST
@given(SHIFTS, TILTS, SHIFTS, STRETCHES)
def test_predictions_move_with_y_alone(low, tilt, start, stretch):
    # Rounding sends the solver another way, to a point within its tolerance.
    allowed = 5e-3 * np.ptp(Y)
    model = HierarchicalSVR(depth=6, tol=1e-4).fit(X[:, None], Y)
    x = (start + stretch * X)[:, None]
    other = HierarchicalSVR(depth=6, tol=1e-4).fit(x, low + tilt * Y)
    np.testing.assert_allclose(
        (other.predict(x) - low) / tilt, model.predict(X[:, None]), atol=allowed
    )
    np.testing.assert_allclose(other.errors_ / abs(tilt), model.errors_, atol=allowed)


@MODEST
@given(st.integers(-20, 20), st.integers(-20, 20))
def test_powers_of_two_change_no_bit(of_x, of_y):
    model = HierarchicalSVR(depth=5).fit(X[:, None], Y)
    other = HierarchicalSVR(depth=5).fit(X[:, None] * 2.0**of_x, Y * 2.0**of_y)
    np.testing.assert_array_equal(other.residuals_, model.residuals_ * 2.0**of_y)
    np.testing.assert_array_equal(other.scales_, model.scales_ * 2.0**of_x)
