"""Compare every pair of a study's variants."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import xarray as xr

from koopscope.artefacts.texts import texts
from koopscope.compare.margins import Margin
from koopscope.compare.metrics import metric_matrix
from koopscope.compare.paired import unpaired
from koopscope.compare.verdict import Comparison, adjusted, compare, swapped_pair_control
from koopscope.compare.words import INCONCLUSIVE, UNTESTED
from koopscope.config.setup import TIME_UNITS
from koopscope.config.setups import factor_value
from koopscope.experiments.equivalence.control_lines import (
    NO_SPECTRUM,
    NUMBERS,
    as_dataset,
    margin_of,
)
from koopscope.experiments.equivalence.line import along_the_line
from koopscope.experiments.equivalence.study import Pair, Study, control_pair

# How a variant was fitted: of the attributes that koopscope.koopman.ensemble.fit_seeds gives.
FITTED = ("observable", "weight_coordinates", "delays", "rank", "solver", "start", "stop", "stride")
FITTED += ("initialisations",)
BY_TIME_UNIT = ("effect", "effect_low", "effect_high", "p_value")


@dataclass(frozen=True)
class Rule:
    """How a verdict is reached; see :func:`koopscope.compare.compare`.

    Attributes
    ----------
    alpha
        Level of the test, for p adjusted by ``correction`` over a study's pairs.
    permutations, bootstrap
        Numbers of relabellings and of resamples.
    smallest_effect
        Smallest ratio of distances, between ÷ within, that counts as a difference; ``"measured"``
        for the largest upper bound of the study's recoded control lines
        (:class:`koopscope.compare.margins.Margin`).
    distance
        Of two spectra, one of :data:`koopscope.compare.METRICS`.
    """

    alpha: float = 0.05
    permutations: int = 999
    bootstrap: int = 1000
    smallest_effect: float | str = 1.1
    correction: str = "holm"
    distance: str = "wasserstein"


def compare_study(
    study: Study, spectra: Mapping[str, xr.Dataset], rule: Rule | None = None
) -> xr.Dataset:
    """Distances between all spectra of a study, and a verdict for each of its pairs.

    Parameters
    ----------
    study
        Question, variants, pairs.
    spectra
        By variant and control line: dims ``(seed, mode)`` with ``eigenvalue``, ``residual``,
        ``amplitude``, and ``runs_used`` (seed), as
        :func:`koopscope.koopman.ensemble.fit_seeds` gives them.
    rule
        How verdicts are reached.

    Returns
    -------
    xarray.Dataset
        Dim ``sample`` (one seed of one variant; coordinates ``variant``, ``seed``) with the spectra
        as fitted and their ``distance`` (sample, other) in the study's unit of time; dim ``pair``
        (coordinates ``first``, ``second``, ``expected``, ``because``) with the numbers of
        :class:`Comparison`, ``p_adjusted``, ``verdict``, its ``reason`` where it is inconclusive,
        ``seeds_first``, ``seeds_second`` and ``swapped_pair_p`` (median over seeds). Dim
        ``time_unit``, the units of time in which the variants differ: ``effect_by_time_unit`` and
        so on (time_unit, pair). Only for studies that scan, ``factor_value`` (sample, factor). Only
        where fits were resampled, ``cloud`` (sample_cloud, resample, mode; coordinate
        ``cloud_variant``). Dim ``control_line``: what
        :func:`koopscope.experiments.equivalence.control_lines.as_dataset` gives, where the study
        has such lines; the margin is among the attributes.
    """
    lines, margin = judge_control_lines(study, spectra, rule or Rule())
    rule = replace(rule or Rule(), smallest_effect=margin.used)
    samples = join(study, spectra)
    groups = groups_of(samples)
    eigenvalues = finite(samples["eigenvalue"].values)
    time_units = {}
    for time_unit, powers in powers_by_time_unit(study).items():
        power = [powers[name] for name in samples["variant"].values]
        distances = distances_of(samples, in_other_time(eigenvalues, power), rule.distance)
        time_units[time_unit] = distances, judge(study.pairs, distances, groups, rule)
    distances, results = time_units[study.time_unit]
    out = samples.assign(distance=(("sample", "other"), distances))
    out = with_pairs(out, study, results, rule)
    seeds = samples["seed"].values
    swapped = [
        _swapped(eigenvalues, seeds, groups[pair.first], groups[pair.second])
        for pair in study.pairs
    ]
    out = out.assign(
        seeds_first=("pair", [len(groups[pair.first]) for pair in study.pairs]),
        seeds_second=("pair", [len(groups[pair.second]) for pair in study.pairs]),
        swapped_pair_p=("pair", np.array(swapped, dtype=float)),
    ).assign_coords(time_unit=texts(time_units))
    for name in BY_TIME_UNIT:
        values = [numbers(results, name) for _, results in time_units.values()]
        out[f"{name}_by_time_unit"] = (("time_unit", "pair"), np.stack(values))
    if study.scan:
        out = _with_factors(out, study)
        out = out.assign_attrs(along_the_line(study, distances, groups, rule.bootstrap))
    return out.merge(lines).assign_attrs(
        study=study.name,
        question=study.question,
        unit=study.time_unit,
        reference=study.reference,
        **asdict(rule) | margin.attrs,
    )


def judge_control_lines(
    study: Study, spectra: Mapping[str, xr.Dataset], rule: Rule
) -> tuple[xr.Dataset, Margin]:
    """Control lines against the reference, each a test of its own, and the margin they measure.

    Parameters
    ----------
    study, spectra, rule
        As for :func:`compare_study`.

    Returns
    -------
    lines : xarray.Dataset
        As :func:`koopscope.experiments.equivalence.control_lines.as_dataset` gives it; empty where
        the study has none.
    margin : Margin
        The smallest effect by which the study's pairs are judged.
    """
    lines = study.control_lines
    if not lines:
        return xr.Dataset(), margin_of(rule.smallest_effect, (), ())
    reference = study.reference_variant
    samples = join(replace(study, variants=(reference, *lines)), spectra)
    distances = distances_of(samples, finite(samples["eigenvalue"].values), rule.distance)
    groups, seeds = groups_of(samples), samples["seed"].values
    first, results = groups[reference.name], []
    paired = [line.setup == reference.setup for line in lines]
    for line, own_runs in zip(lines, paired, strict=True):
        of = {seeds[j]: j for j in groups[line.name]}
        twins = [(i, of[seeds[i]]) for i in first if seeds[i] in of] if own_runs else []
        between = unpaired(distances, twins) if twins else distances
        results += judge([control_pair(reference.name, line)], between, groups, rule)
    margin = margin_of(rule.smallest_effect, lines, results)
    counts = [(len(first), len(groups[line.name])) for line in lines]
    return as_dataset(lines, results, counts, paired, rule.alpha, margin.number), margin


def join(study: Study, spectra: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join the variants' spectra along ``sample``, padded with NaN to the longest.

    How each variant was fitted goes into the attribute ``fits``, as JSON.
    """
    parts, clouds = [], {}
    for name in (variant.name for variant in study.variants):
        part = spectra[name].rename(seed="sample")
        if "resampled" in part:
            clouds[name] = part["resampled"]
        part = part.drop_vars("resampled", errors="ignore")
        seeds = part["sample"].values
        parts.append(
            part.drop_vars("sample").assign_coords(
                seed=("sample", seeds), variant=("sample", np.full(len(seeds), name, object))
            )
        )
    out = xr.concat(parts, dim="sample", join="outer", combine_attrs="drop")
    names = [variant.name for variant in study.variants]
    fits = {name: {key: spectra[name].attrs.get(key) for key in FITTED} for name in names}
    out.attrs["fits"] = json.dumps(fits)
    if clouds:
        cloud = xr.concat(clouds.values(), dim="sample_cloud", join="outer")
        out["cloud"] = cloud.assign_coords(cloud_variant=("sample_cloud", texts(clouds)))
    return out


