"""Watched runs: which networks, how long, how often they are looked at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from koopscope.config.checks import above_zero, each_once, one_of, only_keys, positive
from koopscope.config.data import DataSpec, data_from
from koopscope.errors import InputError
from koopscope.experiments.experiment import Experiment, within
from koopscope.experiments.watching.names import FULLY_CONNECTED, GREY_MODELS
from koopscope.experiments.watching.setup import setup_of
from koopscope.training.names import MODELS


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
        ``"fcn"`` (fully connected, no biases) or a name in ``GREY_MODELS``, trained by plain SGD or
        with momentum.
    hidden, activation, optimizer, learning_rate, batch_size
        As in :class:`koopscope.config.setup.NetworkSetup`; the first two for ``"fcn"`` alone.
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
        one_of("model", self.model, (FULLY_CONNECTED, *GREY_MODELS))
        above_zero("learning_rate", self.learning_rate)
        positive("batch_size", self.batch_size)
        setup_of(self, (0,))
        if self.model in GREY_MODELS:
            needed = MODELS[self.model].pixels
            if self.data.pixels != needed:
                raise InputError(
                    f"data: {self.data.name} has {self.data.pixels} pixels; {self.model} needs "
                    f"{needed}"
                )
            one_of("optimizer", self.optimizer, ("sgd", "momentum"))


@dataclass(frozen=True)
class Watching(Experiment):
    """What every kind of question about watched runs has.

    Attributes
    ----------
    runs
        Networks that it is asked of.
    seeds
        Each draws initial weights and the order of the samples.
    epochs, snapshots
        Length of a run, and snapshots of its weights in an epoch.
    train, validation, test
        Numbers of samples; validation samples are taken from the training set.
    """

    runs: tuple[Runs, ...]
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    epochs: int = 20
    snapshots: int = 8
    train: int = 6000
    validation: int = 2000
    test: int = 2000

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for field in ("epochs", "snapshots", "train", "validation", "test"):
            positive(field, getattr(self, field))
        # Or there were no intervals.
        each_once("seeds", self.seeds, least=2)
        for runs in self.runs:
            there, asked = runs.data.train_samples, self.train + self.validation
            if asked > there:
                raise InputError(
                    f"train: {self.train}, and {self.validation} for validation, but "
                    f"{runs.data.name} has {there}; give at most that"
                )
            if self.test > runs.data.test_samples:
                raise InputError(
                    f"test: {self.test}, but {runs.data.name} has "
                    f"{runs.data.test_samples}; give at most that"
                )
            if self.train // runs.batch_size < self.snapshots:
                raise InputError(
                    f"snapshots: {self.snapshots} an epoch, but in {runs.name} it has "
                    f"{self.train // runs.batch_size} steps; give fewer snapshots or more samples"
                )

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of each of its runs."""
        return tuple(runs.data for runs in self.runs)

    @property
    def starts_of_a_seed(self) -> int:
        """Number of initialisations that a seed trains."""
        return 1

    def work(self, store: str) -> tuple[int, str]:
        """Epochs of all runs."""
        runs = len(self.runs) * len(self.seeds) * self.starts_of_a_seed
        return runs * self.epochs, "epochs"

    def canonical(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        values = asdict(self)
        values["runs"] = [
            fields | {"data": runs.data.canonical()}
            for fields, runs in zip(values["runs"], self.runs, strict=True)
        ]
        return values

    @classmethod
    def read(
        cls,
        name: str,
        entry: Mapping[str, Any],
        data: Mapping[str, DataSpec],
        config: Mapping[str, Any],
    ) -> Self:
        """Experiment of a configuration's entry: fields, and ``runs`` by their names."""
        values = {key: _value(value) for key, value in entry.items() if key != "kind"}
        known = [field.name for field in fields(cls) if field.name != "name"]
        only_keys(values, known, f"a question of kind {entry['kind']}")
        if not entry.get("runs"):
            raise InputError("runs: none; give one or more networks, by name")
        runs = []
        for label, its in entry["runs"].items():
            with within(f"runs.{label}"):
                runs.append(_runs(label, its or {}, data))
        return cls(name, **values | {"runs": tuple(runs)})

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        values = {key: _value(value) for key, value in canonical.items()}
        values["runs"] = tuple(
            Runs(**{k: _value(v) for k, v in runs.items()} | {"data": data_from(runs["data"])})
            for runs in canonical["runs"]
        )
        return cls(**values)


def _runs(name: str, entry: Mapping[str, Any], data: Mapping[str, DataSpec]) -> Runs:
    one_of("data", entry.get("data"), tuple(data))
    if entry.get("model", FULLY_CONNECTED) != FULLY_CONNECTED:
        for key in ("hidden", "activation"):
            if key in entry:
                raise InputError(f"{key}: of {entry['model']} it is given; remove it")
    values = {key: _value(value) for key, value in entry.items()}
    return Runs(name, **values | {"data": data[entry["data"]]})


def _value(value: Any) -> Any:
    """Lists and mappings of JSON as tuples, all the way down."""
    if isinstance(value, Mapping):
        return tuple((key, _value(inner)) for key, inner in value.items())
    return tuple(map(_value, value)) if isinstance(value, list | tuple) else value
