"""Train runs, and say when windows of their training are as the last one.

[ours, after Redman et al., NeurIPS 2024, who characterise the early phase of convolutional networks
by their Koopman spectra; the body of that section could not be read] Each window of training has a
spectrum a run, by layer. A window is as the last one where the distance between the two is no more
than seeds of one window are apart. Plain markers, judged by the same rule, stand beside.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.artefacts.texts import texts
from koopscope.compare.words import INCONCLUSIVE
from koopscope.experiments.early_phase.comparing import (
    control_lines,
    judged,
    of_numbers,
    of_spectra,
)
from koopscope.experiments.early_phase.markers import markers, window_means
from koopscope.experiments.early_phase.names import ALL, MARKERS, UNEVEN
from koopscope.experiments.early_phase.parts import Part, gradient_lengths, parts_of
from koopscope.experiments.early_phase.spectra import of_control, of_windows, whole
from koopscope.experiments.means import Means
from koopscope.training.devices import one_blas_thread
from koopscope.training.module_training import trained

if TYPE_CHECKING:
    from koopscope.experiments.early_phase.plan import EarlyPhase

# Test samples of the accuracy, the first ones: it is told, and nothing rests on it.
TESTED = 1000


def run(plan: "EarlyPhase", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Train, fit and compare all windows of a question.

    Returns
    -------
    xarray.Dataset
        Of :func:`phases`, with ``accuracy`` (member) after the last step, on the first thousand
        test samples, and ``diverged``, number of runs.

    Raises
    ------
    InputError
        If a layer is no recorded parameter, or the networks cannot be trained.
    """
    (samples,) = data
    samples = samples.isel(test_sample=slice(TESTED))
    with one_blas_thread(means.threads):
        parts = parts_of(plan)
        found = trained(
            plan.model, samples, means.device, means.progress, {"gradient": gradient_lengths}
        ).isel(init=0)
        weights = found["weights"].transpose("seed", "step", "weight").values
        series = markers(weights, found["loss"].values, found["gradient"].values)
        out = phases(plan, weights, series, parts)
    return out.assign(
        accuracy=("member", found["accuracy"].values[:, -1]),
        diverged=int((found["diverged_at"].values >= 0).sum()),
    )


def phases(
    plan: "EarlyPhase",
    weights: np.ndarray,
    series: Mapping[str, np.ndarray],
    parts: Mapping[str, Part],
) -> xr.Dataset:
    """Compare windows of runs by their spectra and by plain markers.

    Parameters
    ----------
    plan
        Windows, fits, controls, and how to compare.
    weights
        Recorded numbers, shape (run, snapshot, weight).
    series
        Markers by name, shape (run, snapshot).
    parts
        Parts of the network by name.

    Returns
    -------
    xarray.Dataset
        Dim ``measure``, the parts and then the markers (``spectral`` tells them apart), with all
        of :func:`koopscope.experiments.early_phase.comparing.judged`. Dim ``part``: ``numbers``
        of a snapshot, ``control_…`` (part, controlled, control) of
        :func:`koopscope.experiments.early_phase.comparing.control_lines`, and ``eigenvalue`` (part,
        window, member, mode), of one step of ``record_every``. Dim ``marker``: ``mean`` (marker,
        window, member) and ``curve`` (marker, member, snapshot). Coordinates ``start`` and ``stop``
        (window), ``seed`` (member), ``step`` (snapshot).
    """
    runs = dict(zip(plan.model.seeds, weights, strict=True))
    compared, lines, eigenvalues, means = {}, [], [], []
    for name, part in parts.items():
        spectra = of_windows(weights, plan, part)
        made = {control: of_control(control, runs, plan, part) for control in plan.controls}
        of_part, margin = control_lines(spectra, made, plan.compare)
        compared[name] = judged(of_spectra(spectra, plan.compare.distance), margin, plan.compare)
        lines.append(of_part)
        eigenvalues.append(spectra.eigenvalues)
    # Where a margin is measured, it is on recoded weights; markers take that of all layers.
    margin = compared[ALL]["margin"].item()
    for name in MARKERS:
        values = window_means(series[name], whole(plan))
        compared[name] = judged(of_numbers(values), margin, plan.compare)
        means.append(values)
    every, bounds = plan.model.record_every, plan.windows.bounds
    snapshots = bounds[-1] // every
    curves = np.stack([series[name][:, :snapshots] for name in MARKERS])
    found = xr.concat(compared.values(), dim="measure", combine_attrs="drop")
    if len(set(plan.strides)) > 1:
        found = without_end(found)
    return (
        found.merge(xr.concat(lines, dim="part", combine_attrs="drop"))
        .assign(
            eigenvalue=(("part", "window", "member", "mode"), np.stack(eigenvalues)),
            numbers=("part", [len(part.columns) for part in parts.values()]),
            mean=(("marker", "window", "member"), np.stack(means)),
            curve=(("marker", "member", "snapshot"), curves.astype(np.float32)),
        )
        .assign_coords(
            measure=texts(compared),
            spectral=("measure", [name in parts for name in compared]),
            part=texts(parts),
            marker=texts(MARKERS),
            start=("window", list(bounds[:-1])),
            stop=("window", list(bounds[1:])),
            seed=("member", list(plan.model.seeds)),
            step=("snapshot", np.arange(1, snapshots + 1) * every),
        )
        .assign_attrs(
            network=plan.model.id,
            delays=plan.delays,
            rank=plan.rank,
            weight_coordinates=plan.coordinates,
            alpha=plan.compare.alpha,
            correction=plan.compare.correction,
            smallest_effect=plan.compare.smallest_effect,
            distance=plan.compare.distance,
        )
    )


def without_end(found: xr.Dataset) -> xr.Dataset:
    """Comparisons of windows of several lengths: effects as they are, and no end."""
    unknown = {name: found[name] * np.nan for name in ("end", "end_low", "end_high")}
    size = found.sizes["measure"]
    words = {"outcome": [INCONCLUSIVE] * size, "reason": [UNEVEN] * size}
    return found.assign(unknown | {name: ("measure", texts(said)) for name, said in words.items()})
