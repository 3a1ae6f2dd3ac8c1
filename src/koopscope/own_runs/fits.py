"""Fits of groups of runs: as the rule chooses them, in other ways, and of controls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import xarray as xr

from koopscope.config.coordinates import RAW, steps_of
from koopscope.config.fit import FitSpec
from koopscope.config.runs import RecordedRuns
from koopscope.controls.making import Making, making
from koopscope.errors import InputError, RankError
from koopscope.experiments.equivalence.controls import RESCALED, SHUFFLED
from koopscope.experiments.equivalence.study import Alternate, Pair, Study, Variant, control_line
from koopscope.koopman.choice import Choice, choose
from koopscope.koopman.seeds import fit_runs
from koopscope.own_runs.groups import Groups
from koopscope.recording.observable import layers_of, places

Runs = Mapping[str, Mapping[int, xr.DataArray]]
# More layers than this are compared alone only where they are asked for.
MANY_LAYERS = 8
LINES = (RESCALED, SHUFFLED)


class Fits:
    """Fits of the groups, as chosen and in other ways."""

    def __init__(
        self,
        groups: Groups,
        delays: int | None,
        rank: int | None,
        coordinates: str,
        counted: Any,
    ) -> None:
        self.groups = groups
        self.notes: list[str] = []
        self.coordinates = coordinates
        self._given = delays, rank
        self._counted = counted
        self.choice = Choice(0, 0, "")

    def main(self) -> tuple[Study, dict[str, xr.Dataset]]:
        """The study of all groups, with spectra by the rule; after it the choice is known."""
        spectra, self.choice = self.chosen(self.groups.runs)
        return self.study(self.spec), spectra

    @property
    def spec(self) -> FitSpec:
        """The fit that was chosen."""
        return self.spec_of(self.choice.delays, self.choice.rank)

    def spec_of(self, delays: int, rank: int) -> FitSpec:
        """Fit with other delays and rank in the same coordinates."""
        return FitSpec(delays, rank, coordinates=self.coordinates)

    def with_controls(
        self, study: Study, spectra: dict[str, xr.Dataset]
    ) -> tuple[Study, dict[str, xr.Dataset]]:
        """The study and its spectra with control lines, made of the first group's own runs."""
        first = study.variants[0]
        lines, found = [], dict(spectra)
        for control in LINES:
            line = control_line(control, first.setup, first.fit)
            made = making(control, self.groups.runs[first.name].values())
            try:
                fitted = self.fitted({control: self.groups.runs[first.name]}, line.fit, made)
            except InputError as error:
                self.notes.append(f"No control {control}: {error}.")
                continue
            lines.append(line)
            found |= fitted
        return replace(study, control_lines=tuple(lines)), found

    def note_constant(self, comparison: xr.Dataset) -> None:
        """Say how many weights never change, so that these coordinates leave them out."""
        count = comparison["constant_weights"].values
        if count.any():
            low, high = int(count.min()), int(count.max())
            said = f"{low}" if low == high else f"{low} to {high}"
            self.notes.append(f"Numbers of a run that never change, left out: {said}.")

    def chosen(self, runs: Runs) -> tuple[dict[str, xr.Dataset], Choice]:
        """Spectra by the rule, and what it came to."""
        every = [run for those in runs.values() for run in those.values()]
        shortest = min(run.sizes["step"] for run in every)
        features = every[0].sizes["weight"]
        for name, components in steps_of(self.coordinates):
            if components > features:
                raise InputError(
                    f"coordinates: {name}:{components}, but there are {features} numbers a "
                    f"snapshot; give at most {name}:{features}"
                )
            features = components or features
        choice = choose(shortest, features, *self._given)
        while True:
            try:
                return self.fitted(runs, self.spec_of(choice.delays, choice.rank)), choice
            except RankError as error:
                if self._given[1] is not None or not 1 <= error.found < choice.rank:
                    raise
                reason = f"{choice.reason}, but no run may have fewer: rank {error.found}"
                choice = replace(choice, rank=error.found, reason=reason)

    def fitted(
        self, runs: Runs, spec: FitSpec, instead: Making | None = None
    ) -> dict[str, xr.Dataset]:
        """Spectra of runs, or of what is made of them."""
        count = sum(map(len, runs.values()))
        if self._counted is None:
            return fit_runs(runs, spec, instead=instead)
        self._counted.total = self._counted.n + count
        return fit_runs(runs, spec, self._counted.update, instead)

    def study(self, spec: FitSpec) -> Study:
        """All groups, each pair of them compared."""
        variants = tuple(Variant(name, RecordedRuns(name), spec) for name in self.groups.runs)
        pairs = tuple(Pair(a.name, b.name) for a, b in combinations(variants, 2))
        return Study("own runs", "", variants, pairs, reference=variants[0].name)

    def alternates(self, study: Study) -> tuple[Study, dict[str, dict[str, xr.Dataset]]]:
        """Other ways to estimate: delays, ranks, halves of the runs, layers."""
        delays, rank = self.choice.delays, self.choice.rank
        ways: list[tuple[str, str, FitSpec, Runs]] = []
        for name, spec, said in (
            ("fewer delays", self.spec_of(delays // 2, rank), f"delays {delays // 2}"),
            ("more delays", self.spec_of(max(1, 2 * delays), rank), f"delays {max(1, 2 * delays)}"),
            ("lower rank", self.spec_of(delays, max(1, rank // 2)), f"rank {max(1, rank // 2)}"),
            ("higher rank", self.spec_of(delays, 2 * rank), f"rank {2 * rank}"),
            ("raw numbers", FitSpec(delays, rank, coordinates=RAW), "as recorded"),
        ):
            if spec != self.spec:
                ways.append((name, said, spec, self.groups.runs))
        half = self.groups.snapshots // 2
        for name, window in (("first half", slice(None, half)), ("second half", slice(half, None))):
            cut = in_window(self.groups.runs, window, delays + 2 + rank)
            ways.append((name, f"{half} snapshots", self.spec, cut))
        layers = by_layer(self.groups)
        for layer, at in layers.items() if 1 < len(layers) <= MANY_LAYERS else ():
            ways.append(
                (f"layer {layer} alone", "", self.spec, of_parameters(self.groups.runs, at))
            )
        made, found = [], {}
        for name, said, spec, runs in ways:
            if any(len(those) < 2 for those in runs.values()):
                self.notes.append(f"Not tried: {name}, for which runs are too short.")
                continue
            try:
                found[name] = self.fitted(runs, spec)
            except InputError as error:
                self.notes.append(f"Not possible: {name} ({error}).")
                continue
            variants = tuple(replace(v, fit=spec) for v in study.variants)
            made.append(Alternate(name, said, variants))
        return replace(study, alternates=tuple(made)), found


def in_window(runs: Runs, window: slice, least: int) -> Runs:
    """Window of each run that has at least so many snapshots in it."""
    cut = {name: {s: r.isel(step=window) for s, r in those.items()} for name, those in runs.items()}
    return {
        name: {s: r for s, r in those.items() if r.sizes["step"] >= least}
        for name, those in cut.items()
    }


def by_layer(found: Groups) -> dict[str, list[int]]:
    """Parameters of each layer that every group has by that name; of columns each by itself."""
    those = [layers_of(next(iter(runs.values()))) for runs in found.runs.values()]
    return {name: at for name, at in those[0].items() if all(t.get(name) == at for t in those)}


def of_parameters(runs: Runs, parameters: Sequence[int]) -> Runs:
    """These parameters of each run alone."""
    return {
        name: {s: r.isel(weight=places(r, parameters)) for s, r in those.items()}
        for name, those in runs.items()
    }
