"""Names and numbers that plans, runs, figures and words of pruning share."""

import math
from typing import TYPE_CHECKING

from koopscope.pruning.names import VARIANTS

if TYPE_CHECKING:
    from koopscope.experiments.pruning.protocol import Protocol

KOOPMAN, MAGNITUDE, MEAN = "koopman_magnitude", "magnitude", "window_mean"
SHUFFLED = "koopman_magnitude_shuffled"
METHODS = (
    KOOPMAN,
    *(f"koopman_gradient:{variant}" for variant in VARIANTS),
    MAGNITUDE,
    "layer_magnitude",
    "gradient",
    "layer_gradient",
    "snip",
    "random",
    MEAN,
    "first_snapshot",
    "initial_magnitude",
    SHUFFLED,
)
# |w| at the end of the last recorded epoch: no way to prune, but what early pruning should foresee.
LATE = "late_magnitude"
PAIRS = (
    (KOOPMAN, MAGNITUDE),
    (KOOPMAN, MEAN),
    (KOOPMAN, "first_snapshot"),
    (KOOPMAN, "initial_magnitude"),
    (KOOPMAN, SHUFFLED),
    (MAGNITUDE, MEAN),
    ("koopman_gradient:sum", "gradient"),
    ("koopman_gradient:slowest", "gradient"),
    ("koopman_gradient:moduli", "gradient"),
    (KOOPMAN, LATE),
    (MAGNITUDE, LATE),
    (MEAN, LATE),
)
MOMENTS = ("before", "after")
# Compressions at which figures and sentences give single numbers: the nearest that there are.
MILD, SHARP = 4.0, 16.0


def pair_name(first: str, second: str) -> str:
    """Name of a pair of methods in a store."""
    return f"{first} / {second}"


def nearest(compressions: list[float], aim: float) -> float:
    """Compression that lies nearest to this one, by ratio."""
    return min(compressions, key=lambda c: abs(math.log(c / aim)))


def tested(protocol: "Protocol") -> tuple[str, ...]:
    """Methods whose accuracy is measured."""
    return protocol.methods if protocol.tested is None else protocol.tested


def refines(protocol: "Protocol", method: str, compression: float) -> bool:
    """Whether what a method leaves at a compression is trained on."""
    return (
        protocol.refinement > 0
        and (protocol.refined is None or method in protocol.refined)
        and (protocol.refined_compressions is None or compression in protocol.refined_compressions)
    )
