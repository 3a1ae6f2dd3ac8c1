from koopscope.compare.calibration import calibrate
from koopscope.compare.metrics import METRICS, metric_matrix
from koopscope.compare.sensitivity import compare_alternates
from koopscope.compare.spectra import read_spectra
from koopscope.compare.study import Rule, compare_study
from koopscope.compare.transport import distance_matrix, matching, wasserstein
from koopscope.compare.verdict import Comparison, adjusted, compare, swapped_pair_control

__all__ = [
    "METRICS",
    "Comparison",
    "Rule",
    "adjusted",
    "calibrate",
    "compare",
    "compare_alternates",
    "compare_study",
    "distance_matrix",
    "matching",
    "metric_matrix",
    "read_spectra",
    "swapped_pair_control",
    "wasserstein",
]
