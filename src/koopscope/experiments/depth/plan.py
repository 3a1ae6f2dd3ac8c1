"""Families of networks that differ in depth alone: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from koopscope.config.checks import ascending, each_once, no_tokens, one_of, within
from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.entries import conform, keys, values
from koopscope.config.key import key
from koopscope.config.setup import ACTIVATIONS, OPTIMIZERS
from koopscope.config.values import as_tuple
from koopscope.data.names import SIGNALS
from koopscope.errors import InputError
from koopscope.experiments.depth.names import CLASSIFICATION, REGRESSION, STRIDE
from koopscope.experiments.experiment import DataSets, Entry, Experiment

# Optimisers whose decay, if they had one, would be part of the gradient.
COUPLED = tuple(name for name, has in OPTIMIZERS.items() if "decoupled" not in has)


@dataclass(frozen=True)
class Classification:
    """Fully connected networks without bias on a data set, trained batch by batch."""

    data: Annotated[DataSpec, key("name of a data set, to be classified", written=str)]
    width: Annotated[int, key("width of every hidden layer", "units", ge=1)] = 40
    activation: Annotated[str, key("activation, as in `network`", one_of=ACTIVATIONS)] = "relu"
    optimizer: Annotated[
        str, key("optimiser, as in `network`, without `adamw`", one_of=COUPLED)
    ] = "sgd"
    learning_rate: Annotated[float, key("learning rate", "per step", gt=0)] = 0.1
    batch_size: Annotated[int, key("samples of a batch", "samples", ge=1)] = 60
    steps: Annotated[int, key("steps of the full training", "steps", ge=1)] = 1000
    pilot_steps: Annotated[int, key("first of them, which the spectrum sees", "steps", ge=1)] = 200
    probe: Annotated[
        int, key("test samples whose loss and logits are observed", "samples", ge=1)
    ] = 10

    kind: ClassVar[str] = CLASSIFICATION

    renamed: ClassVar[Mapping[str, str]] = {"short": "pilot_steps"}

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        conform(self)
        _check(self)
        no_tokens(self.data)
        for name, there in (("probe", "test_samples"), ("batch_size", "train_samples")):
            if getattr(self, name) > getattr(self.data, there):
                raise InputError(
                    f"{name}: {getattr(self, name)}, but {self.data.name} has "
                    f"{getattr(self.data, there)} {there.replace('_', ' ')}; give at most that"
                )

    def to_dict(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return {self.kind: asdict(self) | {"data": self.data.to_dict()}}


@dataclass(frozen=True)
class Regression:
    """Fully connected networks with bias that map coordinates to a signal's values.

    Every step sees all training points; the loss is the mean squared error.
    """

    signal: Annotated[
        str, key("name of a signal, to be fitted (see `signals` of `hsvr`)", one_of=SIGNALS)
    ]
    points: Annotated[
        int, key("grid points an axis, of which every second one trains", "points", ge=15)
    ] = 201
    noise: Annotated[float, key("standard deviation of the noise", "that of the signal", ge=0)] = (
        0.0
    )
    width: Annotated[int, key("width of every hidden layer", "units", ge=1)] = 32
    activation: Annotated[str, key("activation, as in `network`", one_of=ACTIVATIONS)] = "relu"
    optimizer: Annotated[
        str, key("optimiser, as in `network`, without `adamw`", one_of=COUPLED)
    ] = "adam"
    learning_rate: Annotated[float, key("learning rate", "per step", gt=0)] = 0.003
    steps: Annotated[int, key("steps of the full training, each on all points", "steps", ge=1)] = (
        2000
    )
    pilot_steps: Annotated[int, key("first of them, which the spectrum sees", "steps", ge=1)] = 200
    probe: Annotated[
        int, key("held-out points whose loss and values are observed", "points", ge=1)
    ] = 32

    kind: ClassVar[str] = REGRESSION

    renamed: ClassVar[Mapping[str, str]] = {"short": "pilot_steps"}

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        conform(self)
        _check(self)

    def to_dict(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return {self.kind: asdict(self)}


Task = Classification | Regression


@dataclass(frozen=True)
class DepthFamily:
    """Networks of one width and several depths, an ensemble of seeds each."""

    task: Task
    depths: Annotated[
        tuple[int, ...],
        key("numbers of hidden layers, ascending", "layers", default="1 to 5", ge=1),
    ] = (1, 2, 3, 4, 5)
    seeds: Annotated[
        tuple[int, ...],
        key(
            "seeds, one ensemble member each; every depth draws its own from them",
            default="1 to 5",
            ge=0,
            lt=STRIDE,
        ),
    ] = (1, 2, 3, 4, 5)
    initialisations: Annotated[int, key("networks of a seed", "networks", ge=1)] = 2
    perturbation_scale: Annotated[
        float, key("nearness at which they begin, as in `network`", ge=0, lt=1)
    ] = 0.001
    delays: Annotated[int, key("delays of the Koopman fits", "steps", ge=0)] = 8
    rank: Annotated[int, key("rank of the Koopman fits", ge=1)] = 10
    tolerance: Annotated[
        float,
        key(
            "share by which the error of a depth that is good enough may be above the least one",
            gt=0,
        ),
    ] = 0.1
    smallest_effect: Annotated[
        float,
        key(
            "ratio of distances, between ÷ within, below which two depths train alike",
            ge=1,
        ),
    ] = 1.1

    renamed: ClassVar[Mapping[str, str]] = {"spread": "perturbation_scale"}

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        conform(self)
        ascending("depths", self.depths, least=2)
        each_once("seeds", self.seeds, least=2)
        if self.delays + 3 > self.task.pilot_steps:
            raise InputError(
                f"delays: {self.delays} in a window of {self.task.pilot_steps} steps; give 0 to "
                f"{self.task.pilot_steps - 3}, or more pilot steps"
            )

    def to_dict(self) -> dict[str, Any]:
        """What the result depends on, as JSON values."""
        return asdict(self) | {"task": self.task.to_dict()}


@dataclass(frozen=True)
class DepthExperiment(Experiment):
    """One question, asked of several families, by the names of their tasks."""

    families: tuple[tuple[str, DepthFamily], ...]

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of the tasks that need one."""
        tasks = (family.task for _, family in self.families)
        return tuple(task.data for task in tasks if isinstance(task, Classification))

    def work(self, store: str) -> tuple[int, str]:
        """Depths of all families."""
        return sum(len(family.depths) for _, family in self.families), "depths"

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        families = {name: family.to_dict() for name, family in self.families}
        return {"name": self.name, "question": self.question, "families": families}


