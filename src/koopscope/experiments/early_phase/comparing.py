"""Windows of runs against windows of fresh runs: effects, tests, and when the early phase ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import xarray as xr

from koopscope.compare.metrics import metric_matrix
from koopscope.compare.verdict import (
    NOTHING,
    SMALLEST_EFFECT,
    Comparison,
    adjusted,
    compare,
    effects,
    resamples,
)
from koopscope.config.controls import RECODED, expected_of, kind_of
from koopscope.config.settings import Comparing
from koopscope.experiments.early_phase.ending import ending
from koopscope.experiments.early_phase.spectra import Spectra

NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "p_value")
# Fewer runs than this have no distance within their set.
LEAST = 2
# Stream of the resamples: that of koopscope.compare.compare, so that the interval of the end
# belongs to the intervals of the effects.
STREAM = 0


@dataclass(frozen=True)
class Distances:
    """Distances between all windows of both sets of runs.

    Attributes
    ----------
    values
        Shape (window, run, window, run), the runs of the first set first.
    seeds
        Runs of the first set; as many are in the second.
    """

    values: np.ndarray
    seeds: int

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.values)

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Runs of each set that have a distance to others in every window."""
        # One without a spectrum is at distance 0 from itself alone.
        known = np.isfinite(self.values).sum(axis=(2, 3)) > 1
        places = np.flatnonzero(known.all(axis=0))
        return places[places < self.seeds], places[places >= self.seeds]

    def between(
        self, first: int, second: int, kept: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Distances of a window of the first set and one of the second, shape (n, n)."""
        window = np.repeat([first, second], [len(kept[0]), len(kept[1])])
        run = np.concatenate(kept)
        return self.values[window[:, None], run[:, None], window, run]


def of_spectra(spectra: Spectra, distance: str) -> Distances:
    """Distances of spectra, shape (window, run, mode), both sets of runs one after another."""
    windows, runs, _ = spectra.eigenvalues.shape
    matrix = metric_matrix(distance, *spectra.listed())
    return Distances(matrix.reshape(windows, runs, windows, runs), runs // 2)


def of_numbers(means: np.ndarray) -> Distances:
    """Distances of numbers, shape (window, run): their absolute differences."""
    windows, runs = means.shape
    flat = means.ravel()
    matrix = np.abs(flat[:, None] - flat)
    return Distances(matrix.reshape(windows, runs, windows, runs), runs // 2)


def judged(distances: Distances, margin: float, how: Comparing) -> xr.Dataset:
    """Each window against the last, against the next and against all, and when they are alike.

    Windows of the first set of runs are set against those of the second, so that no run is
    compared with itself.

    Parameters
    ----------
    distances
        Of both sets of runs.
    margin
        Smallest effect that counts.
    how
        Level, correction, numbers of relabellings and resamples.

    Returns
    -------
    xarray.Dataset
        Dim ``window``, each against the last one, which is set against itself: ``within``,
        ``between``, ``effect``, ``effect_low``, ``effect_high``, ``p_value``; ``p_adjusted`` over
        all but the last; ``verdict``; ``next_effect``, ``next_low``, ``next_high`` against the next
        window, NaN for the last. Dims ``window``, ``other``: ``matrix``, effects. Without a dim:
        ``end``, ``end_low``, ``end_high`` (number of a window), ``outcome``, ``reason``, ``kept``
        (runs of each set that count, dim ``group``) and ``margin``.
    """
    kept, count = distances.kept(), distances.windows
    known = min(map(len, kept)) >= LEAST
    sizes = len(kept[0]), len(kept[1])

    def against(first: int, second: int) -> Comparison:
        if not known:
            return NOTHING
        local = distances.between(first, second, kept)
        places = np.arange(sizes[0]), np.arange(sizes[0], sum(sizes))
        return compare(local, *places, how.permutations, how.bootstrap, seed=STREAM)

    last = [against(k, count - 1) for k in range(count)]
    following = [against(k, k + 1) for k in range(count - 1)]
    p = adjusted([one.p_value for one in last[:-1]], how.correction)
    p = np.append(p, last[-1].p_value)
    verdicts = [
        one.verdict(how.alpha, margin, of_one) for one, of_one in zip(last, p, strict=True)
    ]
    matrix, drawn = np.full((count, count), np.nan), np.full((how.bootstrap, count - 1), np.nan)
    if known:
        once = np.ones((1, sizes[0])), np.ones((1, sizes[1]))
        again = resamples(*sizes, how.bootstrap, STREAM)
        for k in range(count):
            for other in range(count):
                local = distances.between(k, other, kept)
                matrix[k, other] = effects(local, *once)[2][0]
                if other == count - 1 and k < other:
                    drawn[:, k] = effects(local, *again)[2]
    numbers = {name: np.array([getattr(one, name) for one in last]) for name in NUMBERS}
    end = ending(numbers["effect"], numbers["effect_high"], verdicts, drawn, margin, sizes)
    columns = {name: ("window", values) for name, values in numbers.items()}
    columns |= {"p_adjusted": ("window", p), "verdict": ("window", words(verdicts))}
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
            "outcome": ((), words([end.outcome])[0]),
            "reason": ((), words([end.reason])[0]),
            "kept": ("group", list(sizes)),
            "margin": margin,
        }
    )


def control_lines(
    spectra: Spectra, made: Mapping[str, Spectra], how: Comparing
) -> tuple[xr.Dataset, float]:
    """Last window of the first set against what is made of that of the second.

    Each line is a test of its own, judged by the number that counts as a difference, never by a
    margin that is measured on it.

    Parameters
    ----------
    spectra
        Of all windows of both sets, shape (window, run, mode).
    made
        By control, shape (run, mode), of the second set.
    how
        As for :func:`judged`.

    Returns
    -------
    tuple
        Dim ``control``: ``control_effect``, ``control_low``, ``control_high``, ``control_p``,
        ``control_verdict``, ``control_expected``; and the margin of windows: the number that was
        given, or where it is to be measured the largest upper bound of recoded lines, at least 1.
    """
    asked = how.smallest_effect
    number = SMALLEST_EFFECT if isinstance(asked, str) else asked
    seeds = spectra.eigenvalues.shape[1] // 2
    first = Spectra(*(values[-1, :seeds] for values in vars(spectra).values()))
    results = [_line(first, of_control, how) for of_control in made.values()]
    bounds = [
        one.effect_high
        for name, one in zip(made, results, strict=True)
        if kind_of(name) == RECODED and np.isfinite(one.effect_high)
    ]
    margin = number
    if isinstance(asked, str) and bounds:
        # Up to three decimals, so that the number that is read is the one that was used.
        margin = ceil(1000 * max(1.0, *bounds)) / 1000
    columns = {
        "effect": [one.effect for one in results],
        "low": [one.effect_low for one in results],
        "high": [one.effect_high for one in results],
        "p": [one.p_value for one in results],
    }
    found = {f"control_{name}": ("control", np.array(v, float)) for name, v in columns.items()}
    said = {
        "control_verdict": [one.verdict(how.alpha, number) for one in results],
        "control_expected": [expected_of(name) for name in made],
    }
    found |= {name: ("control", words(values)) for name, values in said.items()}
    return xr.Dataset(found, coords={"control": words(made)}), margin


def _line(first: Spectra, second: Spectra, how: Comparing) -> Comparison:
    joined = Spectra(
        *(
            np.concatenate([a, b])
            for a, b in zip(vars(first).values(), vars(second).values(), strict=True)
        )
    )
    known = np.isfinite(joined.eigenvalues).any(axis=1)
    sizes = int(known[: len(first.eigenvalues)].sum()), int(known[len(first.eigenvalues) :].sum())
    if min(sizes) < LEAST:
        return NOTHING
    eigenvalues, residuals, amplitudes = (
        [row for row, there in zip(rows, known, strict=True) if there] for rows in joined.listed()
    )
    matrix = metric_matrix(how.distance, eigenvalues, residuals, amplitudes)
    places = np.arange(sizes[0]), np.arange(sizes[0], sum(sizes))
    return compare(matrix, *places, how.permutations, how.bootstrap, seed=STREAM)


def words(values: Sequence[str] | Mapping[str, object]) -> np.ndarray:
    """Texts as objects, since NumPy's fixed-length text has no place in Zarr v3 yet."""
    return np.array(list(values), dtype=object)
