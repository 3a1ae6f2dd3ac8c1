"""From a checked configuration to studies: bases, grids, controls, and what is refused.

Everything that can be known to fail is refused here, in one line, before any work starts.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from itertools import combinations, product
from math import isfinite
from typing import Any

from koopscope.compare.permutations import smallest_p
from koopscope.config.checks import each_once, near, one_of, within
from koopscope.config.data import DataSpec
from koopscope.config.entries import Partly, keys, values
from koopscope.config.fit import FitSpec
from koopscope.config.models import ModelSetup
from koopscope.config.reading import settings
from koopscope.config.runs import RecordedRuns
from koopscope.config.settings import DEFAULT_COORDINATES, OWN_COORDINATES, Comparing
from koopscope.config.setup import NetworkSetup, OnlineSetup
from koopscope.config.setups import Setup, factor_value
from koopscope.config.shown import shown
from koopscope.errors import InputError
from koopscope.experiments.equivalence.controls import lines, new_draws
from koopscope.experiments.equivalence.entry import (
    CONTROLS,
    BaseEntry,
    OfAlternates,
    OfVariants,
    StudyEntry,
)
from koopscope.experiments.equivalence.labels import label, said
from koopscope.experiments.equivalence.possible import refuse_fit
from koopscope.experiments.equivalence.study import (
    Alternate,
    ErrorRates,
    Pair,
    Study,
    Variant,
)
from koopscope.recording.finding import content_digest, find_runs

KINDS = {"network": NetworkSetup, "model": ModelSetup, "online": OnlineSetup}
SETUPS = {name: Partly((cls,)) for name, cls in KINDS.items()}
BASES = {"": (BaseEntry,), **SETUPS, "fit": (FitSpec,)}
CHANGES = [Partly((cls, OfVariants)) for cls in KINDS.values()]
RUNS = "runs"
ONE_OF = ", ".join(("base", *KINDS))
KEYS = {
    "": (StudyEntry,),
    **SETUPS,
    "fit": (FitSpec,),
    "variants.*": [*CHANGES, (RecordedRuns, OfVariants)],
    "variants.*.fit": (FitSpec,),
    "pairs[]": (Pair,),
    "sensitivity.*": CHANGES,
    "sensitivity.*.fit": (FitSpec, OfAlternates),
    "error_rates": (ErrorRates,),
}

# A verdict has to mean conjugacy; a fit by itself takes what it is given as it is.
OF_STUDIES = {"coordinates": DEFAULT_COORDINATES}
OF_RECORDED = {"coordinates": OWN_COORDINATES}


def from_config(
    name: str, entry: Mapping[str, Any], data: Mapping[str, DataSpec], config: Mapping[str, Any]
) -> Study:
    """Study of a configuration's entry.

    Parameters
    ----------
    name, entry
        The entry.
    data
        Data sets by name.
    config
        Of which ``bases`` and ``compare`` are used.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if it cannot be run as it is written.
    """
    given = StudyEntry(**values(StudyEntry, entry, what="a study"))
    planner = _Planner(given, config.get("bases") or {}, data)
    return planner.study(name, settings(config)["compare"])


def read_base(name: str, entry: Mapping[str, Any]) -> BaseEntry:
    """A setup that studies start from, whose keys are checked.

    Raises
    ------
    InputError
        With the key, the value and the remedy.
    """
    with within(f"bases.{name}"):
        base = BaseEntry(**values(BaseEntry, entry, what="a base"))
        for part, cls in (*KINDS.items(), ("fit", FitSpec)):
            with within(part):
                values(cls, getattr(base, part), partial=True)
    return base


class _Planner:
    """One study in the making."""

    def __init__(
        self, entry: StudyEntry, bases: Mapping[str, Any], data: Mapping[str, DataSpec]
    ) -> None:
        self.entry, self.data = entry, data
        base: StudyEntry | BaseEntry = entry
        if entry.base is not None:
            one_of("base", entry.base, tuple(bases))
            base = read_base(entry.base, bases[entry.base])
        if base is entry and all(getattr(entry, kind) is None for kind in KINDS):
            self.recorded_only()
            return
        own = [k for k in KINDS if getattr(entry, k) is not None and entry.base is not None]
        kinds = [kind for kind in KINDS if getattr(base, kind) is not None]
        if own or len(kinds) != 1:
            raise InputError(f"base: has {own or kinds or 'no base'}; give one of {ONE_OF}")
        self.kind = kinds[0]
        self.cls = KINDS[self.kind]
        where = "" if entry.base is None else f"bases.{entry.base}."
        with within(f"{where}{self.kind}"):
            self.fields = values(self.cls, getattr(base, self.kind), partial=True)
        with within(f"{where}fit"):
            self.fit = OF_STUDIES | values(FitSpec, base.fit, partial=True)
        with within("fit"):
            self.fit |= values(FitSpec, entry.fit, partial=True)

    def recorded_only(self) -> None:
        """A study of recorded runs alone, which has no setup to change."""
        for name, given in (self.entry.variants or {}).items():
            if RUNS not in (given or {}):
                raise InputError(
                    f"variants.{name}: has no runs, and the study no base to train; give runs, or "
                    f"one of {ONE_OF}"
                )
        if not self.entry.variants or self.entry.factors:
            raise InputError(f"base: has no base; give one of {ONE_OF}, or runs")
        self.kind, self.cls, self.fields = RUNS, RecordedRuns, {}
        with within("fit"):
            self.fit = OF_RECORDED | values(FitSpec, self.entry.fit, partial=True)

    def study(self, name: str, compare: Comparing) -> Study:
        entry = self.entry
        variants, changes = self.variants()
        reference = entry.reference or self.reference(variants)
        one_of("reference", reference, tuple(variants))
        grid = len(variants)
        each_once("controls", entry.controls, least=0)
        controls = self.controls(variants[reference], variants)
        variants |= {v.name: v for v in controls}
        known = [Pair(reference, v.name, "equivalent", CONTROLS[v.name]) for v in controls]
        pairs = (*self.pairs(list(variants)[:grid], reference), *known)
        scan = self.scan(list(variants.values())[:grid])
        study = Study(
            name,
            entry.question,
            tuple(variants.values()),
            pairs,
            entry.time_unit,
            reference,
            scan,
            entry.test,
            control_lines=self.control_lines(variants[reference], variants),
        )
        self.check_pairs(study, compare)
        return replace(
            study,
            alternates=self.alternates(changes, study),
            error_rates=self.error_rates(study),
        )

    def variants(self) -> tuple[dict[str, Variant], dict[str, dict[str, Any]]]:
        """Variants by name, and what each changes."""
        written = self.entry.variants or {}
        changes = {name: self.changes(f"variants.{name}", c) for name, c in written.items()}
        factors = self.factors()
        if factors:
            for point in product(*factors.values()):
                at = dict(zip(factors, point, strict=True))
                name = "_".join(label(field, value) for field, value in at.items())
                if name in changes:
                    raise InputError(f"factors: {name} stands twice; give it once")
                changes[name] = at
        if not changes:
            raise InputError("variants: nothing that varies; give variants or factors")
        return {n: self.variant(f"variants.{n}", n, c) for n, c in changes.items()}, changes

    def factors(self) -> dict[str, tuple[Any, ...]]:
        """Fields with their values, each as the field takes it."""
        found = {}
        for field, those in (self.entry.factors or {}).items():
            self.known_field("factors", field)
            with within("factors"):
                found[field] = tuple(keys(self.cls)[field].read(value) for value in those)
            if not those:
                raise InputError(f"factors.{field}: no value; give a list of one or more")
        return found

    def changes(self, where: str, entry: Mapping[str, Any] | None) -> dict[str, Any]:
        """Fields that an entry changes, and those of the fit under ``fit``."""
        with within(where):
            if RUNS in (entry or {}):
                return self.of_recorded(entry or {})
            found = values(self.cls, entry, partial=True, apart=keys(OfVariants), what=self.kind)
            fit = (entry or {}).get("fit")
            if fit is not None:
                with within("fit"):
                    more = tuple(keys(OfAlternates))
                    found["fit"] = values(FitSpec, fit, partial=True, apart=more)
                    ours = {name: fit[name] for name in more if name in fit}
                    found["fit"] |= values(OfAlternates, ours)
        return found

    def of_recorded(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Runs that an entry names, and its fit."""
        given = values(RecordedRuns, entry, apart=keys(OfVariants), what="recorded runs")
        try:
            contents = tuple(map(content_digest, find_runs(given[RUNS])))
        except OSError as error:
            raise InputError(f"{RUNS}: {shown(given[RUNS])}: {error.strerror}") from None
        found: dict[str, Any] = {RUNS: RecordedRuns(**given, contents=contents)}
        if entry.get("fit") is not None:
            with within("fit"):
                found["fit"] = values(FitSpec, entry["fit"], partial=True)
        return found

    def variant(
        self, where: str, name: str, changes: Mapping[str, Any], more: Mapping[str, Any] = {}
    ) -> Variant:
        """Variant by its changes, and by ``more`` changes after them."""
        recorded = changes.get(RUNS)
        setup, fit = dict(self.fields), dict(self.fit)
        for change in (changes, more):
            setup |= {k: v for k, v in change.items() if k not in ("fit", RUNS)}
            own = dict(change.get("fit", {}))
            times = own.pop("delays_times", None)
            fit |= own
            if times is not None:
                fit["delays"] = round(fit.get("delays", 0) * times)
        try:
            if "delays_times" in fit:
                raise InputError("fit.delays_times: multiplies delays; give it to sensitivity only")
            if recorded is not None and (more.keys() - {"fit"}):
                named = ", ".join(sorted(more.keys() - {"fit"}))
                raise InputError(f"{named}: runs are recorded already; change their fit alone")
            made = Variant(name, recorded or self.setup(setup), FitSpec(**fit))
            refuse_fit(made.fit, made.setup)
            return made
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def setup(self, given: Mapping[str, Any]) -> Setup:
        if self.kind == RUNS:
            raise InputError("runs: is missing; give a path or a pattern of recorded runs")
        if self.kind == "online":
            if "method" not in given:
                raise InputError("method: is missing; give omd, ogd or bisection")
            return OnlineSetup(**given)
        one_of("data", given.get("data"), tuple(self.data))
        return self.cls(**given | {"data": self.data[given["data"]]})

    def reference(self, variants: Mapping[str, Variant]) -> str:
        """Grid point that is the base itself, if there is one, or the first variant."""
        try:
            base = self.setup(self.fields)
        except InputError:
            return next(iter(variants))
        same = [n for n, v in variants.items() if v.setup.to_dict() == base.to_dict()]
        return (same or list(variants))[0]

    def scan(self, variants: list[Variant]) -> tuple[str, ...]:
        """One or two numeric fields along which the variants lie, if there are such."""
        fields = tuple(self.entry.scan or self.entry.factors or ())
        for field in fields:
            self.known_field("scan", field)
        drawable = 1 <= len(fields) <= 2 and all(
            isfinite(factor_value(v.setup, field)) for v in variants for field in fields
        )
        if not drawable and self.entry.scan is not None:
            raise InputError(
                f"scan: {list(fields)} is not one or two fields with numbers; "
                "give such, or leave it out"
            )
        return fields if drawable else ()

    def controls(self, reference: Variant, variants: Container[str]) -> list[Variant]:
        names = [name for name in self.entry.controls if name in CONTROLS]
        return new_draws(names, reference, variants)

    def control_lines(self, reference: Variant, variants: Container[str]) -> tuple[Variant, ...]:
        names = [name for name in self.entry.controls if name not in CONTROLS]
        if self.entry.test:
            return lines(names, reference, variants, self.entry.control_lines)
        if names:
            raise InputError(f"controls: {names[0]} needs a test; leave it or test: false out")
        return ()

    def pairs(self, names: list[str], reference: str) -> tuple[Pair, ...]:
        if self.entry.pairs is None:
            if self.entry.factors or self.entry.scan:
                return tuple(Pair(reference, name) for name in names if name != reference)
            return tuple(Pair(a, b) for a, b in combinations(names, 2))
        pairs, seen = [], set()
        for i, given in enumerate(self.entry.pairs):
            with within(f"pairs[{i}]"):
                pair = Pair(**values(Pair, given, what="a pair"))
            pairs.append(pair)
            for name in (pair.first, pair.second):
                one_of(f"pairs[{i}]", name, tuple(names))
            if pair.first == pair.second or frozenset((pair.first, pair.second)) in seen:
                raise InputError(
                    f"pairs[{i}]: {pair.first} and {pair.second} are one variant "
                    "or stand in the list already; give each pair of variants once"
                )
            seen.add(frozenset((pair.first, pair.second)))
        return tuple(pairs)

    def check_pairs(self, study: Study, compare: Comparing) -> None:
        """Refuse pairs that are one setup twice, and tests that no outcome could decide."""
        of = {v.name: v for v in study.variants}
        # Holm's correction multiplies the smallest p by the number of pairs.
        times = len(study.pairs) if compare.correction != "none" else 1
        if study.time_unit != "step":
            for variant in study.variants:
                if isinstance(variant.setup, RecordedRuns):
                    raise InputError(
                        f"time_unit: {study.time_unit} is not known of the recorded runs "
                        f"{variant.name}; give step"
                    )
        for pair in study.pairs:
            a, b = of[pair.first], of[pair.second]
            where = f"pairs: {pair.first} / {pair.second}"
            shared = set(getattr(a.setup, "contents", ())) & set(getattr(b.setup, "contents", ()))
            if shared:
                raise InputError(
                    f"{where}: {len(shared)} runs stand on both sides; give each run once"
                )
            if (a.setup, a.fit) == (b.setup, b.fit) and pair.expected != "equivalent":
                raise InputError(
                    f"{where}: both sides are {a.setup.id} with the same fit; change one, "
                    "or mark the pair as a control with expected: equivalent"
                )
            seeds = [v.fit.seeds or len(v.setup.seeds) for v in (a, b)]
            least = times * smallest_p(*seeds, compare.permutations)
            if study.test and least > compare.alpha:
                raise InputError(
                    f"{where}: with {seeds[0]} and {seeds[1]} seeds and "
                    f"{compare.permutations} permutations, the smallest p reachable over "
                    f"{times} pairs is {least:.2g}, above alpha = {compare.alpha:g}; "
                    "give more seeds or permutations, or test: false for distances alone"
                )

    def alternates(
        self, changes: Mapping[str, Mapping[str, Any]], study: Study
    ) -> tuple[Alternate, ...]:
        paired = {name for pair in study.pairs for name in (pair.first, pair.second)}
        made = []
        for name, entry in (self.entry.sensitivity or {}).items():
            where = f"sensitivity.{name}"
            more = self.changes(where, entry)
            variants = [self.variant(where, n, c, more) for n, c in changes.items() if n in paired]
            here = {v.name: v for v in variants}
            own: tuple[Variant, ...] = ()
            if study.reference in here:
                variants += self.controls(here[study.reference], here)
                if "coordinates" in more.get("fit", {}):
                    own = self.control_lines(here[study.reference], here)
            # Nothing shows how far the refits of an alternate scatter.
            those = tuple(replace(v, fit=replace(v.fit, resamples=0)) for v in variants)
            made.append(Alternate(name, said(entry or {}), those, own))
        return tuple(made)

    def error_rates(self, study: Study) -> ErrorRates | None:
        if self.entry.error_rates is None:
            return None
        with within("error_rates"):
            found = ErrorRates(**values(ErrorRates, self.entry.error_rates))
            if not found.seeds:
                raise InputError("seeds: none; give one size of a group or more")
            seeds = {v.name: v.fit.seeds or len(v.setup.seeds) for v in study.variants}
            for name in found.split:
                one_of("split", name, tuple(seeds))
                if seeds[name] < 2 * min(found.seeds):
                    raise InputError(
                        f"split: {name} has {seeds[name]} seeds, too few for two groups of "
                        f"{min(found.seeds)}"
                    )
        return found

    def known_field(self, where: str, field: str) -> None:
        known = keys(self.cls)
        if field not in known:
            raise InputError(f"{where}.{field}: no key of {self.kind}{near(field, known)}")
