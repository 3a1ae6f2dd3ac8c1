"""A question and how it is asked: what the plans of all kinds have in common."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from koopscope.config.data import DataSpec
from koopscope.config.key import key

# Keys and values of a configuration, or of one of its entries; data sets by name.
Entry = Mapping[str, Any]
DataSets = Mapping[str, DataSpec]


@dataclass(frozen=True)
class Experiment:
    """A question, asked of runs or of data.

    A plain frozen value without numerical libraries, so that a workflow engine can plan with it.
    Whatever can be known to fail is refused when it is made, in one line that begins with the key.
    The module of a kind's plans has a function ``read``, which makes one of an entry of the
    configuration (name, entry, data sets by name, whole configuration), and for kinds of one job
    ``from_dict``, which makes it of its canonical form.
    """

    name: str
    question: Annotated[str, key("question, as the report asks it")]

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

    def to_dict(self, store: str) -> dict[str, Any]:
        """What one of its stores depends on, as JSON values."""
        return asdict(self)
