"""What a benchmark of known answers needs of memory and disk."""

from collections.abc import Iterator

from koopscope.config.data import CLASSES
from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.known_answers.plan import KnownAnswers
from koopscope.experiments.sizes import DOUBLE, SINGLE, Sections, trained

# The widest network of a case, and the numbers of a fit that are in work at once.
WIDEST = 40
COPIES = 4


def needs(question: KnownAnswers, sections: Sections) -> Iterator[Need]:
    """Of its store: one case after another, with the base's two pools kept."""
    network = question.network
    runs = question.runs * question.core_times
    seen = (network.hidden_widths[-1] + network.probe) * CLASSES
    keys = {"runs": question.runs, "core_times": question.core_times, "steps": network.steps}
    snapshots = runs * network.steps
    memory = (
        *trained(network),
        # Both pools of the base, one that was made of them, and the widest network's.
        Part(2 * SINGLE * snapshots * seen + 2 * DOUBLE * snapshots * seen, keys),
        Part(2 * SINGLE * snapshots * (WIDEST + network.probe) * CLASSES, keys),
        Part(
            COPIES * DOUBLE * network.steps * (question.delays + 1) * WIDEST * CLASSES,
            {"delays": question.delays},
        ),
        Part(COPIES * DOUBLE * (2 * runs) ** 2, keys),
    )
    answers = len(question.methods) * len(question.cases) * len(question.sizes)
    draws = question.draws * question.core_times
    disk = (Part(2 * DOUBLE * answers * draws, {"draws": question.draws}),)
    path, where = f"results/known_answers/{question.name}.zarr", f"known_answers.{question.name}"
    yield Need(path, "known_answers", where, TORCH, memory, disk)
