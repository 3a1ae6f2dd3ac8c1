"""Figures of the early phase: what they show of a store."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.early_phase import early_phase_store
from matplotlib.image import AxesImage

from koopscope.experiments.early_phase.figures.effects import early_phase
from koopscope.experiments.early_phase.figures.matrix import all_windows
from koopscope.experiments.early_phase.figures.plain import plain_markers

DRAWN = (early_phase, plain_markers, all_windows)


def points(panel, marker="o"):
    """Effects of a panel, by whether they are filled."""
    found = [
        line for line in panel.lines if line.get_marker() == marker and len(line.get_xdata()) == 1
    ]
    return [
        (round(float(line.get_ydata()[0]), 6), line.get_markerfacecolor() != "white")
        for line in found
    ]


def test_each_part_has_a_panel_with_its_effects_and_its_end():
    store = early_phase_store(60)
    figure = early_phase(store)
    for panel, name in zip(figure.axes, store["part"].values, strict=False):
        at = store.sel(measure=name)
        effects = [round(value, 6) for value in at["effect"].values[:-1].tolist()]
        told = (at["verdict"].values[:-1] == "distinguished").tolist()
        assert points(panel) == list(zip(effects, told, strict=True))
        assert panel.get_title().startswith(f"{name}\nends at step 60")
        ends = [
            line
            for line in panel.lines
            if line.get_linewidth() == 1.4 and line.get_linestyle() == "-"
        ]
        assert [float(line.get_xdata()[0]) for line in ends] == [1.5]
    assert "121–150" in texts(figure)


def test_where_nothing_ends_no_line_says_so():
    figure = early_phase(early_phase_store(120))
    assert "all layers\nnot over by step 120" in texts(figure)
    (panel, *_) = figure.axes
    assert not [line for line in panel.lines if line.get_linewidth() == 1.4]


def test_controls_stand_beside_the_windows_and_may_be_missing():
    store = early_phase_store(60)
    (panel, *_) = early_phase(store).axes
    effects = store["control_effect"].sel(part=store["part"].values[0])
    for mark, place in (("s", 0), ("X", 1)):
        drawn = [effect for effect, _ in points(panel, mark)]
        assert drawn == pytest.approx(effects.isel(control=place).values, abs=1e-6)
    without = early_phase(store.isel(control=slice(0)))
    assert "recoded" in texts(early_phase(store)) and "recoded" not in texts(without)


def test_markers_are_drawn_by_step_and_by_window_with_both_ends():
    store = early_phase_store(60)
    figure = plain_markers(store)
    above, below = figure.axes[:4], figure.axes[4:]
    for panel, name in zip(above, store["marker"].values, strict=True):
        assert panel.get_title() == name
        curve = next(line for line in panel.lines if len(line.get_xdata()) > 2)
        # The first two snapshots have no angle.
        median = np.median(store["curve"].sel(marker=name).values[:, 2:], axis=0)
        assert np.allclose(curve.get_ydata()[2:], median)
        blue = [line for line in panel.lines if line.get_color() == "#0173b2"]
        assert [float(line.get_xdata()[0]) for line in blue] == [60]
    assert below[0].get_title() == "not over by step 120"


def test_all_windows_are_in_the_matrix_and_itself_is_as_seeds():
    store = early_phase_store(60)
    figure = all_windows(store)
    images = [panel.findobj(AxesImage) for panel in figure.axes]
    (first,), *_ = [found for found in images if found]
    values = np.asarray(first.get_array())
    expected = np.log10(np.maximum(store["matrix"].isel(measure=0).values, 1))
    assert np.allclose(values, expected)
    assert np.allclose(np.diag(values), 0)


@pytest.mark.parametrize("draw", DRAWN)
def test_a_store_without_any_known_effect_is_drawn_too(draw):
    store = early_phase_store(60).copy(deep=True)
    for name in ("effect", "effect_low", "effect_high", "next_effect", "matrix", "end", "end_low"):
        store[name] = store[name] * np.nan
    store["outcome"][:] = "inconclusive"
    assert "inconclusive" in texts(draw(store)) or draw is all_windows


@pytest.mark.parametrize("draw", DRAWN)
def test_texts_stay_within_the_figure(draw):
    figure = draw(early_phase_store(60))
    figure.draw_without_rendering()
    for panel in figure.axes:
        box = panel.get_tightbbox()
        if box is not None:
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1
            assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1
