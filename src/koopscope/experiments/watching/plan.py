"""Watched runs: which networks, how long, how often they are looked at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from koopscope.config.checks import each_once, one_of, within
from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.entries import conform, values
from koopscope.config.key import SEED, key
from koopscope.config.setup import ACTIVATIONS, OPTIMIZERS
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.watching.names import FULLY_CONNECTED, GREY_MODELS
from koopscope.experiments.watching.setup import setup_of
from koopscope.training.names import MODELS


@dataclass(frozen=True)
class Runs:
    """Networks of one kind that are trained alike."""

    name: str
    data: Annotated[DataSpec, key("name of a data set", written=str)]
    model: Annotated[
        str,
        key(
            "network: `mlp` (fully connected, no biases, many trained as one) or `mnistnet` (one "
            "after another; `stopping` alone)",
            one_of=(FULLY_CONNECTED, *GREY_MODELS),
        ),
    ] = FULLY_CONNECTED
    hidden_widths: Annotated[
        tuple[int, ...], key("widths of the hidden layers of an `mlp`", "units", ge=1)
    ] = (40,)
    activation: Annotated[
        str, key("activation of an `mlp`, as for `network`", one_of=ACTIVATIONS)
    ] = "relu"
    optimizer: Annotated[
        str,
        key(
            "optimiser, as for `network`, without `adamw`; `mnistnet` has `sgd` and `momentum`",
            one_of=tuple(name for name, has in OPTIMIZERS.items() if "decoupled" not in has),
        ),
    ] = "sgd"
    learning_rate: Annotated[float, key("learning rate", "per step", gt=0)] = 0.1
    batch_size: Annotated[int, key("samples of a batch", "samples", ge=1)] = 60

    renamed: ClassVar[Mapping[str, str]] = {"hidden": "hidden_widths"}

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        conform(self)
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
    """What every kind of question about watched runs has."""

    runs: Annotated[
        tuple[Runs, ...],
        key(
            "networks that it is asked of, by name (below)",
            written=dict[str, dict[str, Any] | None],
        ),
    ]
    seeds: Annotated[
        tuple[int, ...],
        key(
            "seeds of initial weights and of the order of samples, at least two",
            default="1 to 10",
            **SEED,
        ),
    ] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    epochs: Annotated[int, key("length of a run; for `stopping` the budget", "epochs", ge=1)] = 20
    snapshots_per_epoch: Annotated[
        int, key("snapshots of the weights in an epoch; a window has 17", ge=1)
    ] = 8
    train_samples: Annotated[int, key("number of training samples", "samples", ge=1)] = 6000
    validation_samples: Annotated[
        int, key("number of further ones that patience looks at", "samples", ge=1)
    ] = 2000
    test_samples: Annotated[int, key("number of test samples", "samples", ge=1)] = 2000

    renamed: ClassVar[Mapping[str, str]] = {
        "snapshots": "snapshots_per_epoch",
        "train": "train_samples",
        "validation": "validation_samples",
        "test": "test_samples",
        "starts": "init_schemes",
    }

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        if not self.runs:
            raise InputError("runs: none; give one or more networks, by name")
        # Or there were no intervals.
        each_once("seeds", self.seeds, least=2)
        for runs in self.runs:
            there, asked = runs.data.train_samples, self.train_samples + self.validation_samples
            if asked > there:
                raise InputError(
                    f"train_samples: {self.train_samples}, and {self.validation_samples} for "
                    f"validation, but {runs.data.name} has {there}; give at most that"
                )
            if self.test_samples > runs.data.test_samples:
                raise InputError(
                    f"test_samples: {self.test_samples}, but {runs.data.name} has "
                    f"{runs.data.test_samples}; give at most that"
                )
            if self.train_samples // runs.batch_size < self.snapshots_per_epoch:
                raise InputError(
                    f"snapshots_per_epoch: {self.snapshots_per_epoch}, but in {runs.name} an epoch "
                    f"has {self.train_samples // runs.batch_size} steps; give fewer snapshots or "
                    "more samples"
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

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        values = asdict(self)
        values["runs"] = [
            fields | {"data": runs.data.to_dict()}
            for fields, runs in zip(values["runs"], self.runs, strict=True)
        ]
        return values


Kind = TypeVar("Kind", bound=Watching)


def watching_from_config(cls: type[Kind], name: str, entry: Entry, data: DataSets) -> Kind:
    """Question of a configuration's entry: its keys, and ``runs`` by their names."""
    found = values(cls, entry, apart=("kind",), what=f"a question of kind {entry['kind']}")
    runs = []
    for label, its in found["runs"].items():
        with within(f"runs.{label}"):
            runs.append(_runs(label, its, data))
    # Kinds with their numbers, as pairs.
    pairs = {k: tuple(v.items()) for k, v in found.items() if isinstance(v, dict)}
    return cls(name, **found | pairs | {"runs": tuple(runs)})


def watching_from_dict(cls: type[Kind], canonical: Entry) -> Kind:
    """Question of a canonical form; a data set gets its kind as its name."""
    found = {name: _tuples(value) for name, value in canonical.items()}
    found["runs"] = tuple(
        Runs(**{k: as_tuple(v) for k, v in runs.items()} | {"data": data_from_dict(runs["data"])})
        for runs in canonical["runs"]
    )
    return cls(**found)


def _tuples(value: Any) -> Any:
    """Lists of JSON as tuples, all the way down."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _runs(name: str, entry: Entry | None, data: DataSets) -> Runs:
    found = values(Runs, entry, what="a kind of runs")
    one_of("data", found["data"], tuple(data))
    if found.get("model", FULLY_CONNECTED) != FULLY_CONNECTED:
        for own in ("hidden_widths", "activation"):
            if own in found:
                raise InputError(f"{own}: of {found['model']} it is given; remove it")
    return Runs(name, **found | {"data": data[found["data"]]})
