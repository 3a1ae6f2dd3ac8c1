"""What callbacks of trainers share that record a training."""

from pathlib import Path
from typing import Any

from koopscope.recording.recorder import Recorder


class Recording:
    """A recording that begins and ends with a trainer's training.

    Parameters
    ----------
    path
        Folder to write; must not exist, but for ``resume=True``.
    **choices
        More of :class:`koopscope.recording.Recorder`, such as ``seed``, ``every``, ``projection``.
    """

    def __init__(self, path: Path | str, **choices: Any) -> None:
        self._path, self._choices = path, choices
        self._recorder: Recorder | None = None

    def begin(self, model: Any, step: int, main: bool) -> None:
        """Open the recording, of the main process alone."""
        if main:
            recorder = Recorder(model, self._path, **{"step": step, **self._choices})
            self._recorder = recorder.__enter__()

    def follow(self, optimizer: Any) -> None:
        """Take a snapshot after each step of an optimiser."""
        if self._recorder is not None:
            self._recorder.follow(optimizer)

    def snapshot(self) -> None:
        """Count a step of the optimiser."""
        if self._recorder is not None:
            self._recorder.snapshot()

    def log_loss(self, loss: Any) -> None:
        """Keep a loss beside the last snapshot."""
        if self._recorder is not None and loss is not None:
            self._recorder.log(loss=loss)

    def end(self, error: BaseException | None = None) -> None:
        """Seal the recording; after an error what is there stays unsealed."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            trace = error.__traceback__ if error is not None else None
            recorder.__exit__(type(error) if error is not None else None, error, trace)
