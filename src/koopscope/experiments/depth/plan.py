"""Families of networks that differ in depth alone: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from koopscope.config.checks import (
    above_zero,
    ascending,
    at_least_zero,
    below_one,
    each_once,
    one_of,
    only_keys,
    positive,
)
from koopscope.config.data import DataSpec, data_from
from koopscope.config.setup import ACTIVATIONS, OPTIMIZERS
from koopscope.config.values import as_tuple
from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.depth.names import CLASSIFICATION, REGRESSION, STRIDE
from koopscope.experiments.experiment import Experiment, within


@dataclass(frozen=True)
class Classification:
    """Fully connected networks without bias on a data set, trained batch by batch.

    Attributes
    ----------
    data
        The data set.
    width
        Of every hidden layer.
    activation, optimizer, learning_rate, batch_size
        See :class:`koopscope.config.setup.NetworkSetup`.
    steps, short
        Steps of the full training, and the first of them that the spectrum may see.
    probe
        Test samples whose loss and logits are observed.
    """

    data: DataSpec
    width: int = 40
    activation: str = "relu"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 60
    steps: int = 1000
    short: int = 200
    probe: int = 10

    kind: ClassVar[str] = CLASSIFICATION

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _check(self)
        positive("batch_size", self.batch_size)
        for name, there in (("probe", "test_samples"), ("batch_size", "train_samples")):
            if getattr(self, name) > getattr(self.data, there):
                raise InputError(
                    f"{name}: {getattr(self, name)}, but {self.data.name} has "
                    f"{getattr(self.data, there)} {there.replace('_', ' ')}; give at most that"
                )

    def canonical(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return {self.kind: asdict(self) | {"data": self.data.canonical()}}


@dataclass(frozen=True)
class Regression:
    """Fully connected networks with bias that map coordinates to a signal's values.

    Every step sees all training points; the loss is the mean squared error.

    Attributes
    ----------
    signal, points, noise
        See :func:`koopscope.data.signals.signal`; every second point an axis trains.
    width, activation, optimizer, learning_rate, steps, short
        As in :class:`Classification`.
    probe
        Held-out points whose loss and values are observed.
    """

    signal: str
    points: int = 201
    noise: float = 0.0
    width: int = 32
    activation: str = "relu"
    optimizer: str = "adam"
    learning_rate: float = 0.003
    steps: int = 2000
    short: int = 200
    probe: int = 32

    kind: ClassVar[str] = REGRESSION

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _check(self)
        if self.points < 15:
            raise InputError(f"points: {self.points} an axis are too few; give at least 15")
        at_least_zero("noise", self.noise)

    def canonical(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return {self.kind: asdict(self)}


Task = Classification | Regression


@dataclass(frozen=True)
class DepthFamily:
    """Networks of one width and several depths, an ensemble of seeds each.

    Attributes
    ----------
    task
        What they learn, and how.
    depths
        Numbers of hidden layers, ascending.
    seeds
        One ensemble member each; every depth draws its own from them
        (:func:`koopscope.experiments.depth.setup.members`).
    initialisations, spread
        Networks of a seed: one drawn, the others near it
        (:class:`koopscope.config.setup.NetworkSetup`).
    delays, rank
        Of the Koopman fits.
    tolerance
        A depth is good enough when its error is at most 1 + tolerance times the least one.
    smallest_effect
        Ratio of distances, between ÷ within, below which two depths train alike.
    """

    task: Task
    depths: tuple[int, ...] = (1, 2, 3, 4, 5)
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    initialisations: int = 2
    spread: float = 0.001
    delays: int = 8
    rank: int = 10
    tolerance: float = 0.1
    smallest_effect: float = 1.1

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        for depth in self.depths:
            positive("depths", depth)
        ascending("depths", self.depths, least=2)
        each_once("seeds", self.seeds, least=2)
        if not all(0 <= seed < STRIDE for seed in self.seeds):
            raise InputError(f"seeds: {list(self.seeds)}; give numbers from 0 to {STRIDE - 1}")
        positive("initialisations", self.initialisations)
        positive("rank", self.rank)
        below_one("spread", self.spread)
        if self.delays < 0 or self.delays + 3 > self.task.short:
            raise InputError(
                f"delays: {self.delays} in a window of {self.task.short} steps; give 0 to "
                f"{self.task.short - 3}, or a longer short training"
            )
        above_zero("tolerance", self.tolerance)
        if not self.smallest_effect >= 1:
            raise InputError(f"smallest_effect: {self.smallest_effect}; give a ratio of at least 1")

    def canonical(self) -> dict[str, Any]:
        """What the result depends on, as JSON values."""
        return asdict(self) | {"task": self.task.canonical()}


@dataclass(frozen=True)
class DepthExperiment(Experiment):
    """One question, asked of several families.

    Attributes
    ----------
    families
        By the names of their tasks.
    """

    families: tuple[tuple[str, DepthFamily], ...]

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of the tasks that need one."""
        tasks = (family.task for _, family in self.families)
        return tuple(task.data for task in tasks if isinstance(task, Classification))

    def work(self, store: str) -> tuple[int, str]:
        """Depths of all families."""
        return sum(len(family.depths) for _, family in self.families), "depths"

    def canonical(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        families = {name: family.canonical() for name, family in self.families}
        return {"name": self.name, "question": self.question, "families": families}

    @classmethod
    def read(
        cls,
        name: str,
        entry: Mapping[str, Any],
        data: Mapping[str, DataSpec],
        config: Mapping[str, Any],
    ) -> Self:
        """Experiment of a configuration's entry: ``tasks`` by name, and fields of the families.

        Each task has ``data`` or ``signal``.
        """
        apart = ("kind", "question", "tasks")
        shared = {key: as_tuple(value) for key, value in entry.items() if key not in apart}
        known = [*(f for f in DepthFamily.__dataclass_fields__ if f != "task"), "tasks"]
        only_keys(shared, known, f"a question of kind {entry['kind']}")
        if not entry.get("tasks"):
            raise InputError("tasks: none; give one or more, each with data or signal")
        families = []
        for label, fields in entry["tasks"].items():
            with within(f"tasks.{label}"):
                task = _task(fields or {}, data)
            families.append((label, DepthFamily(task, **shared)))
        return cls(name, entry["question"], tuple(families))

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        families = tuple((name, family_from(f)) for name, f in canonical["families"].items())
        return cls(canonical["name"], canonical["question"], families)


def family_from(canonical: Mapping[str, Any]) -> DepthFamily:
    """Rebuild a family from its canonical form; a data set gets its kind as its name."""
    fields = {k: as_tuple(v) for k, v in canonical.items()}
    ((kind, given),) = fields["task"].items()
    if kind == REGRESSION:
        return DepthFamily(**fields | {"task": Regression(**given)})
    task = Classification(**dict(given) | {"data": data_from(given["data"])})
    return DepthFamily(**fields | {"task": task})


def _task(fields: Mapping[str, Any], data: Mapping[str, DataSpec]) -> Task:
    if ("data" in fields) == ("signal" in fields):
        raise InputError("data: a task needs data or signal, and not both")
    kind = Classification if "data" in fields else Regression
    only_keys(fields, kind.__dataclass_fields__, "this kind of task")
    if kind is Classification:
        one_of("data", fields["data"], tuple(data))
        fields = {**fields, "data": data[fields["data"]]}
    else:
        one_of("signal", fields["signal"], tuple(SIGNALS))
    return kind(**fields)


def _check(task: Task) -> None:
    one_of("activation", task.activation, ACTIVATIONS)
    one_of(
        "optimizer",
        task.optimizer,
        tuple(name for name, has in OPTIMIZERS.items() if "decoupled" not in has),
    )
    for name in ("width", "steps", "short", "probe"):
        positive(name, getattr(task, name))
    above_zero("learning_rate", task.learning_rate)
    if task.short > task.steps:
        raise InputError(
            f"short: {task.short} steps are more than the full {task.steps}; give less"
        )


read, rebuilt = DepthExperiment.read, DepthExperiment.rebuilt
