"""Compare every pair of a study's variants."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import xarray as xr

from koopscope.compare.transport import distance_matrix
from koopscope.compare.verdict import TOO_FEW, compare, swapped_pair_control
from koopscope.study import Study

NUMBERS = ("within", "between", "effect", "effect_low", "effect_high", "statistic", "p_value")


def compare_study(
    study: Study,
    spectra: Mapping[str, xr.Dataset],
    alpha: float = 0.05,
    permutations: int = 999,
    bootstrap: int = 1000,
) -> xr.Dataset:
    """Distances between all spectra of a study, and a verdict for each of its pairs.

    Parameters
    ----------
    study
        Question, variants, pairs.
    spectra
        By variant: dims ``(seed, mode)`` with ``eigenvalue``, ``residual``, ``amplitude``, and
        ``runs_used`` (seed), as :func:`koopscope.koopman.ensemble.fit_seeds` gives them.
    alpha, permutations, bootstrap
        Level of the test, and numbers of relabellings and resamples
        (:func:`koopscope.compare.compare`).

    Returns
    -------
    xarray.Dataset
        Dim ``sample`` (one seed of one variant; coordinates ``variant``, ``seed``) with the spectra
        and their ``distance`` (sample, other); dim ``pair`` (coordinates ``first``, ``second``,
        ``expected``, ``because``) with the numbers of :class:`Comparison`, ``verdict``,
        ``seeds_first``, ``seeds_second`` and ``swapped_pair_p`` (median over seeds).
    """
    samples = _samples([variant.name for variant in study.variants], spectra)
    eigenvalues = [row[np.isfinite(row)] for row in samples["eigenvalue"].values]
    distances = distance_matrix(eigenvalues)
    variant = samples["variant"].values
    rows = []
    for pair in study.pairs:
        first, second = (
            np.array([i for i in np.flatnonzero(variant == name) if len(eigenvalues[i])], int)
            for name in (pair.first, pair.second)
        )
        rows.append(asdict(pair) | {"seeds_first": len(first), "seeds_second": len(second)})
        if len(first) == 0 or len(second) == 0:
            rows[-1] |= dict.fromkeys((*NUMBERS, "swapped_pair_p"), np.nan)
            rows[-1]["verdict"] = TOO_FEW
            continue
        result = compare(distances, first, second, permutations, bootstrap)
        rows[-1] |= {name: getattr(result, name) for name in NUMBERS}
        rows[-1]["verdict"] = result.verdict(alpha)
        rows[-1]["swapped_pair_p"] = _swapped(eigenvalues, samples["seed"].values, first, second)
    columns = {key: ("pair", _column([row[key] for row in rows])) for key in rows[0]}
    labels = ("first", "second", "expected", "because")
    return (
        samples.assign(
            distance=(("sample", "other"), distances),
            **{key: column for key, column in columns.items() if key not in labels},
        )
        .assign_coords({key: columns[key] for key in labels})
        .assign_attrs(
            study=study.name,
            question=study.question,
            alpha=alpha,
            permutations=permutations,
            bootstrap=bootstrap,
        )
    )


def _samples(names: list[str], spectra: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join the variants' spectra along ``sample``, padded with NaN to the longest."""
    parts = []
    for name in names:
        part = spectra[name].rename(seed="sample")
        seeds = part["sample"].values
        parts.append(
            part.drop_vars("sample").assign_coords(
                seed=("sample", seeds), variant=("sample", np.full(len(seeds), name, object))
            )
        )
    return xr.concat(parts, dim="sample", join="outer", combine_attrs="drop")


def _swapped(
    eigenvalues: list[np.ndarray], seeds: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Median p of the paper's control: same seeds where both have them, else one after another."""
    of_second = {seeds[j]: j for j in second}
    if set(seeds[first]) == set(of_second):
        pairs = [(i, of_second[seeds[i]]) for i in first]
    else:
        pairs = list(zip(first, second, strict=False))
    p = [
        swapped_pair_control(eigenvalues[i], eigenvalues[j], seed=k)
        for k, (i, j) in enumerate(pairs)
        if len(eigenvalues[i]) == len(eigenvalues[j])
    ]
    return float(np.median(p)) if p else np.nan


def _column(values: list) -> np.ndarray:
    return np.array(values, dtype=object if isinstance(values[0], str) else None)
