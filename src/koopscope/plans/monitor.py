"""Questions about watching training by its spectrum: which runs, how long, what is asked of them.

Each kind of question is a class in ``KINDS``; its fields are the keys of its entries in the section
``monitor`` of a configuration. Plain frozen values without numerical libraries, so that a workflow
engine can plan with them. Everything that can be known to fail is refused here, in one line.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from koopscope.errors import InputError
from koopscope.planning import data_specs
from koopscope.plans.depth import DepthExperiment
from koopscope.plans.pruned_training import PruningWhileTraining
from koopscope.setup import NetworkSetup
from koopscope.specs import DataSpec, above_zero, data_from, one_of, only_keys, positive

FULLY_CONNECTED = "fcn"
# Convolutional networks of koopscope.training.models, with the pixels of an image.
MODELS = {"mnistnet": 784}
STARTS = ("plain", "he", "small", "large", "dead", "nearly_dead", "symmetric", "saturated")
# Snapshots in a window (koopscope.monitor.features).
WINDOW = 17


@dataclass(frozen=True)
class Runs:
    """Networks of one kind that are trained alike.

    Attributes
    ----------
    name
        As the report calls them.
    data
        What they are trained on.
    model
        ``"fcn"`` (fully connected, no biases) or a name in ``MODELS``, trained by plain SGD or with
        momentum.
    hidden, activation, optimizer, learning_rate, batch_size
        As in :class:`koopscope.setup.NetworkSetup`; the first two for ``"fcn"`` alone.
    """

    name: str
    data: DataSpec
    model: str = FULLY_CONNECTED
    hidden: tuple[int, ...] = (40,)
    activation: str = "relu"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 60

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        one_of("model", self.model, (FULLY_CONNECTED, *MODELS))
        above_zero("learning_rate", self.learning_rate)
        positive("batch_size", self.batch_size)
        self.setup((0,))
        if self.model in MODELS:
            if self.data.pixels != MODELS[self.model]:
                raise InputError(
                    f"data: {self.data.name} has {self.data.pixels} pixels; {self.model} needs "
                    f"{MODELS[self.model]}"
                )
            one_of("optimizer", self.optimizer, ("sgd", "momentum"))

    def setup(self, seeds: tuple[int, ...]) -> NetworkSetup:
        """Setup of the batched trainer; for other models, of their optimiser alone."""
        return NetworkSetup(
            self.data,
            hidden=self.hidden,
            activation=self.activation,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            seeds=seeds,
        )


@dataclass(frozen=True)
class Plan:
    """What every kind of question has.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    runs
        Networks that it is asked of.
    seeds
        Each draws initial weights and the order of the samples.
    epochs, snapshots
        Length of a run, and snapshots of its weights in an epoch.
    train, validation, test
        Numbers of samples; validation samples are taken from the training set.
    """

    name: str
    question: str
    runs: tuple[Runs, ...]
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    epochs: int = 20
    snapshots: int = 8
    train: int = 6000
    validation: int = 2000
    test: int = 2000

    # Name of the kind, of its rules and scripts, and its figures in their order.
    kind: ClassVar[str]
    figures: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        where = f"monitor.{self.name}"
        for field in ("epochs", "snapshots", "train", "validation", "test"):
            positive(f"{where}.{field}", getattr(self, field))
        if len(set(self.seeds)) < len(self.seeds) or len(self.seeds) < 2:
            raise InputError(
                f"{where}.seeds: {list(self.seeds)}; give at least two, each once, so that there "
                "are intervals"
            )
        for runs in self.runs:
            there, asked = runs.data.train_samples, self.train + self.validation
            if asked > there:
                raise InputError(
                    f"{where}.train: {self.train}, and {self.validation} for validation, but "
                    f"{runs.data.name} has {there}; give at most that"
                )
            if self.test > runs.data.test_samples:
                raise InputError(
                    f"{where}.test: {self.test}, but {runs.data.name} has "
                    f"{runs.data.test_samples}; give at most that"
                )
            if self.train // runs.batch_size < self.snapshots:
                raise InputError(
                    f"{where}.snapshots: {self.snapshots} an epoch, but in {runs.name} it has "
                    f"{self.train // runs.batch_size} steps; give fewer snapshots or more samples"
                )

    def canonical(self) -> dict[str, Any]:
        """What its results depend on, as JSON values."""
        values = asdict(self) | {"kind": self.kind}
        values["runs"] = [
            fields | {"data": runs.data.canonical()}
            for fields, runs in zip(values["runs"], self.runs, strict=True)
        ]
        return values


@dataclass(frozen=True)
class Stopping(Plan):
    """When to stop: by the spectrum, by patience or at a fixed budget of ``epochs``."""

    kind: ClassVar[str] = "stopping"
    figures: ClassVar[tuple[str, ...]] = (
        "stopping_curves",
        "stopping_tradeoff",
        "stopping_spectra",
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        if self.epochs * self.snapshots + 1 < WINDOW + 3 * self.snapshots:
            raise InputError(
                f"monitor.{self.name}.epochs: {self.epochs} epochs of {self.snapshots} snapshots "
                f"leave no three windows of {WINDOW}; give more"
            )


@dataclass(frozen=True)
class Restart(Plan):
    """Which starts end badly, how early that shows, and what starting again saves.

    Attributes
    ----------
    starts
        Kinds of initial weights, each with its number in a seed.
    checkpoints
        Epochs at which the end is predicted.
    """

    starts: tuple[tuple[str, int], ...] = (
        *(("plain", 3), ("he", 2)),
        *((kind, 1) for kind in STARTS[2:]),
    )
    checkpoints: tuple[int, ...] = (1, 2, 5, 10)

    kind: ClassVar[str] = "restart"
    figures: ClassVar[tuple[str, ...]] = ("restart_spectra", "restart_auc", "restart_savings")

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        super().__post_init__()
        where = f"monitor.{self.name}"
        for kind, count in self.starts:
            one_of(f"{where}.starts", kind, STARTS)
            positive(f"{where}.starts.{kind}", count)
        if "plain" not in dict(self.starts) or len(self.starts) < 2:
            raise InputError(
                f"{where}.starts: {', '.join(dict(self.starts)) or 'none'}; give plain, by which "
                "the others are measured, and at least one other"
            )
        if len(self.runs) < 2:
            raise InputError(
                f"{where}.runs: {len(self.runs)}; give at least two, so that each can be held out"
            )
        for runs in self.runs:
            if runs.model != FULLY_CONNECTED:
                raise InputError(
                    f"{where}.runs.{runs.name}.model: {runs.model} has no other starts; give fcn"
                )
        if list(self.checkpoints) != sorted(set(self.checkpoints)) or not self.checkpoints:
            raise InputError(f"{where}.checkpoints: {list(self.checkpoints)}; give each in order")
        if self.checkpoints[0] * self.snapshots < 2:
            raise InputError(
                f"{where}.snapshots: {self.snapshots} an epoch leaves no window at epoch "
                f"{self.checkpoints[0]}; give 2 or more, or later checkpoints"
            )
        if self.checkpoints[0] < 1 or self.checkpoints[-1] >= self.epochs:
            raise InputError(
                f"{where}.checkpoints: {list(self.checkpoints)}; give epochs from 1 to "
                f"{self.epochs - 1}, before the runs end"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each start of a seed."""
        return tuple(kind for kind, count in self.starts for _ in range(count))


