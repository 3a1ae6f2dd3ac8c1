"""A look at a recording: whole, amid its writing, too short, or going nowhere."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.own_runs.live import look, refuse_nothing
from koopscope.recording.recorder import Recorder


def record(path, states, loss=lambda step: 1 / (1 + step), **choices):
    with Recorder({"w": states[0]}, path, **choices) as recorder:
        for step, state in enumerate(states):
            recorder.snapshot({"w": state})
            recorder.log(loss=loss(step))
    return path


def test_a_converging_run_is_called_so_with_its_time_constant(tmp_path):
    # A fifth of the way is left after every 200 steps; snapshots at each tenth.
    rate = 0.2 ** (1 / 200)
    steps = rate ** np.arange(2000)[:, None]
    found = look(record(tmp_path / "run", 3 + steps * [1, 2], every=10, dtype="float64"))
    assert found.complete and (found.snapshots, found.step) == (200, 2000)
    assert found.verdict.startswith("converg")
    assert found.logged["loss"] == pytest.approx(1 / 2000)
    assert any(abs(value - -1 / np.log(rate)) < 1 for value in found.time_constants)


def test_a_run_that_settled_where_the_loss_is_no_better_has_not_converged(tmp_path):
    steps = 0.9 ** np.arange(1400)[:, None] * [1.0, 2.0]
    better = look(record(tmp_path / "better", 3 + steps, dtype="float64", every=10))
    dead = look(record(tmp_path / "dead", 3 + steps, lambda _: 2.3, dtype="float64", every=10))
    assert better.verdict.startswith("converged")
    assert dead.verdict.startswith("stalled") and "the loss is 2.3, at the start" in dead.verdict


def test_short_and_still_runs_have_no_spectrum(tmp_path):
    short = look(record(tmp_path / "short", np.ones((50, 2)) * np.arange(50)[:, None]))
    assert short.verdict == "no verdict before 32 snapshots 40 steps apart"
    still = look(record(tmp_path / "still", np.ones((1400, 2))))
    assert still.verdict == "no weight moved in 32 snapshots"


def test_where_nothing_is_one_line_says_so(tmp_path):
    with pytest.raises(InputError, match="nothing: no such recording; give the path"):
        refuse_nothing(tmp_path / "nothing")
