"""Distances and verdicts: every number stands where it belongs."""

import numpy as np
import pytest
from fixtures.drawn import CASES, dots, draw, texts
from fixtures.equivalence import REFERENCE, wasserstein, widths_comparison
from matplotlib.collections import LineCollection

from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.distances import distances
from koopscope.experiments.equivalence.figures.verdicts import verdicts
from koopscope.experiments.equivalence.wording import INCONCLUSIVE
from koopscope.report.datasets import samples_by_variant


@pytest.mark.parametrize("case", CASES)
def test_heat_map_holds_the_distances_ordered_by_variant_and_seed(case):
    comparison = CASES[case]["comparison"]
    shuffled = comparison.copy(deep=True)
    order = np.arange(comparison.sizes["sample"])
    if case == "widths":
        order[:25] = order[:25][::-1]
    shuffled = comparison.isel(sample=order, other=order)
    mesh = distances(shuffled).axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array().ravel(), comparison["distance"].values.ravel())


@pytest.mark.parametrize("case", CASES)
def test_distributions_hold_the_distances_within_and_between(case):
    comparison = CASES[case]["comparison"]
    axes = draw("distances", case).axes[1]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    groups = samples_by_variant(comparison)
    names = list(groups)
    assert labels[:3] == [f"within {name}" for name in names]
    a, b = (groups[name] for name in names[:2])
    if case == "optimisers":
        row = [x for x, y in dots(axes) if round(y) == 3]
        np.testing.assert_allclose(
            row, [wasserstein(*map(np.array, (REFERENCE["omd"], REFERENCE["ogd"])))]
        )
        assert "one seed: no two to compare" in texts(axes.figure)
    else:
        inner = comparison["distance"].values[np.ix_(a, a)][np.triu_indices(25, 1)]
        row = [x for x, y in dots(axes) if round(y) == 0]
        np.testing.assert_allclose(np.sort(row), np.sort(inner))


def test_forest_draws_each_effect_with_its_interval():
    comparison = CASES["widths"]["comparison"]
    forest, _ = draw("verdicts", "widths").axes
    spans = [c.get_segments()[0][:, 0] for c in forest.collections if isinstance(c, LineCollection)]
    ends = np.column_stack([comparison["effect_low"], comparison["effect_high"]])
    np.testing.assert_allclose(spans, ends)
    points = [line.get_xdata()[0] for line in forest.lines if line.get_marker() == "o"]
    assert "smallest effect of interest: 1.5" in texts(forest.figure)
    dashed = [line for line in forest.lines if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(dashed[0].get_xdata(), [1.5, 1.5])
    np.testing.assert_allclose(points, comparison["effect"])
    assert any(np.array_equal(line.get_xdata(), [1, 1]) for line in forest.lines)


def test_forest_says_verdict_p_and_whether_it_was_expected():
    comparison = CASES["widths"]["comparison"].copy(deep=True)
    comparison["expected"].values[1] = "equivalent"
    said = texts(verdicts(comparison))
    assert f"{float(comparison['p_value'][0]):.2g}" in said
    assert f"{float(comparison['p_adjusted'][0]):.2g}" in said
    assert "distinguished: p adj. ≤ 0.05 and interval right of the dashed line" in said
    assert "p adj.: Holm, over 3 pairs" in said
    assert "distinguished: ✓ as expected" in said
    assert "not distinguished: ✗ not as expected" in said
    assert "equivalent" not in said and "prove" not in said


def test_forest_of_one_seed_shows_distances_and_no_effect():
    said = texts(draw("verdicts", "optimisers"))
    why = "too few seeds or permutations: p is at least 1, above 0.05"
    assert said.count(f"effect unknown: {why}") == 3
    assert "0.00807" in said
    assert "not judged" in said


def test_forest_tells_the_three_verdicts_apart_by_their_markers():
    comparison = CASES["widths"]["comparison"].copy(deep=True)
    words = ["distinguished", "not distinguished", INCONCLUSIVE]
    comparison["verdict"] = ("pair", np.array(words, dtype=object))
    figure = verdicts(comparison)
    looks = {
        (line.get_marker(), line.get_markerfacecolor())
        for line in figure.axes[0].lines
        if line.get_marker() in ("o", "D")
    }
    assert len(looks) == 3 and all(word in texts(figure) for word in words)
    comparison["verdict"][0] = "proved"
    with pytest.raises(InputError, match="^verdict: unknown 'proved'; give one of disting.*$"):
        verdicts(comparison)


def test_names_of_many_variants_do_not_collide():
    names = tuple(f"lr0.05_b{i}" for i in range(25))
    figure = distances(widths_comparison(2, names, names[0]))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for ticks, side in ((axes.get_xticklabels(), 0), (axes.get_yticklabels(), 1)):
        boxes = [tick.get_window_extent() for tick in ticks]
        edges = sorted((box.extents[side], box.extents[side + 2]) for box in boxes)
        assert len(edges) == 25
        assert all(a[1] <= b[0] + 1 for a, b in zip(edges, edges[1:], strict=False))
