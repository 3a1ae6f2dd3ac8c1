"""What Lightning, transformers, TensorBoard and safetensors write is brought in as it is."""

import numpy as np
import pytest
import torch
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.checkpoints import from_checkpoints
from koopscope.recording.logs import from_csv, from_json_lines, from_tensorboard
from koopscope.recording.recorder import Recorder
from koopscope.recording.runs import bring_in, open_run
from koopscope.recording.snapshots import open_snapshots

lightning = pytest.importorskip("lightning")
transformers = pytest.importorskip("transformers")
tensorboard = pytest.importorskip("torch.utils.tensorboard")
safetensors = pytest.importorskip("safetensors.torch")


class Recording(lightning.Callback):
    """Records after each step of the optimiser."""

    def __init__(self, path):
        self.path = path

    def on_train_start(self, trainer, module):
        self.recorder = Recorder(module, self.path, every=4)
        self.recorder.__enter__()

    def on_train_batch_end(self, *_):
        self.recorder.snapshot()

    def on_train_end(self, *_):
        self.recorder.__exit__(None, None, None)


class Regression(lightning.LightningModule):
    def __init__(self, width=4):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 1))

    def training_step(self, batch):
        loss = self.net(batch[0]).square().mean()
        self.log("train_loss", loss, on_step=True)
        return loss

    def validation_step(self, batch):
        self.log("val_loss", self.net(batch[0]).square().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of a run of Lightning, with its loggers and checkpoints, recorded beside."""
    folder = tmp_path_factory.mktemp("a run [1]")
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(64, 3))
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        log_every_n_steps=2,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        logger=[
            lightning.pytorch.loggers.CSVLogger(folder, name="csv"),
            lightning.pytorch.loggers.TensorBoardLogger(folder, name="tensorboard"),
        ],
        callbacks=[
            Recording(folder / "recorded"),
            lightning.pytorch.callbacks.ModelCheckpoint(
                dirpath=folder / "run" / "checkpoints",
                filename="{epoch}-{step}",
                every_n_train_steps=4,
                save_top_k=-1,
            ),
        ],
    )
    trainer.fit(Regression(), loader, loader)
    return folder


def test_checkpoints_of_lightning_are_what_was_recorded(trained, tmp_path):
    run = from_checkpoints(trained / "run" / "checkpoints", tmp_path / "run")
    recorded = open_snapshots(trained / "recorded")
    assert run["step"].values.tolist() == [4, 8, 12, 16, 20, 24]
    assert run["weights"].identical(recorded["weights"])
    opened = open_run(trained / "run", scratch=tmp_path / "scratch")
    assert opened["weights"].identical(recorded["weights"])


def test_the_logs_of_lightning_are_runs(trained):
    csv, events = trained / "csv" / "version_0", trained / "tensorboard" / "version_0"
    run = from_csv(csv / "metrics.csv", columns=["train_loss"])
    assert run.sizes["step"] == 12
    curve = from_tensorboard(events, tags=["train_loss"])
    assert curve["step"].equals(run["step"])
    np.testing.assert_allclose(curve["train_loss"], run["train_loss"], rtol=1e-6)
    for folder in (csv, events):
        assert open_run(folder, columns=["val_loss"]).sizes["step"] == 3
    assert {"train_loss", "val_loss", "epoch"} <= set(from_tensorboard(events))
    assert open_run(next(events.glob("*tfevents*"))).sizes["step"] > 3
    with pytest.raises(InputError, match="^columns: .* has no 'acc'; it has .*train_loss"):
        from_tensorboard(events, tags=["acc"])


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Folder of a run of transformers."""
    folder = tmp_path_factory.mktemp("tuned")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=17, n_positions=8, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    model = transformers.GPT2LMHeadModel(config)
    tokens = torch.randint(17, (32, 8))
    data = [{"input_ids": row, "labels": row} for row in tokens]
    arguments = transformers.TrainingArguments(
        str(folder),
        max_steps=12,
        per_device_train_batch_size=4,
        save_steps=4,
        logging_steps=2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(model, arguments, train_dataset=data)
    trainer.train()
    trainer.save_model()
    return folder, model


def test_checkpoints_of_transformers_are_runs_with_tied_weights_once(tuned, tmp_path):
    folder, model = tuned
    run = from_checkpoints(folder, tmp_path / "run", model=model)
    assert run["step"].values.tolist() == [4, 8, 12]
    names = run["layer"].attrs["flag_meanings"]
    assert names == [name for name, _ in model.named_parameters()]
    assert "lm_head.weight" not in names
    flat = torch.cat([value.flatten() for value in model.parameters()])
    np.testing.assert_array_equal(run["weights"][-1], flat.detach())
    # Without the model the order is that of the names.
    without = open_run(folder, scratch=tmp_path / "scratch")
    assert sorted(without["layer"].attrs["flag_meanings"]) == sorted(names)
    log = folder / "checkpoint-12" / "trainer_state.json"
    assert from_json_lines(log, columns=["loss"])["step"].values.tolist() == [2, 4, 6, 8, 10, 12]


def test_checkpoints_in_parts_are_whole(tuned, tmp_path):
    _, model = tuned
    for step in (1, 2):
        model.save_pretrained(tmp_path / f"checkpoint-{step}", max_shard_size="3KB")
    assert (tmp_path / "checkpoint-1" / "model.safetensors.index.json").exists()
    run = from_checkpoints(f"{tmp_path}/checkpoint-*", tmp_path / "run", model=model)
    flat = torch.cat([value.flatten() for value in model.parameters()])
    np.testing.assert_array_equal(run["weights"][0], flat.detach())


def test_safetensors_of_any_precision_in_the_natural_order_of_names(tmp_path):
    for step in (3, 20):
        tensors = {f"{n}.weight": torch.full((2,), n + step / 32).bfloat16() for n in (10, 9, 2)}
        tensors["count"] = torch.tensor(3)
        safetensors.save_file(tensors, tmp_path / f"step-{step}.safetensors")
    run = bring_in(tmp_path, tmp_path / "run")
    assert run["layer"].attrs["flag_meanings"] == ["2.weight", "9.weight", "10.weight"]
    expected = torch.tensor([[n + step / 32 for n in (2, 2, 9, 9, 10, 10)] for step in (3, 20)])
    np.testing.assert_array_equal(run["weights"], expected.bfloat16().float())
    file = tmp_path / "step-20.safetensors"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(InputError, match=r"step-20.safetensors: cannot be read .*cut short"):
        from_checkpoints(tmp_path, tmp_path / "other")


def test_a_run_that_was_started_again_is_read_as_tensorboard_shows_it(tmp_path):
    for first, last in ((0, 8), (5, 12)):
        with tensorboard.SummaryWriter(tmp_path, purge_step=first or None) as writer:
            for step in range(first, last):
                writer.add_scalar("train/loss", first + step / 2, step)
    run = open_run(tmp_path, columns=["train/loss"])
    assert run["step"].values.tolist() == list(range(12))
    assert run["train.loss"].values.tolist() == [s / 2 if s < 5 else 5 + s / 2 for s in range(12)]
