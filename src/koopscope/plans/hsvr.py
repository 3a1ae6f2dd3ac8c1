"""Experiments with hierarchical regression: which signals, at which noise, by which rules.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
Everything that can be known to fail is refused here, in one line, before any work starts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.errors import InputError
from koopscope.specs import as_tuple, each_once, one_of

SIGNALS = ("tone", "tones", "weak-tone", "broken-tone", "chirp", "modulated", "weierstrass")
SIGNALS += ("steps", "random-tones", "tones-2d", "rings", "lorenz", "van-der-pol")
SIGNALS += ("quasi-periodic", "travelling-waves")
RULES = ("fft", "dmd", "tapered", "lomb-scargle")
REGRESSORS = ("hsvr", "hsvr-fixed", "svr-search", "kernel-ridge", "gaussian-process", "trees")
# Every second point trains, and a spectrum needs 8 of those an axis.
MIN_POINTS = 15


@dataclass(frozen=True)
class Baselines:
    """Which signals of an experiment are fitted by other regressors too."""

    signals: tuple[str, ...]
    regressors: tuple[str, ...] = REGRESSORS


@dataclass(frozen=True)
class Experiment:
    """One question, asked of several signals at several levels of noise.

    Attributes
    ----------
    name, question
        As the report names and asks it.
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

    name: str
    question: str
    signals: tuple[tuple[str, int], ...]
    noise: tuple[float, ...] = (0.0,)
    seeds: tuple[int, ...] = (0,)
    rules: tuple[str, ...] = RULES
    decay: float = 2.0
    epsilon: float = 0.01
    baselines: Baselines | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        where = f"hsvr.{self.name}"
        points = dict(self.signals)
        for name, count in points.items():
            one_of(f"{where}.signals", name, SIGNALS)
            if count < MIN_POINTS:
                raise InputError(
                    f"{where}.signals.{name}: {count} points an axis are too few for a spectrum of "
                    f"every second one; give at least {MIN_POINTS}"
                )
        each_once(f"{where}.noise", self.noise)
        each_once(f"{where}.seeds", self.seeds)
        each_once(f"{where}.rules", self.rules, RULES)
        if self.baselines:
            each_once(f"{where}.baselines.signals", self.baselines.signals, tuple(points))
            each_once(f"{where}.baselines.regressors", self.baselines.regressors, REGRESSORS)

    def canonical(self) -> dict[str, Any]:
        """What its phase transitions depend on, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "baselines"}

    def canonical_baselines(self) -> dict[str, Any] | None:
        """What its baselines depend on besides, as JSON values."""
        return self.baselines and asdict(self.baselines)


def experiments_from(config: Mapping[str, Any]) -> dict[str, Experiment]:
    """Experiments of a configuration that fits the schema, by name.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if an experiment cannot be run as it is written.
    """
    made = {}
    for name, entry in config.get("hsvr", {}).items():
        fields = {key: as_tuple(value) for key, value in entry.items()}
        fields["signals"] = tuple(entry["signals"].items())
        if "baselines" in entry:
            listed = {key: as_tuple(value) for key, value in entry["baselines"].items()}
            fields["baselines"] = Baselines(**listed)
        made[name] = Experiment(name, **fields)
    return made


def experiment_from(
    canonical: Mapping[str, Any], baselines: Mapping[str, Any] | None = None
) -> Experiment:
    """Rebuild an experiment from its canonical forms."""
    fields = {key: as_tuple(value) for key, value in canonical.items()}
    fields["signals"] = tuple(map(tuple, fields["signals"]))
    if baselines:
        fields["baselines"] = Baselines(**{key: as_tuple(v) for key, v in baselines.items()})
    return Experiment(**fields)
