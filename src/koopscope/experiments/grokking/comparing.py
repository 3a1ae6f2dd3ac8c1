"""Spectra of groups in windows of their runs, and whether they are distinguished there.

Every group has seeds of its own, so nothing is paired. What is made of runs, a control line, is
made of fresh runs of the reference and not of those it is compared with.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from koopscope.artefacts.texts import texts
from koopscope.compare.margins import Margin, measured
from koopscope.compare.metrics import metric_matrix
from koopscope.compare.verdict import Comparison, adjusted, compare
from koopscope.compare.words import INCONCLUSIVE
from koopscope.config.controls import RECODED, because_of, expected_of, kind_of
from koopscope.config.fit import FitSpec
from koopscope.config.settings import Comparing
from koopscope.controls.making import making
from koopscope.errors import InputError, RankError
from koopscope.experiments.grokking.names import EQUIVALENT, FRESH, OPEN, RENAMED
from koopscope.koopman.seeds import fit_one, of_seeds

NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "p_value")
NO_SPECTRUM = "no run of one side has a spectrum"
BECAUSE = {
    FRESH: "the same training from fresh seeds",
    RENAMED: "the elements renamed: a symmetry of all that is drawn",
}


@dataclass(frozen=True)
class Line:
    """What is compared with the reference.

    Attributes
    ----------
    name
        Of a group, or of a control.
    runs
        Name of the group whose runs it is made of.
    control
        What is made of them; empty for the runs themselves.
    """

    name: str
    runs: str
    control: str = ""

    @property
    def expected(self) -> str:
        """``equivalent`` or ``different`` where the answer is known, or ``open``."""
        if self.control:
            return expected_of(self.control)
        return EQUIVALENT if self.name in BECAUSE else OPEN

    @property
    def because(self) -> str:
        """Why it is known."""
        return because_of(self.control) if self.control else BECAUSE.get(self.name, "")


def lines_of(groups: Sequence[str], controls: Sequence[str]) -> list[Line]:
    """All groups but the first, the reference, then the controls, made of fresh runs of it."""
    return [
        *(Line(name, name) for name in groups[1:]),
        *(Line(name, FRESH, name) for name in controls),
    ]


def spectra(
    runs: xr.DataArray, spec: FitSpec, control: str = "", snapshots: int | None = None
) -> xr.Dataset:
    """Spectrum of each run in a window from its beginning.

    Parameters
    ----------
    runs
        Dims (seed, step, weight).
    spec
        Delays, rank and coordinates.
    control
        What is made of the runs first, see :data:`koopscope.config.controls.NAMES`.
    snapshots
        Length of the window, or None for all.

    Returns
    -------
    xarray.Dataset
        As :func:`koopscope.koopman.seeds.of_seeds` gives it. A run that is not finite has no modes,
        and one with fewer directions than the rank as many as it has.
    """
    window = runs.isel(step=slice(snapshots)).transpose("seed", "step", "weight")
    seeds = window["seed"].values.tolist()
    made = making(control, _whole(window)) if control else None
    fits = []
    for k, seed in enumerate(seeds):
        run = window.isel(seed=k, drop=True)
        if not np.isfinite(run.values).all():
            fits.append(fit_one(run.expand_dims("init").isel(init=slice(0)), spec))
            continue
        fits.append(_fitted(run if made is None else made(run, seed), spec))
    return of_seeds(fits, seeds, spec)


def compared(
    of_line: Mapping[str, xr.Dataset], reference: xr.Dataset, lines: Sequence[Line], how: Comparing
) -> xr.Dataset:
    """Distance, test and verdict of each line against the reference.

    Holm's correction goes over groups, with fresh and renamed ones among them; control lines are
    tests of their own.

    Parameters
    ----------
    of_line
        Spectra (:func:`spectra`) by the names of the lines.
    reference
        Spectra of the reference.
    lines
        In the order of the result.
    how
        Level, permutations, distance, smallest effect and correction.

    Returns
    -------
    xarray.Dataset
        Dim ``line``: ``within``, ``between``, ``effect``, ``effect_low``, ``effect_high``,
        ``p_value``, ``p_adjusted``, ``verdict``, ``reason``; ``margin`` (the smallest effect that
        counts).
    """
    sides = [reference, *(of_line[line.name] for line in lines)]
    names = ("eigenvalue", "residual", "amplitude")
    # A spectrum of fewer modes than another is filled up with NaN.
    fits = [
        [values[np.isfinite(side["eigenvalue"].values[k])] for values in rows]
        for side in sides
        for k, rows in enumerate(zip(*(side[name].values for name in names), strict=True))
    ]
    matrix = metric_matrix(how.distance, *map(list, zip(*fits, strict=True)))
    ends = np.cumsum([0, *(side.sizes["seed"] for side in sides)])
    known = np.array([len(fit[0]) > 0 for fit in fits])
    places = [np.flatnonzero(known[a:b]) + a for a, b in zip(ends, ends[1:], strict=False)]
    results: list[Comparison | None] = []
    for k in range(len(lines)):
        first, second = places[0], places[k + 1]
        enough = min(len(first), len(second)) > 0
        results.append(
            compare(matrix, first, second, how.permutations, how.bootstrap) if enough else None
        )
    numbers = {
        name: np.array([np.nan if r is None else getattr(r, name) for r in results], float)
        for name in NUMBERS
    }
    p = numbers["p_value"].copy()
    corrected = np.array([not line.control for line in lines])
    p[corrected] = adjusted(p[corrected], how.correction)
    margin = margin_of(lines, results, how.smallest_effect)
    given = [(how.alpha, margin, value) for value in p]
    said = {
        "verdict": [
            INCONCLUSIVE if r is None else r.verdict(*g)
            for r, g in zip(results, given, strict=True)
        ],
        "reason": [
            NO_SPECTRUM if r is None else r.reason(*g) for r, g in zip(results, given, strict=True)
        ],
    }
    return xr.Dataset(
        {
            **{name: ("line", values) for name, values in numbers.items()},
            "p_adjusted": ("line", p),
            **{name: ("line", np.array(words, dtype=object)) for name, words in said.items()},
            "margin": margin,
        },
        coords={"line": texts(line.name for line in lines)},
    )


def margin_of(
    lines: Sequence[Line], results: Sequence[Comparison | None], asked: float | str
) -> float:
    """Smallest effect that counts: the number, or the largest bound of recoded lines, at least 1.

    The default number where none is known.
    """
    recoded = (
        result
        for line, result in zip(lines, results, strict=True)
        if line.control and kind_of(line.control) == RECODED
    )
    return Margin(asked, measured(recoded)).used


def _fitted(run: xr.DataArray, spec: FitSpec) -> xr.Dataset:
    with warnings.catch_warnings():
        # Such as that the rank is more than stored numbers tell from rounding: seen in residuals.
        warnings.simplefilter("ignore")
        try:
            return fit_one(run, spec)
        except RankError as error:
            found = error.found
        except InputError:
            found = 0
        if found:
            return fit_one(run, replace(spec, rank=found))
        return fit_one(run.expand_dims("init").isel(init=slice(0)), spec)


def _whole(window: xr.DataArray):
    """Runs of a window that are finite, one after the other."""
    for k in range(window.sizes["seed"]):
        run = window.isel(seed=k, drop=True)
        if np.isfinite(run.values).all():
            yield run
