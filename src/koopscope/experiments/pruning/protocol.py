"""What a pruning experiment does: which network, pruned when and how far, by which scores.

Settings of Redman et al. (ICLR 2022) as far as their scripts and ShrinkBench (Blalock et al.,
MLSys 2020) show them: SGD with Nesterov momentum, snapshots after every batch, one epoch of
refinement with the mask on. The window is the last epoch before pruning.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.config.checks import (
    above_zero,
    ascending,
    at_least_zero,
    below_one,
    each_once,
    one_of,
    positive,
)
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.pruning.names import METHODS, tested
from koopscope.pruning.names import WITHIN
from koopscope.training.names import MODELS

# What the recording of snapshots depends on; the rest of a protocol only reads them.
TRAINING = ("model", "epochs", "learning_rate", "momentum", "batch_size", "classifier")
TRAINING += ("train_samples",)


@dataclass(frozen=True)
class Protocol:
    """What one run of the experiment is.

    Attributes
    ----------
    model
        Name in :data:`koopscope.training.names.MODELS`.
    epochs
        After which of them to prune; each one's snapshots are a window.
    compressions
        All parameters over nonzero ones, each at least 1.
    methods
        Names in ``METHODS``, whose scores and masks are compared.
    tested
        Those of which accuracy and loss are measured; None for all.
    refined, refined_compressions
        Methods and compressions that are trained on with the mask on; None for all that are tested.
    learning_rate, momentum, batch_size
        Of SGD with Nesterov momentum; the last, smaller batch of an epoch counts too.
    classifier
        Whether the last layer's weights are recorded and pruned, as in the paper's scripts;
        ShrinkBench keeps them.
    refinement
        Epochs of training with the mask on; a fraction for the first batches of one.
    train_samples, test_samples
        The first so many of the data set; None for all.
    rank, within
        See :func:`koopscope.pruning.fixed_point`.
    """

    model: str = "mnistnet"
    epochs: tuple[int, ...] = (1,)
    compressions: tuple[float, ...] = (4.0,)
    methods: tuple[str, ...] = METHODS
    tested: tuple[str, ...] | None = None
    refined: tuple[str, ...] | None = None
    refined_compressions: tuple[float, ...] | None = None
    learning_rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 128
    classifier: bool = True
    refinement: float = 1
    train_samples: int | None = None
    test_samples: int | None = None
    rank: int | str | None = "rounding"
    within: float = WITHIN

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        one_of("model", self.model, tuple(MODELS))
        each_once("methods", self.methods, METHODS)
        each_once("tested", self.tested or (), self.methods, least=0)
        each_once("refined", self.refined or (), tested(self.methods, self.tested), least=0)
        for epoch in self.epochs:
            positive("epochs", epoch)
        ascending("epochs", self.epochs)
        for compression in self.compressions or (math.nan,):
            if not (math.isfinite(compression) and compression >= 1):
                raise InputError(f"compressions: {self.compressions}; give numbers of at least 1")
            if compression > self.largest_compression:
                raise InputError(
                    f"compressions: {compression:g} leaves less than a weight for each layer of "
                    f"{self.model}; give at most {math.floor(self.largest_compression)}"
                )
        each_once(
            "refined_compressions", self.refined_compressions or (), self.compressions, least=0
        )
        above_zero("learning_rate", self.learning_rate)
        below_one("momentum", self.momentum)
        at_least_zero("refinement", self.refinement)
        positive("batch_size", self.batch_size)
        for name in ("train_samples", "test_samples"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))

    @property
    def largest_compression(self) -> float:
        """The one that leaves as many weights as there are layers."""
        model = MODELS[self.model]
        pruned, layers = model.weights, model.layers
        if not self.classifier:
            pruned, layers = pruned - model.classifier, layers - 1
        return model.parameters / (model.parameters - pruned + layers)

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name in TRAINING}


def protocol_from(canonical: Mapping[str, Any]) -> Protocol:
    """Rebuild a protocol from JSON values; what is not given has its default."""
    return Protocol(**{k: as_tuple(v) for k, v in canonical.items()})
