"""What a study came to: plain numbers for the report's captions, and a text to read.

The wording lives here, once. Equal spectra are necessary for conjugate training, not sufficient,
so a pair is "distinguished", "not distinguished" or not judged, and nothing stronger.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from koopscope.errors import InputError

# An eigenfunction whose residual is above a tenth of its own size is not to be trusted. A choice
# of this project: the figures draw such eigenvalues hollow, the tables give their share.
RESIDUAL_LIMIT = 0.1
LEADING = 5
TOO_FEW = "too few seeds to tell"
EXPECTED_WORDS = {"equivalent": "not distinguished", "different": "distinguished", "open": "open"}
PAIR_NUMBERS = ("between", "within", "effect", "effect_low", "effect_high", "statistic")
PAIR_NUMBERS += ("p_value", "p_adjusted", "swapped_pair_p")
NOTES = (
    (
        "between, within",
        "Mean 1-Wasserstein distance (in the complex plane) between the spectra of two seeds: one "
        "of each variant (between), or both of one variant (within).",
    ),
    (
        "effect",
        "between ÷ within, with a 95 % bootstrap interval over seeds. At 1 the variants differ no "
        "more than seeds of one variant do.",
    ),
    (
        "p",
        "Share of the permutations of seed labels whose energy distance is at least the one found. "
        "Small p: distinguished. Otherwise the pair is not distinguished by this many seeds, "
        "which shows no more than that.",
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
        f"{RESIDUAL_LIMIT:g}, or unknown; these are drawn hollow in the figures.",
    ),
)


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


def as_expected(verdict: str, expected: str) -> bool | None:
    """Whether a verdict is the expected one; None where nothing was expected or nothing judged."""
    if verdict == TOO_FEW or expected == "open":
        return None
    return verdict == EXPECTED_WORDS[expected]


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
        row |= {name: _plain(at[name].values) for name in PAIR_NUMBERS}
        row |= {name: int(at[name].values) for name in counts}
        row["name"] = f"{row['first']} / {row['second']}"
        row["as_expected"] = as_expected(row["verdict"], row["expected"])
        row["sentence"] = _sentence(row)
        rows.append(row)
    return rows


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
        name: _plain(attrs.get(name))
        for name in ("alpha", "permutations", "bootstrap", "initialisations")
    }
    return {
        **text,
        **numbers,
        "residual_limit": RESIDUAL_LIMIT,
        "variants": variants,
        "pairs": pairs(comparison),
    }


def markdown(facts_by_study: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> str:
    """Text that says what was run and what came out.

    Parameters
    ----------
    facts_by_study
        :func:`facts` of each study by its name, in the order to report.
    run
        ``configuration`` (its name), ``koopscope`` (version), ``commit`` and ``versions`` (of
        other packages, by name); what is missing is left out.
    """
    blocks = ["# Summary", _ran(run, len(facts_by_study))]
    for name, study in facts_by_study.items():
        blocks += [
            f"## {_md(study['study'] or name)}",
            f"**{_md(study['question'])}**",
            _variant_table(study["variants"]),
            _pair_table(study["pairs"]),
            "\n".join(f"- {_md(pair['sentence'])}" for pair in study["pairs"]),
            _how_judged(study),
        ]
    blocks += [
        "## How to read the numbers",
        "\n".join(f"- **{term}**: {meaning}" for term, meaning in NOTES),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, or a dash for none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def interval(row: Mapping[str, Any]) -> str:
    """Effect of a pair with its interval, or a dash."""
    if row["effect"] is None:
        return "–"
    if row["effect_low"] is None or row["effect_high"] is None:
        return number(row["effect"])
    low, high = number(row["effect_low"]), number(row["effect_high"])
    return f"{number(row['effect'])} [{low}, {high}]"


def outcome(row: Mapping[str, Any]) -> str:
    """Say in words whether the verdict of a pair is the expected one."""
    if row["expected"] == "open":
        return "no expectation"
    if row["as_expected"] is None:
        return "not judged"
    return "as expected" if row["as_expected"] else "not as expected"


def _sentence(row: Mapping[str, Any]) -> str:
    seeds = f"{row['seeds_first']} and {row['seeds_second']} seeds"
    expected = EXPECTED_WORDS[row["expected"]]
    reason = f" ({row['because'].rstrip('. ')})" if row["because"] else ""
    if row["verdict"] == TOO_FEW:
        said = f"{row['name']}: not judged, {TOO_FEW} ({seeds})"
        if row["between"] is not None:
            said += f"; the spectra are {number(row['between'])} apart"
        if row["expected"] == "open":
            return f"{said}. No expectation{reason}."
        return f"{said}. Expected was {expected}{reason}."
    low, high = number(row["effect_low"]), number(row["effect_high"])
    said = (
        f"{row['name']}: {row['verdict']} (effect {number(row['effect'])}, "
        f"95 % interval {low} to {high}; p = {number(row['p_value'], 2)}; {seeds})"
    )
    if row["expected"] == "open":
        return f"{said}. No expectation{reason}."
    met = "As expected" if row["as_expected"] else f"Not as expected, which was {expected}"
    return f"{said}. {met}{reason}."


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
        "residual_max": _plain(known.max()) if known.size else None,
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


def _plain(value: Any) -> float | int | None:
    return None if value is None or not np.isfinite(value) else np.asarray(value).item()


def _ran(run: Mapping[str, Any], studies: int) -> str:
    said = f"{studies} {'study' if studies == 1 else 'studies'}"
    if run.get("configuration"):
        said += f" of the configuration `{run['configuration']}`"
    if run.get("koopscope"):
        said += f", koopscope {run['koopscope']}"
    if run.get("commit"):
        said += f" at commit `{run['commit']}`"
    versions = run.get("versions") or {}
    if versions:
        said += "; " + ", ".join(f"{name} {version}" for name, version in versions.items())
    return said + "."


def _how_judged(study: Mapping[str, Any]) -> str:
    return (
        f"Level {number(study['alpha'])}, {study['permutations'] or '–'} permutations of seed "
        f"labels, {study['bootstrap'] or '–'} bootstrap draws."
    )


def _variant_table(variants: Mapping[str, Mapping[str, Any]]) -> str:
    head = ("variant", "seeds", "diverged runs", "final accuracy (sd; range)", "final loss (sd)")
    head += ("leading moduli, median", "residual median (max)", "residual above limit")
    head += ("spectral radius, median",)
    return _table(head, [_variant_row(name, v) for name, v in variants.items()])


def _variant_row(name: str, variant: Mapping[str, Any]) -> list[str]:
    accuracy, loss = variant["final_accuracy"], variant["final_loss"]
    share = variant["residual_above_limit"]
    return [
        name,
        str(variant["seeds"]),
        str(variant["diverged"]),
        "–"
        if accuracy is None
        else f"{accuracy['mean']:.3f} ({number(accuracy['sd'], 2)}; "
        f"{accuracy['min']:.3f} to {accuracy['max']:.3f})",
        "–" if loss is None else f"{number(loss['mean'])} ({number(loss['sd'], 2)})",
        ", ".join(number(e["modulus"], 5) for e in variant["leading_eigenvalues"][:3]) or "–",
        f"{number(variant['residual_median'], 2)} ({number(variant['residual_max'], 2)})",
        "–" if share is None else f"{100 * share:.0f} %",
        number(variant["spectral_radius_median"], 5),
    ]


def _pair_table(rows: Iterable[Mapping[str, Any]]) -> str:
    head = ("pair", "between", "within", "effect [95 %]", "p", "swapped-pair p")
    head += ("verdict", "expected", "outcome")
    cells = [
        [
            row["name"],
            number(row["between"]),
            number(row["within"]),
            interval(row),
            number(row["p_value"], 2),
            number(row["swapped_pair_p"], 2),
            row["verdict"],
            EXPECTED_WORDS[row["expected"]],
            outcome(row),
        ]
        for row in rows
    ]
    return _table(head, cells)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([_md(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    # Names are the user's: none may end a table cell or switch on emphasis.
    text = " ".join(str(text).split())
    for mark in "\\|*_`<":
        text = text.replace(mark, "\\" + mark)
    return text
