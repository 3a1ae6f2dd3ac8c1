"""Bounds of the verdict, of the spectrum and of the window: what lies on one, and just beyond."""

from types import SimpleNamespace

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.verdict import CREEPING, DRIFTING, GROWING, IN_SIGHT, TOLERANCE, classify
from koopscope.monitor.window import SlidingWindow

LENGTH = 10


def seen(ahead=1.0, growing=0.0, slow=0.0, ringing=0.0, until=np.inf):
    """Spectrum whose shares and predictions are these."""
    return SimpleNamespace(
        length=LENGTH,
        predicted_displacement=lambda: ahead,
        growing_share=growing,
        growing=np.array([True, False]),
        variance_shares=np.array([0.6, 0.4]),
        eigenvalues=np.array([1.2, 0.9]),
        residuals=np.zeros(2),
        slow_share=slow,
        oscillating_share=ringing,
        snapshots_until=lambda displacement: until,
        slowest=None,
        time_constants=np.array([np.inf, 9.5]),
    )


def word(displacement=10.0, size=1.0, **of):
    return classify(seen(**of), displacement, size).status


ABOVE, BELOW = 1 + 1e-9, 1 - 1e-9


def test_the_thresholds_are_those_set_beforehand():
    assert (TOLERANCE, GROWING, DRIFTING, CREEPING, IN_SIGHT) == (1e-3, 0.5, 0.9, 0.1, 10)


def test_weights_that_moved_by_a_thousandth_of_their_norm_are_stalled():
    assert word(displacement=1e-3, size=1.0) == "stalled"
    assert word(displacement=1e-3 * ABOVE, size=1.0) == "converging"
    # Before anything else is asked: growth of nothing is nothing.
    assert word(displacement=1e-3, size=1.0, growing=1.0) == "stalled"
    assert classify(seen(), 0.0, 0.0).reason.endswith("by 0.0e+00 of their norm")
    said = classify(seen(), 2e-4, 1.0).reason
    assert said == "in all the weights moved by 2.0e-04 of their norm"


def test_half_of_the_variation_that_grows_makes_a_run_diverge():
    assert word(growing=0.5) == "diverging"
    assert word(growing=0.5 * BELOW) == "converging"
    # Though no way ahead is left.
    assert word(growing=0.5, ahead=0.0) == "diverging"
    said = classify(seen(growing=0.6), 10.0, 1.0).reason
    assert "most by |λ| = 1.2 a snapshot" in said and said.startswith("60% of the variation")


def test_the_largest_of_the_growing_modes_is_named():
    of = seen(growing=0.7)
    of.variance_shares, of.growing = np.array([0.2, 0.8]), np.array([True, True])
    assert "|λ| = 0.9 " in classify(of, 10.0, 1.0).reason


def test_a_thousandth_of_the_way_so_far_is_converged():
    assert word(ahead=0.01, displacement=10.0) == "converged"
    assert word(ahead=0.01 * ABOVE, displacement=10.0) == "converging"
    # As a share of the way, and not of the weights.
    assert word(ahead=0.01, displacement=10.0, size=1000.0) == "converged"
    assert classify(seen(ahead=0.5), 10.0, 1.0, tolerance=0.05).status == "converged"
    assert classify(seen(ahead=0.5), 10.0, 1.0, tolerance=0.04).status == "converging"


def test_a_drift_is_stalled_if_it_carries_nine_tenths_goes_a_tenth_and_sees_no_end():
    drift = {"slow": 0.9, "ahead": 1.0, "displacement": 10.0, "until": 10 * LENGTH + 1}
    assert word(**drift) == "stalled"
    assert word(**drift | {"slow": 0.9 * BELOW}) == "converging"
    assert word(**drift | {"ahead": ABOVE}) == "converging"
    assert word(**drift | {"until": 10 * LENGTH}) == "converging"


def test_an_oscillation_is_stalled_if_it_carries_nine_tenths_and_sees_no_end():
    rings = {"ringing": 0.9, "ahead": 9.0, "displacement": 10.0, "until": 10 * LENGTH + 1}
    assert word(**rings) == "stalled"
    assert word(**rings | {"ringing": 0.9 * BELOW}) == "converging"
    assert word(**rings | {"until": 10 * LENGTH}) == "converging"


def test_the_end_that_is_asked_for_is_the_tolerance_of_the_way_so_far():
    asked = []
    of = seen()
    of.snapshots_until = lambda displacement: asked.append(displacement) or 44.4
    said = classify(of, 20.0, 1.0, tolerance=0.01).reason
    assert asked == [pytest.approx(0.2)]
    assert said.endswith("; converged in about 44")
    of.slowest = 1
    longest = "; longest time constant 9.5 snapshots (|λ| = 0.9); converged in about 44"
    assert classify(of, 20.0, 1.0).reason.endswith(longest)


def spectrum(values, residuals=0.0, length=LENGTH):
    values = np.array(values, dtype=complex)
    ones = np.ones(len(values), dtype=complex)
    found = np.broadcast_to(residuals, len(values)).astype(float)
    return WindowSpectrum(values, found, ones, ones, np.eye(len(values), dtype=complex), length)


def test_a_residual_of_a_tenth_is_resolved_still():
    found = spectrum([0.5, 0.5], [0.1, 0.1 * ABOVE])
    assert found.resolved.tolist() == [True, False]


def test_an_eigenvalue_is_near_one_up_to_one_over_the_window():
    found = spectrum([1.125, 0.875, 1.126, 0.874], length=8)
    assert found.near_one.tolist() == [True, True, False, False]
    assert found.resolution == 0.125


def test_growth_is_beyond_the_residual_and_a_hundredth_in_a_window():
    # Off the positive axis, where nothing is near one.
    least = 1 + 0.01 / 8
    found = spectrum([-least - 1e-9, -least + 1e-9], length=8)
    assert found.growing.tolist() == [True, False]
    found = spectrum([-1.06, -1.04], [0.05, 0.05], length=8)
    assert found.growing.tolist() == [True, False]


def test_an_oscillation_lasts_if_neither_side_of_its_residual_leaves_one_over_the_window():
    assert spectrum([-1.0], [0.1], length=8).oscillating_share == pytest.approx(1)
    assert spectrum([-1.0], [0.1], length=11).oscillating_share == 0
    # A decay of more than its residual is a decay.
    assert spectrum([-0.96], [0.03], length=8).oscillating_share == 0
    assert spectrum([-0.97], [0.04], length=8).oscillating_share == pytest.approx(1)


def test_the_slowest_is_resolved_decays_moves_and_is_not_near_one():
    found = spectrum([0.95, 0.8, 0.85, 1.2, 0.6], [0, 0, 0.2, 0, 0], length=8)
    assert found.slowest == 1
    assert spectrum([0.95, 1.3], length=8).slowest is None


@pytest.mark.parametrize(("length", "features", "most"), [(5, 9, 4), (9, 3, 3), (3, 1, 1)])
def test_a_rank_is_from_one_to_the_directions_of_a_window(length, features, most):
    for rank in (1, most, None):
        assert SlidingWindow(length, features, rank).rank == rank
    for rank in (0, most + 1):
        said = f"^rank: {rank}; give a whole number from 1 to {most}, or None"
        with pytest.raises(InputError, match=said):
            SlidingWindow(length, features, rank)


def test_a_window_of_three_is_the_shortest():
    assert SlidingWindow(3, 2).length == 3
    with pytest.raises(InputError, match="^window: 2; give a whole number of at least 3"):
        SlidingWindow(2, 2)
