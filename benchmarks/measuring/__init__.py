"""What the benchmarks share: alternating repetitions and a line that says how a ratio did."""

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 2
CACHE = Path(__file__).parents[1] / "results"


def arguments(description: str) -> argparse.Namespace:
    """Parse the command line: ``--quick`` is all there is."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="cut sizes: shows that it runs, proves no claim"
    )
    return parser.parse_args()


def seconds(task: Callable[[], Any]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def alternate(
    tasks: Mapping[str, Callable[[], float]], repetitions: Mapping[str, int], rounds: int
) -> dict[str, float]:
    """Median of what each task measures, the tasks taking turns.

    Turns make a machine that is busy for a while slow for all of them.

    Parameters
    ----------
    tasks
        Each returns one measurement.
    repetitions
        Calls of a task each time it is its turn, one by default: several for a short one.
    rounds
        Turns of each task.

    Returns
    -------
    dict of float
        Median by task.
    """
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            found[name] += [task() for _ in range(repetitions.get(name, 1))]
    return {name: float(np.median(values)) for name, values in found.items()}


def judged(what: str, value: float, target: float, quick: bool, at_least: bool = True) -> str:
    """Line with a measured value, its target and how they compare."""
    reached = value >= target if at_least else value <= target
    verdict = "not judged (--quick)" if quick else "ok" if reached else "SHORT"
    sign = "≥" if at_least else "≤"
    return f"  {what:<44} {value:>9.4g}   target {sign} {target:<7g} {verdict}"
