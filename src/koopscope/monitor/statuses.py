"""How a run may do."""

STATUSES = ("diverging", "stalled", "converging", "converged")
