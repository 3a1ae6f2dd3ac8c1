"""Runs that prune while they train: what is asked, and of which runs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from koopscope.config.checks import (
    above_zero,
    ascending,
    below_one,
    each_once,
    one_of,
    only_keys,
    positive,
)
from koopscope.config.data import DataSpec, data_from
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.experiment import Experiment
from koopscope.experiments.pruned_training.names import (
    FULLY_CONNECTED,
    METHODS,
    NETWORKS,
    train_size,
)
from koopscope.pruning.names import UNITS, WINDOWED


@dataclass(frozen=True)
class PrunedTraining:
    """One network trained by several methods, each pruning at the same epochs.

    Attributes
    ----------
    data
        The data set.
    network
        ``"fcn"`` or ``"mnistnet"`` (:mod:`koopscope.training.models`).
    hidden
        Widths of the hidden layers of ``"fcn"``.
    methods
        Names in ``METHODS``; ``"dense"`` prunes nothing.
    epochs
        Length of a run.
    prune_after
        Epochs after which to prune, each below ``epochs``; a Koopman window is the epoch before.
    compressions
        What each pruning reaches: prunable weights of the new network over those that stay.
    target
        Test accuracy that time and operations are counted to, in (0, 1).
    evaluations
        Tests an epoch, evenly spaced.
    learning_rate, momentum, batch_size
        Of SGD with Nesterov momentum; the last, smaller batch of an epoch counts too.
    every
        Steps from one snapshot of a window to the next.
    train_samples, test_samples
        The first so many of the data set; None for all.
    seeds
        Draw the initial weights, the order of the samples and random scores: the same for every
        method.
    """

    data: DataSpec
    network: str = "fcn"
    hidden: tuple[int, ...] = (300, 100)
    methods: tuple[str, ...] = METHODS
    epochs: int = 6
    prune_after: tuple[int, ...] = (1, 2)
    compressions: tuple[float, ...] = (2.0, 4.0)
    target: float = 0.95
    evaluations: int = 2
    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 128
    every: int = 1
    train_samples: int | None = None
    test_samples: int | None = None
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        one_of("network", self.network, NETWORKS)
        for width in self.hidden:
            positive("hidden", width)
        if self.network == FULLY_CONNECTED and not self.hidden:
            raise InputError("hidden: no layer; give at least one width, such as [300]")
        each_once("methods", self.methods, METHODS)
        each_once("seeds", self.seeds)
        for name in ("epochs", "evaluations", "batch_size", "every"):
            positive(name, getattr(self, name))
        for epoch in self.prune_after:
            positive("prune_after", epoch)
            if epoch >= self.epochs:
                raise InputError(
                    f"prune_after: epoch {epoch} is not before the end of a run of {self.epochs}; "
                    f"give at most {self.epochs - 1}"
                )
        ascending("prune_after", self.prune_after)
        steps = tuple(self.compressions)
        if len(steps) != len(self.prune_after):
            raise InputError(
                f"compressions: {len(steps)} for {len(self.prune_after)} prunings; give one each"
            )
        if not all(math.isfinite(x) and x >= 1 for x in steps) or list(steps) != sorted(steps):
            raise InputError(f"compressions: {list(steps)}; give ascending numbers of at least 1")
        if not 0 < self.target < 1:
            raise InputError(f"target: {self.target} is no accuracy between 0 and 1; give a share")
        above_zero("learning_rate", self.learning_rate)
        below_one("momentum", self.momentum)
        for name in ("train_samples", "test_samples"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))
        batches = train_size(self.train_samples, self.data.train_samples) // self.batch_size
        windowed = any(m.removesuffix(UNITS) in WINDOWED for m in self.methods)
        if windowed and batches // self.every < 2:
            raise InputError(
                f"every: {self.every} leaves less than two snapshots of an epoch of {batches} "
                "batches; give a smaller number"
            )

    def canonical(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return asdict(self) | {"data": self.data.canonical()}


@dataclass(frozen=True)
class PruningWhileTraining(Experiment):
    """One question, and the runs that answer it.

    Attributes
    ----------
    plan
        The runs.
    """

    plan: PrunedTraining

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of the runs."""
        return (self.plan.data,)

    def work(self, store: str) -> tuple[int, str]:
        """Runs."""
        return len(self.plan.seeds) * len(self.plan.methods), "runs"

    def canonical(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        return {"name": self.name, "question": self.question, "plan": self.plan.canonical()}

    @classmethod
    def read(
        cls,
        name: str,
        entry: Mapping[str, Any],
        data: Mapping[str, DataSpec],
        config: Mapping[str, Any],
    ) -> Self:
        """Experiment of a configuration's entry: ``data``, and fields of the runs."""
        fields = {k: as_tuple(v) for k, v in entry.items() if k not in ("kind", "question")}
        known = PrunedTraining.__dataclass_fields__
        only_keys(fields, known, f"a question of kind {entry['kind']}")
        one_of("data", fields.get("data"), tuple(data))
        return cls(
            name, entry["question"], PrunedTraining(**fields | {"data": data[fields["data"]]})
        )

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form; the data set gets its kind as its name."""
        fields = {k: as_tuple(v) for k, v in canonical["plan"].items()}
        plan = PrunedTraining(**fields | {"data": data_from(fields["data"])})
        return cls(canonical["name"], canonical["question"], plan)


read, rebuilt = PruningWhileTraining.read, PruningWhileTraining.rebuilt