Question = Plan | DepthExperiment | PruningWhileTraining
KINDS: dict[str, type[Question]] = {
    cls.kind: cls for cls in (Stopping, Restart, DepthExperiment, PruningWhileTraining)
}


def plans_from(config: Mapping[str, Any]) -> dict[str, Question]:
    """Questions of a configuration that fits the schema, by name.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if one cannot be asked as it is written.
    """
    data, made = data_specs(config), {}
    for name, entry in config.get("monitor", {}).items():
        where = f"monitor.{name}"
        one_of(f"{where}.kind", entry["kind"], tuple(KINDS))
        kind = KINDS[entry["kind"]]
        if not issubclass(kind, Plan):
            made[name] = kind.read(name, entry, data)
            continue
        values = {key: _value(value) for key, value in entry.items() if key != "kind"}
        known = [field.name for field in fields(kind) if field.name != "name"]
        only_keys(where, values, known, f"a question of kind {kind.kind}")
        if not entry.get("runs"):
            raise InputError(f"{where}.runs: none; give one or more networks, by name")
        values["runs"] = tuple(
            _runs(f"{where}.runs.{label}", label, runs or {}, data)
            for label, runs in entry["runs"].items()
        )
        made[name] = kind(name, **values)
    return made


def plan_from(canonical: Mapping[str, Any]) -> Question:
    """Rebuild a question from its canonical form."""
    if not issubclass(KINDS[canonical["kind"]], Plan):
        return KINDS[canonical["kind"]].rebuilt(canonical)
    values = {key: _value(value) for key, value in canonical.items() if key != "kind"}
    values["runs"] = tuple(
        Runs(**{k: _value(v) for k, v in runs.items()} | {"data": data_from(runs["data"])})
        for runs in canonical["runs"]
    )
    return KINDS[canonical["kind"]](**values)


def _runs(where: str, name: str, entry: Mapping[str, Any], data: Mapping[str, DataSpec]) -> Runs:
    if entry.get("data") not in data:
        raise InputError(
            f"{where}.data: unknown {entry.get('data')!r}; give one of {', '.join(data)}"
        )
    if entry.get("model", FULLY_CONNECTED) != FULLY_CONNECTED:
        for key in ("hidden", "activation"):
            if key in entry:
                raise InputError(f"{where}.{key}: of {entry['model']} it is given; remove it")
    values = {key: _value(value) for key, value in entry.items()}
    try:
        return Runs(name, **values | {"data": data[entry["data"]]})
    except InputError as error:
        raise InputError(f"{where}.{error}") from None


def _value(value: Any) -> Any:
    """Lists and mappings of JSON as tuples, all the way down."""
    if isinstance(value, Mapping):
        return tuple((key, _value(inner)) for key, inner in value.items())
    return tuple(map(_value, value)) if isinstance(value, list | tuple) else value
