"""What a study came to, as plain numbers and as Markdown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.experiments.equivalence.fits import fit_facts, fit_table
from koopscope.experiments.equivalence.pairs import control_rows, margin_facts, pairs
from koopscope.experiments.equivalence.reliability import error_rates_facts, sensitivity_facts
from koopscope.experiments.equivalence.tables import (
    control_text,
    error_rates_text,
    how_judged,
    line_text,
    pair_table,
    rates_text,
    sensitivity_text,
    survival_table,
    time_unit_table,
    variant_table,
    verdict_table,
)
from koopscope.experiments.equivalence.wording import distance_name
from koopscope.koopman.trust import RESIDUAL_LIMIT
from koopscope.report.datasets import plain, require, samples_by_variant
from koopscope.report.tables import escaped

NOTES = (
    (
        "between, within",
        "Mean distance between the spectra of two seeds, in the complex plane: one of each variant "
        "(between), or both of one variant (within). Each study says which distance.",
    ),
    (
        "effect",
        "between ÷ within, with a 95 % bootstrap interval over seeds. At 1 the variants differ no "
        "more than seeds of one variant do.",
    ),
    (
        "p, adjusted p",
        "Share of the permutations of seed labels whose energy distance is at least the one found; "
        "adjusted for the study's many pairs.",
    ),
    (
        "verdict",
        "Distinguished: the adjusted p is at most the level and the whole interval lies at or "
        "above the smallest effect of interest. Not distinguished: the whole interval lies below "
        "it. Otherwise inconclusive.",
    ),
    (
        "control",
        "Made of the reference's trajectories from fresh seeds. Recoded: the same dynamics in "
        "other variables, which must not count as a difference. Surrogate: some statistics of the "
        "runs without their dynamics, which should count.",
    ),
    (
        "swapped-pair p",
        "The paper's control, the median over seeds, for comparison with the paper only: matched "
        "eigenvalues are swapped between the two spectra at random. Swapped matched pairs always "
        "leave the old matching available, so that a shuffled distance is never above the true "
        "one, and this p says little.",
    ),
    (
        "residual above limit",
        "Share of eigenvalues whose relative residual is above "
        f"{RESIDUAL_LIMIT:g}, or unknown; drawn hollow in the figures, the former crossed.",
    ),
)
LEADING = 5
LINE = ("line_points", "line_effect", "mirror_effect", "line_difference")
LINE += ("line_difference_low", "line_difference_high")


def facts(stores: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Numbers of one study, of all its stores: ``comparison``, ``curves`` and those that it has.

    Returns
    -------
    dict
        Of :func:`study_facts`, with ``sentences``, ``error_rates`` and ``sensitivity``
        (:mod:`koopscope.experiments.equivalence.reliability`) where there are such stores.

    Raises
    ------
    InputError
        If a dataset lacks a variable or has no samples.
    """
    found = study_facts(stores["comparison"], stores["curves"])
    found["sentences"] = [row["sentence"] for row in (*found["pairs"], *found["control_lines"])]
    for store, of in (("error_rates", error_rates_facts), ("sensitivity", sensitivity_facts)):
        if store in stores:
            found[store] = of(stores[store])
    return found


def text(facts: Mapping[str, Any]) -> str:
    """Section of the summary on one study; what it leaves out stands in its files of tables."""
    blocks = [
        verdict_table(facts["pairs"]),
        "\n".join(f"- {escaped(pair['sentence'])}" for pair in facts["pairs"]),
        how_judged(facts),
        fit_table(facts["fits"]),
        control_text(facts["control_lines"]),
        time_unit_table(facts),
        line_text(facts["line"]),
        rates_text(facts.get("error_rates")),
        survival_table(facts.get("sensitivity")),
    ]
    return "\n\n".join(block for block in blocks if block)


# By the name that a page of findings gives.
TABLES = {
    "variants": lambda facts: variant_table(facts["variants"]),
    "pairs": lambda facts: pair_table(facts["pairs"]),
    "time_units": time_unit_table,
    "line": lambda facts: line_text(facts["line"]),
    "control_lines": lambda facts: control_text(facts["control_lines"]),
    "error_rates": lambda facts: error_rates_text(facts.get("error_rates")),
    "sensitivity": lambda facts: sensitivity_text(facts.get("sensitivity")),
}


