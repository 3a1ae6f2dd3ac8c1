"""Figures of initialisations show every predictor and policy, and spectra of good and bad ends."""

import numpy as np
import pytest
from fixtures.drawn import texts
from fixtures.watching import asked

from koopscope.errors import InputError
from koopscope.experiments.restart.figures import restart_auc, restart_savings, restart_spectra
from koopscope.report.style import save

DRAWN = (restart_spectra, restart_auc, restart_savings)


@pytest.mark.parametrize("draw", DRAWN)
def test_a_figure_says_its_question_and_leaves_its_data_alone(draw):
    found = asked("restart")
    before = found.copy(deep=True)
    assert "one: When?" in texts(draw(found))
    assert before.identical(found)


def test_a_figure_is_the_same_again_to_the_byte(tmp_path):
    for folder in ("one", "two"):
        save(restart_auc(asked("restart")), tmp_path / folder / "auc", {"a": 1})
    for end in ("png", "pdf"):
        one, two = ((tmp_path / folder / f"auc.{end}").read_bytes() for folder in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("draw", DRAWN)
def test_a_dataset_of_another_kind_is_refused(draw):
    with pytest.raises(InputError, match="dataset lacks .*; give a restart store"):
        draw(asked("stopping"))
    dim = "run" if draw is restart_spectra else "setup"
    with pytest.raises(InputError, match=f"dataset has no {dim}s"):
        draw(asked("restart").isel({dim: slice(0)}))


def test_spectra_of_good_and_bad_ends_are_counted():
    found = asked("restart")
    said = texts(restart_spectra(found))
    bad = int(found["bad"].sum())
    assert f"bad end ({bad} runs)" in said
    assert f"good end ({found.sizes['run'] - bad} runs)" in said


def test_areas_and_savings_have_every_predictor_and_policy():
    found = asked("restart")
    said = texts(restart_auc(found))
    assert all(name in said for name in found["predictor"].values)
    assert all(name in said for name in found["pair"].values)
    said = texts(restart_savings(found))
    assert all(name in said for name in found["policy"].values)


def test_a_target_that_is_never_reached_is_said():
    found = asked("restart").copy(deep=True)
    found["steps"][0] = np.nan
    assert "target not reached" in texts(restart_savings(found))
    found["saved"][0, 1] = [-3.0, -9.0, -1.0]
    assert "-300" in texts(restart_savings(found))


def test_what_is_said_of_a_target_that_some_do_not_reach_lies_below_their_marks():
    found = asked("restart").copy(deep=True)
    found["steps"][:, :, 0] = np.nan
    figure = restart_savings(found)
    figure.canvas.draw()
    right = figure.axes[1]
    (said, *_) = [text for text in right.texts if text.get_text() == "not by all"]
    top = said.get_window_extent().y1
    drawn = [line for line in right.lines if line.get_linestyle() == "None"]
    assert top < min(right.transData.transform(line.get_xydata())[0, 1] for line in drawn)
