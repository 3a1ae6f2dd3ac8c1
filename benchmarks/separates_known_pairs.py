"""Claim: distances between spectra tell known pairs apart as well as DSA does, in far less time.

Dynamical Similarity Analysis (Ostrow et al., NeurIPS 2023) compares the linear operators of two
systems up to a rotation that it learns for each pair. Everyone gets the same recorded trajectories
and the same delays and rank. See README.md.
"""

import time
from collections.abc import Mapping
from functools import partial
from itertools import combinations, product

import DSA
import numpy as np
import torch
import xarray as xr
from measuring import arguments, judged, seconds
from threadpoolctl import threadpool_limits

from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.verdict import compare
from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.koopman.fitting import fit
from koopscope.training.ensemble import train
from koopscope.training.loop import Block

THREADS = 1  # matrices of ten rows gain nothing from a second one
SEEDS = 8
STEPS = 200
DELAYS = 4
RANK = 10
ALPHA = 0.05
# Draws of seeds that the test is repeated on, and seeds of a group in each.
DRAWS = 200
DRAWN = 5
REPETITIONS = 100  # of our distances, which are over too soon to time once
# DSA's similarity transform by its own defaults; by those of its main class (which are 1,500
# iterations at a rate of 0.005) a matrix takes many minutes, so they are tried on a few pairs only.
ITERATIONS = {"iters": 200, "lr": 0.01}
LONG_ITERATIONS = {"iters": 1500, "lr": 0.005}
LONG_PAIRS = 3
TIME_TARGET = 1000
PROCRUSTES = "DSA, Procrustes"

# Each group has seeds of its own. Known: other widths; a step of another size. Null: the same.
GROUPS = {
    "base": {"hidden_widths": (5,)},
    "wider": {"hidden_widths": (20,)},
    "faster": {"hidden_widths": (5,), "learning_rate": 0.2},
    "again": {"hidden_widths": (5,)},
}
KNOWN = {"width 5 or 20": ("base", "wider"), "rate 0.1 or 0.2": ("base", "faster")}
NULL = {"the same again": ("base", "again")}
Pairs = list[tuple[int, int]]
Matrices = dict[str, np.ndarray]
Times = dict[str, float]


def recorded(group: int, fields: Mapping[str, object], count: int) -> list[np.ndarray]:
    """Output weights of one group's networks, trained on the digits: (init, step, weight)."""
    seeds = tuple(range(count * group, count * (group + 1)))
    setup = NetworkSetup(data=DataSpec("digits", "digits"), steps=STEPS, seeds=seeds, **fields)
    pieces = train(setup, load(setup.data), setup.steps, device="cpu")
    blocks = [piece.observed["weights"] for piece in pieces if isinstance(piece, Block)]
    return list(np.concatenate(blocks))


def ours(trajectories: list[np.ndarray]) -> tuple[Matrices, Times]:
    """Matrix of distances by metric, and microseconds a pair; prints milliseconds a fit."""
    arrays = [xr.DataArray(runs, dims=("init", "step", "weight")) for runs in trajectories]
    start = time.perf_counter()
    spectra = [fit(array, delays=DELAYS, rank=RANK) for array in arrays]
    print(f"  koopscope: {1e3 * (time.perf_counter() - start) / len(spectra):.0f} ms a fit")
    columns = [
        [getattr(spectrum, name) for spectrum in spectra]
        for name in ("eigenvalues", "residuals", "amplitudes")
    ]
    matrices, times = {}, {}
    for name in METRICS:
        task = partial(metric_matrix, name, *columns)
        matrices[name] = task()  # imports what it needs
        taken = [seconds(task) for _ in range(REPETITIONS)]
        times[name] = 1e6 * float(np.median(taken)) / (len(spectra) * (len(spectra) - 1) / 2)
    return matrices, times


