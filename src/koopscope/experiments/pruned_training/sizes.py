"""What runs that prune while they train need of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.pruned_training.names import FULLY_CONNECTED, train_size
from koopscope.experiments.pruned_training.plan import PruningWhileTraining
from koopscope.experiments.sizes import SINGLE, Sections, images
from koopscope.training.names import MODELS

# Of the weights in training and scoring, and of a window of snapshots.
COPIES, WINDOWS = 10, 3
EVALUATED = 1000
# What is kept of a test of a run.
KEPT = 128


def needs(question: PruningWhileTraining, sections: Sections) -> Iterator[Need]:
    """Of its store: one run after another, each with the snapshots of an epoch."""
    plan = question.plan
    widths = (plan.data.pixels, *plan.hidden_widths, plan.data.classes)
    weights, units = sum(a * b for a, b in zip(widths, widths[1:], strict=False)), sum(widths)
    keys = {"hidden_widths": max(plan.hidden_widths, default=0)}
    if plan.model != FULLY_CONNECTED:
        weights, units, keys = MODELS[plan.model].parameters, 40_000, {}
    samples = train_size(plan.train_samples, plan.data.train_samples)
    snapshots = samples // plan.batch_size // plan.record_every + 1
    memory = (
        images(plan.data),
        Part(COPIES * SINGLE * weights, keys),
        Part(WINDOWS * SINGLE * weights * snapshots, keys),
        Part(3 * SINGLE * units * max(plan.batch_size, EVALUATED), keys),
    )
    runs = len(plan.seeds) * len(plan.methods)
    tests = runs * plan.epochs * plan.evaluations_per_epoch
    said = {"epochs": plan.epochs, "evaluations_per_epoch": plan.evaluations_per_epoch}
    kept = Part(KEPT * tests, said)
    path = f"results/pruned_training/{question.name}.zarr"
    where = f"monitor.{question.name}"
    yield Need(path, "pruned training", where, TORCH, (*memory, kept), (kept,))
