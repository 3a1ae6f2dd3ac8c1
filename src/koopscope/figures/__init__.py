"""Figures: each takes one dataset, and returns a figure that shows its own uncertainty."""

from koopscope.figures.distances import distance_matrix
from koopscope.figures.residuals import residuals
from koopscope.figures.spectra import spectra
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

__all__ = [
    "FIGURES",
    "distance_matrix",
    "residuals",
    "save",
    "spectra",
    "training_curves",
    "verdicts",
]
