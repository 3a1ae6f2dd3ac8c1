"""Does the spectrum tell runs that grok from others before they do, and can it be predicted?

[ours, after the later experiments of Redman et al.: a transformer whose norm is kept does not grok]
Groups of runs are followed, and their spectra compared with those of a reference in windows from
the beginning: one ends before any of its runs' test accuracy has begun to rise. Runs of several
settings are followed too, and from what is seen of them early it is predicted which generalise.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.artefacts.provenance import digest
from koopscope.artefacts.texts import texts
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.experiments.grokking.comparing import (
    Line,
    compared,
    lines_of,
    spectra,
)
from koopscope.experiments.grokking.following import follow
from koopscope.experiments.grokking.outcomes import outcomes, rise
from koopscope.experiments.grokking.predicting import predicted, seen
from koopscope.experiments.means import Means
from koopscope.training.devices import one_blas_thread

if TYPE_CHECKING:
    from koopscope.experiments.grokking.plan import Grokking

CURVES = ("loss", "length", "train_accuracy", "test_accuracy")


def run(plan: "Grokking", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Follow all groups and settings, compare spectra, predict.

    Returns
    -------
    xarray.Dataset
        Dims (group, seed, step): ``loss``, ``length``, ``train_accuracy``, ``test_accuracy``;
        (group, seed): of :func:`~koopscope.experiments.grokking.outcomes.outcomes`. What
        :func:`judged` and, for a prediction,
        :func:`~koopscope.experiments.grokking.predicting.predicted` give. Attributes ``reference``,
        ``rise`` (NaN if none of its runs rises), ``risen``, ``record_every``, ``steps``.
    """
    sets = {digest(s.to_dict()): ds for s, ds in zip(plan.data_sets, data, strict=True)}
    spec = FitSpec(plan.delays, plan.rank, coordinates=plan.coordinates)

    def followed(setup) -> xr.Dataset:
        of = sets[digest(setup.data.to_dict())]
        return follow(setup, of, means.device, means.progress)

    with one_blas_thread(means.threads):
        runs = {name: followed(setup) for name, setup in plan.trained.items()}
        parts = [together(runs, plan.seeds), judged(plan, runs, spec)]
        if plan.prediction is not None:
            horizons, of_settings = plan.prediction.horizons, {}
            for name, setup in plan.settings.items():
                group = runs.get(plan.shared.get(name, ""))
                own = followed(setup) if group is None else group.sel(seed=list(setup.seeds))
                of_settings[name] = seen(own, horizons, spec, plan.risen)
            parts.append(predicted(of_settings, plan.settings).drop_vars("run", errors="ignore"))
    model = plan.of_reference
    return xr.merge(parts, combine_attrs="drop_conflicts").assign_attrs(
        reference=plan.reference,
        rise=rise(runs[plan.reference]["test_accuracy"], plan.risen),
        risen=plan.risen,
        record_every=model.record_every,
        steps=model.steps,
        delays=plan.delays,
        rank=plan.rank,
        weight_coordinates=plan.coordinates,
        alpha=plan.compare.alpha,
        data=said_of(model.data),
        architecture=str(model.architecture or model.module),
    )


def said_of(data: DataSpec) -> str:
    """Modular arithmetic in words."""
    origin = data.origin
    return (
        f"{origin.operation} modulo {origin.modulus}, {100 * origin.train_share:g} % of the pairs "
        "train"
    )


def together(runs: Mapping[str, xr.Dataset], seeds: Sequence[int]) -> xr.Dataset:
    """Curves and outcomes of all groups, whose seeds are named as the question's."""
    curves = [r[list(CURVES)].assign_coords(seed=list(seeds)) for r in runs.values()]
    found = xr.concat(curves, dim="group").assign_coords(group=texts(runs))
    return found.merge(outcomes(found["train_accuracy"], found["test_accuracy"]))


def judged(plan: "Grokking", runs: Mapping[str, xr.Dataset], spec: FitSpec) -> xr.Dataset:
    """Spectra of all lines in each window, and what each comes to against the reference.

    Returns
    -------
    xarray.Dataset
        Dims (window, line), of :func:`~koopscope.experiments.grokking.comparing.compared`; the
        coordinate ``window`` is its last step, ``before`` (window) marks the one before the rise.
        (alternate, line): ``alternate_effect`` and the like, of that window in other coordinates.
        (spectrum, seed, mode): ``eigenvalue``, ``residual`` of that window, of the reference and
        the lines. Without a rise, or one too early for a fit, these are of the first window.
    """
    every = plan.of_reference.record_every
    names = list(runs)
    lines = lines_of(names, plan.controls)
    before = rise(runs[plan.reference]["test_accuracy"], plan.risen)
    fits = np.isfinite(before) and before // every >= plan.delays + plan.rank + 1
    ends = sorted({*plan.windows, *([int(before)] if fits else [])})
    chosen = int(before) if fits else ends[0]
    found, of_chosen = [], {}
    for end in ends:
        of_line = _spectra(runs, plan.reference, lines, spec, end // every)
        found.append(compared(of_line, of_line[plan.reference], lines, plan.compare))
        if end == chosen:
            of_chosen = of_line
    out = xr.concat(found, dim="window").assign_coords(
        window=ends,
        before=("window", [bool(fits) and end == chosen for end in ends]),
        expected=("line", texts(line.expected for line in lines)),
        because=("line", texts(line.because for line in lines)),
        control=("line", [bool(line.control) for line in lines]),
    )
    shown = [s[["eigenvalue", "residual"]].assign_coords(seed=list(plan.seeds)) for s in
             of_chosen.values()]  # fmt: skip
    drawn = xr.concat(shown, dim="spectrum", join="outer", combine_attrs="drop")
    out = out.merge(drawn.assign_coords(spectrum=texts(of_chosen)))
    if not plan.alternates:
        return out.assign_attrs(chosen=chosen)
    others = []
    for coordinates in plan.alternates:
        other = FitSpec(plan.delays, plan.rank, coordinates=coordinates)
        of_line = _spectra(runs, plan.reference, lines, other, chosen // every)
        others.append(compared(of_line, of_line[plan.reference], lines, plan.compare))
    alternates = xr.concat(others, dim="alternate").assign_coords(alternate=texts(plan.alternates))
    named = {str(name): f"alternate_{name}" for name in alternates.data_vars}
    return out.merge(alternates.rename(named)).assign_attrs(chosen=chosen)


def _spectra(
    runs: Mapping[str, xr.Dataset],
    reference: str,
    lines: Sequence[Line],
    spec: FitSpec,
    snapshots: int,
) -> dict[str, xr.Dataset]:
    found = {reference: spectra(runs[reference]["weights"], spec, snapshots=snapshots)}
    for line in lines:
        weights = runs[line.runs]["weights"]
        found[line.name] = spectra(weights, spec, line.control, snapshots)
    return found
