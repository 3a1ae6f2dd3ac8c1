"""A question and how it is asked: what the plans of all kinds have in common."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self

from koopscope.config.data import DataSpec
from koopscope.config.values import as_tuple
from koopscope.errors import InputError


@dataclass(frozen=True)
class Experiment:
    """A question, asked of runs or of data.

    A plain frozen value without numerical libraries, so that a workflow engine can plan with it.
    Whatever can be known to fail is refused when it is made, in one line that begins with the key.

    Attributes
    ----------
    name, question
        As the report names and asks it.
    """

    name: str
    question: str

    @property
    def kind(self) -> str:
        """Name of its kind: of the folder that its class lies in."""
        return type(self).__module__.split(".")[-2]

    @property
    def stores(self) -> tuple[str, ...]:
        """Those of its kind's stores that it has."""
        return (self.kind,)

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Data sets that its run reads, in their order."""
        return ()

    def work(self, store: str) -> tuple[int, str]:
        """How much there is to do for one of its stores, and of what, for a progress bar."""
        return 1, "stores"

    def canonical(self, store: str) -> dict[str, Any]:
        """What one of its stores depends on, as JSON values."""
        return asdict(self)

    @classmethod
    def read(
        cls,
        name: str,
        entry: Mapping[str, Any],
        data: Mapping[str, DataSpec],
        config: Mapping[str, Any],
    ) -> Self:
        """Experiment of a configuration's entry that fits the schema.

        Parameters
        ----------
        name
            Of the entry.
        entry
            Keys and values.
        data
            Data sets by name.
        config
            The whole configuration, for what entries share.

        Raises
        ------
        InputError
            With the key, the value and the remedy, if it cannot be run as it is written.
        """
        return cls.rebuilt({"name": name, **entry})

    @classmethod
    def rebuilt(cls, canonical: Mapping[str, Any]) -> Self:
        """Experiment of a canonical form."""
        return cls(**{key: as_tuple(value) for key, value in canonical.items()})


@contextmanager
def within(where: str) -> Iterator[None]:
    """Say of refusals inside where in the configuration they are."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}.{error}") from None