@dataclass(frozen=True)
class DepthEntry:
    """What a configuration says of it beside the keys of the families."""

    question: Annotated[str, key("question, as the report asks it")]
    tasks: Annotated[
        dict[str, Any],
        key(
            "tasks by name: what the networks learn, each with `data` or `signal` (below)",
            written=dict[str, dict[str, Any] | None],
        ),
    ]


KEYS = {"": (DepthEntry, DepthFamily), "tasks.*": [(Classification,), (Regression,)]}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> DepthExperiment:
    """Experiment of a configuration's entry: ``tasks`` by name, and keys of the families."""
    what = f"a question of kind {entry['kind']}"
    apart = ("kind", *keys(DepthFamily))
    shared = values(DepthFamily, entry, apart=("kind", *keys(DepthEntry)), what=what)
    asked = DepthEntry(**values(DepthEntry, entry, apart=apart, what=what))
    if not asked.tasks:
        raise InputError("tasks: none; give one or more, each with data or signal")
    families = []
    for label, fields in asked.tasks.items():
        with within(f"tasks.{label}"):
            task = _task(fields or {}, data)
        families.append((label, DepthFamily(task, **shared)))
    return DepthExperiment(name, asked.question, tuple(families))


def from_dict(canonical: Entry) -> DepthExperiment:
    """Experiment of a canonical form."""
    families = tuple((name, family_from_dict(f)) for name, f in canonical["families"].items())
    return DepthExperiment(canonical["name"], canonical["question"], families)


def family_from_dict(canonical: Mapping[str, Any]) -> DepthFamily:
    """Rebuild a family from its canonical form; a data set gets its kind as its name."""
    fields = {k: as_tuple(v) for k, v in canonical.items()}
    ((kind, given),) = fields["task"].items()
    if kind == REGRESSION:
        return DepthFamily(**fields | {"task": Regression(**given)})
    task = Classification(**dict(given) | {"data": data_from_dict(given["data"])})
    return DepthFamily(**fields | {"task": task})


def _task(fields: Entry, data: DataSets) -> Task:
    if ("data" in fields) == ("signal" in fields):
        raise InputError("data: a task needs data or signal, and not both")
    if "signal" in fields:
        return Regression(**values(Regression, fields, what="a task with a signal"))
    found = values(Classification, fields, what="a task with data")
    one_of("data", found["data"], tuple(data))
    return Classification(**found | {"data": data[found["data"]]})


def _check(task: Task) -> None:
    if task.pilot_steps > task.steps:
        raise InputError(
            f"pilot_steps: {task.pilot_steps} steps are more than the full {task.steps}; give less"
        )
