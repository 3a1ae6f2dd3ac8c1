"""What a configuration says of studies: the keys of ``studies`` and of ``bases``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from koopscope.config.controls import NAMES
from koopscope.config.key import key
from koopscope.config.setup import TIME_UNITS

# Controls and why they are equivalent by construction.
CONTROLS = {
    "fresh": "the same setup with fresh seeds",
    "permuted": "a fully connected network does not see the order of its pixels",
    "relabelled": "renaming the classes only renames the outputs",
    "renamed": "renaming the elements only renames inputs and outputs",
}
Entry = Mapping[str, Any] | None
Written = dict[str, Any]


def asked(pairs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pairs that are no controls; all where there are no others."""
    return [pair for pair in pairs if pair["second"] not in CONTROLS] or list(pairs)


def sides(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the variants in some pairs, each once."""
    return list(dict.fromkeys(pair[side] for pair in pairs for side in ("first", "second")))


@dataclass(frozen=True)
class BaseEntry:
    """Setup by name that studies start from; those that studies share are trained once."""

    network: Annotated[Entry, key("setup of networks, see below", written=Written | None)] = None
    model: Annotated[
        Entry, key("setup of networks of any module, see below", written=Written | None)
    ] = None
    online: Annotated[
        Entry, key("setup of an online optimiser, see below", written=Written | None)
    ] = None
    fit: Annotated[Entry, key("Koopman fit, see below", written=Written | None, default="all")] = (
        None
    )


@dataclass(frozen=True)
class OfVariants:
    """Key that a variant has beside the fields of a setup."""

    fit: Annotated[Entry, key("Koopman fit of the variant", written=Written | None)] = None


@dataclass(frozen=True)
class OfAlternates:
    """Keys that a fit has in ``sensitivity`` alone."""

    delays_times: Annotated[
        float | None, key("factor that each variant's delays are multiplied with", gt=0)
    ] = None


@dataclass(frozen=True)
class StudyEntry:
    """One study."""

    question: Annotated[str, key("question, as the report asks it")]
    base: Annotated[
        str | None,
        key(
            "name of the base that the variants change, in place of `network`, `model` or `online`"
        ),
    ] = None
    network: Annotated[
        Entry, key("setup of networks that the variants change", written=Written | None)
    ] = None
    model: Annotated[
        Entry,
        key("setup of networks of any module that the variants change", written=Written | None),
    ] = None
    online: Annotated[
        Entry, key("setup of an online optimiser that the variants change", written=Written | None)
    ] = None
    fit: Annotated[
        Entry,
        key("Koopman fit that the variants change", written=Written | None, default="the base's"),
    ] = None
    variants: Annotated[
        Entry,
        key(
            "variants by name: what each changes of setup and `fit`; `{}` for nothing",
            written=dict[str, Written | None] | None,
        ),
    ] = None
    factors: Annotated[
        Entry,
        key(
            "fields of the setup, each with a list of values: every combination is a variant, "
            "named by its values",
            written=dict[str, tuple[Any, ...]] | None,
        ),
    ] = None
    scan: Annotated[
        tuple[str, ...] | None,
        key(
            "fields along which written variants lie, for a figure of effect by value",
            default="those of `factors`",
        ),
    ] = None
    reference: Annotated[
        str | None,
        key(
            "variant that others are measured from",
            default="the base itself, or the first",
        ),
    ] = None
    controls: Annotated[
        tuple[str, ...],
        key(
            "controls, made of the reference with new seeds: `fresh`, `permuted` (pixels), "
            "`relabelled` (classes) and `renamed` (elements of modular arithmetic) are variants "
            "that must be equivalent; `recoded:NAME` (the same dynamics in other variables, must "
            "not count) and `surrogate:NAME` (their statistics without the dynamics, should count) "
            "are control lines",
            one_of=(*CONTROLS, *NAMES),
        ),
    ] = ()
    control_lines: Annotated[
        bool,
        key(
            "answer to whether a tested study gets a recoded and a surrogate control line by "
            "itself, where `controls` names none of that kind"
        ),
    ] = True
    pairs: Annotated[
        tuple[Any, ...] | None,
        key(
            "pairs to compare, a list",
            written=tuple[Written, ...] | None,
            default="all; with `factors` or `scan`, each with the reference",
        ),
    ] = None
    time_unit: Annotated[
        str,
        key(
            "unit of time in which the verdict compares eigenvalues: `step`, `epoch` or `rate` "
            "(learning rate × step); the other two are reported beside it",
            one_of=TIME_UNITS,
        ),
    ] = "step"
    test: Annotated[
        bool, key("answer to whether pairs are tested; `false` gives distances alone")
    ] = True
    sensitivity: Annotated[
        Entry,
        key(
            "other ways to estimate by name (changes of `fit` or setup), which apply to every "
            "variant of the pairs; `fit.delays_times` multiplies each variant's delays",
            written=dict[str, Written | None] | None,
        ),
    ] = None
    error_rates: Annotated[
        Entry,
        key(
            "rates of the verdict's errors, counted on draws from the study's seeds",
            written=Written | None,
        ),
    ] = None

    renamed: ClassVar[Mapping[str, str]] = {
        "clock": "time_unit",
        "alternates": "sensitivity",
        "calibration": "error_rates",
    }