def study_facts(comparison: xr.Dataset, curves: xr.Dataset) -> dict[str, Any]:
    """Numbers of one study as plain JSON values; None stands for a number that does not exist.

    Parameters
    ----------
    comparison
        Spectra, distances and verdicts: dimensions ``(sample, mode)``, ``(sample, other)``,
        ``pair``.
    curves
        Loss ``(sample, step)``, perhaps accuracy ``(sample, evaluation)``, and ``diverged``.

    Returns
    -------
    dict
        ``alpha``, ``permutations``, ``bootstrap``, ``initialisations``, ``loss_name``,
        ``distance``, ``residual_limit``; ``variants`` by name; ``pairs`` and ``control_lines``,
        lists, and ``margin``, of :mod:`koopscope.experiments.equivalence.pairs`; ``fits``, a list
        (:func:`koopscope.experiments.equivalence.fits.fit_facts`).
        ``leading_eigenvalues`` of a variant are medians over seeds of modulus and absolute angle
        at each rank by modulus: complex medians would mix real eigenvalues with conjugate pairs.

    Raises
    ------
    InputError
        If either dataset lacks a variable or has no samples.
    """
    require(curves, "facts", "curves", ("variant", "seed", "loss", "diverged"))
    found = comparison_facts(comparison)
    trained = samples_by_variant(curves)
    nothing = np.array([], dtype=int)
    told = curves.attrs.get("settings", {})
    for name, facts in found["variants"].items():
        facts |= _trained(curves.isel(sample=trained.get(name, nothing)))
        facts["settings"] = told.get(name, "")
    return found | {
        "loss_name": str(curves.attrs.get("loss_name") or ""),
        "initialisations": plain(curves.attrs.get("initialisations")),
    }


def comparison_facts(comparison: xr.Dataset) -> dict[str, Any]:
    """What of :func:`study_facts` the comparison alone knows.

    Raises
    ------
    InputError
        If the dataset lacks a variable or has no samples.
    """
    require(comparison, "facts", "comparison", ("variant", "seed", "eigenvalue", "residual"))
    attrs = comparison.attrs
    numbers = {
        name: plain(attrs.get(name))
        for name in ("alpha", "permutations", "bootstrap", "smallest_effect")
    }
    line = {name: plain(attrs[name]) for name in LINE if name in attrs}
    return {
        **numbers,
        "correction": str(attrs.get("correction") or "none"),
        "time_unit": str(attrs.get("unit") or "step"),
        "line": line or None,
        "distance": distance_name(attrs),
        "residual_limit": RESIDUAL_LIMIT,
        "fits": fit_facts(comparison),
        "variants": {
            name: _spectral(comparison.isel(sample=at))
            for name, at in samples_by_variant(comparison).items()
        },
        "pairs": pairs(comparison),
        "margin": margin_facts(attrs),
        "control_lines": control_rows(comparison),
    }


def _spectral(samples: xr.Dataset) -> dict[str, Any]:
    eigenvalue = np.asarray(samples["eigenvalue"].transpose("sample", "mode").values)
    residual = np.asarray(samples["residual"].transpose("sample", "mode").values, dtype=float)
    exists = np.isfinite(eigenvalue)
    modulus = np.where(exists, np.abs(eigenvalue), -np.inf)
    order = np.argsort(-modulus, axis=1, kind="stable")[:, :LEADING]
    leading = np.take_along_axis(eigenvalue, order, axis=1)
    known = residual[exists & np.isfinite(residual)]
    largest = modulus.max(axis=1, initial=-np.inf)
    return {
        "seeds": int(samples.sizes["sample"]),
        "eigenvalues": int(exists.sum()),
        "leading_eigenvalues": [
            {"modulus": _median(np.abs(rank)), "angle": _median(np.abs(np.angle(rank)))}
            for rank in leading.T
            if np.isfinite(rank).any()
        ],
        "spectral_radius_median": _median(largest),
        "residual_median": _median(known),
        "residual_max": plain(known.max()) if known.size else None,
        # An eigenvalue without a residual has nothing that speaks for it, and counts as above.
        "residual_above_limit": (
            float(np.mean(~(residual[exists] <= RESIDUAL_LIMIT))) if exists.any() else None
        ),
    }


def _trained(samples: xr.Dataset) -> dict[str, Any]:
    accuracy = None
    if "accuracy" in samples:
        accuracy = _spread(_last_finite(samples["accuracy"].transpose("sample", ...).values))
    return {
        "diverged": int(np.sum(samples["diverged"].values)),
        "final_accuracy": accuracy,
        "final_loss": _spread(_last_finite(samples["loss"].transpose("sample", ...).values)),
    }


def _last_finite(values: np.ndarray) -> np.ndarray:
    # Variants with fewer steps are padded with NaN, so the last column need not hold the end.
    values = np.asarray(values, dtype=float)
    return np.array([row[np.isfinite(row)][-1] for row in values if np.isfinite(row).any()])


def _spread(values: np.ndarray) -> dict[str, float | None] | None:
    if not values.size:
        return None
    return {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if values.size > 1 else None,
        "min": float(values.min()),
        "max": float(values.max()),
    }


def _median(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None
