"""Pruning experiments of a configuration: a question, a data set, seeds, and a protocol."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from koopscope.artefacts.provenance import digest, short
from koopscope.config.checks import each_once, one_of, ten_classes
from koopscope.config.data import DataSpec
from koopscope.config.entries import conform, keys, values
from koopscope.config.key import SEED, key
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.pruning.protocol import Protocol


@dataclass(frozen=True)
class Pruning(Experiment):
    """One question, asked of one network over several seeds, by a protocol."""

    data: Annotated[
        DataSpec, key("name of a data set; smaller images are framed in black", written=str)
    ]
    seeds: Annotated[
        tuple[int, ...],
        key("seeds, one training run each: initial weights and the order of samples", **SEED),
    ]
    protocol: Protocol

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        ten_classes(self.data, self.protocol.model)
        each_once("seeds", self.seeds)
        there, asked = self.data.train_samples, self.protocol.train_samples or 1
        if asked > there:
            raise InputError(
                f"train_samples: {asked}, but {self.data.name} has {there}; give at most that"
            )

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of its network."""
        return (self.data,)

    @property
    def run(self) -> str:
        """Readable name of its training runs with a short digest, used for files."""
        fields = {"data": self.data.to_dict()} | self.protocol.training()
        last = self.protocol.epochs[-1]
        return f"{self.protocol.model}-{self.data.name}-e{last}.{short(digest(fields))}"

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on besides data and seed, as JSON values of a protocol."""
        return self.protocol.training()

    def to_dict(self, store: str) -> dict[str, Any]:
        """Its protocol as JSON values."""
        return asdict(self.protocol)


KEYS = {"": (Pruning, Protocol)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> Pruning:
    """Experiment of a configuration's entry: ``data``, ``seeds``, and keys of the protocol."""
    what = "a pruning experiment"
    protocol = Protocol(**values(Protocol, entry, apart=keys(Pruning), what=what))
    found = values(Pruning, entry, apart=keys(Protocol), what=what)
    one_of("data", found["data"], tuple(data))
    return Pruning(name, **found | {"data": data[found["data"]], "protocol": protocol})
