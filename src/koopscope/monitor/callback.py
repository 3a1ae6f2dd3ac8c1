"""Watching from inside a trainer that calls hooks."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn

from koopscope.errors import InputError, whole_number
from koopscope.monitor.monitor import EVERY, KoopmanMonitor
from koopscope.monitor.statuses import STATUSES
from koopscope.monitor.verdict import Verdict


class Watcher:
    """What the callbacks of all trainers share: a monitor for each training, and its verdicts."""

    def __init__(
        self,
        make: Callable[[nn.Module], KoopmanMonitor] = KoopmanMonitor,
        every: int = EVERY,
        stop_at: Iterable[str] = (),
    ) -> None:
        self.make, self.every = make, whole_number("every", every)
        self.stop_at = frozenset([stop_at] if isinstance(stop_at, str) else stop_at)
        if unknown := sorted(map(str, self.stop_at - set(STATUSES))):
            raise InputError(f"stop_at: unknown {unknown[0]!r}; give some of {', '.join(STATUSES)}")
        self.monitor: KoopmanMonitor | None = None
        self.verdicts: list[Verdict] = []
        self._resumed: Mapping[str, Any] = {}

    def begin(self, model: nn.Module, steps: int = 0) -> KoopmanMonitor:
        """Watch a training from its start, or from where a state was loaded."""
        self.monitor, self.verdicts = self.make(model), []
        if self._resumed:
            self.monitor.load_state_dict(self._resumed)
            self._resumed = {}
        else:
            self.monitor.steps = steps
            self.monitor.update()
        return self.monitor

    def judge(self) -> bool:
        """Whether it is time to stop; without a verdict before the window is full."""
        if self.monitor is None or not self.monitor.ready:
            return False
        self.verdicts.append(self.monitor.verdict())
        return self.verdicts[-1].status in self.stop_at

    def state_dict(self) -> dict[str, Any]:
        """State of the monitor, which Lightning puts into its checkpoints.

        Returns
        -------
        dict
            Before the training starts, what was loaded, if anything.
        """
        return dict(self._resumed) if self.monitor is None else self.monitor.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next training go on from this state.

        Parameters
        ----------
        state_dict
            Of :meth:`state_dict`.
        """
        self._resumed = state_dict


class MonitorCallback(Watcher):
    """Hooks of the names that Lightning calls, round a monitor; Lightning itself is not needed.

    With Lightning, take :class:`koopscope.integrations.lightning.WatchCallback`, which is this one
    and logs besides. Each training, and so a second one too, has a monitor of its own.

    Parameters
    ----------
    make
        Makes the monitor of the module that is to be trained.
    every
        Batches from one snapshot to the next.
    stop_at
        Verdicts at which, at the end of an epoch, the trainer's ``should_stop`` is set.

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
    Lightning makes these calls; here a loop does, until the trainer is asked to stop:

    >>> from types import SimpleNamespace
    >>> import torch
    >>> from koopscope.monitor import KoopmanMonitor, MonitorCallback
    >>> weights = torch.nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    >>> model, trainer = torch.nn.ParameterList([weights]), SimpleNamespace(should_stop=False)
    >>> watch = MonitorCallback(lambda m: KoopmanMonitor(m, 8), every=1, stop_at=["converged"])
    >>> watch.on_train_start(trainer, model)
    >>> while not trainer.should_stop:
    ...     for _ in range(20):
    ...         weights.data += 0.2 * (3 - weights.data)
    ...         watch.on_train_batch_end(trainer, model)
    ...     watch.on_train_epoch_end(trainer, model)
    >>> [verdict.status for verdict in watch.verdicts]
    ['converging', 'converged']
    """

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Make the monitor and take the first snapshot."""
        self.begin(pl_module)

    def on_train_batch_end(
        self,
        trainer: Any,
        pl_module: nn.Module,
        outputs: Any = None,
        batch: Any = None,
        batch_idx: int = 0,
    ) -> None:
        """Take in the loss, if it is there, and a snapshot after every so many batches."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        # There is one: on_train_start comes first.
        if loss is not None:
            self.monitor.log_loss(loss)  # type: ignore[union-attr]
        self.monitor.count_step(self.every)  # type: ignore[union-attr]

    def on_train_epoch_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Judge, and ask the trainer to stop if it is time."""
        if self.judge():
            trainer.should_stop = True
