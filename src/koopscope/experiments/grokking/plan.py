"""Questions about grokking: groups of runs, windows, and a prediction; plain values, to plan with.

Nothing numerical is imported, so that a workflow engine can refuse what cannot be run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from koopscope.artefacts.provenance import digest
from koopscope.config.checks import ascending, each_once, one_of, within
from koopscope.config.controls import NAMES
from koopscope.config.coordinates import steps_of
from koopscope.config.data import MODULAR, DataSpec
from koopscope.config.data import RENAMED as RENAMED_KIND
from koopscope.config.entries import conform, values
from koopscope.config.key import key
from koopscope.config.models import ModelSetup, model_from_dict
from koopscope.config.reading import settings
from koopscope.config.settings import OWN_COORDINATES, Comparing
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.experiment import DataSets, Entry, Experiment
from koopscope.experiments.grokking.names import (
    FEWEST_SETTINGS,
    FIRST_SETTING,
    FRESH,
    LINES,
    RENAMED,
    STRIDE,
)

# Of the keys of a model those that the question decides, and those that all its runs share.
DECIDED = ("seeds", "initialisations", "perturbation_scale", "probe", "evaluate_every")
SHARED = ("steps", "record_every")
OF_IMAGES = ("lenet", "resnet20")
Setups = tuple[tuple[str, ModelSetup], ...]
_SEEDS = {"ge": 0, "lt": STRIDE}


@dataclass(frozen=True)
class Prediction:
    """Which runs will generalise, said by what is seen of them up to a horizon."""

    settings: Annotated[
        Setups,
        key(
            "settings by name: changes of `model`, as in `groups`; some should generalise by the "
            "end and some not",
            written=dict[str, dict[str, Any] | None],
        ),
    ]
    seeds: Annotated[
        tuple[int, ...],
        key("seeds of each setting; each setting draws its own from them", **_SEEDS),
    ]
    horizons: Annotated[
        tuple[int, ...],
        key("steps at which the end is predicted, ascending", "steps", ge=1),
    ]

    def __post_init__(self) -> None:
        """Refuse what cannot be predicted."""
        conform(self)
        if len(self.settings) < FEWEST_SETTINGS:
            raise InputError(
                f"settings: {len(self.settings)}; give at least {FEWEST_SETTINGS}, since one after "
                "the other is held out"
            )
        each_once("seeds", self.seeds, least=2)
        ascending("horizons", self.horizons)


@dataclass(frozen=True)
class Grokking(Experiment):
    """Are runs that grok distinguished before they do, and can it be predicted?"""

    model: Annotated[
        ModelSetup,
        key(
            "networks and their training, on a `modular` data set, without seeds (below)",
            written=dict[str, Any],
        ),
    ]
    groups: Annotated[
        Setups,
        key(
            "groups of runs by name: changes of `model`, such as `{initial_scale: 0.1}`, or `{}` "
            "for none",
            written=dict[str, dict[str, Any] | None],
        ),
    ]
    reference: Annotated[str, key("name of the group that the others are compared with")]
    windows: Annotated[
        tuple[int, ...],
        key(
            "ends of windows that begin with the run, ascending; the window before the test "
            "accuracy rises is added",
            "steps",
            ge=1,
        ),
    ]
    seeds: Annotated[
        tuple[int, ...],
        key(
            "seeds of a group, at least two; each group draws its own from them",
            default="1 to 12",
            **_SEEDS,
        ),
    ] = tuple(range(1, 13))
    delays: Annotated[int, key("delays of the Koopman fits", "snapshots", ge=0)] = 8
    rank: Annotated[int, key("rank of the Koopman fits", ge=1)] = 5
    coordinates: Annotated[
        str,
        key("coordinates of the weights, as in `fit`; full batches are without noise"),
    ] = OWN_COORDINATES
    alternates: Annotated[
        tuple[str, ...],
        key("other coordinates, for the window before the rise", default="none"),
    ] = ()
    controls: Annotated[
        tuple[str, ...],
        key(
            "control lines, made of fresh runs of the reference",
            default="`recoded:rescaled`, `surrogate:increments_shuffled`",
            one_of=NAMES,
        ),
    ] = ("recoded:rescaled", "surrogate:increments_shuffled")
    risen: Annotated[
        float,
        key("test accuracy above which it has begun to rise", "share", gt=0, lt=1),
    ] = 0.1
    prediction: Annotated[
        Prediction | None,
        key("settings and horizons of a prediction (below)", written=dict[str, Any]),
    ] = None
    compare: Comparing = Comparing()

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        names = [name for name, _ in self.groups]
        for name in names:
            if name in LINES:
                raise InputError(
                    f"groups: {name} is a line that every question has; give another name"
                )
        if len(names) < 2:
            raise InputError(
                f"groups: {', '.join(names) or 'none'}; give the reference and at least one other"
            )
        one_of("reference", self.reference, tuple(names))
        each_once("seeds", self.seeds, least=2)
        each_once("controls", self.controls)
        for coordinates in (self.coordinates, *self.alternates):
            steps_of(coordinates)
        each_once("alternates", self.alternates, least=0)
        ascending("windows", self.windows)
        self._check_ends("windows", self.windows)
        if self.prediction is not None:
            with within("prediction"):
                self._check_ends("horizons", self.prediction.horizons)

    def _check_ends(self, name: str, ends: tuple[int, ...]) -> None:
        """Refuse ends beyond the run, between snapshots, or too early for a fit."""
        steps, every = self.model.steps, self.model.record_every
        last = steps - every if name == "horizons" else steps
        least = (self.delays + self.rank + 1) * every
        for end in ends:
            if end > last:
                raise InputError(
                    f"{name}: {end}, but runs have {steps} steps; give at most {last}, or more "
                    "steps"
                )
            if end % every:
                raise InputError(f"{name}: {end} is no multiple of record_every, {every}")
            if end < least:
                raise InputError(
                    f"{name}: {end} steps are {end // every} snapshots, too few for {self.delays} "
                    f"delays and rank {self.rank}; give at least {least}, or fewer of these"
                )

    @property
    def of_reference(self) -> ModelSetup:
        """Setup of the reference."""
        return dict(self.groups)[self.reference]

    @property
    def trained(self) -> dict[str, ModelSetup]:
        """Setups of all groups by name, the reference first, then its lines, then the others."""
        own = self.of_reference
        data = DataSpec(f"{own.data.name}_{RENAMED}", RENAMED_KIND, like=own.data, seed=1)
        found = {self.reference: own, FRESH: own, RENAMED: replace(own, data=data)}
        found |= {name: setup for name, setup in self.groups if name != self.reference}
        return {
            name: replace(setup, seeds=tuple(STRIDE * place + s for s in self.seeds))
            for place, (name, setup) in enumerate(found.items())
        }

    @property
    def settings(self) -> dict[str, ModelSetup]:
        """Setups of the prediction by the names of its settings.

        One that is a group too, with no seed that the group has not, takes runs of the group.
        """
        if self.prediction is None:
            return {}
        trained, of_group = self.trained, self.shared
        first = {name: group.seeds[0] - self.seeds[0] for name, group in trained.items()}
        return {
            name: replace(
                setup,
                seeds=tuple(
                    first.get(of_group.get(name, ""), STRIDE * (FIRST_SETTING + place)) + seed
                    for seed in self.prediction.seeds
                ),
            )
            for place, (name, setup) in enumerate(self.prediction.settings)
        }

    @property
    def shared(self) -> dict[str, str]:
        """Group of each setting whose runs are runs of a group; those are trained once."""
        asked = self.prediction
        if asked is None or not set(asked.seeds) <= set(self.seeds):
            return {}
        return {
            name: group
            for name, setup in asked.settings
            for group, other in self.groups
            if setup == other
        }

    @property
    def ensembles(self) -> list[ModelSetup]:
        """Setups of all that is trained, groups before settings."""
        alone = {name: s for name, s in self.settings.items() if name not in self.shared}
        return [*self.trained.values(), *alone.values()]

    @property
    def data_sets(self) -> tuple[DataSpec, ...]:
        """Of all groups and settings, each once."""
        # By content, since a plan of a canonical form has lost their names.
        return tuple({data_key(s.data): s.data for s in reversed(self.ensembles)}.values())[::-1]

    def work(self, store: str) -> tuple[int, str]:
        """Steps of all networks."""
        return sum(len(s.seeds) * s.steps for s in self.ensembles), "network steps"

    def to_dict(self, store: str) -> dict[str, Any]:
        """What its store depends on, as JSON values."""
        apart = ("model", "groups", "prediction", "compare")
        found = {name: value for name, value in self.__dict__.items() if name not in apart}
        found |= {"model": self.model.to_dict(), "groups": _listed(self.groups)}
        found["compare"] = asdict(self.compare)
        if self.prediction is not None:
            more = {"settings": _listed(self.prediction.settings)}
            found["prediction"] = {**self.prediction.__dict__, **more}
        return found


KEYS = {"": (Grokking,), "model": (ModelSetup,), "prediction": (Prediction,)}


def data_key(spec: DataSpec) -> str:
    """What tells data sets apart, whatever they are called."""
    return digest(spec.to_dict())


def from_config(name: str, entry: Entry, data: DataSets, config: Entry) -> Grokking:
    """Experiment of a configuration's entry."""
    found = values(Grokking, entry, what="a question about grokking")
    base = found["model"]
    with within("model"):
        model = _setup(base, {}, data)
        for decided in SHARED:
            base = {**base, decided: getattr(model, decided)}
    found["groups"] = _changed("groups", base, found["groups"], data)
    if found.get("prediction") is not None:
        with within("prediction"):
            asked = values(Prediction, found["prediction"], what="a prediction")
            asked["settings"] = _changed("settings", base, asked["settings"], data)
            found["prediction"] = Prediction(**asked)
    compare = settings(config)["compare"]
    return Grokking(name, **found | {"model": model, "compare": compare})


