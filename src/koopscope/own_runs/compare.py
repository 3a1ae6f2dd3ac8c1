"""From runs of one's own to a verdict, without a knob to turn."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr

from koopscope.artefacts.progress import bar
from koopscope.artefacts.provenance import stamp
from koopscope.compare.verdict import Comparison, adjusted
from koopscope.config.coordinates import steps_of
from koopscope.config.entries import values
from koopscope.config.settings import OWN_COORDINATES, Comparing
from koopscope.errors import InputError, whole_number
from koopscope.experiments.equivalence.comparison import (
    Rule,
    compare_study,
    distances_of,
    finite,
    groups_of,
    join,
    judge,
    numbers,
)
from koopscope.experiments.equivalence.control_lines import NUMBERS
from koopscope.experiments.equivalence.sensitivity import compare_alternates
from koopscope.own_runs.answer import RunsComparison
from koopscope.own_runs.fits import Fits, Runs, by_layer, in_window, of_parameters
from koopscope.own_runs.groups import Groups, read_groups
from koopscope.recording.observable import Part

BY_LAYER = "layer"


def compare_runs(
    groups: Mapping[str, Any],
    *,
    layers: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    begin: int | None = None,
    end: int | None = None,
    every: int | None = None,
    windows: int | None = None,
    by: str | None = None,
    delays: int | None = None,
    rank: int | None = None,
    coordinates: str = OWN_COORDINATES,
    distance: str = "wasserstein",
    alpha: float = 0.05,
    smallest_effect: float | str = 1.1,
    correction: str = "holm",
    controls: bool = True,
    sensitivity: bool = True,
    progress: bool = False,
    **choices: Any,
) -> RunsComparison:
    """Do these ways of training behave alike, and how sure is that?

    One spectrum is fitted to each run, and groups are compared pair by pair: a permutation test
    over runs, and the ratio of distances between groups to those within them
    (:func:`koopscope.compare.compare`). Delays and rank follow a written rule
    (:func:`koopscope.koopman.choose`), the same for all groups. Beside each verdict stands what
    other delays, ranks, halves of the runs and single layers say, and whether the verdict knows
    what it should: the first group's own runs in other variables must not count as a difference,
    their steps in another order should.

    Parameters
    ----------
    groups
        Runs by the name of their way of training, one run a seed: a path, a pattern such as
        ``"runs/sgd/*"``, a list of them, or arrays (:func:`koopscope.recording.open_run`).
    layers
        Layers or parameters, names or patterns; all by default.
    columns
        Logged numbers, such as ``["loss"]``, in place of weights.
    begin, end
        First and last step; those of the runs by default.
    every
        Keep the steps that are multiples of this, where snapshots are unevenly spaced.
    windows
        Also compare in windows of so many snapshots, one after another.
    by
        ``"layer"``: also compare each layer by itself.
    delays, rank
        As for :func:`koopscope.koopman.fit`; by the rule where they are not given.
    coordinates
        In which the weights are fitted: ``"raw"``, ``"standardised"``, ``"normal_scores"``,
        ``"whitened:k"``, or some joined by ``+`` (:mod:`koopscope.koopman.coordinates`).
    distance
        One of :data:`koopscope.compare.METRICS`.
    alpha, smallest_effect, correction
        Level of the tests, smallest ratio of distances that counts, and the correction for several
        pairs, windows and layers (:func:`koopscope.compare.adjusted`). ``"measured"`` takes for the
        ratio the upper 95 % bound of the recoded control's effect, at least 1.
    controls
        Whether to make and fit the two controls, one more fit of each of the first group's runs for
        either.
    sensitivity
        Whether to try other ways to estimate.
    progress
        Whether to show a bar on standard error.
    **choices
        More of :func:`koopscope.recording.open_run`, such as ``projection`` for checkpoints.

    Returns
    -------
    RunsComparison
        Prints as the answer; draws figures, writes a report.

    Raises
    ------
    InputError
        In one line, if the runs cannot be compared as they are.

    References
    ----------
    Redman et al., NeurIPS 2024 (one spectrum a seed, Wasserstein distance); the test over seeds and
    its effect are ours.

    Examples
    --------
    Two ways of training that differ in how fast they decay, six runs each:

    >>> import numpy as np
    >>> import koopscope as ks
    >>> rng = np.random.default_rng(0)
    >>> def runs(*rates):
    ...     steps = np.array(rates) ** np.arange(100)[:, None]
    ...     return [steps * rng.normal(1, 0.1, 3) + rng.normal(0, 1e-5, (100, 3)) for _ in range(6)]
    >>> groups = {"slow": runs(0.98, 0.9, 0.5), "fast": runs(0.9, 0.7, 0.3)}
    >>> result = ks.compare_runs(groups, rank=3)
    >>> result.verdicts
    {'slow / fast': 'distinguished'}
    """
    steps_of(coordinates)
    asked = rule = _rule(alpha, smallest_effect, correction, distance)
    part = Part(layers, columns, begin, end, every)
    if by not in (None, BY_LAYER):
        raise InputError(f"by: {by!r}; give {BY_LAYER!r}, or leave it out")
    with TemporaryDirectory(prefix="koopscope-") as scratch:
        found = read_groups(groups, part, Path(scratch), **choices)
        rows = _rows(found, windows, by)
        shown = bar(1, "fits", "run") if progress else nullcontext()
        with shown as counted:
            fits = Fits(found, delays, rank, coordinates, counted)
            study, spectra = fits.main()
            if controls:
                study, spectra = fits.with_controls(study, spectra)
            comparison = compare_study(study, spectra, rule)
            fits.note_constant(comparison)
            table = None
            if sensitivity:
                study, alternates = fits.alternates(study)
                if alternates:
                    table = compare_alternates(study, spectra, alternates, rule)
            # As measured on the whole runs, where that was asked for.
            rule = replace(rule, smallest_effect=comparison.attrs["smallest_effect"])
            parts = _parts(fits, rows, rule) if rows else None
    stamped = stamp(
        "comparison of runs",
        parameters={
            "groups": found.sources,
            "part": asdict(part),
            "fit": asdict(fits.choice) | {"coordinates": coordinates},
            "rule": asdict(asked),
            "windows": windows,
            "by": by,
            "controls": controls,
        },
        inputs=found.digests,
    )
    attrs = {
        "compared": _said(found, part),
        "chosen": json.dumps(asdict(fits.choice) | {"coordinates": coordinates}),
        "spacing": found.spacing,
        "sources": json.dumps(found.sources),
        "notes": json.dumps([*found.notes, *fits.notes]),
    }
    return RunsComparison(comparison.assign_attrs(attrs), table, parts, stamped)


def _rule(alpha: float, smallest_effect: float | str, correction: str, distance: str) -> Rule:
    given: dict[str, Any] = {"alpha": alpha, "smallest_effect": smallest_effect}
    given |= {"correction": correction, "distance": distance}
    settings = Comparing(**values(Comparing, given, what="compare_runs"))
    return Rule(**{name: getattr(settings, name) for name in asdict(Rule())})


def _rows(found: Groups, windows: int | None, by: str | None) -> dict[str, Runs]:
    """Parts of the runs that are compared by themselves, by name."""
    rows: dict[str, Runs] = {"": found.runs}
    if windows is not None:
        longest = found.snapshots
        windows = whole_number("windows", windows, 10, longest)
        rows = {}
        steps = found.any["step"].values
        for low in range(0, longest - windows + 1, windows):
            cut = in_window(found.runs, slice(low, low + windows), windows)
            if all(len(runs) >= 2 for runs in cut.values()):
                rows[f"steps {steps[low]} to {steps[low + windows - 1]}"] = cut
    if by == BY_LAYER:
        layers = by_layer(found)
        rows = {
            ", ".join(filter(None, (name, f"layer {layer}"))): of_parameters(runs, at)
            for name, runs in rows.items()
            for layer, at in layers.items()
        }
    rows.pop("", None)
    return rows


def _parts(fits: Fits, rows: Mapping[str, Runs], rule: Rule) -> xr.Dataset:
    """Verdicts of parts of the runs, corrected over all of them together."""
    results: list[Comparison | None] = []
    study = fits.study(fits.spec)
    chosen = []
    for runs in rows.values():
        spectra, choice = fits.chosen(runs)
        samples = join(study, spectra)
        distances = distances_of(samples, finite(samples["eigenvalue"].values), rule.distance)
        results += judge(study.pairs, distances, groups_of(samples), rule)
        chosen.append(f"delays {choice.delays}, rank {choice.rank}")
    p = adjusted(numbers(results, "p_value"), rule.correction)
    given = rule.alpha, float(rule.smallest_effect)
    known = [(r, q) for r, q in zip(results, p, strict=True) if r is not None]
    shape = len(rows), len(study.pairs)
    dims = "part", "pair"
    words = {
        "verdict": [r.verdict(*given, q) for r, q in known],
        "reason": [r.reason(*given, q) for r, q in known],
    }
    return xr.Dataset(
        {
            **{n: (dims, numbers(results, n).reshape(shape)) for n in NUMBERS},
            "p_adjusted": (dims, p.reshape(shape)),
            **{n: (dims, np.array(v, object).reshape(shape)) for n, v in words.items()},
            "fitted": ("part", np.array(chosen, object)),
        },
        coords={
            "part": np.array(list(rows), object),
            "first": ("pair", np.array([pair.first for pair in study.pairs], object)),
            "second": ("pair", np.array([pair.second for pair in study.pairs], object)),
        },
        attrs=asdict(rule) | {"tests": len(results)},
    )


def _said(found: Groups, part: Part) -> str:
    """What is compared, in words."""
    run = found.any
    steps, count = run["step"].values, run.sizes["weight"]
    names = [str(name) for name in run["layer"].attrs["flag_meanings"]]
    if run.name == "logged":
        what = f"logged {', '.join(names)}"
    else:
        layers = ", ".join(part.layers) if part.layers else "all that was recorded"
        what = f"{run.name} ({layers}), {count:,} numbers a snapshot"
    gap = "each step" if found.spacing == 1 else f"every {found.spacing} steps"
    return f"{what}; steps {steps[0]} to {steps[-1]}, {gap}"
