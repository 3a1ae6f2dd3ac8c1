"""Experiments with negative Sobolev losses: which targets, at which noise, under which losses.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
Everything that can be known to fail is refused here, in one line, before any work starts.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.errors import InputError
from koopscope.plans.hsvr import SIGNALS
from koopscope.specs import above_zero, as_tuple, each_once, one_of, positive

TARGETS = ("falling-tones", "equal-tones", "plane-waves", "digits", *SIGNALS)
FILTERS = ("noisy", "wiener-oracle", "wiener-estimated", "low-pass-oracle")
FILTERS += ("savitzky-golay-oracle", "visushrink", "bayesshrink")
LOSSES = ("mse", "s0.5", "s1", "s2", "linear2", "sum2")
LOSS = re.compile(r"mse|(s|linear|cosine|step|sum)\d+(\.\d+)?")
# Three bands, and twice the length of the wavelets.
MIN_POINTS = 32
# Beyond such orders nothing but the mean is left of any signal.
LARGEST = 20
DIGIT_SIDE = 8


@dataclass(frozen=True)
class Denoising:
    """One question, asked of several targets at several levels of noise.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    signals
        Names with their number of grid points an axis.
    snr
        Signal-to-noise ratios in decibels.
    losses
        ``"mse"``, or a schedule of s: ``"s0.5"``, ``"linear2"``, ``"cosine2"``, ``"step2"`` (from
        2 to 0), ``"sum2"`` (0, 1 and 2 at once).
    filters
        Baselines without a network.
    seeds
        Draw targets, noise, features and initial weights.
    rates, tuning_seeds
        Adam's rates, of which each loss takes the best one on the tuning seeds, at each level of
        noise and for each way to stop.
    steps, every
        Of training; between records.
    hidden, waves
        Units of each of two hidden layers; Fourier features (even).
    modes
        Koopman modes of the outputs of each training run.
    """

    name: str
    question: str
    signals: tuple[tuple[str, int], ...]
    snr: tuple[float, ...] = (20.0, 10.0, 0.0, -10.0, -20.0)
    losses: tuple[str, ...] = LOSSES
    filters: tuple[str, ...] = FILTERS
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    rates: tuple[float, ...] = (0.003, 0.01, 0.03)
    tuning_seeds: tuple[int, ...] = (1001,)
    steps: int = 400
    every: int = 10
    hidden: int = 64
    waves: int = 64
    modes: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        where = f"sobolev.{self.name}"
        for name, count in self.signals:
            one_of(f"{where}.signals", name, TARGETS)
            if count < MIN_POINTS:
                raise InputError(
                    f"{where}.signals.{name}: {count} points an axis are too few to tell scales "
                    f"apart; give at least {MIN_POINTS}"
                )
            if name == "digits" and count % DIGIT_SIDE:
                raise InputError(
                    f"{where}.signals.digits: {count} is no multiple of {DIGIT_SIDE}, a digit's "
                    "side; give one"
                )
        each_once(f"{where}.snr", self.snr)
        for snr in self.snr:
            if not math.isfinite(snr):
                raise InputError(f"{where}.snr: {snr} is not a finite number of decibels")
        each_once(f"{where}.losses", self.losses)
        for loss in self.losses:
            order = re.sub("[a-z]", "", loss) or "0"
            if not LOSS.fullmatch(loss) or float(order) > LARGEST:
                raise InputError(
                    f"{where}.losses: unknown {loss!r}; give mse, or one of s, linear, cosine, "
                    f"step, sum and a number up to {LARGEST}, as s0.5"
                )
        each_once(f"{where}.filters", self.filters, FILTERS)
        each_once(f"{where}.seeds", self.seeds)
        each_once(f"{where}.tuning_seeds", self.tuning_seeds)
        each_once(f"{where}.rates", self.rates)
        for rate in self.rates:
            above_zero(f"{where}.rates", rate)
        both = sorted(set(self.seeds) & set(self.tuning_seeds))
        if both:
            raise InputError(
                f"{where}.tuning_seeds: {both[0]} is one of seeds too; choose rates on others"
            )
        for key in ("steps", "every", "hidden", "waves", "modes"):
            positive(f"{where}.{key}", getattr(self, key))
        if self.waves % 2:
            raise InputError(f"{where}.waves: {self.waves} is odd; give cosines and sines alike")
        records = self.steps // self.every + 1
        if records <= self.modes:
            raise InputError(
                f"{where}.every: {records} records of {self.steps} steps are too few for "
                f"{self.modes} modes; record more often, or give fewer modes"
            )

    def canonical(self) -> dict[str, Any]:
        """What its results depend on, as JSON values."""
        return asdict(self)


def denoisings_from(config: Mapping[str, Any]) -> dict[str, Denoising]:
    """Experiments of a configuration that fits the schema, by name.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if an experiment cannot be run as it is written.
    """
    made = {}
    for name, entry in config.get("sobolev", {}).items():
        made[name] = denoising_from({"name": name, **entry, "signals": entry["signals"].items()})
    return made


def denoising_from(canonical: Mapping[str, Any]) -> Denoising:
    """Rebuild an experiment from its canonical form."""
    fields = {k: as_tuple(v) for k, v in canonical.items()}
    fields["signals"] = tuple(map(tuple, fields["signals"]))
    # 20 and 20.0 are one level of noise, and one digest.
    for key in ("snr", "rates"):
        if key in fields:
            fields[key] = tuple(map(float, fields[key]))
    return Denoising(**fields)
