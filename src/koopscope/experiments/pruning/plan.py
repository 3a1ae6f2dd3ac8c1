"""Pruning experiments of a configuration: a question, a data set, seeds, and a protocol."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from koopscope.artefacts.provenance import digest, short
from koopscope.config.checks import each_once, one_of
from koopscope.config.data import DataSpec
from koopscope.errors import InputError
from koopscope.experiments.experiment import Experiment
from koopscope.experiments.pruning.protocol import Protocol, protocol_from


@dataclass(frozen=True)
class Pruning(Experiment):
    """One question, asked of one network over several seeds.

    Attributes
    ----------
    data
        What the network is trained on.
    seeds
        Draw the initial weights and the order of the samples.
    protocol
        The rest.
    """

    data: DataSpec
    seeds: tuple[int, ...]
    protocol: Protocol

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
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
        fields = {"data": self.data.canonical()} | self.protocol.training()
        last = self.protocol.epochs[-1]
        return f"{self.protocol.model}-{self.data.name}-e{last}.{short(digest(fields))}"

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on besides data and seed, as JSON values of a protocol."""
        return self.protocol.training()

    def canonical(self, store: str) -> dict[str, Any]:
        """Its protocol as JSON values."""
        return asdict(self.protocol)

    @classmethod
    def read(
        cls,
        name: str,
        entry: Mapping[str, Any],
        data: Mapping[str, DataSpec],
        config: Mapping[str, Any],
    ) -> Self:
        """Experiment of a configuration's entry: ``data``, ``seeds``, fields of the protocol."""
        one_of("data", entry["data"], tuple(data))
        apart = ("question", "data", "seeds")
        protocol = protocol_from({k: v for k, v in entry.items() if k not in apart})
        return cls(name, entry["question"], data[entry["data"]], tuple(entry["seeds"]), protocol)


read = Pruning.read
