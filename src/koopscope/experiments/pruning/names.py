"""Names and numbers that plans, runs, figures and words of pruning share."""

import math

from koopscope.pruning.names import VARIANTS

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


def nearest(compression_ratios: list[float], aim: float) -> float:
    """Compression that lies nearest to this one, by ratio."""
    return min(compression_ratios, key=lambda c: abs(math.log(c / aim)))


def evaluated(methods: tuple[str, ...], chosen: tuple[str, ...] | None) -> tuple[str, ...]:
    """Methods whose accuracy is measured: the chosen ones, or all."""
    return methods if chosen is None else chosen
