"""What a study came to, as plain numbers for the report's captions and for the text to read."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.summary.wording import as_expected, sentence

# An eigenfunction whose residual is above a tenth of its own size is not to be trusted. A choice
# of this project: the figures draw such eigenvalues hollow, the tables give their share.
RESIDUAL_LIMIT = 0.1
LEADING = 5
LINE = ("line_points", "line_effect", "mirror_effect", "line_difference")
LINE += ("line_difference_low", "line_difference_high")
PAIR_NUMBERS = ("between", "within", "effect", "effect_low", "effect_high", "statistic")
PAIR_NUMBERS += ("p_value", "p_adjusted", "swapped_pair_p")


def require(
    dataset: xr.Dataset, purpose: str, store: str, names: Iterable[str], dim: str = "sample"
) -> None:
    """Refuse a dataset that lacks what ``purpose`` needs.

    Raises
    ------
    InputError
        Naming the variables that are missing, or the dimension that is absent or empty.
    """
    missing = [name for name in names if name not in dataset.variables]
    if missing:
        there = ", ".join(map(str, dataset.variables)) or "nothing"
        raise InputError(
            f"{purpose}: dataset lacks {', '.join(missing)} (it has {there}); give a {store} store"
        )
    if not dataset.sizes.get(dim):
        raise InputError(f"{purpose}: dataset has no {dim}s; give a {store} store with at least 1")


def samples_by_variant(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Positions along ``sample`` of each variant, in the order in which variants first appear."""
    variant = strings(dataset["variant"])
    return {str(name): np.flatnonzero(variant == name) for name in dict.fromkeys(variant)}


def strings(values: xr.DataArray) -> np.ndarray:
    """Text of any kind as NumPy's fixed-length text.

    Stores give object or variable-length arrays back, and the latter refuse a plain cast.
    """
    return np.array([str(value) for value in np.atleast_1d(values.values)], dtype=str)


def pairs(comparison: xr.Dataset) -> list[dict[str, Any]]:
    """One dictionary of plain values for each pair of variants.

    Parameters
    ----------
    comparison
        Dimension ``pair`` with the coordinates ``first``, ``second``, ``expected``, ``because``
        and the variables of a verdict.

    Raises
    ------
    InputError
        If one of these is missing, or if there is no pair.
    """
    words = ("first", "second", "expected", "because", "verdict")
    counts = ("seeds_first", "seeds_second")
    require(comparison, "verdicts", "comparison", (*words, *PAIR_NUMBERS, *counts), dim="pair")
    rows = []
    for i in range(comparison.sizes["pair"]):
        at = comparison.isel(pair=i)
        row = {name: str(at[name].values) for name in words}
        row |= {name: plain(at[name].values) for name in PAIR_NUMBERS}
        row |= {name: int(at[name].values) for name in counts}
        row["name"] = f"{row['first']} / {row['second']}"
        row["clocks"] = clocks(at)
        row["as_expected"] = as_expected(row["verdict"], row["expected"])
        row["sentence"] = sentence(row)
        rows.append(row)
    return rows


def clocks(pair: xr.Dataset) -> list[dict[str, Any]]:
    """Effect and p of one pair in each unit of time in which the variants differ."""
    names = ("effect", "effect_low", "effect_high", "p_value")
    if "effect_by_clock" not in pair:
        return []
    return [
        {"clock": str(clock)}
        | {name: plain(pair[f"{name}_by_clock"].sel(clock=clock).values) for name in names}
        for clock in strings(pair["clock"])
    ]


def facts(comparison: xr.Dataset, curves: xr.Dataset) -> dict[str, Any]:
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
        ``study``, ``question``, ``alpha``, ``permutations``, ``bootstrap``, ``initialisations``,
        ``loss_name``, ``residual_limit``; ``variants`` by name; ``pairs``, a list.
        ``leading_eigenvalues`` of a variant are medians over seeds of modulus and absolute angle
        at each rank by modulus: complex medians would mix real eigenvalues with conjugate pairs.

    Raises
    ------
    InputError
        If either dataset lacks a variable or has no samples.
    """
    require(comparison, "facts", "comparison", ("variant", "seed", "eigenvalue", "residual"))
    require(curves, "facts", "curves", ("variant", "seed", "loss", "diverged"))
    trained = samples_by_variant(curves)
    nothing = np.array([], dtype=int)
    variants = {
        name: _spectral(comparison.isel(sample=at))
        | _trained(curves.isel(sample=trained.get(name, nothing)))
        for name, at in samples_by_variant(comparison).items()
    }
    attrs = comparison.attrs | {
        name: curves.attrs.get(name) for name in ("initialisations", "loss_name")
    }
    text = {name: str(attrs.get(name) or "") for name in ("study", "question", "loss_name")}
    numbers = {
        name: plain(attrs.get(name))
        for name in ("alpha", "permutations", "bootstrap", "initialisations", "smallest_effect")
    }
    line = {name: plain(attrs[name]) for name in LINE if name in attrs}
    return {
        **text,
        **numbers,
        "correction": str(attrs.get("correction") or "none"),
        "clock": str(attrs.get("unit") or "step"),
        "line": line or None,
        "residual_limit": RESIDUAL_LIMIT,
        "variants": variants,
        "pairs": pairs(comparison),
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


def plain(value: Any) -> float | int | None:
    """A NumPy or Python number as a Python number; None for NaN or nothing."""
    return None if value is None or not np.isfinite(value) else np.asarray(value).item()
