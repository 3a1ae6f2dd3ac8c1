"""Does the training error fall where the spectrum said it would?

A signal on a grid is split once: every second point of each axis trains, the points amid them are
held out. Errors are shares of the range of the training values. Held-out values are without noise:
they ask for the signal, not for the noise of one sample.
"""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.data.signals import coordinates, draws, split
from koopscope.experiments.hsvr.cases import joined, named, rms
from koopscope.experiments.hsvr.names import FALLEN
from koopscope.experiments.hsvr.prediction import deepest, predictions
from koopscope.experiments.means import Means
from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.names import METHODS

if TYPE_CHECKING:
    from koopscope.experiments.hsvr.plan import HierarchicalRegression


def transition(errors: np.ndarray, epsilon: float) -> float:
    """Fewest layers from which on the training error stays at 2 ε or less; NaN if it never does.

    Parameters
    ----------
    errors
        Largest training error after each layer, shape (layers,), in the unit of ``epsilon``.
    epsilon
        Half width of the tube.
    """
    high = np.flatnonzero(~(np.asarray(errors) <= FALLEN * epsilon))
    layers = 1 + (high[-1] + 1 if len(high) else 0)
    return float(layers) if layers <= len(errors) else float("nan")


def error_by_layer(
    signal: xr.Dataset,
    layers: int | None = None,
    decay: float = 2.0,
    epsilon: float = 0.01,
    C: float = 5.0,  # noqa: N803
) -> xr.Dataset:
    """Fit a deep hierarchy and watch its errors, layer by layer.

    Parameters
    ----------
    signal
        ``clean`` and ``value`` on an equidistant grid.
    layers
        Depth; by default down to the spacing of the points, finer than any scale of a signal.
    decay, epsilon, C
        As for :class:`HierarchicalSVR`.

    Returns
    -------
    xarray.Dataset
        Dim ``layers`` (number of layers used, from 1): ``scale`` (unit of the coordinates),
        ``train_error``, ``held_out_error`` (largest), ``train_rms``, ``held_out_rms`` (shares of
        the range of the training values), ``support_vectors`` of the last layer used. Without dim:
        ``transition`` (:func:`transition`), ``best`` (layers with the least ``held_out_rms``),
        ``points`` and ``seconds`` of the whole fit.
    """
    train, held_out = split(signal)
    x, y = coordinates(train), train["value"].values.ravel()
    depth = layers or deepest(train, decay)
    model = HierarchicalSVR(depth=depth, decay=decay, epsilon=epsilon, C=C)
    start = perf_counter()
    model.fit(x, y)
    seconds = perf_counter() - start
    unit, truth = np.ptp(y) or 1.0, held_out["clean"].values.ravel()
    unseen = np.array([stage - truth for stage in model.staged_predict(coordinates(held_out))])
    errors = {
        "train_error": np.abs(model.residuals_).max(axis=1),
        "train_rms": rms(model.residuals_),
        "held_out_error": np.abs(unseen).max(axis=1),
        "held_out_rms": rms(unseen),
    }
    out = xr.Dataset(
        {name: ("layers", values / unit) for name, values in errors.items()},
        coords={"layers": np.arange(1, len(model.scales_) + 1)},
    )
    return out.assign(
        scale=("layers", model.scales_),
        support_vectors=("layers", model.n_support_),
        transition=transition(out["train_error"].values, epsilon),
        best=float(np.argmin(out["held_out_rms"].values) + 1),
        points=len(y),
        seconds=seconds,
    )


def phase_transitions(
    signals: Iterable[xr.Dataset],
    rules: Sequence[str] = METHODS,
    progress: Callable[[int], object] = lambda done: None,
    **options,
) -> xr.Dataset:
    """Predicted and observed number of layers of several signals.

    Parameters
    ----------
    signals
        As for :func:`error_by_layer`.
    rules
        As for :func:`predictions`.
    progress
        Called with 1 after each signal.
    **options
        ``decay``, ``epsilon`` and ``C``.

    Returns
    -------
    xarray.Dataset
        All of :func:`error_by_layer` and :func:`predictions` with one more dim, ``case``
        (coordinates ``signal``, ``noise``, ``seed`` and ``digest``), and ``miss`` (case, rule):
        predicted layers less observed ones, above 0 for too many. Attributes: the options.
    """
    cases = []
    for signal in signals:
        both = [error_by_layer(signal, **options), predictions(signal, rules, **options)]
        cases.append(named(xr.merge(both), signal))
        progress(1)
    out = joined(cases)
    return out.assign(miss=out["predicted"] - out["transition"]).assign_attrs(options)


def run(plan: "HierarchicalRegression", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Fit deep hierarchies to an experiment's signals, and predict their layers by each rule.

    Returns
    -------
    xarray.Dataset
        Of :func:`phase_transitions`.
    """
    signals = draws(dict(plan.signals), plan.noise, plan.seeds)
    # Seeds whose draws are alike, as of a signal without noise, are one case.
    means.progress(plan.work("transitions")[0] - len(signals))
    return phase_transitions(
        signals, plan.rules, means.progress, decay=plan.decay, epsilon=plan.epsilon
    )
