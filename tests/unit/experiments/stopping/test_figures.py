"""When to stop: the figures show every rule, every setting and the spectra behind them."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.watching import asked

from koopscope.errors import InputError
from koopscope.experiments.stopping.figures import (
    stopping_curves,
    stopping_spectra,
    stopping_tradeoff,
)

DRAWN = (stopping_curves, stopping_tradeoff, stopping_spectra)


def lines(axes):
    return [line.get_xydata() for line in axes.lines]


@pytest.mark.parametrize("draw", DRAWN)
def test_a_figure_says_its_question_and_leaves_its_data_alone(draw):
    found = asked("stopping")
    before = found.copy(deep=True)
    assert "one: When?" in texts(draw(found))
    assert before.identical(found)


@pytest.mark.parametrize("draw", DRAWN)
def test_a_dataset_of_another_kind_is_refused(draw):
    with pytest.raises(InputError, match="dataset lacks .*; give a stopping store"):
        draw(asked("restart"))
    with pytest.raises(InputError, match="dataset has no arms"):
        draw(asked("stopping").isel(arm=slice(0)))


def test_curves_have_every_rule_and_the_epoch_it_stops_at():
    found = asked("stopping")
    figure = stopping_curves(found)
    said = texts(figure)
    for rule in (
        "spectrum: slow share",
        "spectrum: predicted displacement",
        "past displacement",
        "patience",
        "net1",
    ):
        assert rule in said
    # Row by row, a column an arm.
    stops = figure.axes[2]
    at = int(np.flatnonzero((found["rule"] == "patience") & found["chosen"])[0])
    expected = [np.median(found["stop"].sel(arm="net0").values[:, at]), 3]
    assert any(np.allclose(xy, [expected]) for xy in lines(stops))


def test_the_trade_off_has_every_setting_and_the_fixed_budgets():
    found = asked("stopping")
    figure = stopping_tradeoff(found)
    saved = found["mean_saved"].sel(arm="net0", bound="mean").values
    fixed = saved[found["rule"].values == "fixed"]
    assert any(len(xy) == len(fixed) and np.allclose(xy[:, 0], fixed) for xy in
               lines(figure.axes[0]))  # fmt: skip


@pytest.mark.parametrize("draw", DRAWN)
def test_one_kind_of_runs_makes_a_figure_too(draw):
    assert len(draw(asked("stopping", 1)).axes) >= 1
