"""What a verdict makes of the loss: a run that settled where it is no better is stalled."""

import pytest
import torch
from fixtures.watching import descending
from torch import nn

from koopscope.errors import InputError
from koopscope.monitor.losses import Losses
from koopscope.monitor.monitor import KoopmanMonitor
from koopscope.monitor.verdict import Verdict

CONVERGED = Verdict("converged", "no weight moved")


def told(*values, window=4, found=CONVERGED):
    """Status of a run that told a loss before each snapshot."""
    losses = Losses(window)
    for number, value in enumerate(values, 1):
        losses.log(value)
        losses.take(number)
    return losses.heeded(found, len(values)).status


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((2.3, 2.3, 2.3, 2.3, 2.3), "stalled"),
        ((2.5, 2.3, 2.3, 2.3, 2.3), "stalled"),  # by less than a tenth
        ((2.5, 2.2, 2.2, 2.2, 2.2), "converged"),
        ((2.3, 0.1, 0.1, 0.1, 0.1), "converged"),  # soon, and so never in its first window
        ((2.3, 1e9, 2.3, 2.3, 2.3, 2.3), "stalled"),  # over a peak
        ((2.3, 0.1, 0.1, 9.0, 0.1), "converged"),  # one bad batch
        ((-1.0, -1.05, -1.05, -1.05, -1.05), "stalled"),
        ((-1.0, -2.0, -2.0, -2.0, -2.0), "converged"),
        ((0.0, 0.0, 0.0, 0.0, 0.0), "converged"),  # nothing was left to gain
        ((2.3, *4 * [float("nan")]), "stalled"),
        (4 * (float("nan"),), "stalled"),
        ((float("inf"), 2.3, 0.1, 0.1, 0.1), "converged"),
    ],
)
def test_converged_is_stalled_unless_the_loss_lies_by_a_tenth_below_the_first_one(values, status):
    assert told(*values) == status


@pytest.mark.parametrize("status", ["diverging", "stalled", "converging"])
def test_other_verdicts_are_those_of_the_weights(status):
    assert told(*4 * [2.3], found=Verdict(status, "so")) == status


def test_without_a_loss_the_weights_decide():
    assert Losses(4).heeded(CONVERGED, 10) is CONVERGED


def test_losses_between_snapshots_are_their_mean_and_those_after_the_last_one_count_too():
    losses = Losses(4)
    for value in (1.0, 3.0):
        losses.log(value)
    losses.take(1)
    assert losses.present(1) == 2
    losses.log(torch.tensor([4.0], requires_grad=True))
    assert losses.present(1) == 3
    # Of another window nothing is left but the last one.
    losses.take(2)
    assert losses.present(50) == 4


@pytest.mark.parametrize("wrong", ["low", None, torch.ones(2), [1.0]])
def test_what_is_no_loss_is_refused_in_one_line(wrong):
    with pytest.raises(InputError, match="^loss: .*; give a number, or a tensor of one$"):
        KoopmanMonitor(nn.Linear(1, 1)).log_loss(wrong)


def test_the_reason_names_both_losses_and_the_spectrum_stays():
    _, monitor, steps = descending([1.0, 8.0], 0.1)
    monitor.log_loss(2.3)
    steps(200)
    assert monitor.verdict().status == "stalled"
    assert monitor.verdict().reason.endswith("; the loss is 2.3, at the start it was 2.3")
    assert monitor.verdict().spectrum is not None
    monitor.log_loss(0.0)
    steps(1)
    monitor.log_loss(0.0)
    assert monitor.verdict().status == "converged"


def test_units_that_died_at_a_rate_of_50_are_not_converged():
    torch.manual_seed(0)
    inputs, labels = torch.randn(200, 10), torch.randint(0, 5, (200,))
    model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 5), nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=50)
    blind, seeing = (KoopmanMonitor(model, window=8) for _ in range(2))
    for monitor in (blind, seeing):
        monitor.follow(optimizer, every=2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        seeing.log_loss(loss)
        optimizer.step()
    assert blind.verdict().status == "converged"
    assert str(seeing.verdict()).startswith("stalled: no weight moved in the last 8 snapshots; the")
