"""The setup that trains watched networks of one kind."""

from typing import Protocol

from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup


class Trained(Protocol):
    """What a plan says of its runs (:class:`koopscope.experiments.watching.plan.Runs`)."""

    data: DataSpec
    hidden_widths: tuple[int, ...]
    activation: str
    optimizer: str
    learning_rate: float
    batch_size: int


def setup_of(runs: Trained, seeds: tuple[int, ...]) -> NetworkSetup:
    """Setup of the batched trainer; for other models, of their optimiser alone."""
    return NetworkSetup(
        runs.data,
        hidden_widths=runs.hidden_widths,
        activation=runs.activation,
        optimizer=runs.optimizer,
        learning_rate=runs.learning_rate,
        batch_size=runs.batch_size,
        seeds=seeds,
    )
