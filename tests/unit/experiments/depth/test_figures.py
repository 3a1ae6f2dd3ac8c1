"""Depths: the figure shows every case, rule, seed and interval."""

import numpy as np
import pytest
from fixtures.depth import depths_store
from fixtures.drawn import texts

from koopscope.experiments.depth.figures import _heading, depths

FOUND = depths_store()


def lines(axes) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in axes.lines]


def test_effects_stand_between_their_depths_with_their_intervals():
    above = depths(FOUND).axes[1]
    at = FOUND.sel(case="tones")
    bars = [xy for xy in lines(above) if len(xy) == 2 and xy[0, 0] == xy[1, 0] != 0]
    assert [xy[0, 0] for xy in bars] == [1.5, 2.5, 3.5]
    np.testing.assert_allclose([xy[0, 1] for xy in bars], at["effect_low"])
    np.testing.assert_allclose([xy[1, 1] for xy in bars], at["effect_high"])
    faces = [p.get_markerfacecolor() for p in above.lines if p.get_marker() == "o"]
    told = at["verdict"].values == "distinguished"
    assert [face == "black" for face in faces] == told.tolist()


def test_the_tolerance_is_said_in_percent():
    assert FOUND.attrs["tolerance"] == 0.1
    assert "an error within 10 % of the least" in _heading(FOUND)


def test_foretold_depths_lie_in_the_strip_and_none_is_said():
    figure = depths(FOUND)
    strips = figure.axes[3:6]
    for i, strip in enumerate(strips):
        marks = [xy[0, 0] for xy in lines(strip) if len(xy) == 1]
        known = FOUND["predicted"].values[i]
        assert sorted(marks) == sorted(known[np.isfinite(known)])
    assert texts(figure).count("none") == 1
    assert "two layers always" in texts(figure) and "its 95 % interval" in texts(figure)


def test_every_seed_has_its_error_and_the_mean_is_a_line():
    below = depths(FOUND).axes[7]
    drawn = [xy for xy in lines(below) if len(xy) == 6]
    errors = FOUND["error"].sel(case="tones")
    np.testing.assert_allclose([xy[:, 1] for xy in drawn], errors)
    (mean,) = [line for line in below.lines if line.get_marker() == "s"]
    np.testing.assert_allclose(mean.get_ydata(), errors.mean("seed"))


@pytest.mark.parametrize("count", [1, 9])
def test_one_and_many_cases_fit(count):
    cases = tuple(f"a task of number {i}" for i in range(count))
    store = depths_store(("mnist", *cases)).isel(case=slice(1, None))
    figure = depths(store)
    assert all(name in texts(figure) for name in cases)
    figure.draw_without_rendering()
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
