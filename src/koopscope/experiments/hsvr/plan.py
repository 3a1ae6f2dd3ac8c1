"""Hierarchical regression: which signals, at which noise, by which rules."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from koopscope.config.checks import each_once, one_of
from koopscope.config.values import as_tuple
from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.experiment import Experiment
from koopscope.experiments.hsvr.names import REGRESSORS
from koopscope.hsvr.names import METHODS

# Every second point trains, and a spectrum needs 8 of those an axis.
MIN_POINTS = 15


@dataclass(frozen=True)
class Baselines:
    """Which signals of an experiment are fitted by other regressors too."""

    signals: tuple[str, ...]
    regressors: tuple[str, ...] = REGRESSORS


@dataclass(frozen=True)
class HierarchicalRegression(Experiment):
    """One question, asked of several signals at several levels of noise.

    Attributes
    ----------
    signals
        Names with their number of grid points an axis.
    noise
        Standard deviations, as shares of the signal's.
    seeds
        Draw the noise, and what is random in a signal.
    rules
        By which the number of layers is predicted.
    decay, epsilon
        Ratio of successive scales; half width of the tube, as a share of the range of the values.
    baselines
        None for no other regressors.
    """

    signals: tuple[tuple[str, int], ...]
    noise: tuple[float, ...] = (0.0,)
    seeds: tuple[int, ...] = (0,)
    rules: tuple[str, ...] = METHODS
    decay: float = 2.0
    epsilon: float = 0.01
    baselines: Baselines | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        points = dict(self.signals)
        for name, count in points.items():
            one_of("signals", name, tuple(SIGNALS))
            if count < MIN_POINTS:
                raise InputError(
                    f"signals.{name}: {count} points an axis are too few for a spectrum of "
                    f"every second one; give at least {MIN_POINTS}"
                )
        each_once("noise", self.noise)
        each_once("seeds", self.seeds)
        each_once("rules", self.rules, METHODS)
        if self.baselines:
            each_once("baselines.signals", self.baselines.signals, tuple(points))
            each_once("baselines.regressors", self.baselines.regressors, REGRESSORS)

    @property
    def stores(self) -> tuple[str, ...]:
        """Transitions, and other regressors if there are any."""
        return ("transitions", "regressors") if self.baselines else ("transitions",)

    def work(self, store: str) -> tuple[int, str]:
        """Signals, at all levels of noise and by all seeds."""
        signals = self.baselines.signals if store == "regressors" else self.signals
        return len(signals) * len(self.noise) * len(self.seeds), "signals"

    def canonical(self, store: str) -> dict[str, Any]:
        """What one of its stores depends on, as JSON values: the baselines only their own."""
        values = asdict(self)
        return values if store == "regressors" else values | {"baselines": None}

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        fields = {key: as_tuple(value) for key, value in canonical.items()}
        fields["signals"] = tuple(map(tuple, dict(fields["signals"]).items()))
        if fields.get("baselines"):
            listed = {key: as_tuple(value) for key, value in fields["baselines"].items()}
            fields["baselines"] = Baselines(**listed)
        return cls(**fields)


read, rebuilt = HierarchicalRegression.read, HierarchicalRegression.rebuilt