def theirs(trajectories: list[np.ndarray], pairs: Pairs) -> tuple[Matrices, Times]:
    """DSA's scores for the pairs asked for, and the rest as :func:`ours`."""
    # One delay of theirs is the state alone.
    analysis = DSA.DSA(trajectories, n_delays=DELAYS + 1, rank=RANK, device="cpu")
    print(f"  DSA: {1e3 * seconds(analysis.fit_dmds) / len(trajectories):.0f} ms a fit")
    operators = [dmd.A_v for dmd in analysis.dmds[0]]
    eigenvalues = [torch.linalg.eigvals(operator) for operator in operators]
    scores = {
        PROCRUSTES: (operators, {"score_method": "angular", **ITERATIONS}),
        "DSA, Wasserstein": (eigenvalues, {"score_method": "wasserstein"}),
    }
    matrices, times = {}, {}
    for name, (systems, settings) in scores.items():
        matrices[name] = np.zeros((len(systems), len(systems)))
        start = time.perf_counter()
        for i, j in pairs:
            matrices[name][i, j] = matrices[name][j, i] = score(systems, i, j, settings)
        times[name] = 1e6 * (time.perf_counter() - start) / len(pairs)
    long = {"score_method": "angular", **LONG_ITERATIONS}
    some = pairs[:: len(pairs) // LONG_PAIRS][:LONG_PAIRS]
    start = time.perf_counter()
    found = [score(operators, i, j, long) for i, j in some]
    elapsed = (time.perf_counter() - start) / len(some)
    less = [1 - after / matrices[PROCRUSTES][pair] for pair, after in zip(some, found, strict=True)]
    print(
        f"  {PROCRUSTES}, with {long['iters']} iterations for {ITERATIONS['iters']}, {len(some)}"
        f" pairs: {elapsed:.1f} s a pair, scores lower by {min(less):.1%} to {max(less):.1%}"
    )
    return matrices, times


def score(systems: list[torch.Tensor], i: int, j: int, settings: Mapping[str, object]) -> float:
    """DSA's score of two systems; it scales what it gets in place, hence copies."""
    scorer = DSA.SimilarityTransformDist(**settings)
    return float(scorer.fit_score(systems[i].clone(), systems[j].clone()))


def told_apart(distances: np.ndarray, first: np.ndarray, second: np.ndarray, mixed: bool) -> float:
    """Share of draws of a few seeds of each group that the permutation test tells apart.

    ``mixed`` draws both from all seeds together: the rate of false positives, which the test holds
    at its level for any distance. So of two distances the one with the larger share is the better.
    """
    rng = np.random.default_rng(0)
    drawn = min(DRAWN, len(first))
    found = []
    for _ in range(DRAWS):
        if mixed:
            chosen = rng.choice(np.concatenate([first, second]), 2 * drawn, replace=False)
            groups = chosen[:drawn], chosen[drawn:]
        else:
            groups = tuple(rng.choice(group, drawn, replace=False) for group in (first, second))
        found.append(compare(distances, *groups, bootstrap=0).p_value <= ALPHA)
    return float(np.mean(found))


def needed(members: Mapping[str, np.ndarray]) -> Pairs:
    """Pairs of samples within a group, and between groups that are compared."""
    within = [pair for group in members.values() for pair in combinations(group.tolist(), 2)]
    across = [
        pair
        for first, second in (KNOWN | NULL).values()
        for pair in product(members[first].tolist(), members[second].tolist())
    ]
    return within + across


def main() -> None:
    """Measure every distance on the same trajectories and print how each separates the pairs."""
    quick = arguments(__doc__).quick
    count = 3 if quick else SEEDS
    members = {
        name: np.arange(count * group, count * (group + 1)) for group, name in enumerate(GROUPS)
    }
    pairs = needed(members)
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    trajectories = [
        runs
        for group, fields in enumerate(GROUPS.values())
        for runs in recorded(group, fields, count)
    ]
    print(
        f"Networks on digits, {count} seeds a group, {STEPS} steps, output weights;"
        f" {DELAYS} delays, rank {RANK}; {THREADS} thread for everyone"
    )
    with threadpool_limits(THREADS):
        matrices, times = ours(trajectories)
        scores, more = theirs(trajectories, pairs)
    matrices |= scores
    times |= more
    shares: dict[str, list[float]] = {name: [] for name in matrices}
    for what, (first, second) in (KNOWN | NULL).items():
        groups = members[first], members[second]
        note = "told apart in draws of seeds" + ("" if what in KNOWN else ", all mixed")
        print(f"{what:<24}{'between / within':>18}{'p':>8}   {note}")
        for name, distances in matrices.items():
            result = compare(distances, *groups)
            share = told_apart(distances, *groups, mixed=what in NULL)
            if what in KNOWN:
                shares[name].append(share)
            print(f"  {name:<22}{result.effect:>18.2f}{result.p_value:>8.3f}   {share:.0%}")
    print(f"Time{'µs a pair':>38}")
    for name in matrices:
        print(f"  {name:<22}{times[name]:>18,.1f}")
    ratio = times[PROCRUSTES] / times["wasserstein"]
    print(judged(f"time, {PROCRUSTES} / wasserstein", ratio, TIME_TARGET, quick))
    for peer in scores:
        ahead = np.mean(shares["wasserstein"]) - np.mean(shares[peer])
        print(judged(f"share told apart, wasserstein - {peer}", ahead, 0, quick))


if __name__ == "__main__":
    main()
