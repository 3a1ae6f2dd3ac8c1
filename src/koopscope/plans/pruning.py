"""Pruning experiments of a configuration: a question, a data set, seeds, and a protocol.

Apart from the protocols themselves, so that what only planning needs is no part of the code that a
result depends on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.errors import InputError
from koopscope.planning import data_specs
from koopscope.plans.protocol import Protocol, protocol_from
from koopscope.provenance import digest, short
from koopscope.specs import DataSpec


@dataclass(frozen=True)
class Pruning:
    """One question, asked of one network over several seeds.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    data
        What the network is trained on.
    seeds
        Draw the initial weights and the order of the samples.
    protocol
        The rest.
    """

    name: str
    question: str
    data: DataSpec
    seeds: tuple[int, ...]
    protocol: Protocol

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        where = f"pruning.{self.name}"
        if len(set(self.seeds)) < len(self.seeds) or not self.seeds:
            raise InputError(f"{where}.seeds: {list(self.seeds)}; give one or more, each once")
        there, asked = self.data.train_samples, self.protocol.train_samples or 1
        if asked > there:
            raise InputError(
                f"{where}.train_samples: {asked}, but {self.data.name} has {there}; give at most "
                "that"
            )

    @property
    def run(self) -> str:
        """Readable name of its training runs with a short digest, used for files."""
        fields = {"data": self.data.canonical()} | self.protocol.training()
        last = self.protocol.epochs[-1]
        return f"{self.protocol.model}-{self.data.name}-e{last}.{short(digest(fields))}"

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on besides data and seed, as JSON values of a protocol."""
        return self.protocol.training()

    def canonical(self) -> dict[str, Any]:
        """Its protocol as JSON values."""
        return asdict(self.protocol)


def prunings_from(config: Mapping[str, Any]) -> dict[str, Pruning]:
    """Pruning experiments of a configuration that fits the schema, by name.

    Raises
    ------
    InputError
        With the key, the value and the remedy, if an experiment cannot be run as it is written.
    """
    data, made = data_specs(config), {}
    for name, entry in config.get("pruning", {}).items():
        where = f"pruning.{name}"
        if entry["data"] not in data:
            raise InputError(
                f"{where}.data: unknown {entry['data']!r}; give one of {', '.join(data)}"
            )
        fields = {k: v for k, v in entry.items() if k not in ("question", "data", "seeds")}
        try:
            protocol = protocol_from(fields)
        except InputError as error:
            raise InputError(f"{where}.{error}") from None
        made[name] = Pruning(
            name, entry["question"], data[entry["data"]], tuple(entry["seeds"]), protocol
        )
    return made
