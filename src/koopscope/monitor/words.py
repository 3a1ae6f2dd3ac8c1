"""The words for how a run does."""

WORDS = ("diverging", "stalled", "converging", "converged")
