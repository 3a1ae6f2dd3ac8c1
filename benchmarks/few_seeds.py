"""Claim: single runs of few seeds can be compared, and what is foreseen for more is about right.

Pools of single runs (one a seed) on the bundled digits are fitted once by the written rule of
``compare_runs``; groups of 4 to 10 seeds are drawn from them over and over. Draws from one pool,
split in two, count false positives; draws from two pools count power. See README.md.
"""

import sys
from collections.abc import Mapping

import numpy as np
import xarray as xr

from koopscope.compare.metrics import metric_matrix
from koopscope.compare.power import seeds_needed
from koopscope.compare.verdict import compare
from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.config.data import DataSpec
from koopscope.config.fit import FitSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.koopman.choice import choose
from koopscope.koopman.seeds import fit_runs
from koopscope.training.ensemble import train
from koopscope.training.loop import Block

STEPS = 400
POOL, NULL_POOL = 60, 120
TRIED = 60
SIZES = (4, 5, 6, 8, 10)
# For verdicts, whose intervals take longer than p: of those ten times as many are drawn.
DRAWS = 200
ALPHA, SMALLEST = 0.05, 1.1
LEVEL = 0.05
BASE = {"hidden_widths": (10,), "sketch": 8, "observable": ("all",), "initialisations": 1}
# Each pool has seeds of its own. The widths are compared by sketches, the others by all weights.
POOLS: dict[str, dict[str, object]] = {
    "base": {},
    "width 5": {"hidden_widths": (5,)},
    "width 40": {"hidden_widths": (40,)},
    "rate 0.08": {"learning_rate": 0.08},
    "rate 0.05": {"learning_rate": 0.05},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.01},
    "Adam": {"optimizer": "adam", "learning_rate": 0.01},
    "tanh": {"activation": "tanh"},
}
BY_SKETCH = ("width 5", "width 40")


def runs(number: int, fields: Mapping[str, object], count: int, steps: int) -> dict[str, list]:
    """Weights and sketches of single runs, (step, weight) each."""
    seeds = tuple(range(1000 * number, 1000 * number + count))
    setup = NetworkSetup(
        data=DataSpec("digits", "digits"), steps=steps, seeds=seeds, **BASE | dict(fields)
    )
    pieces = [
        p for p in train(setup, load(setup.data), steps, device="cpu") if isinstance(p, Block)
    ]
    return {
        name: [run[0] for piece in pieces for run in piece.observed[name]]
        for name in ("weights", "sketch")
    }


def matrix(pools: Mapping[str, list[np.ndarray]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Distances between all runs' spectra by the rule, and each pool's places."""
    first = next(iter(pools.values()))[0]
    choice = choose(*first.shape)
    groups = {
        name: {i: xr.DataArray(run, dims=("step", "weight")) for i, run in enumerate(those)}
        for name, those in pools.items()
    }
    fits = fit_runs(groups, FitSpec(choice.delays, choice.rank))
    values = [row for name in pools for row in fits[name]["eigenvalue"].values]
    ends = np.cumsum([0, *map(len, pools.values())])
    places = {n: np.arange(a, b) for n, a, b in zip(pools, ends, ends[1:], strict=False)}
    return metric_matrix("wasserstein", values, values, values), places


def drawn(
    rng: np.random.Generator, first: np.ndarray, second: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two groups of so many, none in both."""
    if first is second:
        both = rng.choice(first, 2 * size, replace=False)
        return both[:size], both[size:]
    return rng.choice(first, size, replace=False), rng.choice(second, size, replace=False)


def table(name: str, distances: np.ndarray, first: np.ndarray, second: np.ndarray, draws: int):
    """Print a row a size; returns shares of p at most the level."""
    shares = []
    for size in SIZES:
        rng = np.random.default_rng([size, len(name)])
        p_values = [
            compare(distances, *drawn(rng, first, second, size), bootstrap=0).p_value
            for _ in range(10 * draws)
        ]
        small = float(np.mean(np.array(p_values) <= ALPHA))
        words, foreseen = [], []
        for _ in range(draws):
            sides = drawn(rng, first, second, size)
            found = compare(distances, *sides)
            words.append(found.verdict(ALPHA, SMALLEST))
            if words[-1] == INCONCLUSIVE:
                needed = seeds_needed(found, size, size, ALPHA, SMALLEST)
                foreseen.append(needed.seeds if needed and needed.seeds else np.inf)
        # Only what the pools have can be tried.
        room = len(first) // 2 if first is second else min(len(first), len(second))
        settled = []
        for seeds in [count for count in foreseen if count <= room][:TRIED]:
            sides = drawn(rng, first, second, int(seeds))
            word = compare(distances, *sides).verdict(ALPHA, SMALLEST)
            settled.append(word != INCONCLUSIVE)
        shares.append(small)
        said = " ".join(
            f"{words.count(word) / draws:6.2f}"
            for word in (DISTINGUISHED, NOT_DISTINGUISHED, INCONCLUSIVE)
        )
        kept = f"{np.mean(settled):.2f} of {len(settled)}" if settled else "–"
        median = f"{np.median(foreseen):.0f}" if foreseen else "–"
        print(f"  {name:28s} {size:3d} {small:9.3f}  {said}   {median:>4s}  {kept}")
    return shares


def main() -> None:
    """Print the table."""
    quick = "--quick" in sys.argv
    steps, pool, draws = (60, 12, 10) if quick else (STEPS, POOL, DRAWS)
    null_pool = 24 if quick else NULL_POOL
    everything = {
        name: runs(i, fields, null_pool if name == "base" else pool, steps)
        for i, (name, fields) in enumerate(POOLS.items())
    }
    print("  pair                       seeds  p ≤ 0.05   dist. not d. incon.   then  settled")
    kinds = {
        "weights": [n for n in POOLS if n not in BY_SKETCH],
        "sketch": ["base", *BY_SKETCH],
    }
    null = []
    for kind, names in kinds.items():
        distances, places = matrix({name: everything[name][kind] for name in names})
        base = places["base"]
        null += table(f"base, split ({kind})", distances, base, base, draws)
        for name in names[1:]:
            table(f"base / {name} ({kind})", distances, base, places[name], draws)
    worst = max(null)
    # Draws share runs; a binomial interval round the level would be narrower than the truth.
    judged = "ok" if worst <= LEVEL + 0.02 else "SHORT"
    print(f"  false positives at most {worst:.3f} (level {LEVEL}) {judged}")


if __name__ == "__main__":
    main()
