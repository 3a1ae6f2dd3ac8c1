"""Scans: effects stand where their setups lie, and the reference's ratio stands out."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.equivalence import widths_comparison
from fixtures.known import ladder_comparison, plane_comparison, with_factors
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from koopscope.errors import InputError
from koopscope.experiments.equivalence.figures.scan import scan
from koopscope.experiments.equivalence.figures.verdicts import SIGNS

LADDER, PLANE = ladder_comparison(), plane_comparison()


def at_pair(store, name: str) -> dict[str, float]:
    (i,) = np.flatnonzero((store["first"].values == name) | (store["second"].values == name))
    return store.isel(pair=i)


def test_effects_of_one_factor_stand_over_its_values_with_their_intervals():
    axes = scan(LADDER).axes[0]
    assert axes.get_xscale() == "log" and axes.get_yscale() == "log"
    assert axes.get_xlabel() == "hidden widths"
    found = {
        float(line.get_xdata()[0]): float(line.get_ydata()[0])
        for line in axes.lines
        if line.get_marker() in ("o", "D")
    }
    for width in (5, 10, 20, 80):
        assert found[width] == pytest.approx(at_pair(LADDER, f"h{width}")["effect"].item())
    spans = {
        tuple(c.get_segments()[0][:, 1]) for c in axes.collections if isinstance(c, LineCollection)
    }
    ends = np.column_stack([LADDER["effect_low"], LADDER["effect_high"]])
    assert spans == set(map(tuple, ends))
    said = texts(axes.figure)
    assert "reference h40" in said and "smallest effect of interest: 1.5" in said
    # The control has the reference's width: it stands beside it, by name.
    assert "h40_fresh" in said


def test_values_of_a_small_span_have_a_linear_axis():
    near = scan(ladder_comparison(3, (40, 20, 30)).assign_attrs(reference="h40"))
    assert near.axes[0].get_xscale() == "linear"


def test_cells_of_two_factors_hold_the_numbers_of_their_pair():
    axes = scan(PLANE).axes[0]
    assert axes.get_xlabel() == "learning rate" and axes.get_ylabel() == "batch size"
    assert [t.get_text() for t in axes.get_xticklabels()] == ["0.05", "0.1", "0.2"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["30", "60", "120"]
    found = {tuple(np.round(t.get_position()).astype(int)): t.get_text() for t in axes.texts}
    assert found[1, 1] == "reference"
    row = at_pair(PLANE, "lr0.2_b30")
    sign = SIGNS[row["verdict"].item()]
    low, high = row["effect_low"].item(), row["effect_high"].item()
    assert found[2, 0] == (
        f"{sign} {row['effect'].item():.3g}\n[{low:.2g}, {high:.2g}]"
        f"\np {row['p_adjusted'].item():.2g}"
    )


def test_lines_join_one_ratio_and_frames_mark_that_of_the_reference():
    figure = scan(PLANE)
    axes = figure.axes[0]
    lines = [line.get_xydata() for line in axes.lines]
    diagonal = [[0, 0], [1, 1], [2, 2]]
    assert len(lines) == 3 and any(
        np.allclose(line[[0, len(line) // 2, -1]], diagonal) for line in lines
    )
    framed = {
        (round(p.get_x() + 0.47), round(p.get_y() + 0.47)): p.get_linestyle()
        for p in axes.patches
        if isinstance(p, Rectangle) and not p.get_fill()
    }
    assert framed == {(0, 0): "-", (1, 1): "--", (2, 2): "-"}
    assert "learning rate ÷ batch size as the reference" in texts(figure)


def test_setups_that_share_a_cell_are_named_and_unknown_effects_said():
    store = PLANE.copy(deep=True)
    moved = store["variant"].values == "lr0.05_b30"
    store["factor_value"].values[moved] = (0.1, 60)
    i = int(np.flatnonzero(store["first"].values == "lr0.05_b120")[0])
    for name in ("effect", "effect_low", "effect_high"):
        store[name].values[i] = np.nan
    store = store.isel(pair=[k for k in range(8) if store["second"].values[k] != "lr0.2_b120"])
    said = texts(scan(store))
    assert "lr0.05_b30:\n" in said and "reference\n" in said
    assert "no effect known: lr0.05_b120, lr0.2_b120" in said and "not compared" in said


@pytest.mark.parametrize("width", ["single", "double"])
def test_words_stay_within_their_cell_though_controls_share_the_references(width):
    store = PLANE.copy(deep=True)
    moved = np.isin(store["variant"].values, ["lr0.05_b30", "lr0.05_b120", "lr0.2_b30"])
    store["factor_value"].values[moved] = (0.1, 60)
    figure = scan(store, width=width)
    figure.canvas.draw()
    axes = figure.axes[0]
    for said in axes.texts:
        top, bottom = axes.transData.inverted().transform(said.get_window_extent())[:, 1]
        assert abs(top - bottom) < 1, said.get_text()


def test_one_seed_has_no_effects_to_draw_and_says_so():
    one = widths_comparison(1, ("h5", "h40"), "h40")
    one = with_factors(one, {"hidden_widths": {"h5": 5, "h40": 40}}, "h40")
    assert "no effect known: h5" in texts(scan(one))


def test_stores_that_are_no_scan_are_refused_in_one_line():
    three = with_factors(
        widths_comparison(2),
        {name: {"h5": 1, "h10": 2, "h40": 3} for name in ("a", "b", "c")},
        "h5",
    )
    unknown = LADDER.copy(deep=True)
    unknown["factor_value"].values[0, 0] = np.nan
    for wrong, line in (
        (three, r"^scan: 3 factors vary \(a, b, c\); give a study of 1 or 2$"),
        (LADDER.isel(factor=[1]), r"^scan: 0 factors vary \(none\); .*$"),
        (LADDER.assign_attrs(reference="x"), r"^scan: reference: unknown variant 'x'; give .*$"),
        (
            LADDER.assign_attrs(reference="h5").isel(pair=[1]),
            r"^scan: no pair has .*'h5'; .*$",
        ),
        (unknown, r"^scan: h40: hidden_widths is nan; give each variant a number$"),
        (LADDER.drop_vars("factor_value"), r"^scan: dataset lacks factor_value .*$"),
    ):
        with pytest.raises(InputError, match=line):
            scan(wrong)
