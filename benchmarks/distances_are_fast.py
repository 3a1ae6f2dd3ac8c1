"""Claim: all distances between a thousand spectra take seconds, and no cost grows beyond the work.

Distances with the number of pairs, fits with steps and with seeds: at most in proportion. Draws
both into results/distances_are_fast.png. See README.md.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from measuring import CACHE, alternate, arguments, judged, seconds
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.transport import distance_matrix
from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data.loading import load
from koopscope.koopman.fitting import fit
from koopscope.report.style import NEUTRAL, PNG_DPI, new_figure
from koopscope.training.ensemble import train
from koopscope.training.loop import Block

THREADS = 1  # as the workflow gives each fit; distances use no more
ROUNDS = 3
MODES = 10
SPECTRA = 1000
WEIGHTED = 200  # spectra: 19,900 pairs
GROWTH = (250, 500, 1000, 2000)
STEPS = (250, 500, 1000, 2000)
SEEDS = (1, 2, 4, 8)
STEPS_OF_SEEDS = 500
DELAYS = 16
SECONDS_TARGET = 20
LOOP_TARGET = 2
WEIGHTED_TARGET = 15
EXPONENT_TARGET = 1.1  # of a power law; 1 is proportional

Measured = Mapping[int, float]


def spectra(count: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Random eigenvalues in conjugate pairs within the unit circle, residuals and amplitudes."""
    rng = np.random.default_rng(0)
    half = (count, MODES // 2)
    upper = rng.uniform(0.5, 1, half) * np.exp(1j * rng.uniform(0, np.pi, half))
    eigenvalues = np.concatenate([upper, upper.conj()], axis=1)
    residuals, amplitudes = rng.uniform(0, 0.5, (2, count, MODES))
    return list(eigenvalues), list(residuals), list(amplitudes)


def plain_loop(eigenvalues: Sequence[np.ndarray]) -> np.ndarray:
    """All distances by a double loop over SciPy's matching, as a reader would write it."""
    points = [np.column_stack([values.real, values.imag]) for values in eigenvalues]
    distances = np.zeros((len(points), len(points)))
    for i, a in enumerate(points):
        for j, b in enumerate(points[:i]):
            costs = cdist(a, b)
            distances[i, j] = distances[j, i] = costs[linear_sum_assignment(costs)].mean()
    return distances


def measure_distances(quick: bool) -> tuple[Measured, bool]:
    """Compare with the loop and print it; seconds by number of pairs, and whether all agree."""
    count, rounds = (SPECTRA // 10, 1) if quick else (SPECTRA, ROUNDS)
    weighted = WEIGHTED // 10 if quick else WEIGHTED
    samples = spectra(count)
    few = tuple(column[:weighted] for column in samples)
    metric_matrix("residual_weighted", *(column[:2] for column in samples))  # imports POT
    tasks = {
        "koopscope": partial(distance_matrix, samples[0]),
        "plain loop": partial(plain_loop, samples[0]),
        **{name: partial(metric_matrix, name, *few) for name in METRICS},
    }
    found: dict[str, np.ndarray] = {}

    def timed(name: str) -> float:
        return seconds(lambda: found.update({name: tasks[name]()}))

    times = alternate({name: partial(timed, name) for name in tasks}, {}, rounds)
    same = bool((found["koopscope"] == found["plain loop"]).all())
    pairs = _pairs(count)
    print(f"{count} spectra of {MODES} eigenvalues, {pairs:,} pairs")
    for name in ("koopscope", "plain loop"):
        print(f"  {name:<24}{times[name]:>9.3f} s   {1e6 * times[name] / pairs:8.2f} µs a pair")
    print(f"  The same to the last bit: {'yes' if same else 'NO'}")
    print(f"The metrics, {weighted} spectra, {_pairs(weighted):,} pairs")
    for name in METRICS:
        each = 1e6 * times[name] / _pairs(weighted)
        print(f"  {name:<24}{times[name]:>9.3f} s   {each:8.2f} µs a pair")
    target = partial(judged, quick=quick, at_least=False)
    print(target("seconds, all pairs", times["koopscope"], SECONDS_TARGET))
    ratio = times["plain loop"] / times["koopscope"]
    print(judged("time, plain loop / koopscope", ratio, LOOP_TARGET, quick))
    slowest = max(times["residual_weighted"], times["amplitude_weighted"])
    print(target("seconds, weighted", slowest, WEIGHTED_TARGET))
    sizes = [n // 10 for n in GROWTH] if quick else GROWTH
    many = spectra(max(sizes))[0]
    tasks = {n: partial(seconds, partial(distance_matrix, many[:n])) for n in sizes}
    return {_pairs(n): t for n, t in alternate(tasks, {}, rounds).items()}, same


def trajectories(seeds: int, steps: int) -> list[xr.DataArray]:
    """Output weights of networks trained on the digits, by seed: dims (init, step, weight)."""
    setup = NetworkSetup(
        data=DataSpec("digits", "digits"),
        hidden_widths=(5,),
        steps=steps,
        seeds=tuple(range(seeds)),
    )
    pieces = train(setup, load(setup.data), steps, device="cpu")
    blocks = [piece.observed["weights"] for piece in pieces if isinstance(piece, Block)]
    return [xr.DataArray(w, dims=("init", "step", "weight")) for w in np.concatenate(blocks)]


def measure_fits(quick: bool) -> tuple[Measured, Measured]:
    """Seconds of a fit by number of steps, and of the fits of all seeds by their number."""
    by_steps, by_seeds = (STEPS[:2], SEEDS[:2]) if quick else (STEPS, SEEDS)
    runs = trajectories(max(by_seeds), max(by_steps))

    def fits(chosen: Sequence[xr.DataArray], steps: int) -> float:
        def task() -> None:
            for run in chosen:
                fit(run.isel(step=slice(steps)), delays=DELAYS, rank=MODES)

        return seconds(task)

    # The same seeds for each number of steps: how soon a solver converges depends on the seed.
    some = runs[: max(by_seeds) // 2]
    steps = {n: partial(fits, some, n) for n in by_steps}
    seeds = {n: partial(fits, runs[:n], STEPS_OF_SEEDS) for n in by_seeds}
    rounds = 1 if quick else ROUNDS
    of_steps, of_seeds = alternate(steps, {}, rounds), alternate(seeds, {}, rounds)
    return {n: t / len(some) for n, t in of_steps.items()}, of_seeds


def exponent(measured: Measured) -> float:
    """Of the power law through the times, fitted in logarithms."""
    return float(np.polyfit(*np.log([list(measured), list(measured.values())]), 1)[0])


def draw(growth: Mapping[str, Measured]) -> Figure:
    """Times against sizes on logarithmic axes, each with the line of proportion."""
    figure = new_figure(9, 3)
    for axis, (what, measured) in zip(figure.subplots(1, len(growth)), growth.items(), strict=True):
        sizes, times = np.array(list(measured)), np.array(list(measured.values()))
        task, unit = what.split(", ")
        axis.loglog(sizes, times[-1] * sizes / sizes[-1], ":", color=NEUTRAL, label="in proportion")
        axis.loglog(sizes, times, "o-", label="measured")
        axis.set(title=task, xlabel=unit, ylabel="seconds")
        # The ranges span no two decades: the ticks stand at what was measured.
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.set_yticks(times[[0, -1]], [f"{time:.2g}" for time in times[[0, -1]]])
        axis.minorticks_off()
        axis.legend()
    return figure


def main() -> None:
    """Measure distances and fits; fail only if a distance is not the loop's."""
    quick = arguments(__doc__).quick
    print(f"BLAS threads: {THREADS}. Everything takes turns; medians of {1 if quick else ROUNDS}.")
    with threadpool_limits(THREADS):
        pairs, same = measure_distances(quick)
        steps, seeds = measure_fits(quick)
    growth = {"distances, pairs": pairs, "fit, steps": steps, "fits, seeds": seeds}
    print("Growth")
    for what, measured in growth.items():
        listed = ", ".join(f"{n:,}: {t:.3f} s" for n, t in measured.items())
        print(f"  {what:<18}{listed}")
    for what, measured in growth.items():
        said = f"power of {what.split(', ')[1]} in the time of {what.split(', ')[0]}"
        print(judged(said, exponent(measured), EXPONENT_TARGET, quick, at_least=False))
    CACHE.mkdir(exist_ok=True)
    draw(growth).savefig(CACHE / "distances_are_fast.png", dpi=PNG_DPI)
    if not same:
        sys.exit("A distance differs from the plain loop's.")


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


if __name__ == "__main__":
    main()
