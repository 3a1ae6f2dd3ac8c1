"""What the jobs of questions about watched runs need of memory and disk."""

from collections.abc import Iterator
from dataclasses import replace

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.sizes import DOUBLE, SINGLE, Sections, images, trained
from koopscope.experiments.watching.names import FULLY_CONNECTED
from koopscope.experiments.watching.plan import Runs, Watching
from koopscope.experiments.watching.setup import setup_of
from koopscope.training.names import MODELS

# Numbers of a sketch at most, and copies of them at the peak.
SKETCH, COPIES = 4096, 3
# What is kept of each window on disk: its modes, and numbers of it.
KEPT = 64


def needs(question: Watching, sections: Sections) -> Iterator[Need]:
    """Of its store: all its runs are one job, one network after another."""
    by_runs = [_trained(question, runs) for runs in question.runs]
    memory = max(by_runs, key=lambda parts: sum(part.bytes for part in parts))
    count = question.starts_of_a_seed * len(question.seeds) * len(question.runs)
    windows = count * (question.epochs + 1) * question.snapshots_per_epoch
    keys = {"epochs": question.epochs, "snapshots_per_epoch": question.snapshots_per_epoch}
    disk = (Part(DOUBLE * KEPT * windows, keys),)
    path, where = f"results/{question.kind}/{question.name}.zarr", f"monitor.{question.name}"
    yield Need(path, question.kind.replace("_", " "), where, TORCH, memory, disk)


def _trained(question: Watching, runs: Runs) -> tuple[Part, ...]:
    starts, keys = question.starts_of_a_seed, {"epochs": question.epochs}
    at = {f"runs.{runs.name}.batch_size": runs.batch_size}
    steps = question.epochs * (question.train_samples // runs.batch_size)
    if runs.model == FULLY_CONNECTED:
        setup = replace(
            setup_of(runs, question.seeds),
            steps=steps,
            initialisations=starts,
            observable=("all",),
        )
        names = {"steps": "epochs", "hidden_widths": f"runs.{runs.name}.hidden_widths"}
        networks = tuple(
            Part(part.bytes, {names.get(k, k): v for k, v in part.keys.items()} | keys)
            if part.keys
            else part
            for part in trained(setup)
        )
        weights = setup.weights
    else:
        weights = MODELS[runs.model].parameters
        networks = (images(runs.data), Part(8 * SINGLE * weights, at))
    runs_made = starts * len(question.seeds)
    seen = runs_made * (question.epochs * question.snapshots_per_epoch + 1)
    sketches = Part(
        COPIES * SINGLE * min(SKETCH, weights) * seen,
        keys | {"snapshots_per_epoch": question.snapshots_per_epoch},
    )
    return (*networks, sketches)
