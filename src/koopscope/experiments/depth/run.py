"""How many layers does a network need? Spectra of short training against errors of full training.

[ours, after a claim of Manojlović et al. 2020 whose protocol could not be read] Networks of depths
1 … D are trained. The Koopman spectrum of what they answer on a few fixed samples in the first
steps is compared between depths d and d + 1: where the distance falls to what seeds of one depth
differ by, another layer changes the training no more, and d is the depth predicted. The depth
observed is the first one whose error after full training is near the least.

The observable is the probe, loss and answers on fixed samples: as many numbers at every depth, of
the same meaning, and it depends on every layer. A sketch of all layers has a size that grows with
the depth; that of the first layer does not, but sees the others through its gradient alone.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from koopscope.compare.intervals import finite_mean
from koopscope.data.signals import signal
from koopscope.experiments.depth.names import CLASSIFICATION, HSVR_RULES
from koopscope.experiments.depth.regression import points_of, train_regression
from koopscope.experiments.depth.rules import agreement, judged
from koopscope.experiments.depth.setup import network
from koopscope.experiments.hsvr.prediction import predictions
from koopscope.experiments.means import Means
from koopscope.koopman.fitting import fit
from koopscope.training.devices import one_blas_thread
from koopscope.training.ensemble import train
from koopscope.training.loop import Accuracy
from koopscope.training.recording import steps_per_chunk

if TYPE_CHECKING:
    from koopscope.experiments.depth.plan import DepthExperiment, DepthFamily

# The short training's loss is the mean over its last steps, as many as one in so many.
LAST = 4


def run(plan: "DepthExperiment", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Train every depth of every family of a question, and say what each predictor predicts.

    Returns
    -------
    xarray.Dataset
        Of :func:`run_families`.
    """
    sets, by_task = iter(data), {}
    for name, family in plan.families:
        task = family.task
        if task.kind == CLASSIFICATION:
            by_task[name] = next(sets)
        else:
            by_task[name] = signal(task.signal, task.points, task.noise)
    with one_blas_thread(means.threads):
        return run_families(dict(plan.families), by_task, means.progress)


