"""What a predictor sees of a run up to a horizon, and what it knows of its setting."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from koopscope.config.fit import FitSpec
from koopscope.experiments.grokking.comparing import spectra
from koopscope.experiments.grokking.names import (
    BASELINE,
    CONFIGURATION,
    LOSS,
    NORM,
    SEEN,
    SPECTRUM,
    TEST,
    TOGETHER,
)

if TYPE_CHECKING:
    from koopscope.config.models import ModelSetup

# Moduli and losses below these count as these.
SMALLEST_MODULUS, SMALLEST_LOSS = 1e-3, 1e-12


def of_runs(runs: xr.Dataset, horizon: int, spec: FitSpec) -> dict[str, np.ndarray]:
    """What is seen of each run of a setting up to a horizon.

    Parameters
    ----------
    runs
        As :func:`koopscope.experiments.grokking.following.follow` gives them.
    horizon
        Step; nothing after it is looked at.
    spec
        Of the fit of each run.

    Returns
    -------
    dict of numpy.ndarray
        By predictor, shape (run, feature). ``spectrum``: log moduli of the eigenvalues of the run's
        own fit, in falling order, then the sizes of their angles in the same order. ``weight
        norm``, ``training loss``: decadic logarithms at a quarter, a half, three quarters of the
        way and at the horizon. ``test accuracy``: there. Not finite where the run is not.
    """
    seen = runs.sel(step=slice(None, horizon))
    last = seen.sizes["step"]
    places = [max(0, round(share * last) - 1) for share in SEEN]
    curves = seen.transpose("seed", "step", ...)
    length, loss = (curves[name].values[:, places].astype(float) for name in ("length", "loss"))
    norm = np.log10(length)
    fall = np.log10(np.maximum(loss, SMALLEST_LOSS))
    values = spectra(seen["weights"], spec)["eigenvalue"].values
    found = {
        SPECTRUM: of_spectra(values, spec.rank or values.shape[1]),
        NORM: norm,
        LOSS: fall,
        BASELINE: np.hstack([norm, fall]),
        TEST: curves["test_accuracy"].values[:, -1:].astype(float),
    }
    return found | {TOGETHER: np.hstack([found[SPECTRUM], norm, fall])}


def of_spectra(eigenvalues: np.ndarray, rank: int) -> np.ndarray:
    """Eigenvalues as numbers that a rule can use.

    Parameters
    ----------
    eigenvalues
        Shape (run, mode), NaN for none.
    rank
        How many of each are taken, missing ones as such of the smallest modulus.

    Returns
    -------
    numpy.ndarray
        Shape (run, 2 · rank): logarithms of the moduli in falling order, then |angle|; NaN for a
        run without any.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.experiments.grokking.features import of_spectra
    >>> of_spectra(np.array([[0.5j, 1.0, -0.5j]]), 3).round(2).tolist()
    [[0.0, -0.69, -0.69, 0.0, 1.57, 1.57]]
    """
    out = np.full((len(eigenvalues), 2 * rank), np.nan)
    for row, values in zip(out, eigenvalues, strict=True):
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        sizes = np.maximum(np.abs(values), SMALLEST_MODULUS)
        # Pairs have one modulus: rounding would decide their order, but not their |angle|.
        order = np.lexsort((np.abs(np.angle(values)), -sizes.round(9)))[:rank]
        row[:rank], row[rank:] = np.log(SMALLEST_MODULUS), 0
        row[: len(order)] = np.log(sizes[order])
        row[rank : rank + len(order)] = np.abs(np.angle(values[order]))
    return out


def of_settings(setups: "Mapping[str, ModelSetup]") -> dict[str, np.ndarray]:
    """What is written of each setting where they differ, as numbers.

    Numbers that are all positive as decadic logarithms, others as they are; what is no number as
    ones and zeros for each value.

    Parameters
    ----------
    setups
        By setting.

    Returns
    -------
    dict of numpy.ndarray
        Shape (feature,) by setting.
    """
    rows = [_written(setup) for setup in setups.values()]
    columns: list[list[float]] = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if len(set(values)) > 1:
            columns += _numbers(values)
    table = np.array(columns, float).reshape(-1, len(rows)).T
    return dict(zip(setups, table, strict=True))


def _written(setup: "ModelSetup") -> dict[str, object]:
    own = replace(setup, seeds=(0,)).to_dict()["model"]
    data = {f"data.{name}": value for name, value in setup.data.origin.to_dict().items()}
    return {name: _plain(value) for name, value in {**own, **data}.items() if name != "data"}


def _plain(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number else str(value)


def _numbers(values: Sequence[object]) -> list[list[float]]:
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    if len(numbers) < len(values):
        return [[float(v == one) for v in values] for one in dict.fromkeys(values)]
    return [[float(np.log10(v)) if min(numbers) > 0 else v for v in numbers]]


# Those that a rule has to learn to read; the test accuracy is its own score.
LEARNED = (SPECTRUM, NORM, LOSS, BASELINE, TOGETHER, CONFIGURATION)
