"""What a question about grokking needs of memory and disk."""

import math
from collections.abc import Iterator

from koopscope.config.models import ModelSetup
from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.grokking.plan import Grokking
from koopscope.experiments.sizes import COPIES, DOUBLE, SINGLE, STATES, Sections, packed

# Bytes of weights that train side by side, and of what they give on a batch, as in
# koopscope.training.module_training.
CACHE, ACTIVE = 16 * 2**20, 4 * 2**20
# Curves of a run: loss, length, two accuracies.
CURVES = 4


def needs(question: Grokking, sections: Sections) -> Iterator[Need]:
    """Of its store: the groups are all kept, the settings one after another."""
    largest = max(question.ensembles, key=lambda setup: sum(part.bytes for part in training(setup)))
    model = question.model
    keys = {"model.steps": model.steps, "seeds": len(question.seeds)}
    kept = sum(_weights(setup) for setup in question.trained.values())
    if question.settings:
        kept += max(_weights(setup) for setup in question.settings.values())
    columns = model.states
    memory = (
        *training(largest),
        Part(kept, keys),
        # One fit at a time: its states in double precision, and their delayed products.
        Part((3 * model.weights + 3 * columns) * columns * DOUBLE, keys),
    )
    curves = SINGLE * CURVES * len(question.trained) * len(question.seeds) * model.states
    path, where = f"results/grokking/{question.name}.zarr", f"grokking.{question.name}"
    yield Need(path, "grokking", where, TORCH, memory, (Part(packed(curves), keys),))


def training(setup: ModelSetup) -> tuple[Part, ...]:
    """Arrays of an ensemble of modules in training; of a module of one's own those known."""
    weights = SINGLE * max(1, setup.parameters)
    units = sum(shape[0] for shape in setup.shapes.values())
    active = SINGLE * max(1, setup.batch * units)
    together = max(1, min(len(setup.seeds), CACHE // weights, ACTIVE // active))
    samples = max(setup.batch, setup.data.test_samples)
    options = {name: v for name, v in setup.told.items() if isinstance(v, int)}
    return (
        Part((COPIES + STATES) * weights * together, {"model.seeds": len(setup.seeds)} | options),
        Part(
            COPIES * SINGLE * together * samples * units,
            {f"data.{setup.data.name}": samples} | options,
        ),
        Part(
            (SINGLE + 2) * setup.data.pixels * (setup.data.train_samples + setup.data.test_samples),
            {},
        ),
    )


def _weights(setup: ModelSetup) -> int:
    """Bytes of what is recorded of a setup's runs."""
    width = setup.weights or math.prod((setup.data.classes, 1))
    return SINGLE * len(setup.seeds) * setup.states * (width + CURVES)
