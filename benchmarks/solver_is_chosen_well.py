"""Claim: the solver that a fit takes by itself costs at most 1.5 × the best one.

Random walks about slow decays, over a grid of shapes. See README.md.
"""

import itertools
import time
from collections.abc import Iterator

import numpy as np
from measuring import arguments, judged
from threadpoolctl import threadpool_limits

from koopscope.koopman.costs import estimates
from koopscope.koopman.embedding import DelayEmbedding
from koopscope.koopman.fitting import fit

WEIGHTS, STEPS, RUNS = (
    (10, 100, 400, 2000, 10_000, 20_000),
    (50, 100, 250, 500, 1000, 2000),
    (1, 10),
)
DELAYS, RANKS = (0, 4, 8, 32, 100), (5, 10, 20)
# Of all these shapes every so manieth: a prime, so that it meets all of each.
STRIDE, NUMBERS = 7, 10_000_000
RATIO, SECONDS, MOST_REPEATS = 1.5, 0.3, 9
# What is estimated to cost so much more than the best is not timed, as it would take hours; the
# estimates of those that are timed are right to a factor of three.
HOPELESS = 10


def shapes(quick: bool) -> Iterator[tuple[int, int, int, int, int]]:
    """Weights, steps, runs, delays and rank of trajectories that are long enough and fit memory."""
    grid = itertools.product(WEIGHTS, STEPS, RUNS, DELAYS, RANKS)
    for shape in itertools.islice(grid, 0, None, 20 * STRIDE if quick else STRIDE):
        weights, steps, runs, delays, rank = shape
        enough = steps > delays + 2 * rank and rank < (delays + 1) * weights
        if enough and weights * steps * runs <= NUMBERS:
            yield shape


def trajectories(weights: int, steps: int, runs: int) -> list[np.ndarray]:
    """Slow decays that all runs share, and noise, stronger in some weights than in others."""
    rng = np.random.default_rng(0)
    scales = 0.5 ** np.arange(6)
    decays = np.exp(-np.arange(steps)[:, None] / (steps * scales))
    directions = rng.normal(size=(6, weights)) * scales[:, None]
    noise = 0.01 / np.sqrt(1 + rng.permutation(weights))
    start = rng.normal(size=weights)
    return [
        start
        + (decays * (1 + 0.1 * rng.normal(size=6))) @ directions
        + (noise * rng.standard_normal((steps, weights))).cumsum(axis=0)
        for _ in range(runs)
    ]


def cpu_seconds(runs: list[np.ndarray], delays: int, rank: int, solvers: list[str]) -> dict:
    """Least processor time of each solver, the solvers taking turns."""
    least = dict.fromkeys(solvers, np.inf)
    begun = time.process_time()
    for turn in range(MOST_REPEATS):
        for solver in solvers:
            start = time.process_time()
            fit(runs, delays, rank, solver)
            least[solver] = min(least[solver], time.process_time() - start)
        if turn and time.process_time() - begun > SECONDS * len(solvers):
            break
    return least


def main() -> None:
    """Print the ratios."""
    quick = arguments(__doc__).quick
    ratios = []
    print("weights  steps runs delays rank   solver          s  ÷ best      (best)")
    for weights, steps, runs, delays, rank in shapes(quick):
        data = trajectories(weights, steps, runs)
        work = estimates(DelayEmbedding(data, delays), rank)
        worth = [name for name in work if work[name] <= HOPELESS * min(work.values())]
        with threadpool_limits(1):
            taken = fit(data, delays, rank).solver
            found = cpu_seconds(data, delays, rank, ["auto", *worth])
        auto = found.pop("auto")
        best = min(found, key=found.__getitem__)
        ratios.append(auto / found[best])
        print(
            f"{weights:7} {steps:6} {runs:4} {delays:6} {rank:4}   {taken:<10} {auto:7.4f}"
            f" {ratios[-1]:7.2f}  {best:>10}"
        )
    print(f"{len(ratios)} shapes, {sum(ratio > RATIO for ratio in ratios)} above {RATIO}")
    print(judged("time, solver taken / best, worst", max(ratios), RATIO, quick, at_least=False))


if __name__ == "__main__":
    main()
