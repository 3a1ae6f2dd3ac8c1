"""How many layers each rule predicts for a signal, from its training values alone."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import xarray as xr

from koopscope.data.signals import coordinates, spacings, split
from koopscope.hsvr.names import METHODS
from koopscope.hsvr.points import extent
from koopscope.hsvr.scales import critical_scale, layers_to


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
        As for :func:`koopscope.experiments.hsvr.transitions.error_by_layer`.
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
        place = {"dx": spacings(train)}
        if rule == "lomb-scargle":
            if value.ndim > 1:
                rows.append((np.nan,) * 3)
                continue
            place = {"x": train[value.dims[0]].values}
        start = perf_counter()
        scale = critical_scale(value.values, method=rule, epsilon=epsilon, C=C, **place)
        rows.append((scale, layers_to(scale, side(train), decay), perf_counter() - start))
    names = ("critical_scale", "predicted", "prediction_seconds")
    columns = zip(names, np.array(rows, dtype=float).T, strict=True)
    return xr.Dataset(
        {name: ("rule", column) for name, column in columns}, coords={"rule": list(rules)}
    )


def side(train: xr.Dataset) -> float:
    """Side of the square that holds the points."""
    return extent(coordinates(train))


def deepest(train: xr.Dataset, decay: float = 2.0) -> int:
    """Number of layers down to the spacing of the points."""
    return layers_to(min(spacings(train)), side(train), decay)
