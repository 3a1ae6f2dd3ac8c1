"""How runs end: when they have memorised, when they generalise, and when that begins."""

import numpy as np
import xarray as xr

from koopscope.experiments.grokking.names import GENERALISED, HELD_BACK, MEMORISED


def outcomes(train: xr.DataArray, test: xr.DataArray) -> xr.Dataset:
    """When runs memorise and generalise, and which of them grok.

    Parameters
    ----------
    train, test
        Accuracies, dims (…, step) with the coordinate ``step``; NaN once a run has diverged.

    Returns
    -------
    xarray.Dataset
        Without the dim ``step``: ``memorised_at``, the first step at which the training accuracy is
        at least 0.99, ``generalised_at``, the first at which the test accuracy is at least 0.95
        (NaN for never); ``generalises``, whether there is one; ``groks``, whether the test accuracy
        was below 0.9 when the run had memorised, and it generalises later.

    Examples
    --------
    >>> import xarray as xr
    >>> from koopscope.experiments.grokking.outcomes import outcomes
    >>> step = {"step": [10, 20, 30]}
    >>> train = xr.DataArray([0.2, 1.0, 1.0], dims="step", coords=step)
    >>> test = xr.DataArray([0.1, 0.1, 1.0], dims="step", coords=step)
    >>> found = outcomes(train, test)
    >>> float(found["memorised_at"]), float(found["generalised_at"]), bool(found["groks"])
    (20.0, 30.0, True)
    """
    memorised_at = first_step(train >= MEMORISED)
    generalised_at = first_step(test >= GENERALISED)
    then = test.where(test["step"] == memorised_at).max("step")
    return xr.Dataset(
        {
            "memorised_at": memorised_at,
            "generalised_at": generalised_at,
            "generalises": generalised_at.notnull(),
            "groks": (then < HELD_BACK) & (generalised_at > memorised_at),
        }
    )


def first_step(true: xr.DataArray) -> xr.DataArray:
    """First step at which something holds, NaN for never; the dim ``step`` goes."""
    return true["step"].where(true).min("step").drop_vars("step", errors="ignore")


def rise(test: xr.DataArray, risen: float) -> float:
    """Last step before any run's test accuracy has begun to rise.

    Parameters
    ----------
    test
        Accuracies, dims (seed, step).
    risen
        What no run may be above, up to and with that step.

    Returns
    -------
    float
        NaN where none ever rises, or one has at the first snapshot.

    Examples
    --------
    >>> import xarray as xr
    >>> from koopscope.experiments.grokking.outcomes import rise
    >>> test = xr.DataArray(
    ...     [[0.0, 0.0, 0.0, 0.9], [0.0, 0.0, 0.2, 0.9]],
    ...     dims=("seed", "step"), coords={"step": [10, 20, 30, 40]},
    ... )
    >>> rise(test, 0.1)
    20.0
    """
    above = (test > risen).any("seed").values
    at = int(above.argmax())
    return float(test["step"].values[at - 1]) if above.any() and at else float("nan")


def at_risk(test: xr.DataArray, horizon: int, risen: float) -> np.ndarray:
    """Whether each run's test accuracy is known and has not begun to rise up to a horizon.

    Parameters
    ----------
    test
        Dims (seed, step).
    horizon
        Step.
    risen
        As for :func:`rise`.
    """
    seen = test.sel(step=slice(None, horizon)).transpose("seed", "step").values
    return (seen <= risen).all(axis=1)
