"""Names and numbers that plans and the library share."""

# Of koopscope.pruning.scores.koopman_gradient.
VARIANTS = ("sum", "slowest", "moduli")
# Farther from 1 an eigenvalue is not taken for 1.
EIGENVALUE_TOLERANCE = 0.05
# Of koopscope.pruning.chains.score_weights: those that need the snapshots of a window, the first of
# them a spectrum; those that need no spectrum; and the end of a name that scores whole units.
SPECTRAL = ("koopman", "koopman_spent")
WINDOWED = (*SPECTRAL, "window_mean")
PLAIN = ("magnitude", "window_mean", "random")
SCORES = (*SPECTRAL, *PLAIN)
STRUCTURED = ":structured"
