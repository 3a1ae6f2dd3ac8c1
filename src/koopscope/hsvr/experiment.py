"""Does the training error fall where the spectrum said it would? Against what else could be fitted.

A signal on a grid is split once: every second point of each axis trains, the points amid them are
held out. Errors are shares of the range of the training values. Held-out values are without noise:
they ask for the signal, not for the noise of one sample.
"""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter

import numpy as np
import xarray as xr
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVR

from koopscope.errors import InputError
from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.points import extent
from koopscope.hsvr.scales import METHODS, critical_scale, dyadic_scales, layers_to

# [ours] Fixed before any run: the training error counts as fallen at so many ε.
FALLEN = 2.0
REGRESSORS = ("hsvr", "hsvr-fixed", "svr-search", "kernel-ridge", "gaussian-process", "trees")
FOLDS = 5


def split(signal: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Training and held-out points of a signal (:func:`koopscope.data.signals.signal`)."""
    train = signal.isel(dict.fromkeys(signal["value"].dims, slice(0, None, 2)))
    held_out = signal.isel(dict.fromkeys(signal["value"].dims, slice(1, None, 2)))
    if min(held_out.sizes.values()) < 1:
        raise InputError("signal: no point to hold out; give at least 3 points an axis")
    return train, held_out


def coordinates(signal: xr.Dataset) -> np.ndarray:
    """Positions of a grid's points, last axis fastest; shape (point, coordinate)."""
    axes = np.meshgrid(*(signal[dim].values for dim in signal["value"].dims), indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


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
    depth = layers or _generous(train, decay)
    model = HierarchicalSVR(depth=depth, decay=decay, epsilon=epsilon, C=C)
    start = perf_counter()
    model.fit(x, y)
    seconds = perf_counter() - start
    unit, truth = np.ptp(y) or 1.0, held_out["clean"].values.ravel()
    unseen = np.array([stage - truth for stage in model.staged_predict(coordinates(held_out))])
    errors = {
        "train_error": np.abs(model.residuals_).max(axis=1),
        "train_rms": _rms(model.residuals_),
        "held_out_error": np.abs(unseen).max(axis=1),
        "held_out_rms": _rms(unseen),
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


def predictions(
    signal: xr.Dataset,
    rules: Sequence[str] = METHODS,
    decay: float = 2.0,
    epsilon: float = 0.01,
    C: float = 5.0,  # noqa: N803
) -> xr.Dataset:
    """Predict the number of layers from the training values alone, by each rule.

    Parameters
    ----------
    signal, decay, epsilon, C
        As for :func:`error_by_layer`.
    rules
        Methods of :func:`koopscope.hsvr.critical_scale`.

    Returns
    -------
    xarray.Dataset
        Dim ``rule``: ``critical_scale`` (unit of the coordinates), ``predicted`` (layers),
        ``prediction_seconds``; NaN where a rule does not apply.
    """
    train, _ = split(signal)
    value = train["value"]
    rows = []
    for rule in rules:
        place = {"dx": _spacings(train)}
        if rule == "lomb-scargle":
            if value.ndim > 1:
                rows.append((np.nan,) * 3)
                continue
            place = {"x": train[value.dims[0]].values}
        start = perf_counter()
        scale = critical_scale(value.values, method=rule, epsilon=epsilon, C=C, **place)
        rows.append((scale, layers_to(scale, _side(train), decay), perf_counter() - start))
    names = ("critical_scale", "predicted", "prediction_seconds")
    columns = zip(names, np.array(rows, dtype=float).T, strict=True)
    return xr.Dataset(
        {name: ("rule", column) for name, column in columns}, coords={"rule": list(rules)}
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
        cases.append(_named(xr.merge(both), signal))
        progress(1)
    out = _joined(cases)
    return out.assign(miss=out["predicted"] - out["transition"]).assign_attrs(options)


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
        As for :func:`phase_transitions`.
    regressors, epsilon
        As for :func:`compare_regressors`; what a regressor draws is drawn by the signal's seed.
    """
    cases = []
    for signal in signals:
        found = compare_regressors(signal, regressors, epsilon, signal.attrs["seed"])
        cases.append(_named(found.assign(points=found.attrs.pop("points")), signal))
        progress(1)
    return _joined(cases).assign_attrs(epsilon=epsilon)


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
        As for :func:`error_by_layer`.
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
        in :func:`error_by_layer`), ``fit_seconds`` with any search, ``predict_seconds`` for all
        held-out points.

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
        rows.append((*largest, *map(_rms, errors), fitted - start, done - fitted))
    names = ("train_error", "held_out_error", "train_rms", "held_out_rms")
    names += ("fit_seconds", "predict_seconds")
    columns = zip(names, np.array(rows, dtype=float).T, strict=True)
    return xr.Dataset(
        {name: ("regressor", column) for name, column in columns},
        coords={"regressor": list(regressors)},
        attrs={"points": len(y)},
    )


def _named(found: xr.Dataset, signal: xr.Dataset) -> xr.Dataset:
    names = ("signal", "noise", "seed", "digest")
    coords = {name: ("case", [signal.attrs[name]]) for name in names}
    return found.expand_dims("case").assign_coords(coords)


def _joined(cases: Sequence[xr.Dataset]) -> xr.Dataset:
    if not cases:
        raise InputError("signals: none; give at least one")
    return xr.concat(cases, dim="case", data_vars="minimal", coords="minimal", join="outer")


def _regressor(name: str, train: xr.Dataset, epsilon: float, seed: int) -> BaseEstimator:
    depth, side = _generous(train), _side(train)
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    gammas = list(0.5 / dyadic_scales(side, depth) ** 2)
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
        spacing = side / 2 ** (depth - 1)
        lengths = RBF(np.sqrt(spacing * side), (spacing / 2, side))
        kernel = ConstantKernel(0.1, (1e-4, 1e4)) * lengths + WhiteKernel(1e-3, (1e-8, 1))
        return GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=seed)
    if name == "trees":
        return HistGradientBoostingRegressor(max_iter=500, random_state=seed)
    raise InputError(f"regressors: unknown {name!r}; give some of {', '.join(REGRESSORS)}")


def _side(train: xr.Dataset) -> float:
    return extent(coordinates(train))


def _generous(train: xr.Dataset, decay: float = 2.0) -> int:
    """Number of layers down to the spacing of the points."""
    return layers_to(min(_spacings(train)), _side(train), decay)


def _spacings(train: xr.Dataset) -> list[float]:
    axes = (train[dim].values for dim in train["value"].dims)
    return [float(np.ptp(axis)) / (len(axis) - 1) for axis in axes]


def _rms(errors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(np.square(errors), axis=-1))
