"""The callback in Lightning's own trainer, by both of its names."""

import lightning
import pytest
import pytorch_lightning
import torch
from fixtures.trained import DEADLY, INPUTS, RATE, TARGETS, Regression, scalars
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader, TensorDataset

from koopscope.integrations.lightning import WatchCallback
from koopscope.monitor.monitor import KoopmanMonitor

pytestmark = pytest.mark.filterwarnings("ignore")


def module(library=lightning, rate=RATE):
    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = Regression()

        def training_step(self, batch, index):
            return self.model(*batch)["loss"]

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=rate, momentum=0.5)

    return Module()


def watching(every=2, **options):
    return WatchCallback(lambda m: KoopmanMonitor(m, window=8), every=every, **options)


def trainer(*callbacks, library=lightning, epochs=40, logger=False, **options):
    return library.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=logger,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def batches():
    """Five a epoch, all the same."""
    return DataLoader(TensorDataset(INPUTS.repeat(5, 1), TARGETS.repeat(5)), batch_size=4)


@pytest.mark.parametrize("library", [lightning, pytorch_lightning], ids=lambda m: m.__name__)
def test_a_training_ends_at_the_verdict(library):
    watch = watching(stop_at=["converged"])
    run = trainer(watch, library=library)
    run.fit(module(library), batches())
    assert run.current_epoch < 40
    statuses = [verdict.status for verdict in watch.verdicts]
    assert statuses[-1] == "converged" and "converged" not in statuses[:-1]
    assert watch.monitor.steps == 5 * run.current_epoch
    assert watch.monitor.snapshots == 1 + watch.monitor.steps // 2


def test_loggers_get_the_numbers_of_each_epoch(tmp_path):
    run = trainer(watching(), epochs=6, logger=TensorBoardLogger(tmp_path))
    run.fit(module(), batches())
    shown = scalars(tmp_path)
    assert shown["koopscope/snapshots"] == [3, 6, 8, 11, 13, 16]
    assert len(shown["koopscope/status_code"]) == 4
    assert shown["koopscope/loss"][-1] < shown["koopscope/loss"][0]


def test_other_callbacks_see_the_numbers():
    early = EarlyStopping("koopscope/displacement", patience=1, min_delta=10.0)
    run = trainer(watching(), early)
    run.fit(module(), batches())
    assert run.current_epoch == 2


def test_a_training_that_is_resumed_from_a_checkpoint_goes_on_with_the_same_numbers(tmp_path):
    whole, first, second = watching(), watching(), watching()
    trainer(whole, epochs=9).fit(module(), batches())
    run = trainer(first, epochs=5)
    run.fit(module(), batches())
    run.save_checkpoint(tmp_path / "last.ckpt")
    trainer(second, epochs=9).fit(module(), batches(), ckpt_path=tmp_path / "last.ckpt")
    assert second.monitor.history == whole.monitor.history
    assert len(second.monitor.history) == 7


def test_a_second_training_begins_anew():
    watch = watching()
    for _ in range(2):
        trainer(watch, epochs=4).fit(module(), batches())
        assert watch.monitor.snapshots == 11
        assert len(watch.verdicts) == 2


def test_a_run_whose_units_died_at_a_high_rate_does_not_end_as_converged():
    watch = watching(stop_at=["converged"])
    run = trainer(watch, epochs=12)
    run.fit(module(rate=DEADLY), batches())
    assert run.current_epoch == 12
    assert watch.verdicts[-1].reason.startswith("no weight moved in the last 8 snapshots; the loss")
