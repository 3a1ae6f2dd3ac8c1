"""What hierarchical regression and other regressors need of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import NUMERICAL, Need, Part
from koopscope.experiments.hsvr.plan import HierarchicalRegression
from koopscope.experiments.sizes import DOUBLE, Sections, grid

# Bytes of kernel values that a support vector machine keeps.
KERNEL = 2000 * 2**20
# Square matrices of training points at a time.
SQUARES = {"gaussian-process": 6, "kernel-ridge": 4}
# Of the points: coordinates, values, clean and noisy.
COLUMNS = 10


def needs(question: HierarchicalRegression, sections: Sections) -> Iterator[Need]:
    """Of its stores: each is one job, one signal after another."""
    chosen = {"transitions": dict(question.signals)}
    if question.baselines:
        signals = question.baselines.signals
        chosen["regressors"] = {n: p for n, p in question.signals if n in signals}
    levels = len(question.noise) * len(question.seeds)
    for store, signals in chosen.items():
        sizes = {name: grid(name, points) for name, points in signals.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        keys = {f"signals.{largest}": signals[largest]}
        train, _ = sizes[largest]
        # Each layer's residuals and predictions; scales fall to the spacing.
        layers = signals[largest].bit_length() + 3
        drawn = sum(count for _, count in sizes.values()) * levels
        memory = [
            Part(3 * DOUBLE * drawn, keys | {"seeds": len(question.seeds)}),
            Part((COLUMNS + 4 * layers) * DOUBLE * sizes[largest][1], keys),
            Part(min(KERNEL, 2 * DOUBLE * train**2), keys),
        ]
        if store == "regressors":
            squares = max(SQUARES.get(name, 0) for name in question.baselines.regressors)
            memory.append(Part(squares * DOUBLE * train**2, keys))
        path, where = f"results/{store}/{question.name}.zarr", f"hsvr.{question.name}"
        yield Need(path, store, where, NUMERICAL, tuple(memory))
