"""Hierarchical regression: which signals, at which noise, by which rules."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from koopscope.config.checks import each_once, one_of, within
from koopscope.config.entries import conform, values
from koopscope.config.key import SEED, key
from koopscope.config.values import as_tuple
from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.hsvr.names import REGRESSORS
from koopscope.hsvr.names import METHODS

# Every second point trains, and a spectrum needs 8 of those an axis.
MIN_POINTS = 15


@dataclass(frozen=True)
class Baselines:
    """Which signals of an experiment are fitted by other regressors too."""

    signals: Annotated[
        tuple[str, ...], key("signals of the experiment that other regressors are fitted to")
    ]
    regressors: Annotated[
        tuple[str, ...],
        key(
            "regressors: `hsvr` (depth by `tapered`), `hsvr-fixed` (down to the spacing), "
            "`svr-search` (one scale, cross-validated grid), `kernel-ridge` (same), "
            "`gaussian-process`, `trees` (gradient boosting)",
            default="all",
        ),
    ] = REGRESSORS


@dataclass(frozen=True)
class HierarchicalRegression(Experiment):
    """One question, asked of several signals at several levels of noise."""

    signals: Annotated[
        tuple[tuple[str, int], ...],
        key(
            f"grid points an axis by signal, at least {MIN_POINTS}, of which every second one "
            f"trains: {', '.join(f'`{name}`' for name in SIGNALS)}; `koopscope.data.signals` says "
            "what they are",
            "points",
            written=dict[str, int],
        ),
    ]
    noise: Annotated[
        tuple[float, ...],
        key("standard deviations of the noise", "that of the signal", ge=0),
    ] = (0.0,)
    seeds: Annotated[
        tuple[int, ...],
        key(
            "seeds of the noise, and of what is random in a signal; values that are the same for "
            "all are fitted once",
            **SEED,
        ),
    ] = (0,)
    rules: Annotated[
        tuple[str, ...],
        key(
            "rules that predict: `fft` (the paper's), `dmd`, `tapered` and `lomb-scargle` (ours; "
            "the last one in one dimension)",
            default="all",
        ),
    ] = METHODS
    decay: Annotated[float, key("ratio of successive scales", gt=1)] = 2.0
    epsilon: Annotated[
        float, key("half the width of the tube", "range of the values", gt=0, lt=1)
    ] = 0.01
    baselines: Annotated[
        Baselines | None,
        key(
            "regressors besides, at every level of noise and for every seed",
            written=dict[str, Any] | None,
            default="none",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        points = dict(self.signals)
        if not points:
            raise InputError("signals: none; give one or more, each with its points")
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

    def to_dict(self, store: str) -> dict[str, Any]:
        """What one of its stores depends on, as JSON values: the baselines only their own."""
        values = asdict(self)
        return values if store == "regressors" else values | {"baselines": None}


KEYS = {"": (HierarchicalRegression,), "baselines": (Baselines,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> HierarchicalRegression:
    """Experiment of a configuration's entry: ``signals`` by name, ``baselines`` below."""
    found = values(HierarchicalRegression, entry, what="an experiment with regression")
    found["signals"] = tuple(found["signals"].items())
    if found.get("baselines") is not None:
        with within("baselines"):
            found["baselines"] = Baselines(**values(Baselines, found["baselines"]))
    return HierarchicalRegression(name, **found)


def from_dict(canonical: Entry) -> HierarchicalRegression:
    """Experiment of a canonical form."""
    fields = {name: as_tuple(value) for name, value in canonical.items()}
    fields["signals"] = tuple(map(tuple, dict(fields["signals"]).items()))
    if fields.get("baselines"):
        listed = {name: as_tuple(value) for name, value in fields["baselines"].items()}
        fields["baselines"] = Baselines(**listed)
    return HierarchicalRegression(**fields)