def groups_of(samples: xr.Dataset) -> dict[str, np.ndarray]:
    """Positions along ``sample`` of each variant's seeds that have eigenvalues at all."""
    variant = samples["variant"].values
    some = np.isfinite(samples["eigenvalue"].values).any(axis=1)
    return {name: np.flatnonzero((variant == name) & some) for name in dict.fromkeys(variant)}


def finite(padded: np.ndarray) -> list[np.ndarray]:
    """Eigenvalues of each sample, without the padding."""
    return [row[np.isfinite(row)] for row in padded]


def powers_by_time_unit(study: Study) -> dict[str, dict[str, float]]:
    """Powers that bring each variant's eigenvalues to the reference's time, by unit of time.

    An eigenvalue λ over a time u is λ^(v/u) over a time v. Units in which nothing changes against
    one that is there already are left out, but never the one that the study judges by.
    """
    reference = study.reference_variant
    found: dict[str, dict[str, float]] = {}
    for time_unit in (study.time_unit, *TIME_UNITS):
        units = {v.name: v.fit.stride * v.setup.per_step(time_unit) for v in study.variants}
        if any(math.isnan(unit) for unit in units.values()):
            continue
        powers = {v.name: units[reference.name] / units[v.name] for v in study.variants}
        if powers not in found.values():
            found.setdefault(time_unit, powers)
    return found


