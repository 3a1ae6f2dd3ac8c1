"""Names and numbers that plans, runs, figures and words of depth share."""

# Kinds of tasks.
CLASSIFICATION, REGRESSION = "classification", "regression"
# Seeds of one depth are the family's plus so many times the depth: no two depths share a draw, so
# the distance between them is not made smaller by common initial weights or batches.
STRIDE = 10_000
# What predicts a depth.
SPECTRUM, SHORT_LOSS, TWO_LAYERS = "spectrum", "short_loss", "two_layers"
PREDICTORS = (SPECTRUM, SHORT_LOSS, TWO_LAYERS)
# As they are said.
SAID = {
    SPECTRUM: "the spectrum",
    SHORT_LOSS: "the loss of the short training",
    TWO_LAYERS: "two layers always",
}
HSVR_RULES = ("fft", "tapered")
