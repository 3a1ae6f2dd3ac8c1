"""Trainings that end as theory says, and runs that are made up, for the monitor's tests."""

from functools import cache

import numpy as np
import torch
import xarray as xr
from torch import nn

from koopscope.data import digits
from koopscope.monitor import KoopmanMonitor, restart, stopping
from koopscope.plans.monitor import plans_from


class Quadratic(nn.Module):
    """½ Σ h (x − optimum)², one weight for each curvature h."""

    def __init__(self, curvatures, optimum, start):
        super().__init__()
        self.h, self.optimum = (torch.tensor(v, dtype=torch.float64) for v in (curvatures, optimum))
        self.x = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self):
        return 0.5 * (self.h * (self.x - self.optimum) ** 2).sum()


def descending(curvatures, rate, optimum=None, start=None, **options):
    """A quadratic, its monitor, and a function that makes so many steps of gradient descent."""
    count = len(curvatures)
    model = Quadratic(curvatures, optimum or [0.0] * count, start or [1.0] * count)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    monitor = KoopmanMonitor(model, **{"window": 8} | options)
    monitor.follow(optimizer, every=1)

    def steps(count):
        for _ in range(count):
            optimizer.zero_grad()
            model().backward()
            optimizer.step()

    return model, monitor, steps


def classifier(seed=0, hidden=20, bias=True):
    """A small network, and a function that trains it for so many steps on noise with labels."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(30, hidden, bias=bias), nn.Tanh(), nn.Linear(hidden, 4, bias=bias)
    )
    images, labels = torch.randn(200, 30), torch.randint(0, 4, (200,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def steps(count):
        for _ in range(count):
            chosen = torch.randint(0, 200, (20,))
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()

    return model, optimizer, steps


def recorded(sketch, per_epoch=8, start="plain", seed=None, **curves):
    """Runs as the trainers record them, from sketches (run, snapshot, feature) and curves."""
    sketch = np.asarray(sketch, dtype=np.float32)
    runs, snapshots = sketch.shape[:2]
    epochs = (snapshots - 1) // per_epoch
    shape = {"train_loss": (runs, snapshots), "gradient_norm": (runs, snapshots)}
    out = {"sketch": (("run", "snapshot", "feature"), sketch)}
    for name in (*shape, "validation_loss", "test_loss", "test_accuracy"):
        dims = ("run", "snapshot") if name in shape else ("run", "epoch")
        values = np.asarray(curves.get(name, 1.0), dtype=np.float32)
        out[name] = dims, np.broadcast_to(values, shape.get(name, (runs, epochs + 1))).copy()
    starts = [start] * runs if isinstance(start, str) else start
    return xr.Dataset(
        out,
        coords={
            "seed": ("run", np.arange(runs) if seed is None else seed),
            "start": ("run", np.array(starts, dtype=object)),
            "step": ("snapshot", 10 * np.arange(snapshots)),
            "epoch": np.arange(epochs + 1),
        },
        attrs={"snapshots_per_epoch": per_epoch, "steps_per_epoch": 10 * per_epoch},
    )


def decaying(snapshots, rates, features=12, noise=0.0, seed=0):
    """A trajectory (snapshot, feature) of a fixed part and parts that fall by these rates."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(len(rates) + 1, features))
    powers = np.array([1.0, *rates]) ** np.arange(snapshots)[:, None]
    return powers @ parts + noise * rng.normal(size=(snapshots, features))


@cache
def asked(kind, arms=2):
    """Result of a small question on the bundled digits, with two kinds of runs or more."""
    runs = {
        f"net{i}": {
            "data": "digits",
            "hidden": [20],
            "batch_size": 20,
            "learning_rate": 0.1 + i / 9,
        }
        for i in range(arms)
    }
    entry = {"kind": kind, "question": "When?", "runs": runs, "seeds": [1, 2, 3], "epochs": 7}
    entry |= {"train": 400, "validation": 100, "test": 200}
    if kind == "restart":
        entry |= {"starts": {"plain": 2, "dead": 1, "saturated": 1}, "checkpoints": [1, 3]}
    plan = plans_from({"data": {"digits": {"kind": "digits"}}, "monitor": {"one": entry}})["one"]
    run = {"stopping": stopping.run, "restart": restart.run}[kind]
    return run(plan, [digits.load()] * arms, "cpu")
