"""Negative Sobolev losses: which targets, at which noise, under which losses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from koopscope.config.checks import each_once, one_of
from koopscope.config.entries import conform, values
from koopscope.config.key import SEED, key
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
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.sobolev.schedule import KINDS, NAME

# Three bands, and twice the length of the wavelets.
MIN_POINTS = 32
# Beyond such orders nothing but the mean is left of any signal.
LARGEST = 20


@dataclass(frozen=True)
class Denoising(Experiment):
    """One question, asked of several targets at several levels of noise."""

    signals: Annotated[
        tuple[tuple[str, int], ...],
        key(
            f"grid points an axis, at least {MIN_POINTS}, by signal or image: `falling-tones` and "
            "`equal-tones` (1, 3, 9, … periods), `plane-waves` and `digits` (images; the latter a "
            f"multiple of {DIGIT_SIDE}), or a signal of `hsvr`; "
            "`koopscope.experiments.denoising.targets` says what they are",
            "points",
            written=dict[str, int],
        ),
    ]
    snr: Annotated[tuple[float, ...], key("signal-to-noise ratios", "decibels")] = (
        *(20.0, 10.0, 0.0),
        *(-10.0, -20.0),
    )
    losses: Annotated[
        tuple[str, ...],
        key(
            "losses: `mse` (mean squared error), `s` and an order, as `s0.5` (constant), "
            "`linear2`, `cosine2`, `step2` (falling from 2 to 0 over the training), `sum2` (mean "
            "of the orders 0, 1 and 2)"
        ),
    ] = LOSSES
    filters: Annotated[
        tuple[str, ...],
        key(
            "filters, without a network: `noisy` (nothing done), `wiener-oracle` (true spectrum "
            "and noise), `wiener-estimated`, `low-pass-oracle` (best Gaussian cut-off), "
            "`savitzky-golay-oracle` (best window), `visushrink`, `bayesshrink`; an oracle has "
            "seen the clean values",
            default="all",
        ),
    ] = FILTERS
    seeds: Annotated[
        tuple[int, ...],
        key("seeds of targets, noise, features and initial weights", default="1 to 5", **SEED),
    ] = (1, 2, 3, 4, 5)
    learning_rates: Annotated[
        tuple[float, ...],
        key(
            "rates of Adam, of which each loss takes the best one for each signal, noise and way "
            "to stop",
            "per step",
            gt=0,
        ),
    ] = (0.003, 0.01, 0.03)
    tuning_seeds: Annotated[
        tuple[int, ...], key("seeds on which the rates are chosen; none of `seeds`", **SEED)
    ] = (1001,)
    steps: Annotated[int, key("steps of training, on all points at once", "steps", ge=1)] = 400
    record_every: Annotated[int, key("steps between records of the outputs", "steps", ge=1)] = 10
    width: Annotated[int, key("units of each of the two hidden layers", "units", ge=1)] = 64
    fourier_features: Annotated[
        int,
        key("Fourier features of a position, cosines and sines, an even number", "features", ge=2),
    ] = 64
    modes: Annotated[int, key("Koopman modes of each run's outputs", "modes", ge=1)] = 8

    renamed: ClassVar[Mapping[str, str]] = {
        "rates": "learning_rates",
        "every": "record_every",
        "hidden": "width",
        "waves": "fourier_features",
    }

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        if not self.signals:
            raise InputError("signals: none; give one or more, each with its points")
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
        each_once("learning_rates", self.learning_rates)
        both = sorted(set(self.seeds) & set(self.tuning_seeds))
        if both:
            raise InputError(f"tuning_seeds: {both[0]} is one of seeds too; choose rates on others")
        if self.fourier_features % 2:
            raise InputError(
                f"fourier_features: {self.fourier_features} is odd; give cosines and sines alike"
            )
        records = self.steps // self.record_every + 1
        if records <= self.modes:
            raise InputError(
                f"record_every: {records} records of {self.steps} steps are too few for "
                f"{self.modes} modes; record more often, or give fewer modes"
            )

    def work(self, store: str) -> tuple[int, str]:
        """Training steps of all batches: for tuning, and for the seeds."""
        tuned = len(self.learning_rates) > 1
        return (1 + tuned) * self.steps * len(self.signals) * len(self.snr), "steps"


KEYS = {"": (Denoising,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> Denoising:
    """Experiment of a configuration's entry: ``signals`` by name."""
    found = values(Denoising, entry, what="an experiment with losses")
    return Denoising(name, **found | {"signals": tuple(found["signals"].items())})


def from_dict(canonical: Entry) -> Denoising:
    """Experiment of a canonical form."""
    fields = {name: as_tuple(value) for name, value in canonical.items()}
    return Denoising(**fields | {"signals": tuple(map(tuple, fields["signals"]))})
