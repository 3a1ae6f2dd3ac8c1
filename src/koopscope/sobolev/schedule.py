"""The order s of the loss over a training run: constant, falling to 0, or several at once.

A large s learns the coarse scales and is deaf to noise, but learns fine scales late; so s may start
large and end at 0, or several orders may be summed.
"""

import math
import re
from dataclasses import dataclass

from koopscope.errors import InputError

KINDS = ("s", "linear", "cosine", "step", "sum")
NAME = re.compile(rf"({'|'.join(KINDS)})(\d+(?:\.\d+)?)")
# [ours] Fixed beforehand: when "step" falls, as a share of the run.
HALFWAY = 0.5


@dataclass(frozen=True)
class Schedule:
    """Order s by the share of training done.

    Attributes
    ----------
    kind
        ``"s"`` (constant), ``"linear"``, ``"cosine"`` or ``"step"`` (from s to 0; the last one at
        half of the run), or ``"sum"`` (0, s/2 and s at once, all the time).
    s
        Where it starts: at least 0.

    Raises
    ------
    InputError
        If the kind is unknown, or s no finite number of at least 0.

    Examples
    --------
    >>> from koopscope.sobolev import Schedule
    >>> [Schedule("linear", 2.0).at(progress) for progress in (0, 0.25, 1)]
    [2.0, 1.5, 0.0]
    >>> Schedule.named("sum2")
    Schedule(kind='sum', s=2.0)
    """

    kind: str
    s: float

    def __post_init__(self) -> None:
        """Refuse what is no schedule."""
        if self.kind not in KINDS:
            raise InputError(f"kind: unknown {self.kind!r}; give one of {', '.join(KINDS)}")
        if not (math.isfinite(self.s) and self.s >= 0):
            raise InputError(f"s: {self.s} is not a finite number of at least 0")

    @classmethod
    def named(cls, name: str) -> "Schedule":
        """Schedule of a short name: ``"mse"``, ``"s0.5"``, ``"linear2"``, ``"sum2"``, …

        Parameters
        ----------
        name
            A kind and s without a blank, or ``"mse"`` for s = 0.

        Raises
        ------
        InputError
            If it is no such name.
        """
        if name == "mse":
            return cls("s", 0.0)
        found = NAME.fullmatch(name)
        if not found:
            kinds = ", ".join(KINDS)
            raise InputError(f"loss: unknown {name!r}; give mse, or one of {kinds} and s, as s0.5")
        return cls(found[1], float(found[2]))

    @property
    def constant(self) -> bool:
        """Whether the loss stays the same over the run."""
        return self.s == 0 or self.kind in ("s", "sum")

    def at(self, progress: float) -> float | tuple[float, ...]:
        """Order or orders in force when so much of the training is done, from 0 to 1.

        Examples
        --------
        >>> from koopscope.sobolev import Schedule
        >>> Schedule.named("linear2").at(0.25)
        1.5
        >>> Schedule.named("sum2").at(0.25)
        (0.0, 1.0, 2.0)
        """
        if self.kind == "sum":
            return 0.0, self.s / 2, self.s
        if self.kind == "linear":
            return self.s * (1 - progress)
        if self.kind == "cosine":
            return self.s * (1 + math.cos(math.pi * progress)) / 2
        if self.kind == "step":
            return self.s if progress < HALFWAY else 0.0
        return self.s
