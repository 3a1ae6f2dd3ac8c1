"""What the jobs of a study need of memory and disk."""

from collections.abc import Iterator

from koopscope.config.control_fit import ControlFit
from koopscope.config.fit import FitSpec
from koopscope.config.runs import RecordedRuns
from koopscope.config.setup import OnlineSetup
from koopscope.config.setups import Trained
from koopscope.config.sizes import NUMERICAL, TORCH, Need, Part
from koopscope.experiments.equivalence.study import Study, Variant
from koopscope.experiments.sizes import (
    DOUBLE,
    SINGLE,
    Sections,
    fitted,
    iterated,
    modes,
    snapshots,
    tested,
    trained,
)

# Distances of two spectra that a comparison keeps.
DISTANCES = 4


def needs(study: Study, sections: Sections) -> Iterator[Need]:
    """Of its ensembles, its fits, its comparison and what else it asks for.

    Of recorded runs nothing is known before they are read.
    """
    threads = sections["koopman"].threads if sections["koopman"].scheduler is None else 0
    for variant in study.every_variant:
        yield from _trajectories(study, variant)
        setup, fit = variant.setup, variant.fit
        if not isinstance(setup, RecordedRuns):
            path = f"results/spectra/{setup.id}/{fit.id}.zarr"
            memory = _fitted(fit, setup, threads)
            yield Need(
                path, "spectra", _at(study, variant), NUMERICAL, memory, (modes(fit, setup),)
            )
    yield from _compared(study, sections)


def _trajectories(study: Study, variant: Variant) -> Iterator[Need]:
    setup = variant.setup
    path, where = f"results/trajectories/{setup.id}.zarr", _at(study, variant)
    if isinstance(setup, Trained):
        yield Need(path, "train", where, TORCH, trained(setup), (snapshots(setup),))
    elif isinstance(setup, OnlineSetup):
        memory, disk = iterated(setup)
        yield Need(path, "train", where, NUMERICAL, memory, (disk,))


def _compared(study: Study, sections: Sections) -> Iterator[Need]:
    where, how = f"studies.{study.name}", sections["compare"]
    seeds = {v.name: v.fit.seeds or len(v.setup.seeds) for v in study.variants}
    spectra = sum(seeds.values())
    square = Part(DISTANCES * DOUBLE * spectra**2, {})
    tests = tested({(seeds[p.first], seeds[p.second]) for p in study.pairs}, how)
    store = "results/{}/" + f"{study.name}.zarr"
    memory = (*tests, square)
    yield Need(store.format("comparison"), "comparison", where, NUMERICAL, memory, (square,))
    of = [v.setup for v in study.variants if not isinstance(v.setup, RecordedRuns)]
    lengths = {setup.states: setup for setup in of}
    if lengths:
        longest = max(lengths)
        name = "states" if isinstance(lengths[longest], OnlineSetup) else "steps"
        keys = {name: longest, "initialisations": max(s.initialisations for s in of)}
        runs = sum(len(s.seeds) * s.initialisations * s.states for s in of)
        curves = Part(DOUBLE * spectra * longest, keys)
        memory = (Part(3 * SINGLE * runs, keys), curves)
        yield Need(store.format("curves"), "curves", where, NUMERICAL, memory, (curves,))
    if study.alternates:
        yield Need(store.format("sensitivity"), "sensitivity", where, NUMERICAL, (*tests, square))
    rates = study.error_rates
    if rates is not None:
        pairs = len(study.pairs) + len(rates.split)
        count = pairs * len(rates.seeds) * rates.draws * (DISTANCES + 4)
        draws = Part(3 * DOUBLE * count, {"error_rates.draws": rates.draws})
        disk = (Part(DOUBLE * count, draws.keys),)
        memory = (*tested({(n, n) for n in rates.seeds}, how), square, draws)
        yield Need(store.format("error_rates"), "error rates", where, NUMERICAL, memory, disk)


def _fitted(fit: FitSpec, setup: Trained | OnlineSetup, threads: int) -> tuple[Part, ...]:
    parts = fitted(fit, setup, threads)
    # What a control is made of lies beside it.
    return (*parts, parts[0]) if isinstance(fit, ControlFit) else parts


def _at(study: Study, variant: Variant) -> str:
    return f"studies.{study.name}, variant {variant.name}"
