"""What foretells a depth: what runs, figures and words share."""

SPECTRUM, SHORT_LOSS, TWO_LAYERS = "spectrum", "short_loss", "two_layers"
PREDICTORS = (SPECTRUM, SHORT_LOSS, TWO_LAYERS)
# As they are said.
SAID = {
    SPECTRUM: "the spectrum",
    SHORT_LOSS: "the loss of the short training",
    TWO_LAYERS: "two layers always",
}
HSVR_RULES = ("fft", "tapered")
