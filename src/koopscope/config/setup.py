"""Setups: everything that fixes an ensemble of training runs.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.artefacts.provenance import digest, short
from koopscope.config.data import DataSpec, data_from
from koopscope.config.values import as_tuple, checked

CLASSES = 10
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
# Weight of the past in the optimisers that have such a field (PyTorch's usual choice).
MOMENTUM = 0.9
# Online methods, and the observables that each can be recorded in.
METHODS = {"omd": ("state", "log"), "ogd": ("state", "exp"), "bisection": ("state",)}
LOSSES = ("tan", "linear", "cubic", "sinh")
# Units of time to compare eigenvalues in, each with what one step amounts to.
CLOCKS = ("step", "epoch", "rate")


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
    optimizer
        One of ``OPTIMIZERS``, with PyTorch's update rules and defaults (betas 0.9 and 0.999,
        RMSprop's alpha 0.99, eps 1e-8).
    learning_rate, batch_size, steps
        ``steps`` counts batches.
    momentum
        Of ``"momentum"`` and ``"nesterov"`` only; 0.9 by default.
    weight_decay
        L2 penalty on the gradient; decoupled from it for ``"adamw"`` (which without it is Adam).
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
    sketch
        If k > 0, k × k random projections of every layer are recorded beside the weights.
    probe
        If n > 0, the mean loss and the logits on n fixed test samples are recorded as well.
    """

    data: DataSpec
    hidden: tuple[int, ...] = (40,)
    activation: str = "relu"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 60
    steps: int = 1000
    momentum: float | None = None
    weight_decay: float = 0.0
    observable: tuple[str, ...] = ("output",)
    seeds: tuple[int, ...] = (0,)
    initialisations: int = 10
    spread: float = 0.001
    shuffle: bool = True
    evaluate_every: int = 250
    sketch: int = 0
    probe: int = 0

    def __post_init__(self) -> None:
        """Fill in what has a default of its own; refuse what cannot be trained."""
        if self.momentum is None and "momentum" in OPTIMIZERS.get(self.optimizer, ()):
            object.__setattr__(self, "momentum", MOMENTUM)
        checked(self)

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

    def features(self, observable: str) -> int:
        """Numbers in one snapshot of an observable of a fit; 0 if it is not recorded."""
        name, _, layer = observable.partition(":")
        if name == "weights" and not layer:
            return self.weights
        if name == "sketch" and self.sketch and layer in ("", *self.layers):
            return self.sketch**2 * (1 if layer else len(self.layers))
        if name == "probe" and self.probe and not layer:
            return 1 + self.probe * CLASSES
        return 0

    @property
    def states(self) -> int:
        """Number of snapshots of one run: one after each step."""
        return self.steps

    def per_step(self, clock: str) -> float:
        """How much of a clock's unit one step takes: itself, samples, or learning rate."""
        samples = self.batch_size / self.data.train_samples
        return {"step": 1.0, "epoch": samples, "rate": self.learning_rate}[clock]

    def canonical(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"network": asdict(self) | {"data": self.data.canonical()}}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        widths = "x".join(map(str, self.hidden))
        readable = (
            f"fcn-h{widths}-{self.optimizer}-lr{self.learning_rate:g}-b{self.batch_size}"
            f"-{self.activation}-{self.data.name}"
        )
        return f"{readable}.{short(digest(self.canonical()))}"


@dataclass(frozen=True)
class OnlineSetup:
    """An ensemble of runs of an online optimiser on ``f(x) = Σ g(x_i)``.

    Defaults follow the first experiment of Redman et al., NeurIPS 2024.

    Parameters
    ----------
    method
        ``"omd"`` (mirror descent, log barrier), ``"ogd"`` (gradient descent in log x) or
        ``"bisection"``.
    loss
        g: ``"tan"`` (the paper's), ``"linear"`` x, ``"cubic"`` x + x³ or ``"sinh"``; all rise
        through 0, so that bisection has a root to find.
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
    loss: str = "tan"
    dimension: int = 2
    step_size: float = 0.01
    states: int = 100
    starts: str = "grid"
    initialisations: int = 25
    seeds: tuple[int, ...] = (0,)
    observable: str = "state"

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

    def per_step(self, clock: str) -> float:
        """How much of a clock's unit one step takes; without data and epochs, one."""
        return self.step_size if clock == "rate" else 1.0

    def canonical(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"online": asdict(self)}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        readable = f"{self.method}-{self.loss}-d{self.dimension}-eta{self.step_size:g}"
        readable += f"-{self.starts}"
        if self.observable != "state":
            readable += f"-{self.observable}"
        return f"{readable}.{short(digest(self.canonical()))}"


Setup = NetworkSetup | OnlineSetup


def factor_value(setup: Setup, field: str) -> float:
    """Value of a setup's field as a number; a single layer's width; NaN for what is no number."""
    value = getattr(setup, field)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else math.nan


def setup_from(canonical: Mapping[str, Any]) -> Setup:
    """Rebuild a setup from its canonical form; the data set gets its kind as its name."""
    if "online" in canonical:
        return OnlineSetup(**_tuples(canonical["online"]))
    fields = _tuples(canonical["network"])
    return NetworkSetup(**fields | {"data": data_from(fields["data"])})


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: as_tuple(v) for k, v in fields.items()}
