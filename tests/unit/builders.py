"""Comparison and curves stores of made-up studies, with the statistics that they say."""

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment

from koopscope.summary import TOO_FEW

REFERENCE = {
    "omd": [
        0.55814,
        0.56513,
        0.79254,
        0.80117,
        0.92458,
        0.93197,
        0.97988,
        0.98379,
        0.99644,
        0.9979,
    ],
    "ogd": [
        0.55551,
        0.57102,
        0.79991,
        0.81756,
        0.93482,
        0.94882,
        0.98665,
        0.99368,
        0.99856,
        1.00048,
    ],
    "bisection": [
        *(-0.20703 + 0.23192j, -0.20703 - 0.23192j, 0.17922 + 0.46644j, 0.17922 - 0.46644j),
        *(0.43982, 1.0),
    ],
}


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """1-Wasserstein distance of uniform spectra; unequal sizes by repeating to a common size."""
    size = np.lcm(len(a), len(b))
    gaps = np.abs(np.repeat(a, size // len(a))[:, None] - np.repeat(b, size // len(b))[None, :])
    return float(gaps[linear_sum_assignment(gaps)].mean())


def a_comparison(
    spectra: dict[str, list[np.ndarray]],
    residuals: dict[str, list[np.ndarray]],
    pairs: list[tuple[str, str, str, str]],
    study: str,
    question: str,
) -> xr.Dataset:
    """A comparison store of these spectra (seeds of each variant) with honest statistics."""
    flat = [(name, row) for name, rows in spectra.items() for row in rows]
    modes = max(len(row) for _, row in flat)
    eigenvalue = np.full((len(flat), modes), np.nan + 0j)
    residual = np.full((len(flat), modes), np.nan)
    for i, (_, row) in enumerate(flat):
        eigenvalue[i, : len(row)] = row
    for i, row in enumerate(row for rows in residuals.values() for row in rows):
        residual[i, : len(row)] = row
    distance = np.zeros((len(flat), len(flat)))
    for i, (_, a) in enumerate(flat):
        for j, (_, b) in enumerate(flat[:i]):
            distance[i, j] = distance[j, i] = wasserstein(a, b)
    variant = np.array([name for name, _ in flat])
    seed = np.concatenate([np.arange(len(rows)) for rows in spectra.values()])
    judged = [_judge(distance, variant == a, variant == b) for a, b, _, _ in pairs]
    known = sorted(
        (row for row in judged if np.isfinite(row["p_value"])), key=lambda r: r["p_value"]
    )
    largest = 0.0
    for rank, row in enumerate(known):
        largest = max(largest, min(1.0, row["p_value"] * (len(known) - rank)))
        row["p_adjusted"] = largest
        row["verdict"] = "distinguished" if largest <= 0.05 else "not distinguished"
    columns = {name: ("pair", [row[name] for row in judged]) for name in judged[0]}
    return xr.Dataset(
        {
            "eigenvalue": (("sample", "mode"), eigenvalue),
            "residual": (("sample", "mode"), residual),
            "amplitude": (("sample", "mode"), np.abs(eigenvalue)),
            "runs_used": ("sample", np.full(len(flat), 10)),
            "distance": (("sample", "other"), distance),
            **columns,
        },
        coords={
            "variant": ("sample", variant.astype(object)),
            "seed": ("sample", seed),
            "first": ("pair", np.array([p[0] for p in pairs], dtype=object)),
            "second": ("pair", np.array([p[1] for p in pairs], dtype=object)),
            "expected": ("pair", np.array([p[2] for p in pairs], dtype=object)),
            "because": ("pair", np.array([p[3] for p in pairs], dtype=object)),
        },
        attrs={
            "study": study,
            "question": question,
            "alpha": 0.05,
            "permutations": 199,
            "bootstrap": 200,
            "correction": "holm",
            "smallest_effect": 1.5,
        },
    )


def _judge(distance: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, object]:
    rng = np.random.default_rng(1)
    a, b = np.flatnonzero(first), np.flatnonzero(second)

    def parts(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        inner = [distance[np.ix_(x, x)].sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
        return distance[np.ix_(a, b)].mean(), float(np.mean(inner))

    seeds = {"seeds_first": len(a), "seeds_second": len(b), "swapped_pair_p": 1.0}
    if min(len(a), len(b)) < 2:
        nothing = dict.fromkeys(
            ("within", "effect", "effect_low", "effect_high", "statistic", "p_value", "p_adjusted"),
            np.nan,
        )
        between = distance[np.ix_(a, b)].mean()
        return {"between": between, **nothing, "verdict": TOO_FEW, **seeds}
    between, within = parts(a, b)
    both = np.concatenate([a, b])
    shuffled = [parts(*np.split(rng.permutation(both), [len(a)])) for _ in range(199)]
    p = (1 + sum(x - y >= between - within for x, y in shuffled)) / 200
    again = [
        (np.unique(rng.choice(a, len(a))), np.unique(rng.choice(b, len(b)))) for _ in range(200)
    ]
    drawn = [parts(*draw) for draw in again if min(map(len, draw)) > 1]
    low, high = np.quantile([x / y for x, y in drawn], (0.025, 0.975))
    return {
        "between": between,
        "within": within,
        "effect": between / within,
        "effect_low": low,
        "effect_high": high,
        "statistic": 2 * (between - within),
        "p_value": p,
        "p_adjusted": np.nan,
        "verdict": TOO_FEW,
        **seeds,
    }


def width_spectra(
    seeds: int, widths: tuple[str, ...] = ("h5", "h10", "h40")
) -> dict[str, list[np.ndarray]]:
    """Ten eigenvalues a seed: four real ones, and three pairs that turn more when narrow."""
    rng = np.random.default_rng(0)
    spectra = {}
    for i, name in enumerate(widths):
        loose = (2.5, 1.0, 1.0, 0.8, 0.6)[i % 5]
        rows = []
        for _ in range(seeds):
            real = 1 - loose * np.array([0.0, 0.004, 0.02, 0.06]) - 0.004 * loose * rng.random(4)
            angle = np.array([0.03, 0.08, 0.2]) * loose + 0.01 * rng.normal(size=3)
            turning = (0.995 - 0.03 * loose * rng.random(3)) * np.exp(1j * angle)
            rows.append(np.concatenate([real, turning, turning.conj()]))
        spectra[name] = rows
    return spectra


def widths_comparison(
    seeds: int = 25,
    widths: tuple[str, ...] = ("h5", "h10", "h40"),
    reference: str | None = None,
) -> xr.Dataset:
    """All pairs of widths, or those with the reference alone."""
    spectra = width_spectra(seeds, widths)
    rng = np.random.default_rng(2)
    residuals = {
        name: [10 ** rng.uniform(-3.5, -0.6, len(row)) for row in rows]
        for name, rows in spectra.items()
    }
    pairs = [
        (a, b, "different" if a == "h5" else "open", "the paper's headline" if a == "h5" else "")
        for i, a in enumerate(widths)
        for b in widths[i + 1 :]
        if reference in (None, a, b)
    ]
    return a_comparison(
        spectra, residuals, pairs, "width", "Do narrow and wide networks train alike?"
    )


def widths_curves(seeds: int = 25, widths: tuple[str, ...] = ("h5", "h10", "h40")) -> xr.Dataset:
    rng = np.random.default_rng(3)
    step, evaluation = np.arange(1001), np.arange(0, 1001, 100)
    variant = np.repeat(widths, seeds)
    level = np.repeat(np.linspace(0.5, 0.2, len(widths)), seeds)[:, None]
    loss = level + 2.1 * np.exp(-step / 150) + 0.05 * rng.random((len(variant), 1001))
    accuracy = 0.96 - 0.3 * level - 0.75 * np.exp(-evaluation / 120)
    accuracy = accuracy + 0.01 * rng.normal(size=accuracy.shape)
    # The first variant was trained for half the steps; two of its runs diverged.
    loss[:seeds, 501:], accuracy[:seeds, 6:] = np.nan, np.nan
    diverged = np.zeros(len(variant), dtype=int)
    diverged[0] = 2
    return xr.Dataset(
        {
            "loss": (("sample", "step"), loss),
            "accuracy": (("sample", "evaluation"), accuracy),
            "diverged": ("sample", diverged),
        },
        coords={
            "variant": ("sample", variant.astype(object)),
            "seed": ("sample", np.tile(np.arange(seeds), len(widths))),
            "step": step,
            "evaluation_step": ("evaluation", evaluation),
        },
        attrs={
            "study": "width",
            "question": "Do narrow and wide networks train alike?",
            "loss_name": "negative log-likelihood",
            "initialisations": 10,
        },
    )


def optimisers_comparison() -> xr.Dataset:
    """One seed a variant, ten, ten and six eigenvalues: the online optimisers."""
    spectra = {name: [np.array(values, dtype=complex)] for name, values in REFERENCE.items()}
    residuals = {name: [np.geomspace(1e-9, 1e-2, len(v[0]))] for name, v in spectra.items()}
    residuals["bisection"][0][-1] = 0.4
    return a_comparison(
        spectra,
        residuals,
        [
            ("omd", "ogd", "equivalent", "conjugate by x = exp(u)"),
            ("ogd", "bisection", "different", "the paper's statement"),
            ("omd", "bisection", "different", "the paper's statement"),
        ],
        "optimisers",
        "Do spectra tell mirror descent, gradient descent and bisection apart as theory says?",
    )


def optimisers_curves() -> xr.Dataset:
    step = np.arange(100)
    loss = np.stack([1.5 * np.exp(-step / 25), 1.5 * np.exp(-step / 30), -0.8 * 0.5**step])
    return xr.Dataset(
        {"loss": (("sample", "step"), loss), "diverged": ("sample", [0, 0, 0])},
        coords={
            "variant": ("sample", np.array(list(REFERENCE), dtype=object)),
            "seed": ("sample", [0, 0, 0]),
            "step": step,
        },
        attrs={
            "study": "optimisers",
            "question": "Do spectra tell the optimisers apart as theory says?",
            "loss_name": "f(x)",
            "initialisations": 25,
        },
    )
