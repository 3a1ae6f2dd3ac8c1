"""What a question of the early phase needs of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.early_phase.names import MARKERS
from koopscope.experiments.early_phase.plan import EarlyPhase
from koopscope.experiments.sizes import DOUBLE, SINGLE, STATES, Sections, images, tested

# Channels and pixels of an image as convolutional networks see it; others take it as it is.
PIXELS = {"lenet": 32 * 32, "resnet20": 3 * 32 * 32}
# Numbers that their parts give for one sample; of others the weights say about as much.
UNITS = {"lenet": 20_000, "resnet20": 600_000}
COPIES = 4


def needs(question: EarlyPhase, sections: Sections) -> Iterator[Need]:
    """Of its store: all runs are one job, kept in memory until they are fitted."""
    model, windows = question.model, len(question.windows.bounds) - 1
    seeds, states = len(model.seeds), model.states
    keys = {"model.steps": model.steps, "model.seeds": seeds}
    recorded = model.weights + len(MARKERS)
    fits = seeds * windows * (1 + len(question.layers) + len(question.other_coordinates))
    samples = model.data.train_samples + model.data.test_samples
    kind = str(model.architecture)
    pixels = PIXELS.get(kind, model.data.pixels)
    units = UNITS.get(kind, model.parameters)
    memory = (
        images(model.data),
        Part(SINGLE * pixels * samples, {}),
        Part((COPIES + STATES) * SINGLE * model.parameters * seeds, keys),
        Part(COPIES * SINGLE * units * model.batch, {"model.batch_size": model.batch}),
        # As they are made and as they are kept, and doubles for the markers' displacements.
        Part((2 * SINGLE + 3 * DOUBLE) * seeds * states * recorded, keys),
        Part(2 * DOUBLE * model.steps * model.batch * seeds, keys),
        Part(2 * DOUBLE * (seeds * windows) ** 2, {"windows.count": windows, "model.seeds": seeds}),
        Part(6 * DOUBLE * fits * question.rank, {"rank": question.rank}),
        *tested({(seeds, seeds)}, question.compare),
    )
    disk = (
        Part(2 * DOUBLE * fits * question.rank, {"rank": question.rank}),
        Part(SINGLE * len(MARKERS) * seeds * states, keys),
    )
    path, where = f"results/early_phase/{question.name}.zarr", f"early_phase.{question.name}"
    yield Need(path, "early_phase", where, TORCH, memory, disk)
