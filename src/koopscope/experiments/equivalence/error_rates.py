"""How often the verdict errs: its rate on pairs known to be alike, its power on others.

Draws of seeds come from the pools that a study trained, over and over. That is sound because seeds
are independent draws of the same distribution. Two groups split at random from one pool are
exchangeable, given the pool, so the number of small p-values among the draws is binomial and its
interval exact. Groups from two pools are compared given these two pools; their rate says nothing
beyond them, which is why the verdict on the whole pools stands beside it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from scipy.stats import binomtest

from koopscope.compare.metrics import METRICS
from koopscope.compare.verdict import compare, swapped_pair_control
from koopscope.errors import InputError
from koopscope.experiments.equivalence.comparison import (
    Rule,
    distances_of,
    finite,
    groups_of,
    in_other_time,
    join,
    judge_control_lines,
    powers_by_time_unit,
)
from koopscope.experiments.equivalence.study import Pair, Study

CONFIDENCE = 0.95


def count_errors(
    study: Study,
    spectra: Mapping[str, xr.Dataset],
    rule: Rule | None = None,
    seed: int = 0,
    progress: Callable[[int], object] = lambda pairs: None,
) -> xr.Dataset:
    """Test groups of seeds drawn from a study's pools, by every distance.

    Parameters
    ----------
    study
        With a :class:`koopscope.experiments.equivalence.study.ErrorRates`.
    spectra
        By variant and control line, as for
        :func:`koopscope.experiments.equivalence.comparison.compare_study`.
    rule
        How verdicts are reached; p is not adjusted, since each draw is a study of its own. A
        measured smallest effect is that of the whole pools' control lines.
    seed
        Of the draws.
    progress
        Called with 1 for each pair that is done.

    Returns
    -------
    xarray.Dataset
        Dims ``pair`` (the study's pairs, then the pools that are split; coordinates ``first``,
        ``second``, ``expected``, ``because``), ``size`` (seeds in each group), ``metric``
        (distances; the first is the verdict's), ``draw``. Variables ``p_value`` (all four),
        ``effect``, ``verdict`` and ``swapped_pair_p`` (pair, size, draw), ``true_effect`` (pair;
        over all seeds); ``rate``, ``rate_low``, ``rate_high`` (pair, size, metric; share of draws
        with p at most alpha, and its exact 95 % interval) and ``equal_rate`` (share of draws with
        a p that at most a share alpha of the equivalent pairs' draws reach, at that size and
        distance).

    Raises
    ------
    InputError
        If the study has no error_rates, or no seeds are left for any size.
    """
    rule, plan = rule or Rule(), study.error_rates
    if plan is None:
        raise InputError(f"studies.{study.name}.error_rates: is missing; give sizes of groups")
    _, margin = judge_control_lines(study, spectra, rule)
    rule = replace(rule, smallest_effect=margin.used)
    samples = join(study, spectra)
    groups = groups_of(samples)
    powers = powers_by_time_unit(study)[study.time_unit]
    eigenvalues = in_other_time(
        finite(samples["eigenvalue"].values), [powers[v] for v in samples["variant"].values]
    )
    metrics = dict.fromkeys((rule.distance, *METRICS))
    matrices = {name: distances_of(samples, eigenvalues, name) for name in metrics}
    because = "one pool of seeds, split at random"
    pairs = [*study.pairs, *(Pair(v, v, "equivalent", because) for v in plan.split)]
    shape = (len(pairs), len(plan.seeds), plan.draws)
    p = np.full((*shape[:2], len(matrices), plan.draws), np.nan)
    effect, swapped = np.full(shape, np.nan), np.full(shape, np.nan)
    words = np.full(shape, "", dtype=object)
    control = _Swapped(eigenvalues)
    main = matrices[rule.distance]
    for i, pair in enumerate(pairs):
        for j, size in enumerate(plan.seeds):
            rng = np.random.default_rng([seed, i, size])
            for k in range(plan.draws):
                drawn = _draw(groups[pair.first], groups[pair.second], size, rng)
                if drawn is None:
                    break
                for m, matrix in enumerate(matrices.values()):
                    bootstrap = rule.bootstrap if matrix is main else 0
                    result = compare(matrix, *drawn, rule.permutations, bootstrap)
                    p[i, j, m, k] = result.p_value
                    if matrix is main:
                        effect[i, j, k] = result.effect
                        words[i, j, k] = result.verdict(rule.alpha, rule.smallest_effect)
                swapped[i, j, k] = control.median(*drawn)
        progress(1)
    if not np.isfinite(p).any():
        raise InputError(
            f"studies.{study.name}.error_rates.seeds: {list(plan.seeds)} is more than any pool has"
        )
    dims = ("pair", "size", "metric", "draw")
    out = xr.Dataset(
        {
            "p_value": (dims, p),
            "effect": (("pair", "size", "draw"), effect),
            "verdict": (("pair", "size", "draw"), words),
            "swapped_pair_p": (("pair", "size", "draw"), swapped),
            "true_effect": ("pair", [_whole(main, groups, pair) for pair in pairs]),
        },
        coords={
            "size": list(plan.seeds),
            "metric": np.array(list(matrices), dtype=object),
            **{
                name: ("pair", np.array([getattr(q, name) for q in pairs], dtype=object))
                for name in ("first", "second", "expected", "because")
            },
        },
    )
    return _with_rates(out, rule.alpha).assign_attrs(
        study=study.name,
        question=study.question,
        alpha=rule.alpha,
        **margin.attrs,
        draws=plan.draws,
        distance=rule.distance,
        fits=samples.attrs["fits"],
        pool=json.dumps({name: len(at) for name, at in groups.items()}),
    )


def _draw(
    first: np.ndarray, second: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Two groups of so many seeds, none in both; None where there are not enough."""
    if first is second or np.array_equal(first, second):
        if len(first) < 2 * size:
            return None
        both = rng.choice(first, 2 * size, replace=False)
        return both[:size], both[size:]
    if min(len(first), len(second)) < size:
        return None
    return rng.choice(first, size, replace=False), rng.choice(second, size, replace=False)


def _whole(matrix: np.ndarray, groups: Mapping[str, np.ndarray], pair: Pair) -> float:
    """Effect over all seeds of two pools; 1 for a pool and itself."""
    if pair.first == pair.second:
        return 1.0
    sides = groups[pair.first], groups[pair.second]
    if not all(len(side) for side in sides):
        return np.nan
    return compare(matrix, *sides, permutations=1, bootstrap=0).effect


def _with_rates(dataset: xr.Dataset, alpha: float) -> xr.Dataset:
    p = dataset["p_value"]
    counts, draws = (p <= alpha).sum("draw"), p.notnull().sum("draw")
    rate = (counts / draws).where(draws > 0)
    low, high = np.full(rate.shape, np.nan), np.full(rate.shape, np.nan)
    for index in zip(*np.nonzero(draws.values), strict=True):
        test = binomtest(int(counts.values[index]), int(draws.values[index]))
        low[index], high[index] = test.proportion_ci(CONFIDENCE, "exact")
    alike = p.isel(pair=np.flatnonzero(dataset["expected"].values == "equivalent"))
    thresholds = np.array(
        [
            [_threshold(alike.values[:, j, m], alpha) for m in range(p.sizes["metric"])]
            for j in range(p.sizes["size"])
        ]
    )
    found = ((p <= thresholds[None, :, :, None]).sum("draw") / draws).where(draws > 0)
    return dataset.assign(
        rate=rate,
        rate_low=(rate.dims, low),
        rate_high=(rate.dims, high),
        equal_rate=found,
    )


def _threshold(null: np.ndarray, alpha: float) -> float:
    """Largest p that at most a share alpha of the null p-values reaches, ties included."""
    known = null[np.isfinite(null)]
    values, counts = np.unique(known, return_counts=True)
    below = values[np.cumsum(counts) <= alpha * len(known)]
    return below[-1] if len(below) else -np.inf


class _Swapped:
    """The paper's control for pairs of samples, each computed once."""

    def __init__(self, eigenvalues: Sequence[np.ndarray]) -> None:
        self.eigenvalues = eigenvalues
        self.known: dict[tuple[int, int], float] = {}

    def median(self, first: np.ndarray, second: np.ndarray) -> float:
        """Median p over samples taken one by one from two groups."""
        p = [self._p(int(i), int(j)) for i, j in zip(first, second, strict=True)]
        return float(np.nanmedian(p)) if np.isfinite(p).any() else np.nan

    def _p(self, i: int, j: int) -> float:
        if (i, j) not in self.known:
            a, b = self.eigenvalues[i], self.eigenvalues[j]
            same = len(a) == len(b)
            self.known[i, j] = swapped_pair_control(a, b, seed=i) if same else np.nan
        return self.known[i, j]
