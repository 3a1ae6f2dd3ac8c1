"""Windows of early training and how they are compared: plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any

from koopscope.compare.permutations import smallest_p
from koopscope.config.checks import ascending, each_once, one_of, within
from koopscope.config.controls import NAMES, RECODED, RECODINGS, SURROGATE
from koopscope.config.coordinates import steps_of
from koopscope.config.data import DataSpec
from koopscope.config.entries import conform, values
from koopscope.config.key import key
from koopscope.config.models import ModelSetup, model_from_dict, recorded_names
from koopscope.config.reading import settings
from koopscope.config.settings import DEFAULT_COORDINATES, Comparing
from koopscope.config.shown import listed
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.early_phase.names import EVEN, SPACINGS
from koopscope.experiments.experiment import DataSets, Entry, Experiment

# Of the fields of a setup those that the question itself decides.
DECIDED = ("initialisations", "perturbation_scale", "probe", "evaluate_every")
LEAST = 3
# Doublings beyond this have no number of steps that a computer counts.
MOST = 1000


@dataclass(frozen=True)
class Windows:
    """Windows of a training, one after another: by their edges, or by a rule."""

    first: Annotated[int, key("steps of the first window", "steps", ge=1)] = 50
    count: Annotated[int, key("number of windows", ge=LEAST, le=MOST)] = 10
    spacing: Annotated[
        str,
        key(
            "spacing: `even`, windows of one length, or `geometric`, each as long as all before "
            "it, of which no end is said",
            one_of=SPACINGS,
        ),
    ] = EVEN
    edges: Annotated[
        tuple[int, ...],
        key(
            "steps at which windows begin and the last one ends, in place of the other keys; "
            "lengths are multiples of the least one",
            "steps",
            default="none",
            ge=0,
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse what are no windows."""
        conform(self)
        if self.edges:
            ascending("edges", self.edges, least=LEAST + 1)
            least = min(self.lengths)
            odd = [length for length in self.lengths if length % least]
            if odd:
                raise InputError(
                    f"edges: a window of {odd[0]} steps beside one of {least}; give lengths that "
                    "are multiples of the least, since all windows have as many snapshots"
                )

    @property
    def last(self) -> int:
        """Step at which the last one ends."""
        if self.edges:
            return self.edges[-1]
        return self.first * (self.count if self.spacing == EVEN else 2 ** (self.count - 1))

    @property
    def bounds(self) -> tuple[int, ...]:
        """Steps at which windows begin and the last one ends, however they are given."""
        if self.edges:
            return self.edges
        if self.spacing == EVEN:
            return tuple(range(0, self.last + 1, self.first))
        return (0, *(self.first * 2**k for k in range(self.count)))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Steps of each."""
        return tuple(stop - start for start, stop in pairwise(self.bounds))


@dataclass(frozen=True)
class EarlyPhase(Experiment):
    """When do windows of a training become as alike as seeds are?"""

    model: Annotated[
        ModelSetup,
        key("setup of the networks, one a seed", written=dict[str, Any]),
    ]
    windows: Annotated[
        Windows, key("windows of the training", written=dict[str, Any], default="ten of 50 steps")
    ] = Windows()
    layers: Annotated[
        tuple[str, ...],
        key(
            "recorded parameters by name, or patterns, each fitted by itself beside all together",
            default="none",
        ),
    ] = ()
    delays: Annotated[int, key("delays of the Koopman fits", "snapshots", ge=0)] = 10
    rank: Annotated[int, key("rank of the Koopman fits", ge=1)] = 5
    coordinates: Annotated[
        str,
        key(
            "coordinates of the weights, as in `fit`",
            default="those that known answers chose, `normal_scores+per_step`",
        ),
    ] = DEFAULT_COORDINATES
    other_coordinates: Annotated[
        tuple[str, ...], key("other coordinates in which all layers are fitted besides")
    ] = ("raw",)
    controls: Annotated[
        tuple[str, ...],
        key(
            "control lines of the last window: `recoded:NAME`, `surrogate:NAME`, as in studies",
            one_of=NAMES,
        ),
    ] = (f"{RECODED}:{next(iter(RECODINGS))}", f"{SURROGATE}:increments_shuffled")
    compare: Comparing = Comparing()

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        conform(self)
        for name in ("layers", "other_coordinates"):
            each_once(name, getattr(self, name), least=0)
        each_once("controls", self.controls, NAMES, least=0)
        for coordinates in (self.coordinates, *self.other_coordinates):
            self._check_coordinates(coordinates)
        if self.coordinates in self.other_coordinates:
            raise InputError(
                f"other_coordinates: {self.coordinates} are the coordinates already; leave them out"
            )
        self._check_windows()
        self._check_layers()
        self._check_seeds()

    def _check_coordinates(self, coordinates: str) -> None:
        for name, components in steps_of(coordinates):
            if components >= self.snapshots:
                raise InputError(
                    f"coordinates: {name}:{components} of windows of {self.snapshots} snapshots; "
                    f"give at most {name}:{self.snapshots - 1}"
                )

    def _check_windows(self) -> None:
        every, end = self.model.record_every, self.windows.last
        if end > self.model.steps:
            raise InputError(
                f"windows: the last one ends at step {end}, but a run has {self.model.steps} steps "
                "(model.steps); give fewer or shorter windows, or more steps"
            )
        for step in self.windows.bounds:
            if step % every:
                raise InputError(
                    f"windows: one begins or ends at step {step}, but a snapshot is taken each "
                    f"{every} steps (model.record_every); give multiples of that"
                )
        least = self.delays + self.rank + 2
        if self.snapshots < least:
            raise InputError(
                f"windows: {self.snapshots} snapshots each are too few for {self.delays} delays "
                f"and rank {self.rank}; give at least {least}, or fewer delays or a lower rank"
            )

    def _check_layers(self) -> None:
        # Of a module of the user's own the names are known when it is built.
        recorded = self.model.recorded
        for layer in self.layers if self.model.architecture else ():
            if not recorded_names(dict.fromkeys(recorded), (layer,)):
                raise InputError(
                    f"layers: {layer} is no recorded parameter; give some of {listed(recorded)}, "
                    "or patterns"
                )

    def _check_seeds(self) -> None:
        seeds, how = self.model.seeds, self.compare
        tests = len(self.windows.bounds) - 2 if how.correction != "none" else 1
        least = tests * smallest_p(len(seeds), len(seeds), how.permutations)
        if not least <= how.alpha:
            raise InputError(
                f"model.seeds: with {len(seeds)} and {how.permutations} permutations the smallest "
                f"p reachable over {tests} windows is {least:.2g}, above alpha = {how.alpha:g}; "
                "give more seeds or permutations, or fewer windows"
            )

    @property
    def snapshots(self) -> int:
        """Of each window, as many in all."""
        return min(self.windows.lengths) // self.model.record_every

    @property
    def strides(self) -> tuple[int, ...]:
        """Snapshots from one that is used to the next, by window."""
        return tuple(length // min(self.windows.lengths) for length in self.windows.lengths)

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """That of the networks."""
        return (self.model.data,)

    def work(self, store: str) -> tuple[int, str]:
        """Steps of all networks."""
        return len(self.model.seeds) * self.model.steps, "steps"

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        return asdict(self) | self.model.to_dict()


KEYS = {"": (EarlyPhase,), "model": (ModelSetup,), "windows": (Windows,)}


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> EarlyPhase:
    """Experiment of a configuration's entry: the ``model``, its ``windows``."""
    found = values(EarlyPhase, entry, what="a question of the early phase")
    with within("windows"):
        given = found.get("windows") or {}
        if "edges" in given and len(given) > 1:
            raise InputError("edges: stand in place of the other keys; give one of the two")
        windows = Windows(**values(Windows, given, what="windows"))
    with within("model"):
        model = _model(found["model"], windows, data)
    compare = settings(config)["compare"]
    return EarlyPhase(name, **found | {"model": model, "windows": windows, "compare": compare})


def from_dict(canonical: Entry) -> EarlyPhase:
    """Experiment of a canonical form."""
    fields = {name: as_tuple(value) for name, value in canonical.items()}
    windows = {name: as_tuple(value) for name, value in canonical["windows"].items()}
    fields["windows"] = Windows(**windows)
    fields["compare"] = Comparing(**canonical["compare"])
    fields["model"] = model_from_dict(canonical)
    return EarlyPhase(**fields)


def _model(given: Mapping[str, Any], windows: Windows, data: DataSets) -> ModelSetup:
    for decided in DECIDED:
        if decided in given:
            raise InputError(f"{decided}: the question decides it; leave it out")
    fields = values(ModelSetup, given, what="model")
    one_of("data", fields["data"], tuple(data))
    steps = fields.setdefault("steps", windows.last)
    return ModelSetup(
        **fields | {"data": data[fields["data"]], "initialisations": 1, "evaluate_every": steps}
    )
