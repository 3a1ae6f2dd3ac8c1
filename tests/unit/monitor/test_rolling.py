"""A window that rolls on, or goes on from its state, is the window made anew of its snapshots."""

import numpy as np
import pytest

from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.window import SlidingWindow

STEPS = np.arange(40)[:, None]
RUN = np.concatenate(
    [0.97**STEPS, 0.9**STEPS * np.cos(0.4 * STEPS), 0.9**STEPS * np.sin(0.4 * STEPS), 0.7**STEPS],
    axis=1,
) + np.array([1.0, 0, 0, 2])


def fresh(snapshots, length):
    window = SlidingWindow(length, RUN.shape[1])
    for snapshot in snapshots:
        window.add(snapshot)
    return window


def same(found, expected):
    order = np.lexsort((expected.eigenvalues.imag, -np.abs(expected.eigenvalues).round(6)))
    other = np.lexsort((found.eigenvalues.imag, -np.abs(found.eigenvalues).round(6)))
    np.testing.assert_allclose(
        found.eigenvalues[other], expected.eigenvalues[order], atol=1e-6, rtol=1e-6
    )
    assert found.predicted_displacement() == pytest.approx(
        expected.predicted_displacement(), rel=1e-6
    )


@pytest.mark.parametrize("asked", [1, 3, 11, 12, 30])
def test_a_spectrum_asked_for_now_and_then_is_that_of_the_last_snapshots(asked):
    window = fresh(RUN[:12], 12)
    same(window.spectrum(), fresh(RUN[:12], 12).spectrum())
    for at in range(12, len(RUN)):
        window.add(RUN[at])
        if (at - 11) % asked == 0:
            same(window.spectrum(), fresh(RUN[at - 11 : at + 1], 12).spectrum())
            np.testing.assert_array_equal(window.snapshots, RUN[at - 11 : at + 1])


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("count", [5, 12, 13, 17, 29])
def test_a_window_goes_on_from_its_state_to_the_last_bit(count, measured):
    window = fresh(RUN[:count], 12)
    if measured and count >= 12:
        window.spectrum()
    other = SlidingWindow(12, RUN.shape[1])
    other.load_state_dict(window.state_dict())
    assert other.count == count
    np.testing.assert_array_equal(other.snapshots, window.snapshots)
    for at in range(count, len(RUN)):
        for one in (window, other):
            one.add(RUN[at])
        if at >= 11:
            found, expected = other.spectrum(), window.spectrum()
            np.testing.assert_array_equal(found.eigenvalues, expected.eigenvalues)
            np.testing.assert_array_equal(found.residuals, expected.residuals)
    assert other.moved
    other.clear()
    assert other.count == 0 and not other.moved and other.snapshots.shape == (0, 4)


def test_a_window_whose_snapshots_came_to_rest_has_not_moved():
    window = fresh(RUN[:12], 5)
    assert window.moved
    for _ in range(3):
        window.add(RUN[11])
    assert window.moved
    window.add(RUN[11])
    assert not window.moved


def test_ends_are_predicted_up_to_a_million_snapshots():
    ones = np.ones(1, dtype=complex)
    slow = WindowSpectrum(np.exp(-1e-6) * ones, np.zeros(1), ones, ones, np.eye(1) + 0j, 10)
    ahead = slow.predicted_displacement()
    # The horizon is 2²⁰, or 1.049 million.
    assert slow.snapshots_until(ahead * np.exp(-1.04)) == pytest.approx(1.04e6, rel=1e-3)
    assert slow.snapshots_until(ahead * np.exp(-1.06)) == np.inf
