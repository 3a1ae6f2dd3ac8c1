"""From which residual on an eigenvalue is not to be trusted."""

# An eigenfunction whose residual is above a tenth of its own size. A choice of this project, made
# before any result: figures draw such eigenvalues hollow, tables give their share, the monitor
# leaves them out of its verdict, and the residual-weighted distance halves them.
RESIDUAL_LIMIT = 0.1
