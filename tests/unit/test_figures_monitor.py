"""Figures of questions about watching training: what they show, with one kind of runs and many."""

import numpy as np
import pytest
from builders_monitor import asked
from drawn import texts

from koopscope.errors import InputError
from koopscope.figures import OF_KIND, save
from koopscope.figures.plane import draw_plane
from koopscope.figures.style import new_figure

KINDS = ("stopping", "restart")
DRAWN = [(kind, name) for kind in KINDS for name in OF_KIND[kind]]
DIM = {"stopping": "arm", "restart": "setup"}


def lines(axes):
    return [line.get_xydata() for line in axes.lines]


@pytest.mark.parametrize(("kind", "name"), DRAWN)
def test_a_figure_says_its_question_and_leaves_its_data_alone(kind, name):
    found = asked(kind)
    before = found.copy(deep=True)
    assert "one: When?" in texts(OF_KIND[kind][name](found))
    assert before.identical(found)


def test_a_figure_is_the_same_again_to_the_byte(tmp_path):
    for folder in ("one", "two"):
        figure = OF_KIND["restart"]["restart_auc"](asked("restart"))
        save(figure, tmp_path / folder / "auc", {"a": 1})
    for end in ("png", "pdf"):
        one, two = ((tmp_path / folder / f"auc.{end}").read_bytes() for folder in ("one", "two"))
        assert one == two


@pytest.mark.parametrize(("kind", "name"), DRAWN)
def test_a_dataset_of_another_kind_is_refused(kind, name):
    other = next(k for k in KINDS if k != kind)
    with pytest.raises(InputError, match=f"dataset lacks .*; give a {kind} store"):
        OF_KIND[kind][name](asked(other))
    with pytest.raises(InputError, match=f"dataset has no {DIM[kind]}s|has no runs"):
        empty = DIM[kind] if name != "restart_spectra" else "run"
        OF_KIND[kind][name](asked(kind).isel({empty: slice(0)}))


def test_curves_have_every_rule_and_the_epoch_it_stops_at():
    found = asked("stopping")
    figure = OF_KIND["stopping"]["stopping_curves"](found)
    said = texts(figure)
    for rule in ("spectrum: share", "spectrum: way ahead", "way behind", "patience", "net1"):
        assert rule in said
    # Row by row, a column an arm.
    stops = figure.axes[2]
    at = int(np.flatnonzero((found["rule"] == "patience") & found["chosen"])[0])
    expected = [np.median(found["stop"].sel(arm="net0").values[:, at]), 3]
    assert any(np.allclose(xy, [expected]) for xy in lines(stops))


def test_the_trade_off_has_every_setting_and_the_fixed_budgets():
    found = asked("stopping")
    figure = OF_KIND["stopping"]["stopping_tradeoff"](found)
    saved = found["mean_saved"].sel(arm="net0", bound="mean").values
    fixed = saved[found["rule"].values == "fixed"]
    assert any(len(xy) == len(fixed) and np.allclose(xy[:, 0], fixed) for xy in
               lines(figure.axes[0]))  # fmt: skip


def test_one_kind_of_runs_makes_a_figure_too():
    for draw in OF_KIND["stopping"].values():
        assert len(draw(asked("stopping", 1)).axes) >= 1


def test_eigenvalues_are_filled_where_the_residual_is_small_and_none_is_left_out():
    figure = new_figure(3, 3)
    panel = figure.subplots()
    values = np.array([1, 0.9 + 0.1j, 3.0, np.nan, -2j])
    draw_plane(panel, values, np.array([0.0, 0.5, 0.0, 0.0, 0.01]))
    marks = [line for line in panel.lines if line.get_linestyle() == "None"]
    points = sum(len(line.get_xydata()) for line in marks if line.get_marker() != "+")
    assert points == 4
    hollow = [line for line in marks if line.get_markerfacecolor() == "none"]
    assert sum(len(line.get_xydata()) for line in hollow) == 1
    outside = [line.get_xydata() for line in marks if line.get_marker() == "^"]
    assert sum(map(len, outside)) == 2


def test_spectra_of_good_and_bad_ends_are_counted():
    found = asked("restart")
    said = texts(OF_KIND["restart"]["restart_spectra"](found))
    bad = int(found["bad"].sum())
    assert f"bad end ({bad} runs)" in said
    assert f"good end ({found.sizes['run'] - bad} runs)" in said


def test_areas_and_savings_have_every_predictor_and_policy():
    found = asked("restart")
    said = texts(OF_KIND["restart"]["restart_auc"](found))
    assert all(name in said for name in found["predictor"].values)
    assert all(name in said for name in found["pair"].values)
    said = texts(OF_KIND["restart"]["restart_savings"](found))
    assert all(name in said for name in found["policy"].values)


def test_a_target_that_is_never_reached_is_said():
    found = asked("restart").copy(deep=True)
    found["steps"][0] = np.nan
    assert "target not reached" in texts(OF_KIND["restart"]["restart_savings"](found))
    found["saved"][0, 1] = [-3.0, -9.0, -1.0]
    assert "-300" in texts(OF_KIND["restart"]["restart_savings"](found))
