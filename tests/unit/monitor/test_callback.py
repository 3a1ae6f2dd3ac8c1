"""The hooks of a callback without a trainer; tests/integrations has the real ones."""

import pytest
import torch
from fixtures.watching import classifier

from koopscope.errors import InputError
from koopscope.monitor.callback import MonitorCallback
from koopscope.monitor.monitor import KoopmanMonitor


class Trainer:
    should_stop = False


def callback(**options):
    return MonitorCallback(lambda m: KoopmanMonitor(m, window=4), every=2, **options)


def train(watch, trainer, model, steps, epochs=2, outputs=None):
    watch.on_train_start(trainer, model)
    for _ in range(epochs):
        for batch in range(4):
            steps(1)
            watch.on_train_batch_end(trainer, model, outputs, None, batch)
        watch.on_train_epoch_end(trainer, model)


def test_a_callback_judges_each_epoch_and_stops_at_the_words_it_was_given():
    model, _, steps = classifier()
    trainer, watch = Trainer(), callback(stop_at=["stalled", "converging"])
    train(watch, trainer, model, steps, epochs=1)
    assert (watch.monitor.snapshots, watch.verdicts, trainer.should_stop) == (3, [], False)
    train(watch, trainer, model, steps)
    assert watch.monitor.snapshots == 5
    assert len(watch.verdicts) == 1
    assert trainer.should_stop


def test_a_second_training_begins_anew_and_one_with_a_state_goes_on():
    model, _, steps = classifier()
    watch = callback()
    assert watch.state_dict() == {}
    for _ in range(2):
        train(watch, Trainer(), model, steps)
        assert (watch.monitor.snapshots, watch.monitor.steps, len(watch.verdicts)) == (5, 8, 1)
    resumed = callback()
    resumed.load_state_dict(watch.state_dict())
    for expected in (9, 5):
        train(resumed, Trainer(), model, steps)
        assert resumed.monitor.snapshots == expected


@pytest.mark.parametrize(
    ("outputs", "loss"),
    [({"loss": torch.tensor(2.5)}, 2.5), (torch.tensor(2.5), 2.5), (None, None), ({}, None)],
)
def test_the_loss_comes_from_the_outputs_where_they_have_it(outputs, loss):
    model, _, steps = classifier()
    watch = callback()
    train(watch, Trainer(), model, steps, outputs=outputs)
    assert watch.monitor.metrics("").get("loss") == loss


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "^every: 0; give a whole number of at least 1"),
        ({"stop_at": ["over"]}, "^stop_at: unknown 'over'; give some of diverging, stalled, conv"),
    ],
)
def test_what_cannot_be_a_callback_is_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message):
        MonitorCallback(**options)


def test_a_checkpoint_before_the_training_goes_on_keeps_what_was_loaded():
    model, _, steps = classifier()
    watch, resumed = callback(), callback()
    train(watch, Trainer(), model, steps)
    resumed.load_state_dict(watch.state_dict())
    assert resumed.state_dict()["counts"] == [5, 8, None]
