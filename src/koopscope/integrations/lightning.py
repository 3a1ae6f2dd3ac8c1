"""Lightning's trainer: ``pip install 'koopscope[integrations]'``.

Where only the package ``pytorch_lightning`` is installed, its callbacks are meant.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from koopscope.faces import needed
from koopscope.integrations.recording import Recording
from koopscope.monitor.callback import MonitorCallback

if TYPE_CHECKING:
    from lightning.pytorch import Callback
else:
    alone = not find_spec("lightning") and find_spec("pytorch_lightning")
    Callback = needed("pytorch_lightning" if alone else "lightning.pytorch", __name__).Callback


class WatchCallback(MonitorCallback, Callback):
    """Watch a training by its spectrum, log the numbers, and end it at a verdict.

    A snapshot after every so many batches, with the loss that the training step gives; a verdict at
    the end of each epoch, whose numbers (:meth:`koopscope.monitor.KoopmanMonitor.metrics`) go to
    the trainer's loggers and are there for other callbacks, such as early stopping. Checkpoints
    keep the window: a training that is resumed from one goes on with the same numbers. Weights have
    to be whole on each device, as in data parallelism; not sharded.

    Parameters
    ----------
    make
        Makes the monitor of the module that is to be trained.
    every
        Batches from one snapshot to the next.
    stop_at
        Verdicts at which, at the end of an epoch, the training ends.

    Attributes
    ----------
    monitor
        None until the training starts.
    verdicts
        One at the end of each epoch, from when the window is full.

    Raises
    ------
    InputError
        If ``every`` is no whole number of at least 1, or there is no such verdict.

    Examples
    --------
    >>> import lightning, torch
    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> from koopscope.integrations.lightning import WatchCallback
    >>> from koopscope.monitor import KoopmanMonitor
    >>> class Regression(lightning.LightningModule):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 1)
    ...     def training_step(self, batch, index):
    ...         inputs, targets = batch
    ...         return torch.nn.functional.mse_loss(self.layer(inputs), targets)
    ...     def configure_optimizers(self):
    ...         return torch.optim.SGD(self.parameters(), lr=0.2)
    >>> inputs = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> data = DataLoader(TensorDataset(inputs, inputs[:, :1] + 2), batch_size=4)
    >>> watch = WatchCallback(lambda m: KoopmanMonitor(m, window=8), every=1, stop_at=["converged"])
    >>> quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    >>> trainer = lightning.Trainer(
    ...     max_epochs=500, accelerator="cpu", callbacks=[watch], **dict.fromkeys(quiet, False)
    ... )
    >>> trainer.fit(Regression(), data)
    >>> watch.verdicts[-1].status, trainer.current_epoch < 500
    ('converged', True)
    """

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Judge, log the numbers, and ask the trainer to stop if it is time."""
        super().on_train_epoch_end(trainer, pl_module)
        if self.monitor is not None:
            pl_module.log_dict(self.monitor.metrics(numbers_only=True))
        # Losses differ between processes, and so may verdicts; all of them have to stop at once.
        trainer.should_stop = trainer.strategy.reduce_boolean_decision(
            trainer.should_stop, all=False
        )


class RecordCallback(Recording, Callback):
    """Record a training, with the loss that its training step gives.

    A snapshot after each step of the optimiser, of the first one where there are several; of the
    main process alone. After an exception what was recorded stays unsealed
    (:func:`koopscope.open_snapshots`). Weights have to be whole there, not sharded.

    Parameters
    ----------
    path
        Folder to write; must not exist, but for ``resume=True``.
    **choices
        More of :class:`koopscope.recording.Recorder`, such as ``seed``, ``every``, ``projection``.

    Examples
    --------
    >>> import lightning, tempfile, torch
    >>> import koopscope as ks
    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> from koopscope.integrations.lightning import RecordCallback
    >>> class Regression(lightning.LightningModule):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 1)
    ...     def training_step(self, batch, index):
    ...         return torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
    ...     def configure_optimizers(self):
    ...         return torch.optim.SGD(self.parameters(), lr=0.2)
    >>> data = DataLoader(TensorDataset(torch.eye(2), torch.ones(2, 1)), batch_size=1)
    >>> quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record = RecordCallback(f"{folder}/run", seed=0)
    ...     trainer = lightning.Trainer(
    ...         max_epochs=3, accelerator="cpu", callbacks=[record], **dict.fromkeys(quiet, False)
    ...     )
    ...     trainer.fit(Regression(), data)
    ...     run = ks.open_snapshots(f"{folder}/run").load()
    >>> dict(run["weights"].sizes), bool(run["loss"].notnull().all())
    ({'step': 6, 'weight': 3}, True)
    """

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Open the recording."""
        self.begin(pl_module, trainer.global_step, trainer.is_global_zero)
        self.follow(trainer.optimizers[0])

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the loss."""
        self.log_loss(outputs.get("loss") if isinstance(outputs, Mapping) else outputs)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Seal the recording."""
        self.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Keep what was recorded, unsealed."""
        self.end(exception)
