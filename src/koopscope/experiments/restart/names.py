"""Predictors of a bad end, and policies: what runs, figures and words share."""

LOSS, GRADIENT, BASELINE = "loss", "gradient norm", "loss curve + gradient"
SPECTRUM, TOGETHER = "spectrum", "all together"
PREDICTORS = (LOSS, GRADIENT, BASELINE, SPECTRUM, TOGETHER)
NEVER, ORACLE = "no restart", "oracle"
POLICIES = (NEVER, *PREDICTORS, ORACLE)
# What the spectrum has to be better than, and what it has to add to.
PAIRS = (*((SPECTRUM, other) for other in (LOSS, GRADIENT, BASELINE)), (TOGETHER, BASELINE))
