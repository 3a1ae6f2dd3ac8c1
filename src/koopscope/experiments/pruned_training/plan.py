"""Runs that prune while they train: what is asked, and of which runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from koopscope.config.checks import ascending, each_once, no_tokens, one_of, ten_classes
from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.entries import conform, keys, values
from koopscope.config.key import SEED, key
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.pruned_training.names import (
    FULLY_CONNECTED,
    METHODS,
    NETWORKS,
    train_size,
)
from koopscope.pruning.names import STRUCTURED, WINDOWED


@dataclass(frozen=True)
class PrunedTraining:
    """One network trained by several methods, each pruning at the same epochs."""

    data: Annotated[DataSpec, key("name of a data set", written=str)]
    model: Annotated[
        str,
        key("network: `mlp` (fully connected, with biases) or `mnistnet`", one_of=NETWORKS),
    ] = "mlp"
    hidden_widths: Annotated[
        tuple[int, ...], key("widths of the hidden layers of `mlp`", "units", ge=1)
    ] = (300, 100)
    methods: Annotated[
        tuple[str, ...],
        key(
            "methods: `dense`, or a score: `koopman`, `koopman_spent`, `magnitude`, "
            "`window_mean`, `random`; with `:structured` whole units go, by the sum of their "
            "weights' scores",
            default="all",
        ),
    ] = METHODS
    epochs: Annotated[int, key("length of a run", "epochs", ge=1)] = 6
    prune_after: Annotated[
        tuple[int, ...],
        key("epochs after which to prune; a Koopman window is the epoch before", "epochs", ge=1),
    ] = (1, 2)
    compression_ratios: Annotated[
        tuple[float, ...],
        key("weights ÷ kept weights after each of them, ascending", ge=1),
    ] = (2.0, 4.0)
    target_accuracy: Annotated[
        float, key("test accuracy that costs are counted to, a share", gt=0, lt=1)
    ] = 0.95
    evaluations_per_epoch: Annotated[int, key("tests in an epoch, evenly spaced", ge=1)] = 2
    learning_rate: Annotated[
        float, key("learning rate of SGD with Nesterov momentum", "per step", gt=0)
    ] = 0.05
    momentum: Annotated[float, key("momentum", ge=0, lt=1)] = 0.9
    batch_size: Annotated[
        int,
        key("samples of a batch; the last, smaller one of an epoch counts too", "samples", ge=1),
    ] = 128
    record_every: Annotated[
        int, key("steps from one snapshot of a window to the next", "steps", ge=1)
    ] = 1
    train_samples: Annotated[
        int | None,
        key("first so many training samples; `null` for all", "samples", ge=1),
    ] = None
    test_samples: Annotated[
        int | None, key("first so many test samples; `null` for all", "samples", ge=1)
    ] = None
    seeds: Annotated[
        tuple[int, ...],
        key(
            "seeds of initial weights, order of samples and random scores, the same for every "
            "method",
            default="1 to 5",
            **SEED,
        ),
    ] = (1, 2, 3, 4, 5)

    renamed: ClassVar[Mapping[str, str]] = {
        "network": "model",
        "hidden": "hidden_widths",
        "compressions": "compression_ratios",
        "target": "target_accuracy",
        "evaluations": "evaluations_per_epoch",
        "every": "record_every",
    }

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        if self.model == FULLY_CONNECTED:
            no_tokens(self.data)
        else:
            ten_classes(self.data, self.model)
        if self.model == FULLY_CONNECTED and not self.hidden_widths:
            raise InputError("hidden_widths: no layer; give at least one width, such as [300]")
        each_once("methods", self.methods, METHODS)
        each_once("seeds", self.seeds)
        for epoch in self.prune_after:
            if epoch >= self.epochs:
                raise InputError(
                    f"prune_after: epoch {epoch} is not before the end of a run of {self.epochs}; "
                    f"give at most {self.epochs - 1}"
                )
        ascending("prune_after", self.prune_after)
        steps = tuple(self.compression_ratios)
        if len(steps) != len(self.prune_after):
            raise InputError(
                f"compression_ratios: {len(steps)} for {len(self.prune_after)} prunings; give one "
                "each"
            )
        if list(steps) != sorted(steps):
            raise InputError(f"compression_ratios: {list(steps)}; give them ascending")
        batches = train_size(self.train_samples, self.data.train_samples) // self.batch_size
        windowed = any(m.removesuffix(STRUCTURED) in WINDOWED for m in self.methods)
        if windowed and batches // self.record_every < 2:
            raise InputError(
                f"record_every: {self.record_every} leaves less than two snapshots of an epoch of "
                f"{batches} batches; give a smaller number"
            )

    def to_dict(self) -> dict[str, Any]:
        """What the runs depend on, as JSON values."""
        return asdict(self) | {"data": self.data.to_dict()}


@dataclass(frozen=True)
class PruningWhileTraining(Experiment):
    """One question, and the runs that answer it."""

    plan: PrunedTraining

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of the runs."""
        return (self.plan.data,)

    def work(self, store: str) -> tuple[int, str]:
        """Runs."""
        return len(self.plan.seeds) * len(self.plan.methods), "runs"

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        return {"name": self.name, "question": self.question, "plan": self.plan.to_dict()}


KEYS = {"": (PruningWhileTraining, PrunedTraining)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> PruningWhileTraining:
    """Experiment of a configuration's entry: ``data``, and keys of the runs."""
    what = f"a question of kind {entry['kind']}"
    own = tuple(keys(PruningWhileTraining))
    found = values(PrunedTraining, entry, apart=("kind", *own), what=what)
    asked = values(PruningWhileTraining, entry, apart=("kind", *keys(PrunedTraining)), what=what)
    one_of("data", found["data"], tuple(data))
    if found.get("model", FULLY_CONNECTED) != FULLY_CONNECTED and "hidden_widths" in found:
        raise InputError(f"hidden_widths: of {found['model']} they are given; remove it")
    plan = PrunedTraining(**found | {"data": data[found["data"]]})
    return PruningWhileTraining(name, **asked, plan=plan)


def from_dict(canonical: Entry) -> PruningWhileTraining:
    """Experiment of a canonical form; the data set gets its kind as its name."""
    fields = {name: as_tuple(value) for name, value in canonical["plan"].items()}
    plan = PrunedTraining(**fields | {"data": data_from_dict(fields["data"])})
    return PruningWhileTraining(canonical["name"], canonical["question"], plan)
