"""What a family of depths trains: seeds and setups."""

from typing import TYPE_CHECKING

from koopscope.config.setup import NetworkSetup
from koopscope.experiments.depth.names import STRIDE

if TYPE_CHECKING:
    from koopscope.experiments.depth.plan import DepthFamily


def members(family: "DepthFamily", depth: int) -> tuple[int, ...]:
    """Seeds of one depth."""
    return tuple(STRIDE * depth + seed for seed in family.seeds)


def network(family: "DepthFamily", depth: int) -> NetworkSetup:
    """Setup of one depth's ensemble, for a classification."""
    task = family.task
    return NetworkSetup(
        task.data,
        hidden_widths=(task.width,) * depth,
        activation=task.activation,
        optimizer=task.optimizer,
        learning_rate=task.learning_rate,
        batch_size=task.batch_size,
        steps=task.steps,
        seeds=members(family, depth),
        initialisations=family.initialisations,
        perturbation_scale=family.perturbation_scale,
        evaluate_every=task.steps,
        probe=task.probe,
    )