def distances_of(
    samples: xr.Dataset, eigenvalues: Sequence[np.ndarray], distance: str
) -> np.ndarray:
    """Distances between the samples' spectra, shape (sample, sample).

    Parameters
    ----------
    samples
        With ``residual`` and ``amplitude`` of the eigenvalues as fitted, which weight them in some.
    eigenvalues
        Of each sample, perhaps in another unit of time.
    distance
        One of :data:`koopscope.compare.METRICS`.
    """
    exists = np.isfinite(samples["eigenvalue"].values)
    residuals, amplitudes = (
        [row[there] for row, there in zip(samples[name].values, exists, strict=True)]
        for name in ("residual", "amplitude")
    )
    return metric_matrix(distance, eigenvalues, residuals, amplitudes)


def in_other_time(eigenvalues: Sequence[np.ndarray], powers: Sequence[float]) -> list[np.ndarray]:
    """Each sample's eigenvalues to its power, on the principal branch."""
    return [
        values if power == 1 else np.power(values.astype(complex), power)
        for values, power in zip(eigenvalues, powers, strict=True)
    ]


def judge(
    pairs: Sequence[Pair],
    distances: np.ndarray,
    groups: Mapping[str, np.ndarray],
    rule: Rule,
) -> list[Comparison | None]:
    """Comparison of each pair; None where a side has no spectrum at all."""
    return [
        compare(
            distances, groups[pair.first], groups[pair.second], rule.permutations, rule.bootstrap
        )
        if len(groups[pair.first]) and len(groups[pair.second])
        else None
        for pair in pairs
    ]


def with_pairs(
    dataset: xr.Dataset, study: Study, results: Sequence[Comparison | None], rule: Rule
) -> xr.Dataset:
    """Add the numbers and the verdict of each pair."""
    p_adjusted = adjusted(numbers(results, "p_value"), rule.correction)
    verdicts, reasons = [], []
    for result, p in zip(results, p_adjusted, strict=True):
        if result is not None and study.test:
            verdicts.append(result.verdict(rule.alpha, rule.smallest_effect, p))
            reasons.append(result.reason(rule.alpha, rule.smallest_effect, p))
        else:
            verdicts.append(INCONCLUSIVE)
            reasons.append(UNTESTED if result is not None else NO_SPECTRUM)
    labels = {
        name: ("pair", np.array([getattr(pair, name) for pair in study.pairs], dtype=object))
        for name in ("first", "second", "expected", "because")
    }
    return dataset.assign(
        p_adjusted=("pair", p_adjusted),
        verdict=("pair", np.array(verdicts, dtype=object)),
        reason=("pair", np.array(reasons, dtype=object)),
        **{name: ("pair", numbers(results, name)) for name in NUMBERS},
    ).assign_coords(labels)


def numbers(results: Sequence[Comparison | None], name: str) -> np.ndarray:
    """One number of each comparison, NaN where there is none."""
    return np.array([np.nan if r is None else getattr(r, name) for r in results], dtype=float)


def _with_factors(dataset: xr.Dataset, study: Study) -> xr.Dataset:
    values = {
        v.name: [factor_value(v.setup, field) for field in study.scan] for v in study.variants
    }
    rows = [values[name] for name in dataset["variant"].values]
    return dataset.assign(factor_value=(("sample", "factor"), np.array(rows))).assign_coords(
        factor=texts(study.scan)
    )


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
