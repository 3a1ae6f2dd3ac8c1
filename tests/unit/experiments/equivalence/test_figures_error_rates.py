"""ErrorRates: the rates that are drawn are those of the draws, with their intervals."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.known import KNOWN, error_rates_store
from matplotlib.collections import LineCollection
from scipy.stats import beta

from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.error_rates import (
    false_positives,
    metrics,
    power,
    share,
)

STORE = error_rates_store()
FIGURES = {figure.__name__: figure for figure in (false_positives, power, metrics)}


def points(axes, marker: str) -> np.ndarray:
    found = [line.get_xydata() for line in axes.lines if line.get_marker() == marker]
    return np.concatenate(found)


def test_share_has_the_clopper_pearson_interval():
    p = np.array([0.01, 0.05, 0.2, 0.5, np.nan])
    found = share(p, 0.05)
    np.testing.assert_allclose(
        found, (0.5, beta.ppf(0.025, 2, 3), beta.ppf(0.975, 3, 2)), rtol=1e-6
    )
    assert np.isnan(share(p[4:], 0.05)).all()


def test_false_positives_of_each_equivalent_pair_and_size_stand_against_alpha():
    forest = false_positives(STORE).axes[0]
    labels = [label.get_text() for label in forest.get_yticklabels()]
    assert labels[:3] == [f"h40 / h40_fresh, {size} seeds" for size in (5, 10, 25)]
    assert len(labels) == 6
    rates = STORE["rate"].values[:2, :, 0].ravel()
    np.testing.assert_allclose(points(forest, "o")[:, 0], rates)
    swapped = (STORE["swapped_pair_p"].values[:2] <= 0.05).mean(axis=2).ravel()
    np.testing.assert_allclose(points(forest, "s")[:, 0], swapped)
    spans = [c.get_segments()[0][:, 0] for c in forest.collections if isinstance(c, LineCollection)]
    low, high = (STORE[name].values[:2, :, 0].ravel() for name in ("rate_low", "rate_high"))
    np.testing.assert_allclose(spans[::2], np.column_stack([low, high]))
    assert any(np.array_equal(line.get_xdata(), [0.05, 0.05]) for line in forest.lines)


def test_null_p_values_are_drawn_against_the_uniform_distribution():
    _, tested, swapped = false_positives(STORE).axes
    for axes, p in (
        (tested, STORE["p_value"].values[:2, -1, 0]),
        (swapped, STORE["swapped_pair_p"].values[:2, -1]),
    ):
        assert any(np.array_equal(line.get_xydata(), [[0, 0], [1, 1]]) for line in axes.lines)
        curves = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) > 2]
        np.testing.assert_allclose([x[1:-1] for x in curves], np.sort(p, axis=1))
        assert axes.collections  # the band of uniform p
    assert "25 seeds per group" in tested.get_title()


def test_power_is_drawn_against_seeds_with_the_true_effect_of_each_pair():
    figure = power(STORE)
    tested, judged = figure.axes
    lines = [line for line in tested.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose([x.get_ydata() for x in lines], STORE["rate"].values[2:, :, 0])
    lines = [line for line in judged.lines if len(line.get_xdata()) == 3]
    seen = (STORE["verdict"].values[2:] == "distinguished").mean(axis=2)
    np.testing.assert_allclose([x.get_ydata() for x in lines], seen)
    said = texts(figure)
    assert "h5 / h40: effect 3.4, different" in said and "h20 / h40: effect 1.2, open" in said
    assert "h40_fresh" not in said and "from pools of 100 (h5), 120 (h40)" in said


def test_power_of_many_pairs_has_bars_in_place_of_bands():
    many = tuple((f"v{i}", "h40", "different", 2.0) for i in range(12))
    figure = power(error_rates_store(20, known=many))
    assert all(isinstance(c, LineCollection) for c in figure.axes[0].collections)
    assert "bar: 95 % interval" in texts(figure) and "v11 / h40: effect 2" in texts(figure)


def test_metrics_show_the_rate_at_equal_false_positives_by_size():
    figure = metrics(STORE)
    assert [axes.get_title() for axes in figure.axes] == [
        f"{size} seeds per group" for size in (5, 10, 25)
    ]
    expected = STORE["equal_rate"].values[2:4]
    for j, axes in enumerate(figure.axes):
        found = np.array([points(axes, marker)[:, 0] for marker in "os"])
        known = np.isfinite(expected[0, j])
        np.testing.assert_allclose(found, expected[:, j, known])
    assert "wasserstein\n(the verdict's)" in texts(figure)
    assert texts(figure).count("not computed") == 1  # the second metric at the smallest size


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("false_positives", KNOWN[2:], "no pair is expected to be equivalent"),
        ("power", KNOWN[:1], "no pair is expected to be different, or open"),
        ("metrics", KNOWN[:1], "no pair is expected to be different, or open"),
    ],
)
def test_stores_without_such_pairs_give_a_figure_that_says_so(name, known, said):
    assert said in texts(FIGURES[name](error_rates_store(20, known=known)))


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("dim", ["pair", "size", "metric", "draw"])
def test_empty_dimensions_are_refused_in_one_line(name, dim):
    with pytest.raises(InputError, match=f"^{name}: dataset has no {dim}s; give an error_rates.*$"):
        FIGURES[name](STORE.isel({dim: slice(0)}))
