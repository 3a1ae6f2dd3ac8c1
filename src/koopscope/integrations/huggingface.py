"""The trainer of Hugging Face's transformers: ``pip install 'koopscope[integrations]'``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from koopscope.faces import needed
from koopscope.integrations.recording import Recording
from koopscope.monitor.callback import Watcher

if TYPE_CHECKING:
    from transformers import (
        Trainer,
        TrainerCallback,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )
else:
    TrainerCallback = needed("transformers", __name__).TrainerCallback

# In a checkpoint's folder.
STATE = "koopscope_monitor.pt"


class WatchCallback(Watcher, TrainerCallback):
    """Watch a training by its spectrum, add the numbers to its logs, and end it at a verdict.

    A snapshot after every so many steps of the optimiser; a verdict, with the trainer's loss, at
    each of its logs and at the end of each epoch. The numbers of the verdict
    (:meth:`koopscope.monitor.KoopmanMonitor.metrics`) are added to the log, and to
    ``trainer.state.log_history``. Checkpoints keep the window: a training that is resumed from one
    of its output folder goes on with the same numbers. Weights have to be whole on each device, as
    in data parallelism; not sharded.

    With ``logging_first_step=True`` the loss at the start is known. Without it the first one is a
    mean over the first ``logging_steps``, which may have come down already.

    Parameters
    ----------
    make
        Makes the monitor of the model that is to be trained.
    every
        Steps of the optimiser from one snapshot to the next.
    stop_at
        Verdicts at which the training ends.

    Attributes
    ----------
    monitor
        None until the training starts.
    verdicts
        One at each log of the loss and at the end of each epoch, from when the window is full.

    Raises
    ------
    InputError
        If ``every`` is no whole number of at least 1, or there is no such verdict.

    Examples
    --------
    >>> import tempfile, torch
    >>> from transformers import PrinterCallback, Trainer, TrainingArguments
    >>> from koopscope.integrations.huggingface import WatchCallback
    >>> from koopscope.monitor import KoopmanMonitor
    >>> class Regression(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 1)
    ...     def forward(self, inputs, labels):
    ...         return {"loss": torch.nn.functional.mse_loss(self.layer(inputs)[:, 0], labels)}
    >>> inputs = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> data = [{"inputs": x, "labels": x[0] + 2} for x in inputs]
    >>> watch = WatchCallback(lambda m: KoopmanMonitor(m, window=8), every=1, stop_at=["converged"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = TrainingArguments(
    ...         folder, max_steps=500, learning_rate=0.2, lr_scheduler_type="constant",
    ...         optim="sgd", per_device_train_batch_size=4, logging_steps=10, use_cpu=True,
    ...         logging_first_step=True, save_strategy="no", report_to=[], disable_tqdm=True,
    ...     )
    ...     trainer = watch.join(Trainer(Regression(), options, train_dataset=data))
    ...     trainer.remove_callback(PrinterCallback)
    ...     _ = trainer.train()
    >>> watch.verdicts[-1].status, trainer.state.global_step < 500
    ('converged', True)
    """

    def join(self, trainer: "Trainer") -> "Trainer":
        """Become the first of a trainer's callbacks, so that its reporters get the numbers too.

        What ``Trainer(callbacks=[watch])`` adds comes after TensorBoard's reporter and the others.

        Parameters
        ----------
        trainer
            Before its training.

        Returns
        -------
        transformers.Trainer
            The same.
        """
        callbacks = trainer.callback_handler.callbacks
        callbacks[:] = [self, *(other for other in callbacks if other is not self)]
        return trainer

    def on_train_begin(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Make the monitor and take the first snapshot, or go on from the checkpoint."""
        saved = _folder(args, state) / STATE
        if state.global_step and saved.exists():
            self.load_state_dict(torch.load(saved, map_location="cpu", weights_only=True))
        self.begin(kwargs["model"], state.global_step)

    def on_step_end(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Take a snapshot after every so many steps."""
        if self.monitor is not None:
            self.monitor.count_step(self.every)

    def on_log(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take in the loss, judge, and add the numbers to a log that has the loss."""
        # Others are of an evaluation or of the whole training.
        if self.monitor is None or logs is None or "loss" not in logs:
            return
        self.monitor.log_loss(logs["loss"])
        self._judge(control)
        numbers = self.monitor.metrics(numbers_only=True)
        logs |= numbers
        state.log_history[-1] |= numbers

    def on_epoch_end(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Judge."""
        self._judge(control)

    def on_save(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Put the window into the checkpoint."""
        folder = _folder(args, state)
        if state.is_world_process_zero and folder.is_dir():
            torch.save(self.state_dict(), folder / STATE)

    def _judge(self, control: "TrainerControl") -> None:
        if self.judge():
            control.should_training_stop = True


class RecordCallback(Recording, TrainerCallback):
    """Record a training, with the loss of the trainer's logs.

    A snapshot after each step of the optimiser, of the main process alone. A training that fails
    leaves what was recorded unsealed (:func:`koopscope.open_snapshots`). Weights have to be whole
    there, not sharded.

    Parameters
    ----------
    path
        Folder to write; must not exist, but for ``resume=True``.
    **choices
        More of :class:`koopscope.recording.Recorder`, such as ``seed``, ``every``, ``projection``.

    Examples
    --------
    >>> import tempfile, torch
    >>> import koopscope as ks
    >>> from transformers import PrinterCallback, Trainer, TrainingArguments
    >>> from koopscope.integrations.huggingface import RecordCallback
    >>> class Regression(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 1)
    ...     def forward(self, inputs, labels):
    ...         return {"loss": torch.nn.functional.mse_loss(self.layer(inputs)[:, 0], labels)}
    >>> data = [{"inputs": x, "labels": x[0] + 2} for x in torch.eye(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = TrainingArguments(
    ...         folder, max_steps=6, per_device_train_batch_size=2, logging_steps=2, use_cpu=True,
    ...         save_strategy="no", report_to=[], disable_tqdm=True,
    ...     )
    ...     record = RecordCallback(f"{folder}/run", seed=0)
    ...     trainer = Trainer(Regression(), options, train_dataset=data, callbacks=[record])
    ...     trainer.remove_callback(PrinterCallback)
    ...     _ = trainer.train()
    ...     run = ks.open_snapshots(f"{folder}/run").load()
    >>> dict(run["weights"].sizes), int(run["loss"].notnull().sum())
    ({'step': 6, 'weight': 3}, 3)
    """

    def on_train_begin(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Open the recording."""
        self.begin(kwargs["model"], state.global_step, state.is_world_process_zero)

    def on_step_end(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Take a snapshot."""
        self.snapshot()

    def on_log(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the loss."""
        self.log_loss((logs or {}).get("loss"))

    def on_train_end(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        **kwargs: Any,
    ) -> None:
        """Seal the recording."""
        self.end()


def _folder(args: "TrainingArguments", state: "TrainerState") -> Path:
    """Folder of the checkpoint of this step."""
    return Path(args.output_dir or ".") / f"checkpoint-{state.global_step}"
