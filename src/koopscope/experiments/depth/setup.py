"""What a family of depths trains: seeds and setups."""

from typing import TYPE_CHECKING

from koopscope.config.setup import NetworkSetup

if TYPE_CHECKING:
    from koopscope.experiments.depth.plan import DepthFamily

# Kinds of tasks.
CLASSIFICATION, REGRESSION = "classification", "regression"
# Seeds of one depth are the family's plus so many times the depth: no two depths share a draw, so
# the distance between them is not made smaller by common initial weights or batches.
STRIDE = 10_000


def members(family: "DepthFamily", depth: int) -> tuple[int, ...]:
    """Seeds of one depth."""
    return tuple(STRIDE * depth + seed for seed in family.seeds)


def network(family: "DepthFamily", depth: int) -> NetworkSetup:
    """Setup of one depth's ensemble, for a classification."""
    task = family.task
    return NetworkSetup(
        task.data,
        hidden=(task.width,) * depth,
        activation=task.activation,
        optimizer=task.optimizer,
        learning_rate=task.learning_rate,
        batch_size=task.batch_size,
        steps=task.steps,
        seeds=members(family, depth),
        initialisations=family.initialisations,
        spread=family.spread,
        evaluate_every=task.steps,
        probe=task.probe,
    )
