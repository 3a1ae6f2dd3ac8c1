"""Training curves: medians, bands, and the runs that diverged."""

import numpy as np
from fixtures.drawn import CASES, draw, texts
from fixtures.equivalence import widths_curves

from koopscope.experiments.equivalence.figures.training import training


def test_training_shows_median_band_and_diverged_runs():
    curves = CASES["widths"]["curves"]
    figure = draw("training", "widths")
    loss, accuracy = figure.axes
    assert loss.get_yscale() == "log" and loss.get_ylabel() == "negative log-likelihood"
    for i, name in enumerate(("h5", "h10", "h40")):
        values = curves["loss"].values[curves["variant"].values == name]
        known = np.isfinite(values).all(axis=0)
        line = loss.lines[i].get_ydata()
        np.testing.assert_allclose(line[known], np.median(values[:, known], axis=0))
        assert np.isnan(line[~known]).all()
        band = loss.collections[i].get_paths()[0].vertices[:, 1]
        low, high = np.quantile(values[:, known], (0.05, 0.95), axis=0)
        np.testing.assert_allclose([band.min(), band.max()], [low.min(), high.max()])
    assert len(accuracy.lines) == 3
    assert "h5 (25 seeds; 2 of 250 runs diverged)" in texts(figure)


def test_training_of_optimisers_has_one_panel_and_says_that_there_is_no_band():
    figure = draw("training", "optimisers")
    (axes,) = figure.axes
    assert axes.get_yscale() == "linear"  # f(x) is negative for the bisection
    assert not axes.collections and "no band" in texts(figure)


def test_many_variants_have_a_panel_each_with_the_others_in_grey():
    names = tuple(f"v{i}" for i in range(12))
    figure = training(widths_curves(2, names))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 24
    assert [axes.get_title().split("(")[0].strip() for axes in panels] == [*names, *names]
    for axes in panels:
        assert len(axes.lines) == 1
        others, band = axes.collections
        assert len(others.get_segments()) == 12 and band.get_paths()
    assert panels[5].get_yscale() == "log" and panels[20].get_yscale() == "linear"
    assert "medians of the other variants" in texts(figure)