def run_family(
    family: "DepthFamily",
    data: xr.Dataset,
    progress: Callable[[int], object] = lambda depths: None,
) -> xr.Dataset:
    """Train every depth, fit the spectra of the short training, and say what each rule predicts.

    Parameters
    ----------
    family
        What to train.
    data
        A data set in the common form (:mod:`koopscope.data`) for a classification, a signal
        (:func:`koopscope.data.signals.signal`) for a regression.
    progress
        Called with 1 for each depth that is done.

    Returns
    -------
    xarray.Dataset
        Of :func:`koopscope.experiments.depth.rules.judged`, with ``eigenvalue`` (depth, seed, mode;
        NaN where there are fewer), ``diverged`` (depth, seed; number of runs), ``seconds`` (depth;
        of the full training) and ``fit_seconds`` (depth). For a regression also ``hsvr``
        (hsvr_rule): layers of a hierarchical SVR that its rules predict for the same training
        values.

    Raises
    ------
    InputError
        If the data do not fit the task.
    """
    probes, losses, errors, seconds, fit_seconds, spectra = [], [], [], [], [], []
    classifies = family.task.kind == CLASSIFICATION
    points = None if classifies else points_of(data)
    for depth in family.depths:
        start = perf_counter()
        if classifies:
            found = _classified(family, depth, data)
        else:
            found = train_regression(family, depth, points)
        seconds.append(perf_counter() - start)
        start = perf_counter()
        spectra.append([_spectrum(runs, family) for runs in found["probe"]])
        fit_seconds.append(perf_counter() - start)
        probes.append(found["probe"])
        losses.append(found["losses"][:, :, : family.task.pilot_steps])
        errors.append(found["error"])
        progress(1)
    errors = np.array(errors)
    last = max(1, family.task.pilot_steps // LAST)
    diverged = np.isnan(errors)
    short = _mean(np.array(losses)[..., -last:].mean(axis=3), diverged)
    out = judged(family, spectra, _mean(errors, diverged), short)
    size = max(len(s) for of_depth in spectra for s in of_depth)
    padded = [[np.pad(s, (0, size - len(s)), constant_values=np.nan) for s in d] for d in spectra]
    out = out.assign(
        eigenvalue=(("depth", "seed", "mode"), np.array(padded).reshape(*short.shape, size)),
        diverged=(("depth", "seed"), diverged.sum(axis=2)),
        seconds=("depth", seconds),
        fit_seconds=("depth", fit_seconds),
    )
    if classifies:
        return out
    with warnings.catch_warnings():
        # Such as that a rule finds no frequency: one layer is what it then says.
        warnings.simplefilter("ignore")
        layers = predictions(data, HSVR_RULES)["predicted"].values
    return out.assign(hsvr=("hsvr_rule", layers)).assign_coords(hsvr_rule=list(HSVR_RULES))


def run_families(
    families: "Mapping[str, DepthFamily]",
    data: Mapping[str, xr.Dataset],
    progress: Callable[[int], object] = lambda depths: None,
) -> xr.Dataset:
    """Run several families, and count how often each predictor is right.

    Parameters
    ----------
    families
        By the names of their tasks; depths, seeds and initialisations are the same for all.
    data
        By the same names, see :func:`run_family`.
    progress
        Called with 1 for each depth of each family that is done.

    Returns
    -------
    xarray.Dataset
        What :func:`run_family` gives along a new dim ``case``, with ``task`` (case;
        ``"classification"`` or ``"regression"``), ``steps`` and ``pilot_steps`` (case), and
        :func:`koopscope.experiments.depth.rules.agreement`.
    """
    found = {name: run_family(family, data[name], progress) for name, family in families.items()}
    tasks = [family.task for family in families.values()]
    kinds = [task.kind for task in tasks]
    joined = xr.concat(found.values(), dim="case", join="outer", combine_attrs="drop")
    first = next(iter(families.values()))
    return (
        joined.assign(
            task=("case", np.array(kinds, dtype=object)),
            steps=("case", [task.steps for task in tasks]),
            pilot_steps=("case", [task.pilot_steps for task in tasks]),
        )
        .assign_coords(case=list(families))
        .merge(agreement(found))
        .assign_attrs(
            tolerance=first.tolerance,
            smallest_effect=first.smallest_effect,
            initialisations=first.initialisations,
        )
    )


def _classified(family: "DepthFamily", depth: int, data: xr.Dataset) -> dict[str, np.ndarray]:
    """As :func:`~koopscope.experiments.depth.regression.train_regression`, with the test error."""
    setup, task = network(family, depth), family.task
    shape = len(setup.seeds), setup.initialisations
    found = {
        "probe": np.full((*shape, task.pilot_steps, setup.features("probe")), np.nan, np.float32),
        "losses": np.full((*shape, task.steps), np.nan, np.float32),
        "error": np.full(shape, np.nan, np.float32),
    }
    for piece in train(setup, data, min(task.pilot_steps, steps_per_chunk(setup)), "cpu"):
        if isinstance(piece, Accuracy):
            if piece.step == setup.steps:
                found["error"][piece.seeds] = 1 - piece.values
            continue
        found["losses"][piece.seeds, :, piece.steps] = piece.losses
        seen = slice(piece.steps.start, min(piece.steps.stop, task.pilot_steps))
        if seen.start < seen.stop:
            count = seen.stop - seen.start
            found["probe"][piece.seeds, :, seen] = piece.observed["probe"][:, :, :count]
    return found


def _spectrum(runs: np.ndarray, family: "DepthFamily") -> np.ndarray:
    """Eigenvalues of a seed's runs (init, step, response) that stayed finite."""
    runs = runs[np.isfinite(runs).all(axis=(1, 2))]
    if not len(runs):
        return np.empty(0, complex)
    window = xr.DataArray(runs.astype(np.float64), dims=("init", "step", "weight"))
    largest = min(
        (family.delays + 1) * window.sizes["weight"],
        len(runs) * (window.sizes["step"] - family.delays - 1),
    )
    with threadpool_limits(1):
        return fit(window, family.delays, min(family.rank, largest)).eigenvalues


def _mean(values: np.ndarray, diverged: np.ndarray) -> np.ndarray:
    """Mean over the initialisations (depth, seed, init) that did not diverge."""
    return finite_mean(np.where(diverged, np.nan, values))
