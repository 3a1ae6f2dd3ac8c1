"""Studies: a question, the variants that answer it, and the pairs that are compared.

A study is configuration only; :mod:`koopscope.experiments.equivalence.plan` builds it from a
checked mapping.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from koopscope.config.control_fit import ControlFit, fit_from_dict
from koopscope.config.controls import because_of, expected_of
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.key import key
from koopscope.config.setups import Setup, Trained, setup_from_dict
from koopscope.experiments.experiment import Experiment

EXPECTED = ("equivalent", "different", "open")


@dataclass(frozen=True)
class Variant:
    """One arm of a study: a setup and the fit that reads it."""

    name: str
    setup: Setup
    fit: FitSpec = field(default_factory=FitSpec)


@dataclass(frozen=True)
class Pair:
    """Two variants to compare."""

    first: Annotated[str, key("name of a variant")]
    second: Annotated[str, key("name of another variant")]
    expected: Annotated[
        str,
        key("answer known beforehand: `equivalent`, `different` or `open`", one_of=EXPECTED),
    ] = "open"
    because: Annotated[str, key("reason why that is known", default="none")] = ""


def control_line(control: str, setup: Setup, fit: FitSpec) -> Variant:
    """Variant whose trajectories are made into a control before they are fitted."""
    # Nothing shows how far the refits of a control scatter.
    return Variant(control, setup, ControlFit(**asdict(replace(fit, resamples=0)), control=control))


def control_pair(reference: str, line: Variant) -> Pair:
    """A control line as it is compared."""
    return Pair(reference, line.name, expected_of(line.name), because_of(line.name))


@dataclass(frozen=True)
class Alternate:
    """Another way to estimate the spectra of a study: every variant of its pairs, changed alike.

    Its control lines are as the study's own; only other coordinates have some.
    """

    name: str
    changes: str
    variants: tuple[Variant, ...]
    control_lines: tuple[Variant, ...] = ()

    @property
    def fitted(self) -> tuple[Variant, ...]:
        """Its variants, then its control lines."""
        return (*self.variants, *self.control_lines)


@dataclass(frozen=True)
class ErrorRates:
    """How often the verdict errs, counted on draws of seeds from a study's pools."""

    seeds: Annotated[
        tuple[int, ...], key("numbers of seeds in each of the two groups, a list of sizes", ge=2)
    ]
    draws: Annotated[int, key("number of pairs of groups drawn for each size", ge=1)] = 200
    split: Annotated[
        tuple[str, ...],
        key(
            "variants whose own seeds are split into two groups, which are equivalent by "
            "construction"
        ),
    ] = ()


@dataclass(frozen=True)
class Study(Experiment):
    """A question with its variants and pairs.

    Attributes
    ----------
    variants, pairs
        What is compared.
    time_unit
        Unit of time in which the verdict compares eigenvalues, one of
        :data:`koopscope.config.setup.TIME_UNITS`.
    reference
        Name of the variant that others are measured from.
    scan
        Fields of the setup along which the variants lie.
    test
        Whether pairs are tested; without it only distances are given.
    alternates
        Other ways to estimate, for the study's sensitivity.
    control_lines
        Controls of the instrument, each compared with the reference: recodings of trained runs,
        which must not count as a difference, and surrogates, which should. Their fits are
        :class:`koopscope.config.controls.ControlFit`; they are part of no pair.
    """

    variants: tuple[Variant, ...]
    pairs: tuple[Pair, ...]
    time_unit: str = "step"
    reference: str = ""
    scan: tuple[str, ...] = ()
    test: bool = True
    alternates: tuple[Alternate, ...] = ()
    error_rates: ErrorRates | None = None
    control_lines: tuple[Variant, ...] = ()

    @property
    def stores(self) -> tuple[str, ...]:
        """Comparison and curves; sensitivity and error_rates where they are asked for."""
        more = {"sensitivity": self.alternates, "error_rates": self.error_rates}
        return ("comparison", "curves", *(store for store, asked in more.items() if asked))

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of its networks; a data set that several have stands there for each."""
        setups = (variant.setup for variant in self.every_variant)
        return tuple(setup.data for setup in setups if isinstance(setup, Trained))

    @property
    def fitted(self) -> tuple[Variant, ...]:
        """Its variants, then its control lines: all whose spectra it compares."""
        return (*self.variants, *self.control_lines)

    @property
    def reference_variant(self) -> Variant:
        """The variant that others are measured from; the first where none is named."""
        named = (variant for variant in self.variants if variant.name == self.reference)
        return next(named, self.variants[0])

    @property
    def every_variant(self) -> tuple[Variant, ...]:
        """Its own with its control lines, and those of its alternates."""
        of_alternates = (variant for a in self.alternates for variant in a.fitted)
        return (*self.fitted, *of_alternates)

    def to_dict(self, store: str = "comparison") -> dict[str, Any]:
        """What every one of its stores depends on, as JSON values."""
        lines = [_variant(v) for v in self.control_lines]
        return {
            "name": self.name,
            "question": self.question,
            "variants": [_variant(v) for v in self.variants],
            "pairs": [asdict(pair) for pair in self.pairs],
            "time_unit": self.time_unit,
            "reference": self.reference,
            "scan": list(self.scan),
            "test": self.test,
            **({"control_lines": lines} if lines else {}),
        }

    def alternates_to_dict(self) -> list[dict[str, Any]]:
        """What its sensitivity depends on besides, as JSON values."""
        return [
            {
                "name": a.name,
                "changes": a.changes,
                "variants": [_variant(v) for v in a.variants],
                "control_lines": [_variant(v) for v in a.control_lines],
            }
            for a in self.alternates
        ]


def study_from_dict(
    canonical: Mapping[str, Any],
    alternates: list[Mapping[str, Any]] | None = None,
    error_rates: Mapping[str, Any] | None = None,
) -> Study:
    """Rebuild a study from its canonical forms."""
    fields = dict(canonical)
    return Study(
        **fields
        | {
            "variants": tuple(map(_variant_from, fields["variants"])),
            "pairs": tuple(Pair(**pair) for pair in fields["pairs"]),
            "scan": tuple(fields["scan"]),
            "control_lines": tuple(map(_variant_from, fields.get("control_lines", ()))),
            "alternates": tuple(
                Alternate(
                    a["name"],
                    a["changes"],
                    tuple(map(_variant_from, a["variants"])),
                    tuple(map(_variant_from, a["control_lines"])),
                )
                for a in alternates or ()
            ),
            "error_rates": error_rates
            and ErrorRates(
                tuple(error_rates["seeds"]), error_rates["draws"], tuple(error_rates["split"])
            ),
        }
    )


def setups_of(studies: Iterable[Study]) -> dict[str, Setup]:
    """Every setup of the studies and of their alternates once, by id."""
    setups = (variant.setup for study in studies for variant in study.every_variant)
    return {setup.id: setup for setup in setups}


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "setup": variant.setup.to_dict(),
        "fit": variant.fit.to_dict(),
    }


def _variant_from(canonical: Mapping[str, Any]) -> Variant:
    return Variant(
        canonical["name"], setup_from_dict(canonical["setup"]), fit_from_dict(canonical["fit"])
    )
