"""What a pruning experiment does: which network, pruned when and how far, by which scores.

Settings of Redman et al. (ICLR 2022) as far as their scripts and ShrinkBench (Blalock et al.,
MLSys 2020) show them: SGD with Nesterov momentum, snapshots after every batch, one epoch of
fine-tuning with the mask on. The window is the last epoch before pruning.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from koopscope.config.checks import ascending, each_once, one_of
from koopscope.config.entries import conform
from koopscope.config.key import key
from koopscope.config.values import as_tuple
from koopscope.errors import InputError
from koopscope.experiments.pruning.names import METHODS, evaluated
from koopscope.pruning.names import EIGENVALUE_TOLERANCE
from koopscope.training.names import MODELS

# What the recording of snapshots depends on; the rest of a protocol only reads them.
TRAINING = ("model", "epochs", "learning_rate", "momentum", "batch_size", "classifier")
TRAINING += ("train_samples",)
# Ranks by name.
RANKS = ("rounding", "all")


@dataclass(frozen=True)
class Protocol:
    """What one run of the experiment is."""

    model: Annotated[
        str,
        key(f"network: {', '.join(f'`{name}`' for name in MODELS)}", one_of=MODELS),
    ] = "mnistnet"
    epochs: Annotated[
        tuple[int, ...],
        key(
            "epochs after which the network is pruned; the window is that epoch's snapshots",
            "epochs",
            ge=1,
        ),
    ] = (1,)
    compression_ratios: Annotated[
        tuple[float, ...], key("compression ratios: all parameters over nonzero ones", ge=1)
    ] = (4.0,)
    methods: Annotated[
        tuple[str, ...],
        key(
            "scores that are compared: `koopman_magnitude`, `koopman_gradient:sum`, `:slowest` and "
            "`:moduli`, `magnitude`, `layer_magnitude`, `gradient`, `layer_gradient`, `snip`, "
            "`random`; controls `window_mean`, `first_snapshot`, `initial_magnitude`, "
            "`koopman_magnitude_shuffled`; `koopscope.pruning.scores` says what they are",
            default="all",
        ),
    ] = METHODS
    evaluated: Annotated[
        tuple[str, ...] | None,
        key("methods whose accuracy is measured", default="those of `methods`"),
    ] = None
    finetuned: Annotated[
        tuple[str, ...] | None,
        key("methods that are trained on with the mask", default="those of `evaluated`"),
    ] = None
    finetuned_compression_ratios: Annotated[
        tuple[float, ...] | None, key("compressions at which they are", default="all", ge=1)
    ] = None
    learning_rate: Annotated[
        float, key("learning rate of SGD with Nesterov momentum", "per step", gt=0)
    ] = 1e-3
    momentum: Annotated[float, key("momentum", ge=0, lt=1)] = 0.9
    batch_size: Annotated[
        int,
        key("samples of a batch; the last, smaller one of an epoch counts too", "samples", ge=1),
    ] = 128
    classifier: Annotated[
        bool,
        key(
            "answer to whether the last layer is recorded and pruned too, as in the paper's "
            "scripts; ShrinkBench keeps it"
        ),
    ] = True
    finetune_epochs: Annotated[
        float,
        key("length of training with the mask on", "epochs, or a fraction of one", ge=0),
    ] = 1
    train_samples: Annotated[
        int | None,
        key("first so many training samples; `null` for all", "samples", ge=1),
    ] = None
    test_samples: Annotated[
        int | None, key("first so many test samples; `null` for all", "samples", ge=1)
    ] = None
    rank: Annotated[
        int | str | None,
        key(
            "directions kept of a window: `rounding` (all above the rounding of the stored "
            "numbers), `all`, or a number",
            ge=1,
        ),
    ] = "rounding"
    eigenvalue_tolerance: Annotated[
        float, key("distance from 1 up to which an eigenvalue is taken for 1", gt=0)
    ] = EIGENVALUE_TOLERANCE

    renamed: ClassVar[Mapping[str, str]] = {
        "compressions": "compression_ratios",
        "tested": "evaluated",
        "refined": "finetuned",
        "refined_compressions": "finetuned_compression_ratios",
        "refinement": "finetune_epochs",
        "within": "eigenvalue_tolerance",
    }

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        conform(self)
        if isinstance(self.rank, str):
            one_of("rank", self.rank, RANKS)
        each_once("methods", self.methods, METHODS)
        each_once("evaluated", self.evaluated or (), self.methods, least=0)
        each_once(
            "finetuned", self.finetuned or (), evaluated(self.methods, self.evaluated), least=0
        )
        ascending("epochs", self.epochs)
        each_once("compression_ratios", self.compression_ratios)
        for compression in self.compression_ratios:
            if compression > self.largest_compression:
                raise InputError(
                    f"compression_ratios: {compression:g} leaves less than a weight for each layer "
                    f"of {self.model}; give at most {math.floor(self.largest_compression)}"
                )
        each_once(
            "finetuned_compression_ratios",
            self.finetuned_compression_ratios or (),
            self.compression_ratios,
            least=0,
        )

    @property
    def largest_compression(self) -> float:
        """The one that leaves as many weights as there are layers."""
        model = MODELS[self.model]
        pruned, layers = model.weights, model.layers
        if not self.classifier:
            pruned, layers = pruned - model.classifier, layers - 1
        return model.parameters / (model.parameters - pruned + layers)

    def training(self) -> dict[str, Any]:
        """What its snapshots depend on, as JSON values."""
        return {name: value for name, value in asdict(self).items() if name in TRAINING}


def protocol_from_dict(canonical: Mapping[str, Any]) -> Protocol:
    """Rebuild a protocol from JSON values; what is not given has its default."""
    return Protocol(**{k: as_tuple(v) for k, v in canonical.items()})
