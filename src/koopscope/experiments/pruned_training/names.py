"""Names that plans, runs, figures and words of pruning while training share."""

from koopscope.pruning.names import SCORES, STRUCTURED

FULLY_CONNECTED, MNISTNET = "mlp", "mnistnet"
NETWORKS = (FULLY_CONNECTED, MNISTNET)
DENSE = "dense"
# A score alone prunes weights one by one; of whole units, by the sum of their scores.
METHODS = (DENSE, *(score + kind for score in SCORES for kind in ("", STRUCTURED)))


def train_size(asked: int | None, there: int) -> int:
    """Training samples used."""
    return min(asked or there, there)
