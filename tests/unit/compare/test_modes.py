"""Which eigenvalues moved, and how long they last."""

import numpy as np
import pytest

from koopscope.compare.modes import moved_most, padded


def test_the_mode_that_moved_is_named_first_with_its_times():
    rng = np.random.default_rng(0)

    def seeds(fast):
        turning = 0.9 * np.exp(0.2j)
        return [
            np.array([1, fast, turning, turning.conjugate()]) * (1 + 1e-3 * rng.normal())
            for _ in range(6)
        ]

    first, *others = moved_most(seeds(0.5), seeds(0.7), spacing=10)
    assert first.first.eigenvalue == pytest.approx(0.5, abs=2e-3)
    assert first.second.eigenvalue == pytest.approx(0.7, abs=2e-3)
    assert first.second.time_constant[0] == pytest.approx(-10 / np.log(0.7), rel=1e-2)
    assert first.second.period == (np.inf,) * 3
    assert first.distance > 20 * first.spread
    # Of the conjugate pair one is listed, with its period in steps.
    assert len(others) == 2
    (turning,) = (m for m in others if m.first.eigenvalue.imag)
    assert turning.first.period[0] == pytest.approx(10 * 2 * np.pi / 0.2, rel=1e-3)


def test_growth_has_no_time_constant_and_empty_groups_no_modes():
    (found,) = moved_most([[1.1], [1.2]], [[0.9], [0.8]])
    assert found.first.time_constant == (np.inf,) * 3
    assert moved_most([[], []], [[1.0], [0.9]]) == []
    assert found.to_dict()["second"]["real"] == pytest.approx(0.85)


def test_rows_are_padded_with_nothing():
    rows = padded([np.array([1, 2j]), np.array([3])])
    assert rows.shape == (2, 2) and np.isnan(rows[1, 1])
