"""Recordings from inside of the trainers of others, and what a failure leaves of them."""

import lightning
import numpy as np
import pytest
import torch
from fixtures.trained import INPUTS, RATE, TARGETS, Regression
from torch.utils.data import DataLoader, TensorDataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from koopscope.integrations import huggingface
from koopscope.integrations.lightning import RecordCallback
from koopscope.own_runs.compare import compare_runs
from koopscope.recording.snapshots import open_snapshots

pytestmark = pytest.mark.filterwarnings("ignore")


class Module(lightning.LightningModule):
    def __init__(self, fails_at=None):
        super().__init__()
        self.model, self.fails_at = Regression(), fails_at

    def training_step(self, batch, index):
        if self.global_step == self.fails_at:
            raise KeyError("loader")
        return self.model(*batch)["loss"]

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=RATE)


def fit(path, module, epochs=4, accumulate=1, **choices):
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=[RecordCallback(path, **choices)],
        accumulate_grad_batches=accumulate,
        **dict.fromkeys(quiet, False),
    )
    data = DataLoader(TensorDataset(INPUTS.repeat(5, 1), TARGETS.repeat(5)), batch_size=4)
    trainer.fit(module, data)
    return trainer


def test_lightnings_training_is_recorded_step_by_step_with_its_loss(tmp_path):
    module = Module()
    fit(tmp_path / "run", module, seed=3)
    run = open_snapshots(tmp_path / "run")
    assert run["step"].values.tolist() == list(range(1, 21)) and run.attrs["seed"] == 3
    last = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
    np.testing.assert_array_equal(run["weights"][-1], last)
    assert (np.diff(run["loss"]) <= 0).all()


def test_steps_are_those_of_the_optimiser_not_batches(tmp_path):
    trainer = fit(tmp_path / "run", Module(), accumulate=5)
    assert open_snapshots(tmp_path / "run").sizes["step"] == trainer.global_step == 4


def test_a_training_that_fails_leaves_its_part_unsealed(tmp_path):
    with pytest.raises(KeyError, match="loader"):
        fit(tmp_path / "run", Module(fails_at=7))
    assert not (tmp_path / "run").exists()
    assert open_snapshots(tmp_path / "run", unfinished=True).sizes["step"] == 7


class Failing(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 5:
            raise KeyError("loader")


def train(folder, *callbacks, rate=RATE, seed=0):
    options = TrainingArguments(
        str(folder),
        max_steps=60,
        learning_rate=rate,
        lr_scheduler_type="constant",
        optim="sgd",
        per_device_train_batch_size=1,
        logging_steps=10,
        seed=seed,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    data = [{"inputs": x, "labels": y} for x, y in zip(INPUTS, TARGETS, strict=True)]
    trainer = Trainer(Regression(), options, train_dataset=data, callbacks=list(callbacks))
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer


def test_hugging_faces_training_is_recorded_with_the_loss_of_its_logs(tmp_path):
    trainer = train(tmp_path, huggingface.RecordCallback(tmp_path / "run", every=2))
    run = open_snapshots(tmp_path / "run")
    assert run["step"].values.tolist() == list(range(2, 61, 2))
    last = np.concatenate([p.detach().numpy().ravel() for p in trainer.model.parameters()])
    np.testing.assert_array_equal(run["weights"][-1], last)
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    np.testing.assert_allclose(run["loss"].dropna("step"), losses)


def test_after_a_failure_of_hugging_faces_trainer_the_next_one_is_told(tmp_path):
    with pytest.raises(KeyError):
        train(tmp_path, huggingface.RecordCallback(tmp_path / "run"), Failing())
    with pytest.raises(ValueError, match="is an unfinished recording; go on with it"):
        train(tmp_path, huggingface.RecordCallback(tmp_path / "run"))


def test_runs_of_a_trainer_come_to_a_verdict(tmp_path):
    for name, rate in (("slow", 0.02), ("fast", 0.2)):
        for seed in range(6):
            path = tmp_path / name / str(seed)
            first = 10 * (name == "fast")
            train(tmp_path, huggingface.RecordCallback(path), rate=rate, seed=first + seed)
    found = compare_runs({n: tmp_path / n / "*" for n in ("slow", "fast")}, sensitivity=False)
    (row,) = found.facts["pairs"]
    # Apart, though six short runs leave open by how much.
    assert row["p_adjusted"] < 0.01 and row["effect"] > 1.2
