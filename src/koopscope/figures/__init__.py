"""Figures: each takes one dataset, and returns a figure that shows its own uncertainty."""

from koopscope.figures.calibration import false_positives, metrics, power
from koopscope.figures.depth import depths
from koopscope.figures.distances import distance_matrix
from koopscope.figures.hsvr import layers, regressors, transitions
from koopscope.figures.pruned_training import pruned_training
from koopscope.figures.pruning import fixed_points, kept_by_layer, overlap, pruned_accuracy
from koopscope.figures.residuals import residuals
from koopscope.figures.restart import restart_auc, restart_savings, restart_spectra
from koopscope.figures.scan import scan
from koopscope.figures.sensitivity import sensitivity
from koopscope.figures.sobolev import (
    band_errors,
    denoising_errors,
    learning_order,
    output_modes,
    reconstructions,
)
from koopscope.figures.spectra import spectra
from koopscope.figures.stopping import stopping_curves, stopping_spectra, stopping_tradeoff
from koopscope.figures.style import save
from koopscope.figures.training import training_curves
from koopscope.figures.verdicts import verdicts

# Name of a figure: what draws it, and which store of a study it reads.
FIGURES = {
    "training": (training_curves, "curves"),
    "spectra": (spectra, "comparison"),
    "residuals": (residuals, "comparison"),
    "distances": (distance_matrix, "comparison"),
    "verdicts": (verdicts, "comparison"),
}
# Those that only some studies have.
MORE = {
    "scan": (scan, "comparison"),
    "sensitivity": (sensitivity, "sensitivity"),
    "false_positives": (false_positives, "calibration"),
    "power": (power, "calibration"),
    "metrics": (metrics, "calibration"),
}
# Kind of a store that is not a study's: the figures that are drawn of it.
OF_KIND = {
    "transitions": {"transitions": transitions, "layers": layers},
    "baselines": {"regressors": regressors},
    "pruning": {
        "overlap": overlap,
        "pruned_accuracy": pruned_accuracy,
        "fixed_points": fixed_points,
        "kept_by_layer": kept_by_layer,
    },
    "stopping": {
        "stopping_curves": stopping_curves,
        "stopping_tradeoff": stopping_tradeoff,
        "stopping_spectra": stopping_spectra,
    },
    "restart": {
        "restart_spectra": restart_spectra,
        "restart_auc": restart_auc,
        "restart_savings": restart_savings,
    },
    "depth": {"depths": depths},
    "pruned_training": {"pruned_training": pruned_training},
    "sobolev": {
        "errors": denoising_errors,
        "bands": band_errors,
        "reconstructions": reconstructions,
        "learning": learning_order,
        "modes": output_modes,
    },
}

__all__ = [
    "FIGURES",
    "MORE",
    "OF_KIND",
    "depths",
    "band_errors",
    "denoising_errors",
    "distance_matrix",
    "false_positives",
    "fixed_points",
    "kept_by_layer",
    "layers",
    "learning_order",
    "metrics",
    "output_modes",
    "overlap",
    "power",
    "pruned_accuracy",
    "pruned_training",
    "reconstructions",
    "regressors",
    "residuals",
    "restart_auc",
    "restart_savings",
    "restart_spectra",
    "save",
    "scan",
    "sensitivity",
    "spectra",
    "stopping_curves",
    "stopping_spectra",
    "stopping_tradeoff",
    "training_curves",
    "transitions",
    "verdicts",
]
