"""Setups: everything that fixes an ensemble of training runs, and the fit that reads it.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from koopscope.errors import InputError
from koopscope.provenance import digest, short

CLASSES = 10
PIXELS = {"mnist": 28 * 28, "digits": 8 * 8}
ACTIVATIONS = ("relu", "gelu", "tanh", "sigmoid", "silu", "identity")
# Online methods, and the observables that each can be recorded in.
METHODS = {"omd": ("state", "log"), "ogd": ("state", "exp"), "bisection": ("state",)}
SOLVERS = ("auto", "full", "hankel", "gram")


@dataclass(frozen=True)
class DataSpec:
    """A data set by definition, not by content.

    ``kind`` is ``"mnist"``, ``"digits"`` or ``"synthetic"``; ``like`` names the data set whose
    per-pixel mean and variance a synthetic one copies; ``difficulty`` in [0, 1) is the share of
    its variance that says nothing about the class.
    """

    name: str
    kind: str
    like: "DataSpec | None" = None
    difficulty: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        _one_of(f"data.{self.name}.kind", self.kind, (*PIXELS, "synthetic"))
        if (self.kind == "synthetic") != (self.like is not None):
            raise InputError(
                f"data.{self.name}.like: {self.like and self.like.name!r}; "
                "a synthetic data set, and only such a one, names the data set that it is like"
            )
        if not 0 <= self.difficulty < 1:
            raise InputError(f"data.{self.name}.difficulty: {self.difficulty} is not in [0, 1)")

    @property
    def pixels(self) -> int:
        """Length of one input vector."""
        return self.like.pixels if self.like else PIXELS[self.kind]

    def canonical(self) -> dict[str, Any]:
        """What the data depend on; the name does not count."""
        if self.like is None:
            return {"kind": self.kind}
        return {
            "kind": self.kind,
            "like": self.like.canonical(),
            "difficulty": self.difficulty,
            "seed": self.seed,
        }

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        return f"{self.name}.{short(digest(self.canonical()))}"


@dataclass(frozen=True)
class NetworkSetup:
    """An ensemble of fully connected networks without bias, trained alike.

    Defaults follow Redman et al., NeurIPS 2024 (see the authors' scripts).

    Parameters
    ----------
    data
        The data set.
    hidden
        Widths of the hidden layers, input side first.
    activation
        Between layers; one of ``ACTIVATIONS``.
    learning_rate, batch_size, steps
        Of plain stochastic gradient descent; ``steps`` counts batches.
    observable
        Recorded layers (``"hidden1"``, …, ``"output"``), or ``("all",)``.
    seeds
        One ensemble member each: a seed draws an initialisation and the order of the batches.
    initialisations, spread
        Per seed, one initialisation is drawn; the others are that one times
        ``1 + spread · U(-1, 1)``, weight by weight.
    shuffle
        Whether the order of the samples is drawn anew each epoch.
    evaluate_every
        Steps between measurements of the test accuracy.
    """

    data: DataSpec
    hidden: tuple[int, ...] = (40,)
    activation: str = "relu"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 60
    steps: int = 1000
    observable: tuple[str, ...] = ("output",)
    seeds: tuple[int, ...] = (0,)
    initialisations: int = 10
    spread: float = 0.001
    shuffle: bool = True
    evaluate_every: int = 250

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("optimizer", self.optimizer, ("sgd",))
        if isinstance(self.observable, str):
            raise InputError(
                f"observable: {self.observable!r} is no list; give [{self.observable}]"
            )
        if not self.hidden:
            raise InputError("hidden: no layer; give at least one width, such as [40]")
        for name in ("batch_size", "steps", "initialisations", "evaluate_every"):
            _positive(name, getattr(self, name))
        for width in self.hidden:
            _positive("hidden", width)
        _above_zero("learning_rate", self.learning_rate)
        _seeds(self.seeds)
        if not 0 <= self.spread < 1:
            raise InputError(f"spread: {self.spread} is not in [0, 1)")
        for layer in self.observable:
            if self.observable != ("all",):
                _one_of("observable", layer, (*self.layers, "all"))
        if len(set(self.observable)) < len(self.observable):
            raise InputError(f"observable: {list(self.observable)} names a layer twice")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the weight matrices, input side first."""
        return (*(f"hidden{i + 1}" for i in range(len(self.hidden))), "output")

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Shape (inputs, outputs) of each weight matrix by its layer's name."""
        sizes = (self.data.pixels, *self.hidden, CLASSES)
        return dict(zip(self.layers, zip(sizes, sizes[1:], strict=False), strict=True))

    @property
    def recorded(self) -> tuple[str, ...]:
        """Recorded layers, input side first."""
        return tuple(x for x in self.layers if self.observable == ("all",) or x in self.observable)

    @property
    def weights(self) -> int:
        """Number of recorded weights of one network."""
        return sum(math.prod(self.shapes[layer]) for layer in self.recorded)

    @property
    def states(self) -> int:
        """Number of snapshots of one run: one after each step."""
        return self.steps

    def canonical(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"network": asdict(self) | {"data": self.data.canonical()}}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        widths = "x".join(map(str, self.hidden))
        readable = (
            f"fcn-h{widths}-lr{self.learning_rate:g}-b{self.batch_size}"
            f"-{self.activation}-{self.data.name}"
        )
        return f"{readable}.{short(digest(self.canonical()))}"


@dataclass(frozen=True)
class OnlineSetup:
    """An ensemble of runs of an online optimiser on ``f(x) = Σ tan(x_i)``.

    Defaults follow the first experiment of Redman et al., NeurIPS 2024.

    Parameters
    ----------
    method
        ``"omd"`` (mirror descent, log barrier), ``"ogd"`` (gradient descent in log x) or
        ``"bisection"``.
    states
        Snapshots of one run, the initial one included.
    starts
        ``"grid"``: the paper's grid of initial points, the same for every seed;
        ``"random"``: uniform in the box that the grid spans, drawn by each seed.
    initialisations
        Initial points; for ``"grid"`` a power ``n ** dimension``.
    observable
        ``"state"``: the method's own coordinates; ``"log"`` (omd) or ``"exp"`` (ogd): the same runs
        in the other one's, by the change of variables that conjugates them.
    """

    method: str
    dimension: int = 2
    step_size: float = 0.01
    states: int = 100
    starts: str = "grid"
    initialisations: int = 25
    seeds: tuple[int, ...] = (0,)
    observable: str = "state"

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        _one_of("method", self.method, tuple(METHODS))
        _one_of("observable", self.observable, METHODS[self.method])
        _one_of("starts", self.starts, ("grid", "random"))
        for name in ("dimension", "states", "initialisations"):
            _positive(name, getattr(self, name))
        _above_zero("step_size", self.step_size)
        _seeds(self.seeds)
        if self.starts == "grid":
            side = round(self.initialisations ** (1 / self.dimension))
            if side**self.dimension != self.initialisations:
                raise InputError(
                    f"initialisations: {self.initialisations} points make no grid in "
                    f"{self.dimension} dimensions; give a power such as {5**self.dimension}"
                )
            if len(self.seeds) > 1:
                raise InputError(
                    f"seeds: {list(self.seeds)} would all give the same grid; "
                    "give one seed, or starts: random"
                )

    @property
    def weights(self) -> int:
        """Number of coordinates of one state."""
        return self.dimension

    def canonical(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"online": asdict(self)}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"{self.method}-d{self.dimension}-eta{self.step_size:g}-{self.starts}"
        if self.observable != "state":
            readable += f"-{self.observable}"
        return f"{readable}.{short(digest(self.canonical()))}"


Setup = NetworkSetup | OnlineSetup


@dataclass(frozen=True)
class FitSpec:
    """How a Koopman spectrum is estimated; see :func:`koopscope.koopman.fit`."""

    delays: int = 0
    rank: int | None = None
    solver: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what no data could serve."""
        _one_of("solver", self.solver, SOLVERS)
        if self.delays < 0:
            raise InputError(f"delays: {self.delays} is negative; give 0 or more")
        if self.rank is not None:
            _positive("rank", self.rank)

    def check(self, setup: Setup) -> None:
        """Refuse a fit that the trajectories of a setup cannot give.

        Raises
        ------
        InputError
            If there are not enough states for the delays, or not enough data for the rank.
        """
        pairs = setup.states - self.delays - 1
        if pairs < 1:
            raise InputError(
                f"delays: {self.delays} delays need at least {self.delays + 2} states, "
                f"but a run has {setup.states}; give at most {setup.states - 2}"
            )
        largest = min((self.delays + 1) * setup.weights, pairs * setup.initialisations)
        if self.rank is not None and self.rank > largest:
            raise InputError(
                f"rank: {self.rank} is more than the data can give; give at most {largest}"
            )

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"d{self.delays}-r{self.rank or 'max'}-{self.solver}"
        return f"{readable}.{short(digest(asdict(self)))}"


@dataclass(frozen=True)
class Variant:
    """One arm of a study: a setup and the fit that reads it."""

    name: str
    setup: Setup
    fit: FitSpec = field(default_factory=FitSpec)

    def __post_init__(self) -> None:
        """Refuse a fit that the setup cannot serve."""
        self.fit.check(self.setup)


def setup_from(canonical: Mapping[str, Any]) -> Setup:
    """Rebuild a setup from its canonical form; the data set gets its kind as its name."""
    if "online" in canonical:
        return OnlineSetup(**_tuples(canonical["online"]))
    fields = _tuples(canonical["network"])
    return NetworkSetup(**fields | {"data": data_from(fields["data"])})


def data_from(canonical: Mapping[str, Any]) -> DataSpec:
    """Rebuild a data set's definition from its canonical form."""
    like = canonical.get("like")
    return DataSpec(
        **{"name": canonical["kind"]}
        | dict(canonical)
        | {"like": data_from(like) if like else None}
    )


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name}: unknown {value!r}; give one of {', '.join(allowed)}")


def _positive(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name}: {value!r} is not a positive whole number")


def _above_zero(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name}: {value!r} is not a number above 0")


def _seeds(seeds: tuple[int, ...]) -> None:
    if not seeds:
        raise InputError("seeds: the list is empty; give at least one whole number")
    if len(set(seeds)) < len(seeds):
        twice = next(s for s in seeds if seeds.count(s) > 1)
        raise InputError(f"seeds: {twice} stands twice; give each seed once")
