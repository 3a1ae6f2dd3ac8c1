"""Claim: a sketch of a network of millions of weights every ten steps costs hardly any of a step.

ResNet-18 (11 million weights) on images of the size of CIFAR-10's, random ones: what they show does
not change the time. Plain and recorded training take turns. See README.md.
"""

import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np
import torch
from measuring import THREADS, arguments, judged, seconds
from torch import nn

from koopscope.recording.checkpoints import from_checkpoints
from koopscope.recording.recorder import Recorder
from koopscope.recording.snapshots import open_snapshots

BATCH, EVERY, PROJECTION = 32, 10, 512
TURNS, STEPS = 5, 10
ADDED, MEGABYTES = 0.05, 150
CHECKPOINTS, IMPORT = 60, 3


class Block(nn.Module):
    """Two convolutions with a way round them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.round = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.round = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sum of both ways."""
        return torch.relu(self.main(x) + self.round(x))


def resnet18() -> nn.Module:
    """ResNet-18 (He et al. 2016) for small images."""
    widths, blocks, before = (64, 128, 256, 512), [], 64
    for i, width in enumerate(widths):
        blocks += [Block(before, width, 1 + (i > 0)), Block(width, width, 1)]
        before = width
    stem = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def bring_in(model: nn.Module, checkpoints: int, quick: bool) -> None:
    """Time an import of checkpoints beside reading all that is in them, on a warm disk."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for step in range(checkpoints):
            torch.save(model.state_dict(), folder / f"{step + 1}.pt")

        def read() -> None:
            for file in sorted(folder.glob("*.pt")):
                found = torch.load(file, weights_only=True, map_location="cpu")
                sum(float(t.sum()) for t in found.values())

        read()
        reading = seconds(read)
        importing = seconds(lambda: from_checkpoints(folder, folder / "run", projection=PROJECTION))
    print(f"{checkpoints} checkpoints: read {reading:.1f} s, brought in {importing:.1f} s")
    print(judged("bring in / read", importing / reading, IMPORT, quick, at_least=False))


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__).quick
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    turns, steps = (1, EVERY) if quick else (TURNS, STEPS)
    model = resnet18()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))

    def train() -> float:
        start = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        return (time.perf_counter() - start) / steps

    train()
    weights = sum(p.numel() for p in model.parameters())
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()
        plain, recorded = [], []
        for _ in range(turns):
            plain.append(train())
            path = Path(folder) / str(next(numbers))
            with Recorder(model, path, optimizer, every=EVERY, projection=PROJECTION):
                recorded.append(train())
        run = open_snapshots(path)
        kept = run["sketch"].nbytes / run.sizes["step"]
    added = np.array(recorded) / np.array(plain) - 1
    quarter, three = np.quantile(added, (0.25, 0.75))
    print(f"{weights:,} weights, {run.sizes['feature']:,} numbers a snapshot")
    print(f"a step: {1e3 * np.median(plain):.0f} ms; added: quartiles {quarter:.3f}, {three:.3f}")
    print(judged("share of a step added", float(np.median(added)), ADDED, quick, at_least=False))
    bring_in(model, 3 if quick else CHECKPOINTS, quick)
    thousand = 1000 * kept / 1e6
    print(judged("MB for 1,000 snapshots", thousand, MEGABYTES, quick, at_least=False))


if __name__ == "__main__":
    main()
