"""Ensembles of networks of any architecture: everything that fixes their training.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Annotated, Any, ClassVar

from koopscope.artefacts.provenance import digest, short
from koopscope.config.data import DataSpec, data_from_dict
from koopscope.config.key import SEED, key
from koopscope.config.optimizers import ELEMENTWISE
from koopscope.config.values import as_tuple, checked

# What an architecture may be told, with what it takes where it is not told; what is built of it
# stands in koopscope.training.architectures.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "lenet": {"activation": "relu"},
    "resnet20": {},
    "mlp": {"hidden_widths": (40,), "activation": "relu", "bias": True},
    "square_mlp": {"width": 64},
    "transformer": {"width": 64, "heads": 4, "feedforward": 256},
}
LOSSES = ("cross_entropy", "squared_error")


@dataclass(frozen=True)
class ModelSetup:
    """An ensemble of networks of one architecture, or of a module of yours, trained alike.

    Its fields are the keys of ``model``. Update rules and their defaults are those of
    ``torch.optim``, which is what updates.
    """

    data: Annotated[DataSpec, key("name of a data set", written=str)]
    architecture: Annotated[
        str | None,
        key(
            "architecture: `lenet`, `resnet20`, `mlp`, `square_mlp` (squares its hidden units), "
            "`transformer` (one layer, without normalisation, for data of tokens)",
            one_of=ARCHITECTURES,
        ),
    ] = None
    module: Annotated[
        str | None,
        key(
            "function of yours, as `package.module:function`, that makes a new `torch.nn.Module`, "
            "in place of an architecture"
        ),
    ] = None
    options: Annotated[
        Mapping[str, Any],
        key(
            "options of the architecture, such as `{hidden_widths: [40]}`, or keyword arguments "
            "of your function",
            written=dict[str, Any],
            default="none",
        ),
    ] = field(default_factory=dict)
    loss: Annotated[
        str,
        key("loss: `cross_entropy`, or `squared_error` against ones and zeros", one_of=LOSSES),
    ] = "cross_entropy"
    optimizer: Annotated[
        str,
        key(
            f"optimiser of `torch.optim`: {', '.join(f'`{name}`' for name in ELEMENTWISE)}",
            one_of=ELEMENTWISE,
        ),
    ] = "sgd"
    optimizer_options: Annotated[
        Mapping[str, Any],
        key(
            "keyword arguments of it, such as `{betas: [0.9, 0.98]}`",
            written=dict[str, Any],
            default="PyTorch's",
        ),
    ] = field(default_factory=dict)
    learning_rate: Annotated[float, key("learning rate", "per step", gt=0)] = 0.1
    batch_size: Annotated[
        int | None, key("samples of a batch; `null` for all of them", "samples", ge=1)
    ] = 60
    steps: Annotated[int, key("number of batches", "batches", ge=1)] = 1000
    weight_decay: Annotated[
        float, key("weight decay, as the optimiser has it: of `adamw` decoupled", ge=0)
    ] = 0.0
    initial_scale: Annotated[
        float, key("factor that all initial parameters are multiplied with", gt=0)
    ] = 1.0
    norm_kept: Annotated[
        float | None,
        key(
            "share of the initial length of all parameters together that they are brought to "
            "before the first step and after each; `null` leaves the length free",
            gt=0,
        ),
    ] = None
    record_every: Annotated[int, key("steps from one snapshot to the next", "steps", ge=1)] = 1
    observable: Annotated[
        tuple[str, ...],
        key("recorded parameters by name, such as `fc3.weight`, or patterns; `[all]` for all"),
    ] = ("all",)
    sketch: Annotated[
        int,
        key(
            "number k, for k random sums of each recorded parameter in its place; 0 for every "
            "number of it",
            ge=0,
        ),
    ] = 0
    seeds: Annotated[
        tuple[int, ...],
        key("seeds, one ensemble member each: its initialisation and the order of batches", **SEED),
    ] = (0,)
    initialisations: Annotated[
        int, key("networks of a seed: one drawn, the others near it", "networks", ge=1)
    ] = 1
    perturbation_scale: Annotated[
        float,
        key("nearness of them: each weight times 1 + perturbation_scale · U(−1, 1)", ge=0, lt=1),
    ] = 0.001
    together: Annotated[
        bool | None,
        key(
            "answer to whether all networks are computed at once, by `torch.vmap`; `null` for all "
            "but those with convolutions, which are quicker one after the other"
        ),
    ] = None
    shuffle: Annotated[
        bool, key("answer to whether samples are drawn in a new order each epoch")
    ] = True
    evaluate_every: Annotated[
        int, key("steps between measurements of the test accuracy", "steps", ge=1)
    ] = 250
    probe: Annotated[
        int,
        key(
            "number of test samples whose mean loss and logits are recorded beside the weights; 0 "
            "for none",
            "samples",
            ge=0,
        ),
    ] = 0

    # As of networks; a sketch takes the weights' place here.
    beside: ClassVar[tuple[str, ...]] = ("probe",)

    def __post_init__(self) -> None:
        """Bring options into one form; refuse what cannot be trained."""
        for name in ("options", "optimizer_options"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        checked(self)

    @property
    def told(self) -> dict[str, Any]:
        """Options of the architecture with its defaults, or of the module."""
        return {**ARCHITECTURES.get(self.architecture or "", {}), **self.options}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters by name, in the network's order.

        Of a module of the user's own it has to be built: what does that is loaded by its name, so
        that planning needs it for such a setup alone.
        """
        if self.architecture is None:
            return import_module("koopscope.training.architectures").shapes_of(self)
        made = _SHAPES[self.architecture]
        return made(self.data.pixels, self.data.classes, **self.told)

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the recorded parameters."""
        return recorded_names(self.shapes, self.observable)

    @property
    def weights(self) -> int:
        """Numbers of one snapshot of the parameters."""
        return sum(self.sizes.values())

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers that are recorded of each parameter, by its name."""
        shapes = self.shapes
        sizes = {n: math.prod(shapes[n]) for n in recorded_names(shapes, self.observable)}
        return {n: min(self.sketch or size, size) for n, size in sizes.items()}

    @property
    def parameters(self) -> int:
        """Number of all parameters of one network."""
        return sum(map(math.prod, self.shapes.values()))

    def features(self, observable: str) -> int:
        """Numbers in one snapshot of an observable of a fit; 0 if it is not recorded."""
        if observable == "weights":
            return self.weights
        if observable == "probe" and self.probe:
            return 1 + self.probe * self.data.classes
        return 0

    @property
    def batch(self) -> int:
        """Samples of a batch."""
        return self.data.train_samples if self.batch_size is None else self.batch_size

    @property
    def states(self) -> int:
        """Number of snapshots of one run: one after each ``record_every`` steps."""
        return self.steps // self.record_every

    def per_step(self, time_unit: str) -> float:
        """How much of a unit of time one snapshot takes: itself, samples, or learning rate."""
        samples = self.record_every * self.batch / self.data.train_samples
        rate = self.record_every * self.learning_rate
        return {"step": float(self.record_every), "epoch": samples, "rate": rate}[time_unit]

    def to_dict(self) -> dict[str, Any]:
        """What the trajectories depend on, as JSON values."""
        return {"model": asdict(self) | {"data": self.data.to_dict()}}

    @property
    def id(self) -> str:
        """Readable name with a short digest, used for files."""
        name = self.architecture or str(self.module).rpartition(":")[2]
        batch = "" if self.batch_size is None else f"-b{self.batch_size}"
        readable = f"{name}-{self.optimizer}-lr{self.learning_rate:g}{batch}-{self.data.name}"
        return f"model-{readable}.{short(digest(self.to_dict()))}"


