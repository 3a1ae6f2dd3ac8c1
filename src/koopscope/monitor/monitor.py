"""Watch any PyTorch training by the spectrum of its weights."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import torch
from threadpoolctl import ThreadpoolController
from torch import nn

from koopscope.errors import InputError
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.verdict import TOLERANCE, Verdict, classify
from koopscope.monitor.window import SlidingWindow
from koopscope.recording.sketch import Sketch

EVERY, RANK = 40, 4
# A larger norm of the weights has no square any more.
LARGEST = 1e140


class KoopmanMonitor:
    """Sliding window of a network's weights, with its spectrum and a verdict at any time.

    Call :meth:`update` once a step or once an epoch, or :meth:`follow` an optimiser once. A unit of
    time is from one snapshot to the next.

    Parameters
    ----------
    model
        Any network, on any device.
    window
        Snapshots in the window.
    projection
        Size k of the random projection that is kept of a snapshot
        (:class:`koopscope.recording.Sketch`); networks of up to k weights, or None, are kept
        as they are.
    seed
        Draws the projection.
    include
        Names of the parameters to watch; by default all that are trained.
    rank
        Directions kept in a spectrum at most: few for noisy training, where with all of them no
        residual is small; none for all above rounding.
    tolerance
        Share of the displacement so far that counts as none
        (:func:`koopscope.monitor.classify`).

    Raises
    ------
    InputError
        If an argument is not possible.

    Examples
    --------
    Gradient descent on Σ (w − 3)² takes each weight a fifth of its way at a step:

    >>> import torch
    >>> from koopscope.monitor import KoopmanMonitor
    >>> weights = torch.nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    >>> model = torch.nn.ParameterList([weights])
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> monitor = KoopmanMonitor(model, window=8)
    >>> handle = monitor.follow(optimizer, every=1)
    >>> for _ in range(20):
    ...     optimizer.zero_grad()
    ...     (weights - 3).square().sum().backward()
    ...     optimizer.step()
    >>> monitor.spectrum().eigenvalues.real.round(6).tolist()
    [1.0, 0.8]
    >>> monitor.verdict().status
    'converging'
    """

    def __init__(
        self,
        model: nn.Module,
        window: int = 32,
        projection: int | None = 4096,
        seed: int = 0,
        include: Iterable[str] | None = None,
        rank: int | None = RANK,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.model, self.tolerance = model, tolerance
        self._include = None if include is None else frozenset(include)
        if self._include is not None:
            known = dict(model.named_parameters())
            if unknown := sorted(self._include - set(known)):
                raise InputError(f"include: the model has no parameter {unknown[0]!r}")
        if not 0 < tolerance < 1:
            raise InputError(f"tolerance: {tolerance}; give a number between 0 and 1")
        weights = self._weights()
        self._shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        self.sketch = Sketch(sum(t.numel() for t in weights.values()), projection, seed)
        if rank == RANK and isinstance(window, int):
            # The default is for networks; small windows and models have fewer.
            rank = max(1, min(rank, window - 1, self.sketch.size))
        self.window = SlidingWindow(window, self.sketch.size, rank)
        self.snapshots = 0
        self._start: np.ndarray | None = None
        self._broken_at: int | None = None

    def update(self) -> None:
        """Take a snapshot of the weights.

        Weights that are not finite are no error: from then on the verdict is ``diverging``.

        Raises
        ------
        InputError
            If a parameter has appeared, vanished or changed its shape.
        """
        weights = self._weights()
        if len(weights) != len(self._shapes):
            self._refuse_change(weights)
        for (name, tensor), (known, shape) in zip(
            weights.items(), self._shapes.items(), strict=True
        ):
            if name != known or tensor.shape != shape:
                self._refuse_change(weights)
        self.snapshots += 1
        if self._broken_at is not None:
            return
        snapshot = self.sketch(weights.values())
        # Not below the limit is what is not a number, too.
        if not np.einsum("i,i", snapshot, snapshot, dtype=np.float64) < LARGEST**2:
            self._broken_at = self.snapshots
            return
        self.window.add(snapshot)
        if self._start is None:
            self._start = snapshot.astype(np.float64)

    def follow(
        self, optimizer: torch.optim.Optimizer, every: int = EVERY
    ) -> torch.utils.hooks.RemovableHandle:
        """Take a snapshot now, and then after every so many steps of an optimiser.

        Parameters
        ----------
        optimizer
            The one that trains the model.
        every
            Steps from one snapshot to the next.

        Returns
        -------
        torch.utils.hooks.RemovableHandle
            Its ``remove()`` ends it.

        Raises
        ------
        InputError
            If ``every`` is no whole number of at least 1, or as :meth:`update` does, also later
            from the optimiser's ``step()``.
        """
        if not isinstance(every, int) or every < 1:
            raise InputError(f"every: {every!r}; give a whole number of at least 1")
        self.update()
        steps = 0

        def after_step(*_: Any) -> None:
            nonlocal steps
            steps += 1
            if steps % every == 0:
                self.update()

        return optimizer.register_step_post_hook(after_step)

    def reset(self) -> None:
        """Begin anew, with the model's parameters as they are now.

        All snapshots are forgotten, and displacements count from the next one on. Parameters may
        have other names and shapes than before.

        Raises
        ------
        InputError
            If there are more or fewer weights than before, since the projection is for so many.
        """
        weights = self._weights()
        self._shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        count = sum(t.numel() for t in weights.values())
        if count != self.sketch.weights:
            raise InputError(
                f"weights: {count} now but {self.sketch.weights} before; make a new monitor"
            )
        self.window.clear()
        self.snapshots, self._start, self._broken_at = 0, None, None

    def spectrum(self) -> WindowSpectrum:
        """Spectrum of the last window.

        Returns
        -------
        WindowSpectrum
            Its eigenvalues are per snapshot.

        Raises
        ------
        InputError
            If fewer snapshots were taken than the window holds, weights were not finite, or none of
            them moved.
        """
        if self._broken_at is not None:
            raise InputError(
                f"weights: not finite at snapshot {self._broken_at}, so there is no spectrum; "
                "ask for the verdict, or lower the learning rate"
            )
        with _libraries().limit(limits=1, user_api="blas"):
            return self.window.spectrum()

    @property
    def displacement(self) -> float:
        """Distance of the last snapshot from the first, in the weights' unit; 0 before any."""
        if self._start is None:
            return 0.0
        return float(np.linalg.norm(self.window.last - self._start))

    def verdict(self) -> Verdict:
        """How the run does (:func:`koopscope.monitor.classify`).

        Returns
        -------
        Verdict
            Without a spectrum if weights were not finite, or nothing moved within the window.

        Raises
        ------
        InputError
            If fewer snapshots were taken than the window holds.
        """
        if self._broken_at is not None:
            return Verdict("diverging", f"a weight is not finite at snapshot {self._broken_at}")
        with _libraries().limit(limits=1, user_api="blas"):
            if self.window.count >= self.window.length and not self.window.moved:
                if self.displacement == 0:
                    return Verdict("stalled", f"no weight moved in {self.snapshots} snapshots")
                return Verdict(
                    "converged", f"no weight moved in the last {self.window.length} snapshots"
                )
            size = float(np.linalg.norm(self.window.last))
            return classify(self.window.spectrum(), self.displacement, size, self.tolerance)

    def _weights(self) -> dict[str, torch.Tensor]:
        named = self.model.named_parameters()
        if self._include is None:
            return {name: tensor for name, tensor in named if tensor.requires_grad}
        return {name: tensor for name, tensor in named if name in self._include}

    def _refuse_change(self, weights: dict[str, torch.Tensor]) -> None:
        found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        for name in sorted(found.keys() | self._shapes.keys()):
            now, before = found.get(name), self._shapes.get(name)
            if now != before:
                said = "is gone" if now is None else "is new" if before is None else f"now {now}"
                raise InputError(
                    f"{name}: {said} at snapshot {self.snapshots + 1}, was "
                    f"{'not there' if before is None else before}; make a new monitor for the "
                    "changed model"
                )
        raise InputError("weights: parameters stand in another order; make a new monitor")


