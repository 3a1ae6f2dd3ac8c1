"""Claim: from runs on disk to a verdict in seconds, in little memory, in proportion to the data.

Twice ten runs of 1,000 snapshots of 4,096 numbers. Against the same through PyDMD and a plain loop
over distances: one fit a run and all distances, without the other ways to estimate. See README.md.
"""

import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import arguments, judged
from scipy.optimize import linear_sum_assignment

from koopscope.own_runs.compare import compare_runs
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots

RUNS, SNAPSHOTS, NUMBERS = 10, 1000, 4096
SECONDS, GIGABYTES, FASTER, GROWTH = 30, 1, 20, 1.2
# Fits of PyDMD that are timed; each takes long, and they are alike.
TIMED = 2


def record(folder: Path, runs: int, snapshots: int, numbers: int) -> None:
    """Two groups of slowly decaying runs with noise that adds up, as training has."""
    for group, rate in (("a", 0.995), ("b", 0.99)):
        for seed in range(runs):
            rng = np.random.default_rng([seed, group == "b"])
            modes = rng.normal(size=(5, numbers))
            steps = (rate ** np.arange(1, 6)) ** np.arange(snapshots + 1)[:, None]
            noise = rng.normal(size=(snapshots + 1, numbers)).astype(np.float32)
            states = steps @ modes + 1e-3 * np.cumsum(noise, axis=0)
            with Recorder({"w": states[0]}, folder / group / str(seed)) as recorder:
                for state in states[1:]:
                    recorder.snapshot({"w": state})


def ours(folder: Path, sensitivity: bool = True) -> float:
    """Seconds from stores to a verdict."""
    start = time.perf_counter()
    str(compare_runs({n: folder / n / "*" for n in "ab"}, sensitivity=sensitivity))
    return time.perf_counter() - start


def theirs(folder: Path, runs: int, delays: int, rank: int) -> float:
    """Seconds for PyDMD's fits of all runs, from some, and a plain loop over distances."""
    from pydmd import DMD
    from pydmd.preprocessing import hankel_preprocessing

    spectra, spent = [], []
    for seed in range(TIMED):
        states = open_snapshots(folder / "a" / str(seed))["weights"].values
        start = time.perf_counter()
        found = hankel_preprocessing(DMD(svd_rank=rank), d=delays + 1)
        found.fit(states.T)
        spent.append(time.perf_counter() - start)
        spectra.append(found.eigs)
    start = time.perf_counter()
    everything = [spectra[i % TIMED] for i in range(2 * runs)]
    for i, first in enumerate(everything):
        for second in everything[i + 1 :]:
            costs = np.abs(first[:, None] - second)
            costs[linear_sum_assignment(costs)].mean()
    return 2 * runs * float(np.mean(spent)) + time.perf_counter() - start


def peak(folder: Path) -> float:
    """Largest memory of a process that compares, in bytes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (folder,))


def _peak(folder: Path) -> float:
    ours(folder)
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * float(value)


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__).quick
    runs, snapshots, numbers = (4, 60, 64) if quick else (RUNS, SNAPSHOTS, NUMBERS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record(folder / "whole", runs, snapshots, numbers)
        record(folder / "half", runs, snapshots // 2, numbers)
        record(folder / "few", runs // 2, snapshots, numbers)
        spent = ours(folder / "whole")
        print(
            f"{2 * runs} runs × {snapshots} × {numbers}: {spent:.1f} s with other ways to estimate"
        )
        print(judged("seconds", spent, SECONDS, quick, at_least=False))
        memory = peak(folder / "whole") / 1e9
        print(judged("GB at most", memory, GIGABYTES, quick, at_least=False))
        bare = ours(folder / "whole", sensitivity=False)
        found = compare_runs({n: folder / "whole" / n / "*" for n in "ab"}, sensitivity=False)
        fitted = found.facts["fitted"]
        peers = theirs(folder / "whole", runs, fitted["delays"], fitted["rank"])
        print(f"fits and distances alone: {bare:.1f} s; PyDMD and a loop {peers:.1f} s")
        print(judged("PyDMD / ours", peers / bare, FASTER, quick))
        for what, other in (("snapshots", "half"), ("runs", "few")):
            power = np.log2(bare / ours(folder / other, sensitivity=False))
            print(judged(f"growth with {what}: power", power, GROWTH, quick, at_least=False))


if __name__ == "__main__":
    main()
