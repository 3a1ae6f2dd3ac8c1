"""Setups: everything that fixes an ensemble of training runs.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from koopscope.artefacts.provenance import digest, short
from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.key import SEED, key
from koopscope.config.optimizers import MOMENTUM
from koopscope.config.values import as_tuple, checked

ACTIVATIONS = ("relu", "gelu", "tanh", "sigmoid", "silu", "identity")
# Each with the fields of a setup that it has besides the learning rate and the weight decay; one
# that decouples its decay from the gradient needs one, since without it is another's twin.
OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum",),
    "nesterov": ("momentum",),
    "adam": (),
    "adamw": ("decoupled",),
    "rmsprop": (),
}
# Online methods, and the observables that each can be recorded in.
METHODS = {"omd": ("state", "log"), "ogd": ("state", "exp"), "bisection": ("state",)}
LOSSES = ("tan", "linear", "cubic", "sinh")
INITIAL_POINTS = ("grid", "random")
# Units of time to compare eigenvalues in, each with what one step amounts to.
TIME_UNITS = ("step", "epoch", "rate")


@dataclass(frozen=True)
class NetworkSetup:
    """An ensemble of fully connected networks without bias, trained alike.

    Its fields are the keys of ``network``. Defaults follow Redman et al., NeurIPS 2024 (see the
    authors' scripts); update rules and their defaults are PyTorch's (betas 0.9 and 0.999, RMSprop's
    alpha 0.99, eps 1e-8).
    """

    data: Annotated[DataSpec, key("name of a data set", written=str)]
    hidden_widths: Annotated[
        tuple[int, ...], key("widths of the hidden layers, input side first", "units", ge=1)
    ] = (40,)
    activation: Annotated[
        str,
        key(f"activation: {', '.join(f'`{a}`' for a in ACTIVATIONS)}", one_of=ACTIVATIONS),
    ] = "relu"
    optimizer: Annotated[
        str,
        key(
            f"optimiser: {', '.join(f'`{name}`' for name in OPTIMIZERS)}, with PyTorch's rules and "
            "defaults",
            one_of=OPTIMIZERS,
        ),
    ] = "sgd"
    learning_rate: Annotated[float, key("learning rate", "per step", gt=0)] = 0.1
    batch_size: Annotated[int, key("samples of a batch", "samples", ge=1)] = 60
    steps: Annotated[int, key("number of batches", "batches", ge=1)] = 1000
    momentum: Annotated[
        float | None,
        key("weight of the past, of `momentum` and `nesterov` alone", default="0.9", gt=0, lt=1),
    ] = None
    weight_decay: Annotated[
        float, key("L2 penalty; for `adamw` decoupled from the gradient, and needed", ge=0)
    ] = 0.0
    observable: Annotated[
        tuple[str, ...],
        key("recorded layers: `hidden1`, …, `output`; or `[all]`"),
    ] = ("output",)
    seeds: Annotated[
        tuple[int, ...],
        key("seeds, one ensemble member each: its initialisation and the order of batches", **SEED),
    ] = (0,)
    initialisations: Annotated[
        int, key("networks of a seed: one drawn, the others near it", "networks", ge=1)
    ] = 10
    perturbation_scale: Annotated[
        float,
        key("nearness of them: each weight times 1 + perturbation_scale · U(−1, 1)", ge=0, lt=1),
    ] = 0.001
    shuffle: Annotated[
        bool, key("answer to whether samples are drawn in a new order each epoch")
    ] = True
    evaluate_every: Annotated[
        int, key("steps between measurements of the test accuracy", "steps", ge=1)
    ] = 250
    sketch: Annotated[
        int,
        key(
            "number k, for k × k random projections of every layer, recorded beside the weights; 0 "
            "for none",
            ge=0,
        ),
    ] = 0
    probe: Annotated[
        int,
        key(
            "number of test samples whose mean loss and logits are recorded beside the weights; 0 "
            "for none",
            "samples",
            ge=0,
        ),
    ] = 0

    # After every step.
    record_every: ClassVar[int] = 1
    # What may be recorded beside the weights: observables of fits, 0 for none.
    beside: ClassVar[tuple[str, ...]] = ("sketch", "probe")
    renamed: ClassVar[Mapping[str, str]] = {
        "hidden": "hidden_widths",
        "spread": "perturbation_scale",
    }

    def __post_init__(self) -> None:
        """Fill in what has a default of its own; refuse what cannot be trained."""
        if self.momentum is None and "momentum" in OPTIMIZERS.get(self.optimizer, ()):
            object.__setattr__(self, "momentum", MOMENTUM)
        checked(self)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the weight matrices, input side first."""
        return (*(f"hidden{i + 1}" for i in range(len(self.hidden_widths))), "output")

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Shape (inputs, outputs) of each weight matrix by its layer's name."""
        sizes = (self.data.pixels, *self.hidden_widths, self.data.classes)
        return dict(zip(self.layers, zip(sizes, sizes[1:], strict=False), strict=True))

    @property
    def recorded(self) -> tuple[str, ...]:
        """Recorded layers, input side first."""
        return tuple(x for x in self.layers if self.observable == ("all",) or x in self.observable)

    @property
    def weights(self) -> int:
        """Number of recorded weights of one network."""
        return sum(math.prod(self.shapes[layer]) for layer in self.recorded)

    def features(self, observable: str) -> int:
        """Numbers in one snapshot of an observable of a fit; 0 if it is not recorded."""
        name, _, layer = observable.partition(":")
        if name == "weights" and not layer:
            return self.weights
        if name == "sketch" and self.sketch and layer in ("", *self.layers):
            return self.sketch**2 * (1 if layer else len(self.layers))
        if name == "probe" and self.probe and not layer:
            return 1 + self.probe * self.data.classes
        return 0

    @property
    def states(self) -> int:
        """Number of snapshots of one run: one after each step."""
        return self.steps

    def per_step(self, time_unit: str) -> float:
        """How much of a unit of time one step takes: itself, samples, or learning rate."""
        samples = self.batch_size / self.data.train_samples
        return {"step": 1.0, "epoch": samples, "rate": self.learning_rate}[time_unit]

    def to_dict(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"network": asdict(self) | {"data": self.data.to_dict()}}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        widths = "x".join(map(str, self.hidden_widths))
        readable = (
            f"mlp-h{widths}-{self.optimizer}-lr{self.learning_rate:g}-b{self.batch_size}"
            f"-{self.activation}-{self.data.name}"
        )
        return f"{readable}.{short(digest(self.to_dict()))}"


@dataclass(frozen=True)
class OnlineSetup:
    """An ensemble of runs of an online optimiser on ``f(x) = Σ g(x_i)``.

    Its fields are the keys of ``online``. Defaults follow the first experiment of Redman et al.,
    NeurIPS 2024. All losses rise through 0, so that bisection has a root to find.
    """

    method: Annotated[
        str,
        key(
            "method: `omd` (mirror descent, log barrier), `ogd` (gradient descent in log x), "
            "`bisection`",
            one_of=METHODS,
        ),
    ]
    loss: Annotated[
        str,
        key(
            "summed loss g: `tan` (the paper's), `linear` (x), `cubic` (x + x³), `sinh`",
            one_of=LOSSES,
        ),
    ] = "tan"
    dimension: Annotated[int, key("number of coordinates", "coordinates", ge=1)] = 2
    step_size: Annotated[float, key("step size", gt=0)] = 0.01
    states: Annotated[int, key("states of a run, the first included", "states", ge=2)] = 100
    initial_points: Annotated[
        str,
        key(
            "initial points: `grid` (the paper's, the same for every seed) or `random` (uniform in "
            "the box that the grid spans, drawn by each seed)",
            one_of=INITIAL_POINTS,
        ),
    ] = "grid"
    initialisations: Annotated[
        int, key("number of initial points, for `grid` a power n^dimension", "points", ge=1)
    ] = 25
    seeds: Annotated[
        tuple[int, ...], key("seeds, one ensemble member each; one for `grid`", **SEED)
    ] = (0,)
    observable: Annotated[
        str,
        key(
            "coordinates recorded: `state` (the method's own), `log` (of omd) or `exp` (of ogd): "
            "the same runs in the other one's, by the change of variables that conjugates them"
        ),
    ] = "state"

    renamed: ClassVar[Mapping[str, str]] = {"starts": "initial_points"}

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        checked(self)

    @property
    def weights(self) -> int:
        """Number of coordinates of one state."""
        return self.dimension

    def features(self, observable: str) -> int:
        """Numbers in one snapshot; of nothing else than the weights are there any."""
        return self.weights if observable == "weights" else 0

    def per_step(self, time_unit: str) -> float:
        """How much of a unit of time one step takes; without data and epochs, one."""
        return self.step_size if time_unit == "rate" else 1.0

    def to_dict(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"online": asdict(self)}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"{self.method}-{self.loss}-d{self.dimension}-eta{self.step_size:g}"
        readable += f"-{self.initial_points}"
        if self.observable != "state":
            readable += f"-{self.observable}"
        return f"{readable}.{short(digest(self.to_dict()))}"


def network_from_dict(canonical: Mapping[str, Any]) -> NetworkSetup:
    """Rebuild a setup of networks from its canonical form; the data set's kind becomes its name."""
    fields = {k: as_tuple(v) for k, v in canonical["network"].items()}
    return NetworkSetup(**fields | {"data": data_from_dict(fields["data"])})


def online_from_dict(canonical: Mapping[str, Any]) -> OnlineSetup:
    """Rebuild a setup of an online optimiser from its canonical form."""
    return OnlineSetup(**{k: as_tuple(v) for k, v in canonical["online"].items()})
