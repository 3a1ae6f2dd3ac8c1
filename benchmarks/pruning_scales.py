"""Claim: snapshots cost little beside the training, and their Koopman mode little beside an SVD.

One epoch of MnistNet on MNIST. The kept sets, too, hardly move with the rounding of the stored
numbers. See README.md.
"""

import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
import torch
from measuring import alternate, arguments, judged, seconds

from koopscope.data import mnist
from koopscope.pruning.agreement import jaccard
from koopscope.pruning.fixed_points import fixed_point
from koopscope.pruning.masks import select_masks
from koopscope.pruning.scores import koopman_magnitude
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots, window
from koopscope.recording.weights import prunable
from koopscope.training.models import build
from koopscope.training.single import batches, samples, train_epoch

SAMPLES, BATCH, ROUNDS = 60_000, 128, 3
FASTER, OVERHEAD, AGREEMENT, STABLE, MEMORY = 5, 0.15, 1e-3, 0.999, 0.25
COMPRESSION = 4


def dense(snapshots: np.ndarray) -> np.ndarray:
    """Published way: exact DMD by a dense single-precision SVD of the whole window."""
    before, after = snapshots[:-1].T, snapshots[1:].T
    left, values, right_t = np.linalg.svd(before, full_matrices=False)
    image = after @ (right_t.T / values)
    eigenvalues, vectors = np.linalg.eig(left.T @ image)
    nearest = np.argmin(np.abs(eigenvalues - 1))
    return np.abs(image @ vectors[:, nearest])


def epoch(store: Path, split: tuple[torch.Tensor, torch.Tensor], record: bool) -> None:
    """Train one epoch, with or without a recorder."""
    model = build("mnistnet", 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True)
    if not record:
        train_epoch(model, optimizer, batches(split, BATCH, 0))
        return
    with Recorder(model, store, include=prunable(model)) as recorder:
        recorder.follow(optimizer)
        train_epoch(model, optimizer, batches(split, BATCH, 0))


def peak_growth(store: Path) -> float:
    """Largest resident memory while a store's mode is found above that before it, in bytes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_growth, (store,))


def _peak_growth(store: Path) -> float:
    opened = window(open_snapshots(store))
    before = _resident("VmRSS")
    koopman_magnitude(fixed_point(opened))
    return _resident("VmHWM") - before


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * float(value)


def moved(snapshots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Snapshots within half a unit in the last place, as another rounding might have them."""
    half = np.spacing(np.abs(snapshots)).astype(np.float64) / 2
    return snapshots + half * rng.uniform(-1, 1, snapshots.shape)


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__).quick
    rng = np.random.default_rng(0)
    data = mnist.load().isel(train_sample=slice(SAMPLES // 10 if quick else SAMPLES))
    split = samples(data, build("mnistnet", 0)).train
    with tempfile.TemporaryDirectory() as folder:
        stores = (Path(folder) / f"{i}.zarr" for i in range(ROUNDS))
        spent = alternate(
            {
                "plain": lambda: seconds(lambda: epoch(Path(), split, False)),
                "recorded": lambda: seconds(lambda: epoch(next(stores), split, True)),
            },
            {},
            ROUNDS,
        )
        snapshots = window(open_snapshots(Path(folder) / "0.zarr"))
        found = {}
        ours = seconds(lambda: found.update(ours=koopman_magnitude(fixed_point(snapshots)).values))
        values = snapshots.values
        grown = peak_growth(Path(folder) / "0.zarr")
        first, again = (
            koopman_magnitude(snapshots.copy(data=data)) for data in (values, moved(values, rng))
        )
        kept = jaccard(select_masks(first, COMPRESSION), select_masks(again, COMPRESSION))
    theirs = seconds(lambda: found.update(dense=dense(values)))
    one, other = (found[name] / np.linalg.norm(found[name]) for name in ("ours", "dense"))
    difference = np.abs(one - other).max() / other.max()
    print(f"epoch {spent['plain']:.1f} s; mode: dense {theirs:.1f} s, streamed {ours:.1f} s")
    overhead = spent["recorded"] / spent["plain"] - 1
    print(judged("recorder: share of an epoch added", overhead, OVERHEAD, quick, at_least=False))
    print(judged("mode: dense SVD / streamed, from disk", theirs / ours, FASTER, quick))
    print(judged("peak memory / window", grown / values.nbytes, MEMORY, quick, at_least=False))
    print(judged("scores differ by (of the largest)", difference, AGREEMENT, quick, at_least=False))
    print(judged("kept sets, other rounding: Jaccard", kept, STABLE, quick))


if __name__ == "__main__":
    main()
