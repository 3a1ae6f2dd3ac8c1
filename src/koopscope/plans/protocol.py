"""What a pruning experiment does: which network, pruned when and how far, by which scores.

Settings of Redman et al. (ICLR 2022) as far as their scripts and ShrinkBench (Blalock et al.,
MLSys 2020) show them: SGD with Nesterov momentum, snapshots after every batch, one epoch of
refinement with the mask on. The window is the last epoch before pruning.

Plain frozen values without numerical libraries, so that a workflow engine can plan with them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from koopscope.errors import InputError
from koopscope.specs import above_zero, as_tuple, one_of, positive

# Of koopscope.pruning.scores.koopman_gradient.
VARIANTS = ("sum", "slowest", "moduli")
METHODS = (
    "koopman_magnitude",
    *(f"koopman_gradient:{variant}" for variant in VARIANTS),
    "magnitude",
    "layer_magnitude",
    "gradient",
    "layer_gradient",
    "snip",
    "random",
    "window_mean",
    "first_snapshot",
    "initial_magnitude",
    "koopman_magnitude_shuffled",
)
# |w| at the end of the last recorded epoch: no way to prune, but what early pruning should foresee.
LATE = "late_magnitude"
PAIRS = (
    ("koopman_magnitude", "magnitude"),
    ("koopman_magnitude", "window_mean"),
    ("koopman_magnitude", "first_snapshot"),
    ("koopman_magnitude", "initial_magnitude"),
    ("koopman_magnitude", "koopman_magnitude_shuffled"),
    ("magnitude", "window_mean"),
    ("koopman_gradient:sum", "gradient"),
    ("koopman_gradient:slowest", "gradient"),
    ("koopman_gradient:moduli", "gradient"),
    ("koopman_magnitude", LATE),
    ("magnitude", LATE),
    ("window_mean", LATE),
)
# All parameters, weights of layers, those of the last layer, and the number of layers.
MODELS = {"mnistnet": (431_080, 430_500, 5_000, 4), "resnet20": (269_722, 268_336, 640, 20)}
# Farther from 1 an eigenvalue is not taken for 1.
WITHIN = 0.05
# What the recording of snapshots depends on; the rest of a protocol only reads them.
TRAINING = ("model", "epochs", "learning_rate", "momentum", "batch_size", "classifier")
TRAINING += ("train_samples",)


@dataclass(frozen=True)
class Protocol:
    """What one run of the experiment is.

    Attributes
    ----------
    model
        Name in :data:`koopscope.training.models.MODELS`.
    epochs
        After which of them to prune; each one's snapshots are a window.
    compressions
        All parameters over nonzero ones, each at least 1.
    methods
        Names in ``METHODS``, whose scores and masks are compared.
    tested
        Those of which accuracy and loss are measured; None for all.
    refined, refined_compressions
        Methods and compressions that are trained on with the mask on; None for all that are tested.
    learning_rate, momentum, batch_size
        Of SGD with Nesterov momentum; the last, smaller batch of an epoch counts too.
    classifier
        Whether the last layer's weights are recorded and pruned, as in the paper's scripts;
        ShrinkBench keeps them.
    refinement
        Epochs of training with the mask on; a fraction for the first batches of one.
    train_samples, test_samples
        The first so many of the data set; None for all.
    rank, within
        See :func:`koopscope.pruning.fixed_point.fixed_point`.
    """

    model: str = "mnistnet"
    epochs: tuple[int, ...] = (1,)
    compressions: tuple[float, ...] = (4.0,)
    methods: tuple[str, ...] = METHODS
    tested: tuple[str, ...] | None = None
    refined: tuple[str, ...] | None = None
    refined_compressions: tuple[float, ...] | None = None
    learning_rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 128
    classifier: bool = True
    refinement: float = 1
    train_samples: int | None = None
    test_samples: int | None = None
    rank: int | str | None = "rounding"
    within: float = WITHIN

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        one_of("model", self.model, tuple(MODELS))
        if not self.methods:
            raise InputError(f"methods: none; give some of {', '.join(METHODS)}")
        _some_of("methods", self.methods, METHODS)
        _some_of("tested", self.tested, self.methods)
        _some_of("refined", self.refined, self.trial)
        if not self.epochs or min(self.epochs) < 1:
            raise InputError(f"epochs: {self.epochs}; give whole numbers of at least 1")
        if list(self.epochs) != sorted(set(self.epochs)):
            raise InputError(f"epochs: {self.epochs}; give each once, in their order")
        for compression in self.compressions or (math.nan,):
            if not (math.isfinite(compression) and compression >= 1):
                raise InputError(f"compressions: {self.compressions}; give numbers of at least 1")
            if compression > self.largest_compression:
                raise InputError(
                    f"compressions: {compression:g} leaves less than a weight for each layer of "
                    f"{self.model}; give at most {math.floor(self.largest_compression)}"
                )
        _some_of("refined_compressions", self.refined_compressions, self.compressions)
        above_zero("learning_rate", self.learning_rate)
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum: {self.momentum} is not in [0, 1)")
        if not (math.isfinite(self.refinement) and self.refinement >= 0):
            raise InputError(f"refinement: {self.refinement}; give a number of epochs, 0 or more")
        positive("batch_size", self.batch_size)
        for name in ("train_samples", "test_samples"):
            if getattr(self, name) is not None:
                positive(name, getattr(self, name))

    @property
    def trial(self) -> tuple[str, ...]:
        """Methods whose accuracy is measured."""
        return self.methods if self.tested is None else self.tested

    @property
    def largest_compression(self) -> float:
        """The one that leaves as many weights as there are layers."""
        total, weights, last, layers = MODELS[self.model]
        pruned, layers = (weights, layers) if self.classifier else (weights - last, layers - 1)
        return total / (total - pruned + layers)

    def refines(self, method: str, compression: float) -> bool:
        """Whether what a method leaves at a compression is trained on."""
        return (
            self.refinement > 0
            and (self.refined is None or method in self.refined)
            and (self.refined_compressions is None or compression in self.refined_compressions)
        )

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name in TRAINING}


def protocol_from(canonical: Mapping[str, Any]) -> Protocol:
    """Rebuild a protocol from JSON values; what is not given has its default."""
    return Protocol(**{k: as_tuple(v) for k, v in canonical.items()})


def _some_of(name: str, values: tuple | None, known: tuple) -> None:
    for value in values or ():
        if value not in known:
            listed = ", ".join(f"{k:g}" if isinstance(k, float) else str(k) for k in known)
            raise InputError(f"{name}: unknown {value!r}; give some of {listed}")
    if values is not None and len(set(values)) < len(values):
        raise InputError(f"{name}: {list(values)}; give each once")
