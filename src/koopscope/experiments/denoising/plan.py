"""Negative Sobolev losses: which targets, at which noise, under which losses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from koopscope.config.checks import above_zero, each_once, one_of, positive
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.denoising.names import (
    DIGIT_SIDE,
    DIGITS,
    FILTERS,
    LOSSES,
    PLAIN_LOSS,
    TARGETS,
)
from koopscope.experiments.experiment import Experiment
from koopscope.sobolev.schedule import KINDS, NAME

# Three bands, and twice the length of the wavelets.
MIN_POINTS = 32
# Beyond such orders nothing but the mean is left of any signal.
LARGEST = 20


@dataclass(frozen=True)
class Denoising(Experiment):
    """One question, asked of several targets at several levels of noise.

    Attributes
    ----------
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
        for name, count in self.signals:
            one_of("signals", name, TARGETS)
            if count < MIN_POINTS:
                raise InputError(
                    f"signals.{name}: {count} points an axis are too few to tell scales "
                    f"apart; give at least {MIN_POINTS}"
                )
            if name == DIGITS and count % DIGIT_SIDE:
                raise InputError(
                    f"signals.digits: {count} is no multiple of {DIGIT_SIDE}, a digit's "
                    "side; give one"
                )
        each_once("snr", self.snr)
        for snr in self.snr:
            if not math.isfinite(snr):
                raise InputError(f"snr: {snr} is not a finite number of decibels")
        each_once("losses", self.losses)
        for loss in self.losses:
            found = NAME.fullmatch(loss)
            if loss != PLAIN_LOSS and not (found and float(found[2]) <= LARGEST):
                raise InputError(
                    f"losses: unknown {loss!r}; give {PLAIN_LOSS}, or one of {', '.join(KINDS)} "
                    f"and a number up to {LARGEST}, as s0.5"
                )
        each_once("filters", self.filters, FILTERS)
        each_once("seeds", self.seeds)
        each_once("tuning_seeds", self.tuning_seeds)
        each_once("rates", self.rates)
        for rate in self.rates:
            above_zero("rates", rate)
        both = sorted(set(self.seeds) & set(self.tuning_seeds))
        if both:
            raise InputError(f"tuning_seeds: {both[0]} is one of seeds too; choose rates on others")
        for key in ("steps", "every", "hidden", "waves", "modes"):
            positive(key, getattr(self, key))
        if self.waves % 2:
            raise InputError(f"waves: {self.waves} is odd; give cosines and sines alike")
        records = self.steps // self.every + 1
        if records <= self.modes:
            raise InputError(
                f"every: {records} records of {self.steps} steps are too few for "
                f"{self.modes} modes; record more often, or give fewer modes"
            )

    def work(self, store: str) -> tuple[int, str]:
        """Training steps of all batches: for tuning, and for the seeds."""
        tuned = len(self.rates) > 1
        return (1 + tuned) * self.steps * len(self.signals) * len(self.snr), "steps"

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        fields = {k: as_tuple(v) for k, v in canonical.items()}
        fields["signals"] = tuple(map(tuple, dict(fields["signals"]).items()))
        # 20 and 20.0 are one level of noise, and one digest.
        for key in ("snr", "rates"):
            if key in fields:
                fields[key] = tuple(map(float, fields[key]))
        return cls(**fields)


read, rebuilt = Denoising.read, Denoising.rebuilt
