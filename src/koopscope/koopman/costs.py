"""What a fit costs by each solver, estimated from the shape of its data alone.

An estimate is a sum of counts, of numbers moved and of multiplications, each times what one of them
costs. The unit is a multiplication with its addition in a large square product, the best that a
processor does. So the constants are ratios: processors differ in speed by far more than in these,
and only the order of the four sums counts. They were fitted to times of one thread, and hold on
other shapes than those (benchmarks/solver_is_chosen_well.py). What no shape tells is how slowly the
singular values fall, hence how many passes ``lanczos`` needs: near a tie it may be the slower one.
"""

from math import log2

from koopscope.koopman.dmd import WIDTH
from koopscope.koopman.embedding import DelayEmbedding

# A fit's overhead, that of a pass of Lanczos, and that of first states, a pair of delays.
CALL, PASS, FIRSTS = 1.7e7, 9e6, 1.3e5
# A number: checked and made double, moved to another place, or read again from memory; an entry of
# a matrix that is decomposed, beside the multiplications.
LOAD, MOVE, READ, ENTRY = 270, 95, 20, 1300
# A multiplication in decompositions: of a tall matrix to a square one, then of a square one.
TALL, SVD, EIGH = 10, 10, 8
# A multiplication of Lanczos: with a narrow block, among such blocks, within a new one; with
# transforms; and a number of a transform, for each doubling of its length.
NARROW, BASIS, BLOCK, SPECTRAL, TRANSFORM = 2.6, 30, 150, 37, 57
# Directions that the Krylov space has in the end for each one kept: 5 to 6 of random walks about
# slow decays, 4 to 8 of real trajectories.
SPACE = 6.4


def estimates(embedding: DelayEmbedding, rank: int) -> dict[str, float]:
    """Work of a fit by each solver, in multiplications of a large product.

    Parameters
    ----------
    embedding
        The trajectories; only their number, lengths and weights and the delays count.
    rank
        Number of directions kept; only ``lanczos`` takes less for fewer.

    Returns
    -------
    dict of float
        By the solver's name.
    """
    weights, snapshots = embedding.weights, sum(embedding.lengths)
    delayed, (rows, columns) = embedding.delays + 1, embedding.shape
    held = weights * snapshots
    # First delayed states and their steps.
    steps = columns + len(embedding.lengths)
    work = {
        "full": _svd(rows, columns),
        "lanczos": _lanczos(embedding, rank),
        "gram": held * snapshots
        + MOVE * delayed * steps * (steps + snapshots) / 2
        + FIRSTS * delayed**2
        + _eigh(steps)
        + _svd(min(rows, steps), steps),
        "covariance": (rows + weights) ** 2 * columns
        + MOVE * (rows + weights) * columns
        + _eigh(rows),
    }
    return {solver: CALL + LOAD * held + own for solver, own in work.items()}


def _svd(rows: int, columns: int) -> float:
    few, many = sorted((rows, columns))
    return ENTRY * few * many + TALL * few**2 * many + SVD * few**3


def _eigh(rows: int) -> float:
    return ENTRY * rows**2 + EIGH * rows**3


def _lanczos(embedding: DelayEmbedding, rank: int) -> float:
    weights, snapshots, runs = embedding.weights, sum(embedding.lengths), len(embedding.lengths)
    delayed, (rows, columns) = embedding.delays + 1, embedding.shape
    held, few = weights * snapshots, min(rows, columns)
    width = min(WIDTH, few)
    space = min(SPACE * rank, few)
    passes = space / width
    # What the passes gave is joined in the end.
    basis = (BASIS * space + BLOCK * width) * rows * space + MOVE * columns * space
    if embedding.by_fft:
        longest = max(embedding.lengths)
        numbers = held + longest * (weights + runs) * space
        products = SPECTRAL * held * space + TRANSFORM * log2(longest) * numbers
    else:
        # There and back: X C and Xᵀ Q.
        products = 2 * (NARROW * delayed * held + MOVE * delayed * snapshots) * space
        products += 2 * READ * held * passes
    return PASS * passes + basis + products
