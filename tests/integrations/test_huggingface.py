"""The callback in the trainer of transformers."""

import pytest
import torch
from fixtures.trained import DEADLY, INPUTS, RATE, TARGETS, Regression, scalars
from transformers import GPT2Config, GPT2LMHeadModel, PrinterCallback, Trainer, TrainingArguments

from koopscope.integrations.huggingface import WatchCallback
from koopscope.monitor.monitor import KoopmanMonitor

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = [{"inputs": x, "labels": y} for x, y in zip(INPUTS, TARGETS, strict=True)]


def watching(every=2, **options):
    return WatchCallback(lambda m: KoopmanMonitor(m, window=8), every=every, **options)


def trainer(folder, watch, model=None, data=ROWS, steps=120, rate=RATE, **options):
    arguments = {
        "output_dir": str(folder),
        "max_steps": steps,
        "learning_rate": rate,
        "lr_scheduler_type": "constant",
        "optim": "sgd",
        "max_grad_norm": 0.0,
        "per_device_train_batch_size": 4,
        "logging_steps": 5,
        "logging_first_step": True,
        "save_strategy": "no",
        "use_cpu": True,
        "report_to": [],
        "disable_tqdm": True,
    }
    made = Trainer(
        model or Regression(),
        TrainingArguments(**arguments | options),
        train_dataset=data,
        callbacks=[watch],
    )
    made.remove_callback(PrinterCallback)
    return made


def test_a_training_ends_at_the_verdict(tmp_path):
    watch = watching(stop_at=["converged"])
    run = trainer(tmp_path, watch)
    run.train()
    assert run.state.global_step < 120
    statuses = [row["status"] for row in watch.monitor.history]
    assert statuses[-1] == "converged" and "converged" not in statuses[:-1]
    assert watch.monitor.steps == run.state.global_step
    assert watch.monitor.history[-1]["step"] == run.state.global_step


def test_the_numbers_stand_in_the_log_of_the_trainer(tmp_path):
    run = trainer(tmp_path, watching(), steps=30)
    run.train()
    # The last one is of the whole training.
    losses = run.state.log_history[:-1]
    assert [row["koopscope/snapshots"] for row in losses] == [1, 3, 6, 8, 11, 13, 16]
    assert ["koopscope/status_code" in row for row in losses] == 3 * [False] + 4 * [True]


def test_reporters_get_the_numbers_of_a_callback_that_joined(tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "shown"))
    watch = watching()
    run = watch.join(trainer(tmp_path, watch, steps=30, report_to=["tensorboard"]))
    assert [type(c) for c in run.callback_handler.callbacks].count(WatchCallback) == 1
    run.train()
    shown = scalars(tmp_path / "shown")
    assert shown["train/koopscope/snapshots"] == [1, 3, 6, 8, 11, 13, 16]
    assert len(shown["train/koopscope/status_code"]) == 4


def test_a_training_that_is_resumed_from_a_checkpoint_goes_on_with_the_same_numbers(tmp_path):
    whole, first, second = watching(), watching(), watching()
    trainer(tmp_path / "whole", whole, steps=45).train()
    trainer(tmp_path / "parts", first, steps=25, save_strategy="steps", save_steps=25).train()
    run = trainer(tmp_path / "parts", second, steps=45)
    run.train(resume_from_checkpoint=True)
    assert run.state.global_step == 45
    assert second.monitor.history == whole.monitor.history
    assert second.monitor.metrics() == whole.monitor.metrics()


def test_a_second_training_begins_anew(tmp_path):
    watch = watching()
    run = trainer(tmp_path, watch, steps=30)
    for _ in range(2):
        run.train()
        assert watch.monitor.snapshots == 16


def test_a_run_whose_units_died_at_a_high_rate_does_not_end_as_converged(tmp_path):
    watch = watching(stop_at=["converged"])
    run = trainer(tmp_path, watch, rate=DEADLY, steps=60)
    run.train()
    assert run.state.global_step == 60
    assert watch.verdicts[-1].reason.startswith("no weight moved in the last 8 snapshots; the loss")


def test_a_language_model_of_transformers_is_watched(tmp_path):
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=1)
    words = torch.randint(0, 20, (8, 8))
    data = [{"input_ids": row, "labels": row} for row in words]
    watch = watching(every=1)
    run = trainer(tmp_path, watch, GPT2LMHeadModel(config), data, 20, 0.01)
    run.train()
    assert watch.monitor.snapshots == 21
    assert watch.verdicts
    assert all(torch.isfinite(torch.tensor(row["loss"])) for row in watch.monitor.history)
