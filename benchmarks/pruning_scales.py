"""Claim: snapshots cost little beside the training, and their Koopman mode little beside an SVD.

One epoch of MnistNet on images of MNIST's size and number; they are noise, since their values do
not matter to the times. See README.md.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from measuring import alternate, arguments, judged, seconds

from koopscope.pruning import SnapshotRecorder, fixed_point, koopman_magnitude, open_snapshots
from koopscope.pruning.recorder import window
from koopscope.pruning.refinement import batches, train_epoch
from koopscope.training.models import build

SAMPLES, BATCH, ROUNDS = 60_000, 128, 3
FASTER, OVERHEAD, AGREEMENT = 5, 0.15, 1e-3


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
    with SnapshotRecorder(model, store) as recorder:
        recorder.follow(optimizer)
        train_epoch(model, optimizer, batches(split, BATCH, 0))


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__).quick
    samples = SAMPLES // 20 if quick else SAMPLES
    rng = np.random.default_rng(0)
    images = torch.as_tensor(rng.normal(size=(samples, 1, 28, 28)).astype(np.float32))
    split = (images, torch.as_tensor(rng.integers(0, 10, samples)))
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
    theirs = seconds(lambda: found.update(dense=dense(values)))
    one, other = (found[name] / np.linalg.norm(found[name]) for name in ("ours", "dense"))
    difference = np.abs(one - other).max() / other.max()
    print(f"epoch {spent['plain']:.1f} s; mode: dense {theirs:.1f} s, streamed {ours:.1f} s")
    overhead = spent["recorded"] / spent["plain"] - 1
    print(judged("recorder: share of an epoch added", overhead, OVERHEAD, quick, at_least=False))
    print(judged("mode: dense SVD / streamed, from disk", theirs / ours, FASTER, quick))
    print(judged("scores differ by (of the largest)", difference, AGREEMENT, quick, at_least=False))


if __name__ == "__main__":
    main()
