"""Names that plans, runs, figures and words of pruning while training share."""

from typing import TYPE_CHECKING

from koopscope.pruning.names import SCORES, UNITS

if TYPE_CHECKING:
    from koopscope.experiments.pruned_training.plan import PrunedTraining

FULLY_CONNECTED, MNISTNET = "fcn", "mnistnet"
NETWORKS = (FULLY_CONNECTED, MNISTNET)
DENSE = "dense"
# A score alone prunes weights one by one; of whole units, by the sum of their scores.
METHODS = (DENSE, *(score + kind for score in SCORES for kind in ("", UNITS)))


def train_size(plan: "PrunedTraining") -> int:
    """Training samples used."""
    return min(plan.train_samples or plan.data.train_samples, plan.data.train_samples)
