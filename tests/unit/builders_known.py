"""Stores of made-up studies with known answers: calibration, alternates, and scans of factors."""

import json

import numpy as np
import xarray as xr
from builders import widths_comparison
from scipy.stats import binomtest

from koopscope.summary import TOO_FEW

KNOWN = (
    ("h40", "h40_fresh", "equivalent", 1.0),
    ("h5", "h5_fresh", "equivalent", 1.01),
    ("h5", "h40", "different", 3.4),
    ("h10", "h40", "different", 1.6),
    ("h20", "h40", "open", 1.2),
)


def calibration_store(
    draws: int = 200,
    sizes: tuple[int, ...] = (5, 10, 25),
    metrics: tuple[str, ...] = ("wasserstein", "sliced", "energy", "hausdorff"),
    known: tuple[tuple[str, str, str, float], ...] = KNOWN,
) -> xr.Dataset:
    """P-values that are uniform under equivalence, smaller with more seeds and larger effects.

    Of the second metric none are known at the smallest size.
    """
    rng = np.random.default_rng(4)
    effect = np.array([row[3] for row in known])
    strength = (effect - 1)[:, None, None, None] * np.sqrt(sizes)[None, :, None, None]
    strength = strength * np.linspace(1, 0.4, len(metrics))[None, None, :, None]
    shape = (len(known), len(sizes), len(metrics), draws)
    p = np.maximum(rng.random(shape) ** (1 + np.maximum(strength, 0)), 1 / 1000)
    p[:, 0, 1:2] = np.nan
    equivalent = np.array([row[2] == "equivalent" for row in known])
    verdict = np.where(p[:, :, 0] <= 0.05, "distinguished", "not distinguished").astype(object)
    verdict[:, 0, ::3] = TOO_FEW
    rates = np.full((3, *shape[:3]), np.nan)
    equal = np.full(shape[:3], np.nan)
    for i, j, k in np.ndindex(shape[:3]):
        if np.isfinite(p[i, j, k]).all():
            hits = int((p[i, j, k] <= 0.05).sum())
            span = binomtest(hits, draws).proportion_ci(0.95, method="exact")
            rates[:, i, j, k] = hits / draws, span.low, span.high
            if equivalent.any():
                limit = np.quantile(p[equivalent, j, k], 0.05)
                equal[i, j, k] = (p[i, j, k] < limit).mean()
    by_metric = ("pair", "size", "metric")
    return xr.Dataset(
        {
            "p_value": ((*by_metric, "draw"), p),
            "effect": (
                ("pair", "size", "draw"),
                effect[:, None, None] * np.exp(0.1 * rng.normal(size=(*shape[:2], draws))),
            ),
            "verdict": (("pair", "size", "draw"), verdict),
            "swapped_pair_p": (
                ("pair", "size", "draw"),
                np.round(0.9 + 0.1 * rng.random((*shape[:2], draws)), 2),
            ),
            "true_effect": ("pair", effect),
            "rate": (by_metric, rates[0]),
            "rate_low": (by_metric, rates[1]),
            "rate_high": (by_metric, rates[2]),
            "equal_rate": (by_metric, equal),
        },
        coords={
            **{
                name: ("pair", np.array([row[k] for row in known], dtype=object))
                for k, name in enumerate(("first", "second", "expected"))
            },
            "because": ("pair", np.array([""] * len(known), dtype=object)),
            "size": list(sizes),
            "metric": np.array(metrics, dtype=object),
        },
        attrs={
            "study": "calibration",
            "question": "How often is the test wrong, and how often does it see?",
            "alpha": 0.05,
            "draws": draws,
            "pool": json.dumps({"h5": list(range(100)), "h40": list(range(120))}),
        },
    )


ALTERNATES = (
    ("as compared", ""),
    ("rank 6", "10 → 6"),
    ("rank 16", "10 → 16"),
    ("half the delays", "64 → 32"),
    ("no spurious", "residual ≤ 0.1 only"),
    ("weighted", "by amplitude"),
    ("last half", "steps 500 to 1000"),
)


def alternates_store(pairs: tuple[tuple[str, str, str], ...] | None = None) -> xr.Dataset:
    """Seven alternates; the second pair's verdict hangs on them, and one cell is unknown."""
    pairs = pairs or tuple((a, b, expected) for a, b, expected, _ in KNOWN)
    rng = np.random.default_rng(6)
    level = np.resize([1.0, 1.45, 3.4, 1.6, 1.2], len(pairs))
    effect = level * np.exp(0.08 * rng.normal(size=(len(ALTERNATES), len(pairs))))
    low, high = effect * 0.85, effect * 1.2
    verdict = np.full(effect.shape, TOO_FEW, dtype=object)
    verdict[low > 1.2], verdict[high < 1.5] = "distinguished", "not distinguished"
    effect[3, 0] = low[3, 0] = high[3, 0] = np.nan
    verdict[3, 0] = TOO_FEW
    p = np.clip(np.exp(-4 * (effect - 1)), 0.001, 1)
    both = ("alternate", "pair")
    return xr.Dataset(
        {
            "effect": (both, effect),
            "effect_low": (both, low),
            "effect_high": (both, high),
            "p_value": (both, p),
            "p_adjusted": (both, np.minimum(1, 3 * p)),
            "between": (both, 0.01 * effect),
            "within": (both, np.full(effect.shape, 0.01)),
            "verdict": (both, verdict),
            "changes": ("alternate", np.array([row[1] for row in ALTERNATES], dtype=object)),
        },
        coords={
            "alternate": np.array([row[0] for row in ALTERNATES], dtype=object),
            **{
                name: ("pair", np.array([row[k] for row in pairs], dtype=object))
                for k, name in enumerate(("first", "second", "expected"))
            },
        },
        attrs={
            "study": "width",
            "question": "Would another choice have given another verdict?",
            "alpha": 0.05,
            "smallest_effect": 1.5,
        },
    )


def with_factors(
    comparison: xr.Dataset, factors: dict[str, dict[str, float]], reference: str
) -> xr.Dataset:
    """A comparison whose variants lie at these values of each factor."""
    variant = comparison["variant"].values
    values = np.array([[factors[name][v] for name in factors] for v in variant], dtype=float)
    return (
        comparison.assign(factor_value=(("sample", "factor"), values))
        .assign_coords(factor=np.array(list(factors), dtype=object))
        .assign_attrs(reference=reference)
    )


def ladder_comparison(seeds: int = 6, widths: tuple[int, ...] = (40, 5, 10, 20, 80)) -> xr.Dataset:
    """One factor varies, the width; a control has the reference's width; the others stay."""
    names = (*(f"h{width}" for width in widths), "h40_fresh")
    hidden = dict(zip(names, (*map(float, widths), 40.0), strict=True))
    factors = {"hidden": hidden, "learning_rate": dict.fromkeys(names, 0.1)}
    return with_factors(widths_comparison(seeds, names, "h40"), factors, "h40")


def plane_comparison(seeds: int = 4, side: int = 3) -> xr.Dataset:
    """Two factors vary in steps of two; the reference lies in the middle."""
    rates = [0.1 * 2.0 ** (i - side // 2) for i in range(side)]
    batches = [60 * 2.0 ** (i - side // 2) for i in range(side)]
    at = {f"lr{rate:g}_b{batch:g}": (rate, batch) for rate in rates for batch in batches}
    factors = {
        name: {variant: values[k] for variant, values in at.items()}
        for k, name in enumerate(("learning_rate", "batch_size"))
    }
    reference = "lr0.1_b60"
    return with_factors(widths_comparison(seeds, tuple(at), reference), factors, reference)
