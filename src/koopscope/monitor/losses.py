"""The loss beside the weights: whether it has come down since the start."""

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any

from koopscope.errors import InputError
from koopscope.monitor.verdict import Verdict

if TYPE_CHECKING:
    import torch

# A loss that lies by less than this share of the first one below it is no better.
BETTER = 0.1


class Losses:
    """Losses of the last snapshots, and the first one.

    Parameters
    ----------
    window
        Snapshots whose losses count as the present ones.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.first: float | None = None
        # By number of the snapshot that came next: means of what was logged before it.
        self._means: deque[tuple[int, float]] = deque(maxlen=window)
        self._waiting: list[float | torch.Tensor] = []

    def log(self, loss: Any) -> None:
        """Take in a number or a tensor of one, which is read later: a GPU need not wait for it."""
        try:
            one = loss.detach().reshape(()) if hasattr(loss, "detach") else float(loss)
        except (RuntimeError, TypeError, ValueError):
            raise InputError(f"loss: {loss!r}; give a number, or a tensor of one") from None
        self._waiting.append(one)

    def take(self, snapshot: int) -> None:
        """Put what was logged since the last snapshot beside this one."""
        if self._waiting:
            self._means.append((snapshot, self._read()))
            self._waiting.clear()

    def present(self, snapshots: int) -> float | None:
        """Median over the window that ends at this number of snapshots; else the last one known."""
        means = [mean for at, mean in self._means if at > snapshots - self.window]
        if self._waiting:
            means.append(self._read())
        if not means and self._means:
            means = [self._means[-1][1]]
        return median(means) if means else None

    def heeded(self, verdict: Verdict, snapshots: int) -> Verdict:
        """The verdict, or ``stalled`` for a run that has settled where the loss is no better."""
        present = self.present(snapshots)
        if verdict.status != "converged" or present is None:
            return verdict
        # If none was ever finite, none was better.
        if self.first is not None and present <= self.first - BETTER * abs(self.first):
            return verdict
        first = "never finite" if self.first is None else f"{self.first:.3g}"
        return Verdict(
            "stalled",
            f"{verdict.reason}; the loss is {present:.3g}, at the start it was {first}",
            verdict.spectrum,
        )

    def _read(self) -> float:
        """Mean of what waits; not a number counts as infinite."""
        values = [float(one) for one in self._waiting]
        if self.first is None:
            self.first = next((value for value in values if math.isfinite(value)), None)
        mean = sum(values) / len(values)
        return math.inf if math.isnan(mean) else mean

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` needs, in plain values."""
        return {
            "first": self.first,
            "means": list(self._means),
            "waiting": [float(one) for one in self._waiting],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.first, self._waiting = state["first"], list(state["waiting"])
        self._means = deque(map(tuple, state["means"]), maxlen=self.window)
