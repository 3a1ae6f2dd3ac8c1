"""Windows of runs against each other: effects, tests, and when the early phase ends."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from koopscope.artefacts.texts import texts
from koopscope.compare.margins import Margin, measured
from koopscope.compare.metrics import metric_matrix
from koopscope.compare.paired import unpaired
from koopscope.compare.verdict import (
    NOTHING,
    Comparison,
    adjusted,
    compare,
    effects,
    resamples,
)
from koopscope.config.controls import RECODED, expected_of, kind_of
from koopscope.config.settings import Comparing
from koopscope.experiments.early_phase.ending import ending
from koopscope.experiments.early_phase.spectra import CONTROLLED, Spectra

NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "p_value")
LINE = {"effect": "effect", "low": "effect_low", "high": "effect_high", "p": "p_value"}
# Fewer runs than this have no distance between them.
LEAST = 2
# Stream of the resamples: that of koopscope.compare.compare, so that the interval of the end
# belongs to the intervals of the effects.
STREAM = 0


@dataclass(frozen=True)
class Distances:
    """Distances between all windows of all runs, shape (window, run, window, run)."""

    values: np.ndarray

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.values)

    def kept(self) -> np.ndarray:
        """Runs that have a distance to others in every window."""
        # One without a spectrum is at distance 0 from itself alone.
        known = np.isfinite(self.values).sum(axis=(2, 3)) > 1
        return np.flatnonzero(known.all(axis=0))

    def between(self, first: int, second: int, runs: np.ndarray) -> np.ndarray:
        """Distances of runs in two windows, twins as strangers; shape (2 run, 2 run)."""
        window = np.repeat([first, second], len(runs))
        run = np.tile(runs, 2)
        local = self.values[window[:, None], run[:, None], window, run]
        return unpaired(local, twins(len(runs)))

    def within(self, window: int, runs: np.ndarray) -> np.ndarray:
        """Distances of runs in one window, shape (run, run)."""
        return self.values[window, runs[:, None], window, runs]


def twins(count: int) -> list[tuple[int, int]]:
    """Places of so many runs and of what was made of them, one after another."""
    return [(place, count + place) for place in range(count)]


def of_spectra(spectra: Spectra, distance: str) -> Distances:
    """Distances of spectra, shape (window, run, mode)."""
    windows, runs, _ = spectra.eigenvalues.shape
    matrix = metric_matrix(distance, *spectra.listed())
    return Distances(matrix.reshape(windows, runs, windows, runs))


def of_numbers(means: np.ndarray) -> Distances:
    """Distances of numbers, shape (window, run): their absolute differences."""
    flat = means.ravel()
    matrix = np.abs(flat[:, None] - flat)
    return Distances(matrix.reshape(*means.shape, *means.shape))


def judged(distances: Distances, margin: float, how: Comparing) -> xr.Dataset:
    """Each window against the last, against the next and against all, and when they are alike.

    Parameters
    ----------
    distances
        Of all windows and runs.
    margin
        Smallest effect that counts.
    how
        Level, correction, numbers of relabellings and resamples.

    Returns
    -------
    xarray.Dataset
        Dim ``window``, each against the last one, which by halves of the runs is set against
        itself: ``within``, ``between``, ``effect``, ``effect_low``, ``effect_high``, ``p_value``;
        ``p_adjusted`` over all but the last; ``verdict``; ``next_effect``, ``next_low``,
        ``next_high`` against the next window, NaN for the last. Dims ``window``, ``other``:
        ``matrix``, effects. Without a dim: ``end``, ``end_low``, ``end_high`` (number of a window),
        ``outcome``, ``reason``, ``kept`` (runs that count) and ``margin``.
    """
    runs, count = distances.kept(), distances.windows
    # Halves have a distance within them from two runs on.
    known = len(runs) >= 2 * LEAST

    def against(first: int, second: int) -> Comparison:
        return (
            _compared(distances.between(first, second, runs), len(runs), how) if known else NOTHING
        )

    last = [against(k, count - 1) for k in range(count - 1)]
    following = [against(k, k + 1) for k in range(count - 1)]
    last.append(
        _compared(distances.within(count - 1, runs), len(runs) // 2, how) if known else NOTHING
    )
    p = adjusted([one.p_value for one in last[:-1]], how.correction)
    p = np.append(p, last[-1].p_value)
    verdicts = [one.verdict(how.alpha, margin, of_one) for one, of_one in zip(last, p, strict=True)]
    matrix, drawn = np.full((count, count), np.nan), np.full((how.bootstrap, count - 1), np.nan)
    if known:
        again = resamples(len(runs), len(runs), how.bootstrap, STREAM)
        once = np.ones((1, len(runs)))
        for k in range(count):
            for other in range(count):
                local = distances.between(k, other, runs)
                matrix[k, other] = effects(local, once, once)[2][0]
                if other == count - 1 and k < other:
                    drawn[:, k] = effects(local, *again)[2]
    numbers = {name: np.array([getattr(one, name) for one in last]) for name in NUMBERS}
    end = ending(
        numbers["effect"][:-1],
        numbers["effect_high"][:-1],
        verdicts[:-1],
        verdicts[-1],
        drawn,
        margin,
        len(runs),
    )
    columns = {name: ("window", values) for name, values in numbers.items()}
    columns |= {"p_adjusted": ("window", p), "verdict": ("window", texts(verdicts))}
    for ours, theirs in (("effect", "effect"), ("low", "effect_low"), ("high", "effect_high")):
        found = [getattr(one, theirs) for one in following]
        columns[f"next_{ours}"] = "window", np.array([*found, np.nan])
    return xr.Dataset(
        columns
        | {
            "matrix": (("window", "other"), matrix),
            "end": end.window,
            "end_low": end.low,
            "end_high": end.high,
            "outcome": ((), texts([end.outcome])[0]),
            "reason": ((), texts([end.reason])[0]),
            "kept": len(runs),
            "margin": margin,
        }
    )


def control_lines(
    spectra: Spectra, made: Mapping[str, Spectra], how: Comparing
) -> tuple[xr.Dataset, float]:
    """First and last window of the runs against what is made of them.

    Each line is a test of its own, judged by the number that counts as a difference, never by a
    margin that is measured on it.

    Parameters
    ----------
    spectra
        Of all windows, shape (window, run, mode).
    made
        By control, of the first and the last window of the same runs; shape (2, run, mode).
    how
        As for :func:`judged`.

    Returns
    -------
    tuple
        Dims ``controlled`` (number of a window) and ``control``: ``control_effect``,
        ``control_low``, ``control_high``, ``control_p``, ``control_verdict``; coordinate
        ``expected`` (control). And the margin of windows: the number that was given, or where it is
        to be measured the largest upper bound of recoded lines of the last window, at least 1.
    """
    results = [
        [_line(spectra, of_control, place, how) for of_control in made.values()]
        for place in CONTROLLED
    ]
    recoded = (one for name, one in zip(made, results[-1], strict=True) if kind_of(name) == RECODED)
    margin = Margin(how.smallest_effect, measured(recoded))
    dims, shape = ("controlled", "control"), (len(CONTROLLED), len(made))
    found = {
        f"control_{ours}": (
            dims,
            np.array([[getattr(one, name) for one in row] for row in results], float).reshape(
                shape
            ),
        )
        for ours, name in LINE.items()
    }
    verdicts = [one.verdict(how.alpha, margin.number) for row in results for one in row]
    windows = len(spectra.eigenvalues)
    return (
        xr.Dataset(
            found | {"control_verdict": (dims, texts(verdicts).reshape(shape))},
            coords={
                "control": texts(made),
                "controlled": [place % windows for place in CONTROLLED],
                "expected": ("control", texts([expected_of(name) for name in made])),
            },
        ),
        margin.used,
    )


def _line(spectra: Spectra, made: Spectra, place: int, how: Comparing) -> Comparison:
    """A window against a control of it, as if they were two windows."""
    both = Spectra(
        *(
            np.stack([ours[place], theirs[place]])
            for ours, theirs in zip(vars(spectra).values(), vars(made).values(), strict=True)
        )
    )
    distances = of_spectra(both, how.distance)
    runs = distances.kept()
    if len(runs) < LEAST:
        return NOTHING
    return _compared(distances.between(0, 1, runs), len(runs), how)


def _compared(local: np.ndarray, first: int, how: Comparing) -> Comparison:
    """Comparison of the first so many with the others."""
    places = np.arange(first), np.arange(first, len(local))
    return compare(local, *places, how.permutations, how.bootstrap, seed=STREAM)
