"""Depths and pruning while training: the figures show every case, rule, seed and interval."""

import numpy as np
import pytest
from builders_depth import METHODS, depths_store, pruned_store
from drawn import texts

from koopscope.figures.depth import depths
from koopscope.figures.pruned_training import pruned_training

FOUND, PRUNED = depths_store(), pruned_store()


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


def test_single_weights_and_whole_units_have_rows_and_dense_is_in_both():
    figure = pruned_training(PRUNED)
    assert [axes.get_title() for axes in figure.axes[:4:2]] == ["single weights", "whole units"]
    curves = [len([xy for xy in lines(axes) if len(xy) == 6]) for axes in figure.axes[:4]]
    assert curves == [3, 3, 3, 3]
    first = next(xy for xy in lines(figure.axes[0]) if len(xy) == 6)
    dense = PRUNED.sel(pruner="dense").isel(evaluation=slice(1, None))
    np.testing.assert_allclose(first[:, 0], dense["processor_seconds"].median("seed"))
    np.testing.assert_allclose(first[:, 1], (1 - dense["accuracy"]).median("seed"))
    assert "10⁹ multiplications with kept weights" in texts(figure)


def test_a_target_not_reached_is_said_and_has_no_mark():
    figure = pruned_training(PRUNED)
    axes = figure.axes[4]
    rows = {round(float(xy[0, 1])) for xy in lines(axes) if len(xy)}
    assert rows == {0, 1, 2, 3}
    assert texts(figure).count("never") == 2
    assert texts(figure).count("3 of 3") == 8
    assert all(name in texts(figure) for name in METHODS)


def test_a_run_without_whole_units_has_one_row():
    figure = pruned_training(pruned_store(("dense", "koopman")))
    assert len(figure.axes) == 4
    assert pruned_training(pruned_store(("dense",))).axes[0].get_title() == "no pruning"
