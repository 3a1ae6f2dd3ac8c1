"""What else could be fitted to the same signals: errors and times of other regressors."""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVR

from koopscope.data.signals import coordinates, draws, split
from koopscope.errors import InputError
from koopscope.experiments.hsvr.cases import joined, named, rms
from koopscope.experiments.hsvr.names import REGRESSORS
from koopscope.experiments.hsvr.prediction import deepest, side
from koopscope.experiments.means import Means
from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.scales import dyadic_scales

if TYPE_CHECKING:
    from koopscope.experiments.hsvr.plan import HierarchicalRegression

FOLDS = 5


def run(plan: "HierarchicalRegression", data: Sequence[xr.Dataset], means: Means) -> xr.Dataset:
    """Fit other regressors to some of an experiment's signals (:func:`baselines`)."""
    points = dict(plan.signals)
    chosen = {name: points[name] for name in plan.baselines.signals}
    signals = draws(chosen, plan.noise, plan.seeds)
    means.progress(plan.work("regressors")[0] - len(signals))
    return baselines(signals, plan.baselines.regressors, plan.epsilon, means.progress)


def baselines(
    signals: Iterable[xr.Dataset],
    regressors: Sequence[str] = REGRESSORS,
    epsilon: float = 0.01,
    progress: Callable[[int], object] = lambda done: None,
) -> xr.Dataset:
    """Compare regressors on several signals, as :func:`compare_regressors` does, by ``case``.

    Parameters
    ----------
    signals, progress
        As for :func:`koopscope.experiments.hsvr.transitions.phase_transitions`.
    regressors, epsilon
        As for :func:`compare_regressors`; what a regressor draws is drawn by the signal's seed.
    """
    cases = []
    for signal in signals:
        found = compare_regressors(signal, regressors, epsilon, signal.attrs["seed"])
        cases.append(named(found.assign(points=found.attrs.pop("points")), signal))
        progress(1)
    return joined(cases).assign_attrs(epsilon=epsilon)


def compare_regressors(
    signal: xr.Dataset,
    regressors: Sequence[str] = REGRESSORS,
    epsilon: float = 0.01,
    seed: int = 0,
) -> xr.Dataset:
    """Errors and times of hierarchical SVR and of what else could be fitted.

    Parameters
    ----------
    signal
        As for :func:`koopscope.experiments.hsvr.transitions.error_by_layer`.
    regressors
        Of ``"hsvr"`` (depth predicted by ``"tapered"``), ``"hsvr-fixed"`` (down to the spacing of
        the points), ``"svr-search"`` (one scale; dyadic scales × C, cross-validated in five folds),
        ``"kernel-ridge"`` (same scales × penalty, same folds), ``"gaussian-process"`` (Gaussian
        kernel and noise by likelihood), ``"trees"`` (gradient boosting).
    epsilon
        Half width of the tubes, as a share of the range of the training values.
    seed
        Draws the folds, and what the regressors draw.

    Returns
    -------
    xarray.Dataset
        Dim ``regressor``: ``train_error``, ``held_out_error``, ``train_rms``, ``held_out_rms`` (as
        in :func:`koopscope.experiments.hsvr.transitions.error_by_layer`), ``fit_seconds`` with any
        search, ``predict_seconds`` for all held-out points.

    Raises
    ------
    InputError
        For an unknown regressor.
    """
    train, held_out = split(signal)
    x, y = coordinates(train), train["value"].values.ravel()
    unseen, truth = coordinates(held_out), held_out["clean"].values.ravel()
    # All regressors see values of range 1, so that ε and penalties mean the same for all.
    unit, middle = np.ptp(y) or 1.0, y.min() + np.ptp(y) / 2
    y, truth = (y - middle) / unit, (truth - middle) / unit
    rows = []
    for name in regressors:
        model = _regressor(name, train, epsilon, seed)
        start = perf_counter()
        model.fit(x, y)
        fitted = perf_counter()
        guess = model.predict(unseen)
        done = perf_counter()
        errors = model.predict(x) - y, guess - truth
        largest = (float(np.abs(error).max()) for error in errors)
        rows.append((*largest, *map(rms, errors), fitted - start, done - fitted))
    names = ("train_error", "held_out_error", "train_rms", "held_out_rms")
    names += ("fit_seconds", "predict_seconds")
    columns = zip(names, np.array(rows, dtype=float).T, strict=True)
    return xr.Dataset(
        {name: ("regressor", column) for name, column in columns},
        coords={"regressor": list(regressors)},
        attrs={"points": len(y)},
    )


def _regressor(name: str, train: xr.Dataset, epsilon: float, seed: int) -> BaseEstimator:
    depth, width = deepest(train), side(train)
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    gammas = list(0.5 / dyadic_scales(width, depth) ** 2)
    scoring = "neg_mean_squared_error"
    if name == "hsvr":
        return HierarchicalSVR(depth="tapered", epsilon=epsilon)
    if name == "hsvr-fixed":
        return HierarchicalSVR(depth=depth, epsilon=epsilon)
    if name == "svr-search":
        grid = {"gamma": gammas, "C": [1, 10, 100]}
        return GridSearchCV(SVR(epsilon=epsilon), grid, cv=folds, scoring=scoring)
    if name == "kernel-ridge":
        grid = {"gamma": gammas, "alpha": [1e-6, 1e-4, 1e-2, 1]}
        return GridSearchCV(KernelRidge(kernel="rbf"), grid, cv=folds, scoring=scoring)
    if name == "gaussian-process":
        spacing = width / 2 ** (depth - 1)
        lengths = RBF(np.sqrt(spacing * width), (spacing / 2, width))
        kernel = ConstantKernel(0.1, (1e-4, 1e4)) * lengths + WhiteKernel(1e-3, (1e-8, 1))
        return GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=seed)
    if name == "trees":
        return HistGradientBoostingRegressor(max_iter=500, random_state=seed)
    raise InputError(f"regressors: unknown {name!r}; give some of {', '.join(REGRESSORS)}")
