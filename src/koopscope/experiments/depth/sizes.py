"""What the training of families of depths needs of memory and disk."""

from collections.abc import Iterator

from koopscope.config.sizes import TORCH, Need, Part
from koopscope.experiments.depth.plan import Classification, DepthExperiment, DepthFamily
from koopscope.experiments.depth.setup import network
from koopscope.experiments.sizes import DOUBLE, SINGLE, STATES, Sections, grid, trained

LISTED = 1000


def needs(question: DepthExperiment, sections: Sections) -> Iterator[Need]:
    """Of its store: all families are one job, one depth after another."""
    found = {f"tasks.{name}": _family(family) for name, family in question.families}
    name, memory = max(found.items(), key=lambda item: sum(part.bytes for part in item[1]))
    path, where = f"results/depth/{question.name}.zarr", f"monitor.{question.name}.{name}"
    yield Need(path, "depth", where, TORCH, memory)


def _family(family: DepthFamily) -> tuple[Part, ...]:
    task, depths = family.task, len(family.depths)
    runs = len(family.seeds) * family.initialisations
    numbers = 1 + task.probe * (10 if isinstance(task, Classification) else 1)
    seen = {"pilot_steps": task.pilot_steps, "probe": task.probe}
    kept = (
        Part(3 * SINGLE * runs * task.steps, {"steps": task.steps}),
        # Of each depth, and once more for the fit of a seed.
        Part(SINGLE * runs * task.pilot_steps * numbers * (depths + 2), seen),
    )
    deepest = max(family.depths)
    if isinstance(task, Classification):
        # A plan of so many layers would be large itself; of more, each is as the others.
        listed = min(deepest, LISTED)
        more = (4 + STATES) * SINGLE * runs * (deepest - listed) * task.width**2
        layers = {"depths": deepest, "width": task.width}
        return (*trained(network(family, listed)), Part(more, layers), *kept)
    train, all_points = grid(task.signal, task.points)
    layers = {"width": task.width, "depths": deepest}
    at_once = max(train * (2 * deepest + 4), (all_points - train) * (2 * deepest + 1))
    return (
        Part((4 + STATES) * SINGLE * runs * deepest * (task.width + 1) ** 2, layers),
        Part(SINGLE * runs * task.width * at_once, {"points": task.points, **layers}),
        Part(10 * DOUBLE * all_points, {"points": task.points}),
        *kept,
    )