@cache
def _libraries() -> ThreadpoolController:
    """Libraries whose threads would go on waiting beside those of the training; found once."""
    return ThreadpoolController()


class MonitorCallback:
    """Hooks of the names that Lightning calls, round a monitor; Lightning itself is not needed.

    For Lightning's trainer, mix it in: ``class Watch(MonitorCallback, lightning.Callback)``.

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

    def __init__(
        self,
        make: Callable[[nn.Module], KoopmanMonitor] = KoopmanMonitor,
        every: int = EVERY,
        stop_at: Iterable[str] = (),
    ) -> None:
        self.make, self.every, self.stop_at = make, every, frozenset(stop_at)
        self.monitor: KoopmanMonitor | None = None
        self.verdicts: list[Verdict] = []
        self._batches = 0

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Make the monitor and take the first snapshot."""
        self.monitor = self.make(pl_module)
        self.monitor.update()

    def on_train_batch_end(self, trainer: Any, pl_module: nn.Module, *_: Any) -> None:
        """Take a snapshot after every so many batches."""
        self._batches += 1
        if self._batches % self.every == 0:
            # There is one: on_train_start comes first.
            self.monitor.update()  # type: ignore[union-attr]

    def on_train_epoch_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Judge, and ask the trainer to stop if it is time."""
        try:
            # As above.
            self.verdicts.append(self.monitor.verdict())  # type: ignore[union-attr]
        except InputError:
            return  # The window is not full yet.
        if self.verdicts[-1].status in self.stop_at:
            trainer.should_stop = True
