"""Families of networks that differ in depth alone: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from koopscope.errors import InputError
from koopscope.plans.hsvr import SIGNALS
from koopscope.setup import ACTIVATIONS, OPTIMIZERS, NetworkSetup
from koopscope.specs import DataSpec, above_zero, as_tuple, data_from, one_of, only_keys, positive

# Seeds of one depth are the family's plus so many times the depth: no two depths share a draw, so
# the distance between them is not made smaller by common initial weights or batches.
STRIDE = 10_000


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
        See :class:`koopscope.setup.NetworkSetup`.
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
        return {"classification": asdict(self) | {"data": self.data.canonical()}}


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

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _check(self)
        if self.points < 15:
            raise InputError(f"points: {self.points} an axis are too few; give at least 15")
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise InputError(f"noise: {self.noise} is not a finite number of at least 0")

    def canonical(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return {"regression": asdict(self)}


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
        One ensemble member each; every depth draws its own from them (``STRIDE``).
    initialisations, spread
        Networks of a seed: one drawn, the others near it
        (:class:`koopscope.setup.NetworkSetup`).
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
        if len(set(self.depths)) < len(self.depths):
            twice = next(d for d in self.depths if self.depths.count(d) > 1)
            raise InputError(f"depths: {twice} stands twice; give each depth once")
        if len(self.depths) < 2 or list(self.depths) != sorted(self.depths):
            raise InputError(f"depths: {list(self.depths)}; give two or more, ascending")
        if len(self.seeds) < 2 or len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"seeds: {list(self.seeds)}; give two or more, each once")
        if not all(0 <= seed < STRIDE for seed in self.seeds):
            raise InputError(f"seeds: {list(self.seeds)}; give numbers from 0 to {STRIDE - 1}")
        positive("initialisations", self.initialisations)
        positive("rank", self.rank)
        if not 0 <= self.spread < 1:
            raise InputError(f"spread: {self.spread} is not in [0, 1)")
        if self.delays < 0 or self.delays + 3 > self.task.short:
            raise InputError(
                f"delays: {self.delays} in a window of {self.task.short} steps; give 0 to "
                f"{self.task.short - 3}, or a longer short training"
            )
        above_zero("tolerance", self.tolerance)
        if not self.smallest_effect >= 1:
            raise InputError(f"smallest_effect: {self.smallest_effect}; give a ratio of at least 1")

    def members(self, depth: int) -> tuple[int, ...]:
        """Seeds of one depth."""
        return tuple(STRIDE * depth + seed for seed in self.seeds)

    def network(self, depth: int) -> NetworkSetup:
        """Setup of one depth's ensemble, for a classification."""
        task = self.task
        return NetworkSetup(
            task.data,
            hidden=(task.width,) * depth,
            activation=task.activation,
            optimizer=task.optimizer,
            learning_rate=task.learning_rate,
            batch_size=task.batch_size,
            steps=task.steps,
            seeds=self.members(depth),
            initialisations=self.initialisations,
            spread=self.spread,
            evaluate_every=task.steps,
            probe=task.probe,
        )

    def canonical(self) -> dict[str, Any]:
        """What the result depends on, as JSON values."""
        return asdict(self) | {"task": self.task.canonical()}


@dataclass(frozen=True)
class DepthExperiment:
    """One question, asked of several families.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    families
        By the names of their tasks.
    """

    name: str
    question: str
    families: tuple[tuple[str, DepthFamily], ...]

    kind: ClassVar[str] = "depth"
    figures: ClassVar[tuple[str, ...]] = ("depths",)

    @property
    def runs(self) -> tuple[Classification, ...]:
        """Tasks that need a data set, in their order."""
        tasks = (family.task for _, family in self.families)
        return tuple(task for task in tasks if isinstance(task, Classification))

    def canonical(self) -> dict[str, Any]:
        """What the result depends on, as JSON values."""
        families = {name: family.canonical() for name, family in self.families}
        named = {"kind": self.kind, "name": self.name, "question": self.question}
        return named | {"families": families}

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        families = tuple((name, family_from(f)) for name, f in canonical["families"].items())
        return cls(canonical["name"], canonical["question"], families)

    @classmethod
    def read(cls, name: str, entry: Mapping[str, Any], specs: Mapping[str, DataSpec]) -> Self:
        """Experiment of a configuration's entry that fits the schema.

        Parameters
        ----------
        name
            Of the entry.
        entry
            ``question``, ``tasks`` (by name, each with ``data`` or ``signal``), and fields of
            :class:`DepthFamily`.
        specs
            Data sets by name.

        Raises
        ------
        InputError
            With the key, the value and the remedy, if it cannot be run as it is written.
        """
        where = f"monitor.{name}"
        shared = {
            k: as_tuple(v) for k, v in entry.items() if k not in ("kind", "question", "tasks")
        }
        known = [*(f for f in DepthFamily.__dataclass_fields__ if f != "task"), "tasks"]
        only_keys(where, shared, known, f"a question of kind {cls.kind}")
        if not entry.get("tasks"):
            raise InputError(f"{where}.tasks: none; give one or more, each with data or signal")
        families = []
        for label, fields in entry["tasks"].items():
            task = _task(f"{where}.tasks.{label}", fields or {}, specs)
            try:
                families.append((label, DepthFamily(task, **shared)))
            except InputError as error:
                raise InputError(f"{where}.{error}") from None
        return cls(name, entry["question"], tuple(families))


def family_from(canonical: Mapping[str, Any]) -> DepthFamily:
    """Rebuild a family from its canonical form; a data set gets its kind as its name."""
    fields = {k: as_tuple(v) for k, v in canonical.items()}
    ((kind, given),) = fields["task"].items()
    if kind == "regression":
        return DepthFamily(**fields | {"task": Regression(**given)})
    task = Classification(**dict(given) | {"data": data_from(given["data"])})
    return DepthFamily(**fields | {"task": task})


def _task(where: str, fields: Mapping[str, Any], specs: Mapping[str, DataSpec]) -> Task:
    if ("data" in fields) == ("signal" in fields):
        raise InputError(f"{where}: needs data or signal, and not both")
    kind = Classification if "data" in fields else Regression
    only_keys(where, fields, kind.__dataclass_fields__, "this kind of task")
    if kind is Classification:
        one_of(f"{where}.data", fields["data"], tuple(specs))
        fields = {**fields, "data": specs[fields["data"]]}
    else:
        one_of(f"{where}.signal", fields["signal"], SIGNALS)
    try:
        return kind(**fields)
    except InputError as error:
        raise InputError(f"{where}.{error}") from None


def _check(task: Task) -> None:
    one_of("activation", task.activation, ACTIVATIONS)
    one_of("optimizer", task.optimizer, tuple(o for o in OPTIMIZERS if o != "adamw"))
    for name in ("width", "steps", "short", "probe"):
        positive(name, getattr(task, name))
    above_zero("learning_rate", task.learning_rate)
    if task.short > task.steps:
        raise InputError(
            f"short: {task.short} steps are more than the full {task.steps}; give less"
        )
