"""Verdicts as rows for loggers and files, and the state of a monitor."""

import json
import math

import pytest
import torch
from fixtures.watching import classifier, descending
from torch import nn

from koopscope.errors import InputError
from koopscope.monitor.monitor import KoopmanMonitor
from koopscope.monitor.statuses import STATUSES


def test_metrics_are_flat_finite_and_before_the_window_is_full_without_a_verdict():
    _, monitor, steps = descending([1.0, 8.0], 0.1, window=20)
    assert not monitor.ready
    assert set(monitor.metrics()) == {"koopscope/snapshots", "koopscope/displacement"}
    monitor.log_loss(math.inf)
    steps(30)
    assert monitor.ready
    row = monitor.metrics("")
    assert {type(value) for value in row.values()} == {int, float, str}
    assert all(isinstance(value, str) or math.isfinite(value) for value in row.values())
    verdict = monitor.verdict()
    assert (row["status"], row["reason"]) == (verdict.status, verdict.reason)
    assert STATUSES[row["status_code"]] == row["status"]
    assert row["slow_share"] == verdict.spectrum.slow_share
    assert row["leading_modulus"] == pytest.approx(0.9)
    assert row["time_constant"] == pytest.approx(-1 / math.log(0.9))
    assert row["displacement"] == monitor.displacement
    assert "loss" not in row
    numbers = monitor.metrics("", numbers_only=True)
    assert numbers == {k: v for k, v in row.items() if k not in ("status", "reason")}


def test_a_run_without_a_spectrum_has_a_status_all_the_same():
    model, monitor, steps = descending([1.0, 8.0], 0.1)
    with torch.no_grad():
        model.x[1] = torch.nan
    steps(2)
    row = monitor.metrics("")
    assert (row["status"], row["status_code"]) == ("diverging", 0)
    assert "slow_share" not in row


def test_the_history_has_a_row_for_each_snapshot_with_a_verdict_and_so_has_its_file(tmp_path):
    file = tmp_path / "new" / "history.jsonl"
    model, optimizer, steps = classifier()
    monitor = KoopmanMonitor(model, window=4, history_file=file)
    monitor.follow(optimizer, every=5)
    with pytest.raises(InputError, match="^window: 4 snapshots"):
        monitor.verdict()
    for count in range(3):
        steps(15)
        for _ in range(2):
            monitor.verdict()
            monitor.metrics()
        # Written at once.
        assert len(file.read_text().splitlines()) == count + 1
    assert [row["step"] for row in monitor.history] == [15, 30, 45]
    assert [row["snapshots"] for row in monitor.history] == [4, 7, 10]
    assert [json.loads(line) for line in file.read_text().splitlines()] == monitor.history
    monitor.reset()
    assert monitor.history == []


def test_without_counted_steps_the_step_is_the_number_of_the_snapshot():
    model, _, _ = classifier()
    monitor = KoopmanMonitor(model, window=3)
    for _ in range(4):
        monitor.update()
    monitor.verdict()
    assert monitor.history[0]["step"] == 4


@pytest.mark.parametrize("taken", [0, 3, 7, 12])
@pytest.mark.parametrize("projection", [None, 50])
def test_a_loaded_state_goes_on_with_the_same_numbers(tmp_path, taken, projection):
    model, _, steps = classifier()
    options = {"window": 6, "projection": projection}
    whole, first = KoopmanMonitor(model, **options), KoopmanMonitor(model, **options)

    def update(*monitors):
        steps(1)
        loss = model[0].weight.sum()
        for monitor in monitors:
            monitor.update()
            monitor.log_loss(loss)
            monitor.metrics()

    for _ in range(taken):
        update(whole, first)
    torch.save(first.state_dict(), tmp_path / "monitor.pt")
    second = KoopmanMonitor(model, **options)
    second.load_state_dict(torch.load(tmp_path / "monitor.pt", weights_only=True))
    for _ in range(9):
        update(whole, second)
    assert second.history == whole.history
    assert second.metrics() == whole.metrics()
    # What was saved is not what goes on.
    assert first.snapshots == taken


def test_weights_that_were_not_finite_stay_so_when_loaded():
    model, monitor, steps = descending([1.0, 8.0], 0.1)
    with torch.no_grad():
        model.x[1] = torch.nan
    steps(1)
    second = KoopmanMonitor(model, window=8)
    second.load_state_dict(monitor.state_dict())
    assert str(second.verdict()) == "diverging: a weight is not finite at snapshot 2"


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (nn.Linear(4, 3), {"window": 9}, "^state: window is 8 there but 9 here; make the monitor"),
        (nn.Linear(4, 3), {"projection": 7}, "^state: projection is 5 there but 7 here; make"),
        (nn.Linear(4, 3), {"seed": 1}, "^state: seed is 0 there but 1 here; make"),
        (nn.Linear(3, 4), {}, r"^state: parameter weight is \[3, 4\] there but \[4, 3\] here"),
        (
            nn.Linear(4, 3, bias=False),
            {},
            r"^state: parameter bias is \[3\] there but missing",
        ),
    ],
)
def test_the_state_of_another_monitor_is_refused_in_one_line(model, options, message):
    known = {"window": 8, "projection": 5}
    monitor = KoopmanMonitor(model, **known | options)
    with pytest.raises(InputError, match=message):
        monitor.load_state_dict(KoopmanMonitor(nn.Linear(4, 3), **known).state_dict())


def test_what_is_no_state_is_refused():
    with pytest.raises(InputError, match="^state: window is missing there but 32 here"):
        KoopmanMonitor(nn.Linear(4, 3)).load_state_dict({"weight": 1})
