from koopscope.pruning import masks
from koopscope.pruning.fixed_point import FixedPoint, fixed_point
from koopscope.pruning.masks import select_masks
from koopscope.pruning.methods import KoopmanGradient, KoopmanMagnitude
from koopscope.pruning.recorder import SnapshotRecorder, open_snapshots, window
from koopscope.pruning.scores import koopman_gradient, koopman_magnitude

__all__ = [
    "FixedPoint",
    "KoopmanGradient",
    "KoopmanMagnitude",
    "SnapshotRecorder",
    "fixed_point",
    "koopman_gradient",
    "koopman_magnitude",
    "masks",
    "open_snapshots",
    "select_masks",
    "window",
]
