"""Watch any PyTorch training by the spectrum of its weights."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from koopscope.errors import InputError, whole_number
from koopscope.koopman.threads import one_thread
from koopscope.monitor.history import History, Row, row_of
from koopscope.monitor.losses import Losses
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.state import arrays, refuse_other, tensors
from koopscope.monitor.verdict import TOLERANCE, Verdict, classify
from koopscope.monitor.watched import Watched
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
        Names or patterns, as of :class:`koopscope.recording.Recorder`; by default all trained.
    rank
        Directions kept in a spectrum at most: few for noisy training, where with all of them no
        residual is small; none for all above rounding. By default 4, fewer in a small window.
    tolerance
        Share of the displacement so far that counts as none
        (:func:`koopscope.monitor.classify`).
    history_file
        File to which each row of ``history`` is added as a line of JSON, as soon as it is there.

    Attributes
    ----------
    snapshots
        Number of those taken.
    steps
        Steps of the optimiser that were counted, by :meth:`follow` or :meth:`count_step`.

    Raises
    ------
    InputError
        If an argument is not possible, or a weight has no real numbers here.

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
        rank: int | Literal["auto"] | None = "auto",
        tolerance: float = TOLERANCE,
        history_file: Path | str | None = None,
    ) -> None:
        self.model, self._watched = model, Watched(model, include)
        if not isinstance(tolerance, float | int | np.floating) or not 0 < tolerance < 1:
            raise InputError(f"tolerance: {tolerance!r}; give a number between 0 and 1")
        self.tolerance, self._seed = tolerance, whole_number("seed", seed, least=0)
        self.sketch = Sketch(self._watched.count, projection, self._seed)
        window = whole_number("window", window, least=3)
        rank = min(RANK, window - 1, self.sketch.size) if rank == "auto" else rank
        self.window = SlidingWindow(window, self.sketch.size, rank)
        self._history = History(history_file)
        self._begin()

    def _begin(self) -> None:
        self.window.clear()
        self.snapshots = self.steps = 0
        self._history.rows = []
        self._losses = Losses(self.window.length)
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
        weights = self._watched.unchanged(self.snapshots + 1)
        self.snapshots += 1
        self._losses.take(self.snapshots)
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
        """Take a snapshot now, if there is none yet, and after every so many steps of an optimiser.

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
        every = whole_number("every", every)
        if self.snapshots == 0:
            self.update()
        return optimizer.register_step_post_hook(lambda *_: self.count_step(every))

    def count_step(self, every: int = EVERY) -> None:
        """Count a step of the training, and take a snapshot after every so many.

        Parameters
        ----------
        every
            Steps from one snapshot to the next.

        Raises
        ------
        InputError
            If ``every`` is no whole number of at least 1, or as :meth:`update` does.
        """
        every = whole_number("every", every)
        self.steps += 1
        if self.steps % every == 0:
            self.update()

    def log_loss(self, loss: "torch.Tensor | float") -> None:
        """Tell the loss, after any step, so that weights that stopped at a bad one are ``stalled``.

        Verdicts compare the median over the last window, of means between snapshots, with the first
        loss that was told: unless it lies by a tenth of that one below it, the run is never
        ``converged``. Without a loss the weights alone decide. So tell it from the first step on.

        Parameters
        ----------
        loss
            A number, or a tensor of one; one on a GPU is not waited for.

        Raises
        ------
        InputError
            If it is neither.

        Examples
        --------
        A run whose weights jumped once, to where no gradient comes any more:

        >>> import torch
        >>> from koopscope.monitor import KoopmanMonitor
        >>> model = torch.nn.Linear(3, 1)
        >>> monitor = KoopmanMonitor(model, window=4)
        >>> for step in range(6):
        ...     monitor.update()
        ...     monitor.log_loss(2.3)
        ...     model.weight.data += 50 * (step == 0)
        >>> print(monitor.verdict())
        stalled: no weight moved in the last 4 snapshots; the loss is 2.3, at the start it was 2.3
        """
        self._losses.log(loss)

    def reset(self) -> None:
        """Begin anew, with the model's parameters as they are now.

        All snapshots, losses and verdicts are forgotten, and displacements count from the next
        snapshot on. Parameters may have other names and shapes than before.

        Raises
        ------
        InputError
            If there are more or fewer weights than before, since the projection is for so many.
        """
        self._watched.accept()
        if (count := self._watched.count) != self.sketch.weights:
            raise InputError(
                f"weights: {count} now but {self.sketch.weights} before; make a new monitor"
            )
        self._begin()

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
        with one_thread():
            return self.window.spectrum()

    @property
    def displacement(self) -> float:
        """Distance of the last snapshot from the first, in the weights' unit; 0 before any."""
        if self._start is None:
            return 0.0
        return float(np.linalg.norm(self.window.last - self._start))

    @property
    def ready(self) -> bool:
        """Whether there can be a verdict: the window is full, or a weight is not finite."""
        return self._broken_at is not None or self.window.count >= self.window.length

    def verdict(self) -> Verdict:
        """How the run does (:func:`koopscope.monitor.classify`, and :meth:`log_loss`).

        Returns
        -------
        Verdict
            Without a spectrum if weights were not finite, or nothing moved within the window.

        Raises
        ------
        InputError
            If fewer snapshots were taken than the window holds.
        """
        found = self._losses.heeded(self._by_weights(), self.snapshots)
        if self._history.lacks(self.snapshots):
            self._history.add({"step": self.steps or self.snapshots} | self._row(found))
        return found

    @property
    def history(self) -> list[Row]:
        """:meth:`metrics` as of each snapshot with a verdict, and its ``step``."""
        return self._history.rows

    def metrics(self, prefix: str = "koopscope/", numbers_only: bool = False) -> dict[str, Any]:
        """What the monitor knows, as one flat row for a logger; with a verdict once there is one.

        For ``wandb.log(monitor.metrics())`` or ``mlflow.log_metrics(monitor.metrics("k.", True))``.

        Parameters
        ----------
        prefix
            Put before each key.
        numbers_only
            Leave out the texts, ``status`` and ``reason``; ``status_code`` counts from 0:
            diverging, stalled, converging, converged.

        Returns
        -------
        dict
            Finite numbers: ``snapshots``, ``displacement``, ``loss`` as verdicts see it, and of a
            spectrum ``leading_modulus`` and ``time_constant`` of resolved modes, ``slow_share``,
            ``growing_share``, ``oscillating_share``, ``predicted_displacement``. What is not known
            or not finite is left out.

        Examples
        --------
        >>> import torch
        >>> from koopscope.monitor import KoopmanMonitor
        >>> model = torch.nn.Linear(1, 1)
        >>> monitor = KoopmanMonitor(model, window=4)
        >>> for _ in range(5):
        ...     monitor.update()
        ...     model.weight.data *= 2
        >>> row = monitor.metrics()
        >>> row["koopscope/status"], round(row["koopscope/leading_modulus"], 3)
        ('diverging', 2.0)
        """
        kept = int | float if numbers_only else int | float | str
        row = self._row(self.verdict() if self.ready else None)
        return {f"{prefix}{key}": value for key, value in row.items() if isinstance(value, kept)}

    def state_dict(self) -> dict[str, Any]:
        """All that a monitor of the resumed training needs to go on with the same numbers.

        Returns
        -------
        dict
            Of tensors and plain values, so that ``torch.load(…, weights_only=True)`` reads it.
        """
        return tensors(
            {
                "of": self._identity(),
                "window": self.window.state_dict(),
                "losses": self._losses.state_dict(),
                "history": [dict(row) for row in self.history],
                "counts": [self.snapshots, self.steps, self._broken_at],
                "start": self._start,
            }
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from :meth:`state_dict`; then :meth:`follow` an optimiser again.

        Parameters
        ----------
        state
            Of a monitor of the same parameters, window and projection.

        Raises
        ------
        InputError
            If it is of another.
        """
        refuse_other(state.get("of", {}), self._identity())
        state = arrays(state)
        self.window.load_state_dict(state["window"])
        self._losses.load_state_dict(state["losses"])
        self._history.rows = [dict(row) for row in state["history"]]
        self.snapshots, self.steps, self._broken_at = state["counts"]
        self._start = state["start"]

    def _identity(self) -> dict[str, Any]:
        """What snapshots have to have in common to stand in one window."""
        return {
            "window": self.window.length,
            "projection": self.sketch.size,
            "seed": None if self.sketch.exact else self._seed,
        } | {f"parameter {name}": list(shape) for name, shape in self._watched.shapes.items()}

    def _row(self, verdict: Verdict | None) -> Row:
        known = {"loss": self._losses.present(self.snapshots), "displacement": self.displacement}
        return row_of(self.snapshots, known, verdict)

    def _by_weights(self) -> Verdict:
        if self._broken_at is not None:
            return Verdict("diverging", f"a weight is not finite at snapshot {self._broken_at}")
        with one_thread():
            if self.window.count >= self.window.length and not self.window.moved:
                if self.displacement == 0:
                    return Verdict("stalled", f"no weight moved in {self.snapshots} snapshots")
                return Verdict(
                    "converged", f"no weight moved in the last {self.window.length} snapshots"
                )
            size = float(np.linalg.norm(self.window.last))
            return classify(self.window.spectrum(), self.displacement, size, self.tolerance)
