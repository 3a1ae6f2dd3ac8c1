"""The settings of the pruning experiment, and the ways to prune that it compares.

Settings of Redman et al. (ICLR 2022) as far as their scripts and ShrinkBench (Blalock et al.,
MLSys 2020) show them: SGD with Nesterov momentum, snapshots after every batch, one epoch of
refinement with the mask on. The window is the last epoch before pruning.
"""

from dataclasses import dataclass

from koopscope.errors import InputError
from koopscope.pruning.fixed_point import WITHIN
from koopscope.pruning.scores import VARIANTS

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
PAIRS = (
    ("koopman_magnitude", "magnitude"),
    ("koopman_magnitude", "window_mean"),
    ("koopman_magnitude", "first_snapshot"),
    ("koopman_magnitude", "initial_magnitude"),
    ("koopman_magnitude", "koopman_magnitude_shuffled"),
    ("magnitude", "window_mean"),
    ("koopman_gradient:sum", "gradient"),
)


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
        Names in ``METHODS``.
    learning_rate, momentum, batch_size
        Of SGD with Nesterov momentum; the last, smaller batch of an epoch counts too.
    classifier
        Whether the last layer's weights are recorded and pruned, as in the paper's scripts;
        ShrinkBench keeps them.
    refinement
        Epochs of training with the mask on.
    rank, within
        See :func:`koopscope.pruning.fixed_point.fixed_point`.
    """

    model: str = "mnistnet"
    epochs: tuple[int, ...] = (1,)
    compressions: tuple[float, ...] = (4.0,)
    methods: tuple[str, ...] = METHODS
    learning_rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 128
    classifier: bool = True
    refinement: int = 1
    rank: int | str | None = "rounding"
    within: float = WITHIN

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if unknown := sorted(set(self.methods) - set(METHODS)):
            raise InputError(f"methods: unknown {unknown[0]!r}; give some of {', '.join(METHODS)}")
        if not self.epochs or min(self.epochs) < 1:
            raise InputError(f"epochs: {self.epochs}; give whole numbers of at least 1")
        if not self.compressions or min(self.compressions) < 1:
            raise InputError(f"compressions: {self.compressions}; give numbers of at least 1")
