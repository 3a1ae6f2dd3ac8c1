"""Distances of two spectra, each with its name in a sentence."""

# The first is the verdict's unless told.
DISTANCES = {
    "wasserstein": "1-Wasserstein distance",
    "residual_weighted": "1-Wasserstein distance weighted by the residuals",
    "amplitude_weighted": "1-Wasserstein distance weighted by the amplitudes",
    "hausdorff": "Hausdorff distance",
}
