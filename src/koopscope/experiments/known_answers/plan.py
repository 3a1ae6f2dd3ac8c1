"""A benchmark of known answers: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from koopscope.config.checks import each_once, one_of, ten_classes, within
from koopscope.config.coordinates import steps_of
from koopscope.config.data import DataSpec
from koopscope.config.distances import DISTANCES
from koopscope.config.entries import conform, values
from koopscope.config.key import SEED, key
from koopscope.config.settings import DEFAULT_COORDINATES
from koopscope.config.setup import NetworkSetup, network_from_dict
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.known_answers.names import CASES, NETWORK
from koopscope.experiments.known_answers.vocabulary import (
    OBSERVABLES,
    PLAIN,
    SPECTRUM,
    spectrum_named,
)

# Of the fields of a network's setup those that the benchmark itself decides.
DECIDED = ("seeds", "initialisations", "observable", "sketch", "evaluate_every")
LEAST_SIZE = 4


@dataclass(frozen=True)
class KnownAnswers(Experiment):
    """Cases with a known answer, and the methods that are asked."""

    network: Annotated[
        NetworkSetup,
        key(
            "setup of the networks, without seeds and what is recorded: one network a seed",
            written=dict[str, Any],
        ),
    ]
    delays: Annotated[int, key("delays of the Koopman fits", "steps", ge=0)] = 20
    rank: Annotated[int, key("rank of the Koopman fits", ge=1)] = 5
    runs: Annotated[
        int, key("seeds of each pool, from which groups are drawn", "seeds", ge=2 * LEAST_SIZE)
    ] = 100
    first_seed: Annotated[
        int, key("first seed; each case has its two pools' seeds from there on", **SEED)
    ] = 0
    sizes: Annotated[
        tuple[int, ...],
        key("seeds of a group, a list of sizes", "seeds", default="5, 10", ge=LEAST_SIZE),
    ] = (5, 10)
    draws: Annotated[int, key("pairs of groups drawn for each case and size", ge=10)] = 200
    core_times: Annotated[
        int,
        key(
            "factor by which core cases, whose false positives decide, have more runs and draws",
            ge=1,
        ),
    ] = 1
    maps: Annotated[
        int, key("random maps of a recoding, each of its share of the second pool", ge=1)
    ] = 4
    permutations: Annotated[int, key("random relabellings of a test", ge=99)] = 199
    cases: Annotated[tuple[str, ...], key("cases by name", default="all", one_of=tuple(CASES))] = (
        tuple(CASES)
    )
    methods: Annotated[
        tuple[str, ...],
        key(
            "methods: `spectrum COORDINATES [DISTANCE] [of OBSERVABLE]`, a plain one by its name, "
            "or `package.module:function` of your own (two pools in, p and effect out)"
        ),
    ] = ("spectrum raw", f"spectrum {DEFAULT_COORDINATES}", "loss_curve")

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        conform(self)
        ten_classes(self.network.data, "the benchmark")
        each_once("cases", self.cases)
        each_once("methods", self.methods)
        each_once("sizes", self.sizes)
        for name in self.methods:
            check_method(name)
        share = self.runs // self.maps
        if max(self.sizes) > share:
            raise InputError(
                f"sizes: {max(self.sizes)}, but {self.runs} runs over {self.maps} maps are {share} "
                "each; give more runs or fewer maps"
            )
        if self.delays + 2 + self.rank > self.network.steps:
            raise InputError(
                f"delays: {self.delays} with rank {self.rank} in {self.network.steps} steps; give "
                f"0 to {self.network.steps - 2 - self.rank}, or more steps"
            )

    @property
    def seeds(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of the first pool of core cases, and of the second; others have the first of each."""
        count = self.runs * self.core_times
        middle, last = self.first_seed + count, self.first_seed + 2 * count
        return tuple(range(self.first_seed, middle)), tuple(range(middle, last))

    def times(self, case: str) -> int:
        """By how much a case has more runs and draws."""
        return self.core_times if CASES[case].core else 1

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of the networks, where a case has some."""
        asked = any(CASES[name].system == NETWORK for name in self.cases)
        return (self.network.data,) if asked else ()

    def work(self, store: str) -> tuple[int, str]:
        """Answers of all methods on all cases."""
        return len(self.cases) * len(self.methods), "answers"

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        return asdict(self) | {"network": self.network.to_dict()}


FORM = f"{SPECTRUM} COORDINATES [DISTANCE] [of OBSERVABLE]"


def check_method(name: str) -> None:
    """Refuse the name of a method that there is not.

    Raises
    ------
    InputError
        With the name and what may be given.
    """
    found = spectrum_named(name)
    if found is not None:
        with within(f"methods: {name}"):
            steps_of(found.coordinates)
            one_of("distance", found.distance, tuple(DISTANCES))
            one_of("observable", found.observable, OBSERVABLES)
    elif ":" not in name or name.split()[0] == SPECTRUM:
        one_of("methods", name, (FORM, *PLAIN, "package.module:function"))


KEYS = {"": (KnownAnswers,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> KnownAnswers:
    """Experiment of a configuration's entry."""
    found = values(KnownAnswers, entry, what="a benchmark of known answers")
    with within("network"):
        given = dict(found["network"])
        for decided in DECIDED:
            if decided in given:
                raise InputError(f"{decided}: the benchmark decides it; leave it out")
        fields = values(NetworkSetup, given, what="network")
        one_of("data", fields.get("data"), tuple(data))
        network = network_of(fields | {"data": data[fields["data"]]})
    return KnownAnswers(name, **found | {"network": network})


def network_of(fields: Mapping[str, Any]) -> NetworkSetup:
    """Setup of one network a seed, of which no test accuracy is asked."""
    steps = fields.get("steps", NetworkSetup.steps)
    return NetworkSetup(**fields | {"initialisations": 1, "evaluate_every": steps})


def from_dict(canonical: Entry) -> KnownAnswers:
    """Experiment of a canonical form."""
    fields = {name: as_tuple(value) for name, value in canonical.items()}
    network = network_from_dict(canonical["network"])
    return KnownAnswers(**fields | {"network": network})
