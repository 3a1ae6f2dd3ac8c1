"""What the jobs of a pruning experiment need of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.pruning.plan import Pruning
from koopscope.experiments.sizes import SINGLE, Sections, images
from koopscope.training.names import MODELS

# Copies of the weights in training, and of a window of snapshots while it is decomposed.
COPIES, WINDOWS = 10, 3
# Activations of a batch of networks that convolve, in numbers a sample.
ACTIVATIONS = 60_000
# Bytes that are kept of each method and compression.
KEPT = 4096


def needs(question: Pruning, sections: Sections) -> Iterator[Need]:
    """Of its training runs, whose snapshots are deleted in the end, and of what is pruned."""
    plan, where = question.protocol, f"pruning.{question.name}"
    weights = MODELS[plan.model].parameters
    samples = min(plan.train_samples or question.data.train_samples, question.data.train_samples)
    batches = -(-samples // plan.batch_size)
    keys = {"epochs": len(plan.epochs)}
    training = (
        images(question.data),
        Part(COPIES * SINGLE * weights, {}),
        Part(
            3 * SINGLE * ACTIVATIONS * plan.batch_size,
            {"batch_size": plan.batch_size},
        ),
    )
    window = Part(WINDOWS * SINGLE * weights * batches, {"train_samples": samples})
    left = Part(SINGLE * weights * batches * len(plan.epochs), keys)
    shown = len(plan.methods) * len(plan.compression_ratios)
    for seed in question.seeds:
        path = f"results/snapshots/{question.run}/{seed}"
        yield Need(path, "snapshots", where, TORCH, training, (left,), passing=True)
        for epoch in plan.epochs:
            path = f"results/pruned/{question.name}/{seed}-{epoch}.zarr"
            pruned = (Part(KEPT * shown, {"methods": len(plan.methods)}),)
            yield Need(path, "pruning", where, TORCH, (*training, window), pruned)