def from_dict(canonical: Entry) -> Grokking:
    """Experiment of a canonical form; data sets have their kinds as names."""
    fields = {name: as_tuple(value) for name, value in canonical.items()}
    fields |= {"model": model_from_dict(canonical["model"]), "groups": _of(canonical["groups"])}
    fields["compare"] = Comparing(**canonical["compare"])
    if canonical.get("prediction") is not None:
        asked = {name: as_tuple(value) for name, value in canonical["prediction"].items()}
        fields["prediction"] = Prediction(**asked | {"settings": _of(asked["settings"])})
    return Grokking(**fields)


def _listed(setups: Setups) -> list[list[Any]]:
    return [[name, setup.to_dict()] for name, setup in setups]


def _of(listed: Any) -> Setups:
    return tuple((name, model_from_dict(setup)) for name, setup in listed)


def _changed(
    where: str, base: Mapping[str, Any], changes: Mapping[str, Any], data: DataSets
) -> Setups:
    """Setups by name, each the base with its changes."""
    made = []
    for name, change in changes.items():
        with within(f"{where}.{name}"):
            for shared in SHARED:
                if shared in (change or {}):
                    raise InputError(f"{shared}: all runs have the same; give it in model")
            made.append((name, _setup(base, change or {}, data)))
    return tuple(made)


def _setup(base: Mapping[str, Any], change: Mapping[str, Any], data: DataSets) -> ModelSetup:
    for decided in DECIDED:
        if decided in change or decided in base:
            raise InputError(f"{decided}: the question decides it; leave it out")
    fields = values(ModelSetup, {**base, **change}, what="a model")
    one_of("data", fields["data"], tuple(data))
    spec = data[fields["data"]]
    if spec.origin.kind != MODULAR:
        raise InputError(
            f"data: {spec.name} is no modular arithmetic, whose elements a control renames; give a "
            "modular data set"
        )
    steps = fields.get("steps", ModelSetup.steps)
    setup = ModelSetup(**fields | {"data": spec, "evaluate_every": steps})
    if setup.architecture in OF_IMAGES:
        raise InputError(f"architecture: {setup.architecture} takes images; give another")
    return setup
