"""Runs that prune while they train: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from koopscope.errors import InputError
from koopscope.specs import DataSpec, above_zero, as_tuple, data_from, one_of, only_keys, positive

NETWORKS = ("fcn", "mnistnet")
DENSE, UNITS = "dense", ":units"
SCORES = ("koopman", "koopman_spent", "magnitude", "window_mean", "random")
# A score alone prunes weights one by one; with ":units" whole units, by the sum of their scores.
METHODS = (DENSE, *(score + kind for score in SCORES for kind in ("", UNITS)))
# Scores that need the snapshots of the epoch before.
WINDOWED = ("koopman", "koopman_spent", "window_mean")


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
        if self.network == "fcn" and not self.hidden:
            raise InputError("hidden: no layer; give at least one width, such as [300]")
        for method in self.methods:
            one_of("methods", method, METHODS)
        for name in ("methods", "seeds", "prune_after"):
            values = getattr(self, name)
            if not values:
                raise InputError(f"{name}: none; give at least one")
            if len(set(values)) < len(values):
                twice = next(v for v in values if values.count(v) > 1)
                raise InputError(f"{name}: {twice} stands twice; give each once")
        for name in ("epochs", "evaluations", "batch_size", "every"):
            positive(name, getattr(self, name))
        for epoch in self.prune_after:
            positive("prune_after", epoch)
            if epoch >= self.epochs:
                raise InputError(
                    f"prune_after: epoch {epoch} is not before the end of a run of {self.epochs}; "
                    f"give at most {self.epochs - 1}"
                )
        if list(self.prune_after) != sorted(self.prune_after):
            raise InputError(f"prune_after: {list(self.prune_after)}; give ascending epochs")
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
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum: {self.momentum} is not in [0, 1)")
        for name in ("train_samples", "test_samples"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))
        batches = self.train_size // self.batch_size
        windowed = any(m.removesuffix(UNITS) in WINDOWED for m in self.methods)
        if windowed and batches // self.every < 2:
            raise InputError(
                f"every: {self.every} leaves less than two snapshots of an epoch of {batches} "
                "batches; give a smaller number"
            )

    @property
    def train_size(self) -> int:
        """Training samples used."""
        return min(self.train_samples or self.data.train_samples, self.data.train_samples)

    def canonical(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return asdict(self) | {"data": self.data.canonical()}


@dataclass(frozen=True)
class PruningWhileTraining:
    """One question, and the runs that answer it.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    plan
        The runs.
    """

    name: str
    question: str
    plan: PrunedTraining

    kind: ClassVar[str] = "pruned_training"
    figures: ClassVar[tuple[str, ...]] = ("pruned_training",)

    @property
    def runs(self) -> tuple[PrunedTraining, ...]:
        """What needs a data set: the plan alone."""
        return (self.plan,)

    def canonical(self) -> dict[str, Any]:
        """What the result depends on, as JSON values."""
        named = {"kind": self.kind, "name": self.name, "question": self.question}
        return named | {"plan": self.plan.canonical()}

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        plan = pruned_training_from(canonical["plan"])
        return cls(canonical["name"], canonical["question"], plan)

    @classmethod
    def read(cls, name: str, entry: Mapping[str, Any], specs: Mapping[str, DataSpec]) -> Self:
        """Experiment of a configuration's entry that fits the schema.

        Parameters
        ----------
        name
            Of the entry.
        entry
            ``question``, ``data`` (a name) and fields of :class:`PrunedTraining`.
        specs
            Data sets by name.

        Raises
        ------
        InputError
            With the key, the value and the remedy, if it cannot be run as it is written.
        """
        where = f"monitor.{name}"
        fields = {k: as_tuple(v) for k, v in entry.items() if k not in ("kind", "question")}
        known = PrunedTraining.__dataclass_fields__
        only_keys(where, fields, known, f"a question of kind {cls.kind}")
        one_of(f"{where}.data", fields.get("data"), tuple(specs))
        try:
            plan = PrunedTraining(**fields | {"data": specs[fields["data"]]})
        except InputError as error:
            raise InputError(f"{where}.{error}") from None
        return cls(name, entry["question"], plan)


def pruned_training_from(canonical: Mapping[str, Any]) -> PrunedTraining:
    """Rebuild the settings from their canonical form; the data set gets its kind as its name."""
    fields = {k: as_tuple(v) for k, v in canonical.items()}
    return PrunedTraining(**fields | {"data": data_from(fields["data"])})
