"""The setup that trains watched networks of one kind."""

from typing import TYPE_CHECKING

from koopscope.config.setup import NetworkSetup

if TYPE_CHECKING:
    from koopscope.experiments.watching.plan import Runs


def setup_of(runs: "Runs", seeds: tuple[int, ...]) -> NetworkSetup:
    """Setup of the batched trainer; for other models, of their optimiser alone."""
    return NetworkSetup(
        runs.data,
        hidden=runs.hidden,
        activation=runs.activation,
        optimizer=runs.optimizer,
        learning_rate=runs.learning_rate,
        batch_size=runs.batch_size,
        seeds=seeds,
    )
