"""Hierarchical regression: the figures show every case, every rule and the spread over seeds."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.hsvr import REGRESSORS, RULES, regressors_store, transitions_store

from koopscope.experiments.hsvr.figures import layers, regressors, transitions

FOUND = transitions_store()


def lines(axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines]


def test_every_signal_has_its_curves_and_its_strip_of_rules():
    figure = transitions(FOUND)
    said = texts(figure)
    assert all(name in said for name in ("tone", "steps", "rings", *RULES, "10 % noise"))
    assert "2 × smaller" in said and "fallen: 0.02" in said
    above, below = figure.axes[0], figure.axes[3]
    drawn = [xy for xy in lines(below) if len(xy) == 6]
    np.testing.assert_allclose(drawn[0][:, 1], FOUND["train_error"][0])
    np.testing.assert_allclose(drawn[1][:, 1], np.median(FOUND["train_error"][3:5], axis=0))
    # A predicted scale lies where a layer of that scale would lie.
    assert {round(float(xy[0, 0]), 9) for xy in lines(above) if len(xy) == 1} == {4, 5}


def test_a_rule_that_does_not_apply_has_no_mark():
    above = transitions(FOUND).axes[2]
    assert len([xy for xy in lines(above) if len(xy) == 1]) == 2 * 2


def test_predicted_layers_lie_in_the_row_of_their_signal():
    figure = layers(FOUND)
    assert [axes.get_title() for axes in figure.axes] == ["no noise", "10 % noise"]
    for axes in figure.axes:
        marks = [xy[0] for xy in lines(axes) if len(xy) == 1 and np.isfinite(xy).all()]
        for row in range(3):
            found = sorted(float(x) for x, y in marks if abs(y - row) < 0.45)
            assert found == ([4, 4, 4, 5] if row < 2 else [4, 4, 5])
    assert texts(figure).count("not always") == 3


def test_regressors_have_a_mark_for_each_signal_and_one_for_all():
    store = regressors_store()
    figure = regressors(store)
    assert all(name in texts(figure) for name in REGRESSORS)
    axes = figure.axes[1]
    chosen = store["noise"].values == 0.1
    middle = np.median(store["held_out_rms"].values[chosen], axis=0)
    large = [line.get_xydata()[0] for line in axes.lines if line.get_markersize() == 10]
    np.testing.assert_allclose([y for _, y in large], middle)
    alone = regressors(regressors_store(("tone",)))
    assert "small" not in texts(alone)
    assert not [line for line in alone.axes[0].lines if line.get_markersize() == 10]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_signals_can_be_drawn(count):
    names = tuple(f"a signal {i}" for i in range(count))
    for figure in (
        transitions(transitions_store(names)),
        layers(transitions_store(names)),
        regressors(regressors_store(names)),
    ):
        figure.draw_without_rendering()
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert all(name in texts(layers(transitions_store(names))) for name in names)
