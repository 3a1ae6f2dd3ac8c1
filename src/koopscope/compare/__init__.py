from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.study import compare_study
from koopscope.compare.transport import distance_matrix, matching, wasserstein
from koopscope.compare.verdict import Comparison, compare, swapped_pair_control

__all__ = [
    "METRICS",
    "Comparison",
    "compare",
    "compare_study",
    "distance_matrix",
    "matching",
    "metric_matrix",
    "swapped_pair_control",
    "wasserstein",
]
