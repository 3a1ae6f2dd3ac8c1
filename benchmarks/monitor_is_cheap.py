"""Claim: watching a training costs little beside it, and a window's spectrum less than a fit.

Batches are noise of MNIST's size, since their values do not matter to the times. See README.md.
"""

from itertools import cycle

import numpy as np
import torch
from measuring import THREADS, alternate, arguments, judged, seconds
from threadpoolctl import threadpool_limits
from torch import nn

from koopscope.koopman.fitting import fit
from koopscope.monitor.monitor import KoopmanMonitor
from koopscope.training.models import build

# Size of a batch, steps timed at once and turns, network by network.
NETWORKS = {"mlp": (60, 200, 100), "wide": (60, 100, 20), "mnistnet": (128, 100, 10)}
# The wide one has a million weights.
HIDDEN = {"mlp": 40, "wide": 1300}
ROUNDS, ASK_EVERY = 5, 100
OVERHEAD, FASTER, AGREEMENT = 0.10, 5, 1e-8


class Training:
    """A network that trains on one batch of noise."""

    def __init__(self, name: str, batch: int) -> None:
        torch.manual_seed(0)
        if name in HIDDEN:
            h = HIDDEN[name]
            self.model = nn.Sequential(nn.Flatten(), nn.Linear(784, h), nn.ReLU(), nn.Linear(h, 10))
        else:
            self.model = build(name, 0)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3)
        self.images = torch.randn(batch, 1, 28, 28)
        self.labels = torch.randint(0, 10, (batch,))

    def steps(self, count: int, monitor: KoopmanMonitor | None = None) -> None:
        """Make so many steps; with a monitor, ask for a verdict after every hundredth."""
        for step in range(1, count + 1):
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(self.images), self.labels).backward()
            self.optimizer.step()
            if monitor is not None and step % ASK_EVERY == 0:
                monitor.verdict()


def overhead(name: str, batch: int, steps: int, rounds: int) -> float:
    """Share of a step's time that a monitor adds: median over turns of one beside the other."""
    plain, watched = Training(name, batch), Training(name, batch)
    monitor = KoopmanMonitor(watched.model)
    handle = monitor.follow(watched.optimizer, every=1)
    watched.steps(monitor.window.length)
    handle.remove()
    monitor.follow(watched.optimizer)
    plain.steps(10)
    tasks = {
        "plain": lambda: plain.steps(steps),
        "watched": lambda: watched.steps(steps, monitor),
    }
    spent = {task: [] for task in tasks}
    for turn in range(rounds):
        # Whoever comes second finds the caches as the first left them.
        for task in sorted(tasks, reverse=turn % 2 == 1):
            spent[task].append(seconds(tasks[task]))
    shares = np.divide(spent["watched"], spent["plain"]) - 1
    low, middle, high = np.quantile(shares, [0.25, 0.5, 0.75])
    print(f"{name}: {1e3 * np.median(spent['plain']) / steps:.3f} ms a step")
    print(f"  share added, quartiles of {rounds} turns: {low:.3f} to {high:.3f}")
    return middle


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__).quick
    torch.set_num_threads(THREADS)
    for name, (batch, steps, rounds) in NETWORKS.items():
        share = overhead(name, batch, steps, 1 if quick else rounds)
        print(judged(f"{name}: share of a step added", share, OVERHEAD, quick, at_least=False))

    training = Training("mlp", 60)
    monitor = KoopmanMonitor(training.model)
    monitor.follow(training.optimizer, every=10)
    training.steps(10 * monitor.window.length)
    found, again = {}, cycle(monitor.window.snapshots)

    def streamed() -> None:
        # All that a new snapshot costs beside reading the weights, and the spectrum.
        monitor.window.add(next(again))
        found["ours"] = monitor.spectrum()

    snapshots = monitor.window.snapshots
    found["fit"] = fit([snapshots], rank=monitor.window.rank)
    found["ours"] = monitor.spectrum()
    difference = np.abs(found["ours"].eigenvalues - found["fit"].eigenvalues).max()
    rank, both = monitor.window.rank, ("fit", "fit by gram")
    # One thread for everyone: small matrices gain nothing from a second.
    with threadpool_limits(1, "blas"):
        spent = alternate(
            {
                "streamed": lambda: seconds(streamed),
                "fit": lambda: seconds(lambda: fit([snapshots], rank=rank)),
                "fit by gram": lambda: seconds(lambda: fit([snapshots], rank=rank, solver="gram")),
            },
            dict.fromkeys(("streamed", *both), 20),
            2 if quick else ROUNDS,
        )
    print("spectrum: " + ", ".join(f"{name} {1e3 * t:.2f} ms" for name, t in spent.items()))
    for name in both:
        ratio = spent[name] / spent["streamed"]
        print(judged(f"window: {name} / streaming", ratio, FASTER, quick))
    print(judged("eigenvalues differ by", difference, AGREEMENT, quick, at_least=False))
    if difference > AGREEMENT:
        raise SystemExit("the streamed eigenvalues are not those of the fit")


if __name__ == "__main__":
    main()
