"""A loop of one's own, with TensorBoard beside it and a checkpoint in the middle."""

import torch
from fixtures.trained import DEADLY, INPUTS, RATE, TARGETS, Regression, scalars
from torch.utils.tensorboard import SummaryWriter

from koopscope.monitor.monitor import KoopmanMonitor


class Run:
    """A model, its optimiser and its monitor."""

    def __init__(self, rate=RATE):
        self.model = Regression()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate, momentum=0.5)
        self.monitor = KoopmanMonitor(self.model, window=8)
        self.parts = (self.model, self.optimizer, self.monitor)

    def train(self, steps):
        handle = self.monitor.follow(self.optimizer, every=2)
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.model(INPUTS, TARGETS)["loss"]
            loss.backward()
            self.monitor.log_loss(loss)
            self.optimizer.step()
            if self.monitor.ready:
                self.monitor.verdict()
        handle.remove()


def test_tensorboard_takes_the_numbers_as_they_come(tmp_path):
    run = Run()
    with SummaryWriter(tmp_path) as writer:
        for epoch in range(4):
            run.train(10)
            for name, value in run.monitor.metrics(numbers_only=True).items():
                writer.add_scalar(name, value, epoch)
    shown = scalars(tmp_path)
    assert shown["koopscope/snapshots"] == [6, 11, 16, 21]
    # The first one has no verdict yet.
    assert len(shown["koopscope/status_code"]) == len(shown["koopscope/slow_share"]) == 3


def test_a_training_that_is_resumed_from_a_checkpoint_goes_on_with_the_same_numbers(tmp_path):
    whole, first, second = Run(), Run(), Run()
    whole.train(45)
    # Between two snapshots.
    first.train(27)
    torch.save([part.state_dict() for part in first.parts], tmp_path / "checkpoint.pt")
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    for part, state in zip(second.parts, saved, strict=True):
        part.load_state_dict(state)
    second.train(18)
    assert second.monitor.history == whole.monitor.history
    assert second.monitor.metrics() == whole.monitor.metrics()


def test_a_run_whose_units_died_at_a_high_rate_is_stalled_and_not_converged():
    run = Run(DEADLY)
    run.train(40)
    assert str(run.monitor.verdict()).startswith("stalled: no weight moved in the last 8 snapshots")