def model_from_dict(canonical: Mapping[str, Any]) -> ModelSetup:
    """Rebuild a setup of modules from its canonical form; the data set's kind becomes its name."""
    fields = {k: as_tuple(v) for k, v in canonical["model"].items()}
    return ModelSetup(**fields | {"data": data_from_dict(fields["data"])})


def recorded_names(names: Mapping[str, Any], observable: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the parameters' names that a setup's observable means, in their order."""
    every = observable == ("all",)
    return tuple(n for n in names if every or any(fnmatchcase(n, one) for one in observable))


def _frozen(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with tuples in place of lists, by name."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in sorted(options.items())
    }


def _lenet(pixels: int, classes: int, activation: str) -> dict[str, tuple[int, ...]]:
    del activation
    colours = 1 if math.isqrt(pixels) ** 2 == pixels else 3
    # Images are framed to 32 × 32, so that any leave 5 × 5 pixels to the full layers.
    return {
        "conv1.weight": (6, colours, 5, 5),
        "conv1.bias": (6,),
        "conv2.weight": (16, 6, 5, 5),
        "conv2.bias": (16,),
        "fc1.weight": (120, 16 * 5 * 5),
        "fc1.bias": (120,),
        "fc2.weight": (84, 120),
        "fc2.bias": (84,),
        "fc3.weight": (classes, 84),
        "fc3.bias": (classes,),
    }


def _mlp(
    pixels: int, classes: int, hidden_widths: tuple[int, ...], activation: str, bias: bool
) -> dict[str, tuple[int, ...]]:
    del activation
    sizes = (pixels, *hidden_widths, classes)
    found: dict[str, tuple[int, ...]] = {}
    names = (*(f"hidden{i + 1}" for i in range(len(hidden_widths))), "output")
    for name, inputs, outputs in zip(names, sizes, sizes[1:], strict=False):
        found[f"{name}.weight"] = (outputs, inputs)
        if bias:
            found[f"{name}.bias"] = (outputs,)
    return found


def _square_mlp(pixels: int, classes: int, width: int) -> dict[str, tuple[int, ...]]:
    return {"hidden.weight": (width, pixels), "output.weight": (classes, width)}


def _transformer(
    pixels: int, classes: int, width: int, heads: int, feedforward: int
) -> dict[str, tuple[int, ...]]:
    del heads
    return {
        "embedding": (classes + 1, width),
        "position": (pixels, width),
        "queries": (width, width),
        "keys": (width, width),
        "values": (width, width),
        "attention_out": (width, width),
        "mlp_in.weight": (feedforward, width),
        "mlp_in.bias": (feedforward,),
        "mlp_out.weight": (width, feedforward),
        "mlp_out.bias": (width,),
        "output.weight": (classes, width),
    }


def _resnet20(pixels: int, classes: int) -> dict[str, tuple[int, ...]]:
    del pixels
    norm = {"weight": 1, "bias": 1}
    found: dict[str, tuple[int, ...]] = {"conv1.weight": (16, 3, 3, 3)}
    found |= {f"bn1.{name}": (16,) for name in norm}
    widths = (16, *[16] * 3, *[32] * 3, *[64] * 3)
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
        for k, given in ((1, inputs), (2, outputs)):
            found[f"blocks.{i}.conv{k}.weight"] = (outputs, given, 3, 3)
            found |= {f"blocks.{i}.bn{k}.{name}": (outputs,) for name in norm}
    return found | {"linear.weight": (classes, 64), "linear.bias": (classes,)}


_SHAPES = {
    "lenet": _lenet,
    "mlp": _mlp,
    "square_mlp": _square_mlp,
    "transformer": _transformer,
    "resnet20": _resnet20,
}
