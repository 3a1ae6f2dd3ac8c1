"""Dynamic mode decomposition: four ways to the same reduced operator.

With X = U S Vᵀ truncated to rank r, the operator on the leading r directions is
K = Uᵀ Y V S⁻¹ (Schmid 2010, Tu et al. 2014). Its eigenpairs (λ, w) carry the data-driven residual
‖Y V S⁻¹ w − λ U w‖ of Drmač, Mezić and Mohr (SIAM J. Sci. Comput. 40, 2018); since Uᵀ Y V S⁻¹ = K,
that is ‖E w‖ with E = Y V S⁻¹ − U K.

:func:`full`, :func:`gram` and :func:`covariance` take, return and refuse what :func:`lanczos` does;
but ``rank`` may be None or a name too (:func:`koopscope.koopman.fit`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

import numpy as np

from koopscope.errors import InputError, RankError
from koopscope.koopman import krylov
from koopscope.koopman.embedding import CONSTANT, Array, DelayEmbedding, divided, to_numpy

# Columns of a product: fewer waste the processor, more waste products. Of ranks 5 to 20, weights 50
# to 400 and 8 to 64 delays four took the least time.
WIDTH = 4
# Error allowed in the leading singular subspace. What it makes of an eigenvalue grows with the
# condition of the states and with that of the eigenvalue itself; those of real trajectories end
# within 2e-11 of those at 1e-12.
TOLERANCE = 1e-8
ROUNDING = 1e-14
ROUNDING_UNIT = float(np.finfo(np.float64).eps)
GRAM_BLOCK_BYTES = 32 * 2**20
# Ranks by name: every direction, and those above the rounding of the numbers as they are stored.
ALL: Final = "all"
ROUNDING_RANK: Final = "rounding"
NAMED_RANKS = (None, ALL, ROUNDING_RANK)
Rank = int | Literal["all", "rounding"] | None


@dataclass(frozen=True)
class Size:
    """Rows and columns of X and the precision that its numbers were stored in."""

    shape: tuple[int, int]
    dtype: np.dtype


@dataclass(frozen=True)
class Reduced:
    """Reduced operator with all that the spectrum needs.

    Attributes
    ----------
    singular_values
        Of X, kept ones, shape (rank,).
    operator
        K, shape (rank, rank).
    excess
        Triangular factor of E, shape (rank, rank): ‖excess w‖ is the residual of (λ, w).
    numerical_rank
        Of X, or None where the solver need not find it.
    error
        Estimate of what rounding within the solver makes of the smallest direction kept, as a share
        of it: eigenvalues are moved by about as much.
    """

    singular_values: np.ndarray
    operator: np.ndarray
    excess: np.ndarray
    numerical_rank: int | None
    error: float = field(kw_only=True)


@dataclass(frozen=True)
class RightReduced(Reduced):
    """With the right singular vectors V, (pairs, rank), in the trajectories' array library."""

    right: Array


@dataclass(frozen=True)
class LeftReduced(Reduced):
    """With U and Y V S⁻¹, both (rows, rank), where there are few rows."""

    left: np.ndarray
    image: np.ndarray


def full(embedding: DelayEmbedding, rank: Rank) -> RightReduced:
    """Dense singular value decomposition: for small or ill-conditioned data and full rank."""
    xp = embedding.xp
    left, values, right_t = xp.linalg.svd(embedding.matrix(), full_matrices=False)
    values = to_numpy(values)
    found = _numerical_rank(values, embedding)
    rank = _kept(rank, found, values, embedding)
    left, right = left[:, :rank], right_t[:rank, :].T
    error = float(ROUNDING_UNIT * values[0] / values[rank - 1])
    return _reduce(embedding, left, values[:rank], right, found, error)


def lanczos(embedding: DelayEmbedding, rank: Rank) -> RightReduced:
    """Randomised block Lanczos with matrix-free products: the delayed matrix is never built.

    The leading left singular vectors of X are the Ritz vectors of X Xᵀ in the block Krylov space
    of a random start. The space grows until the subspace kept is exact to ``TOLERANCE`` (Golub and
    Underwood 1977; Musco and Musco, NeurIPS 2015). It works with squared singular values, so it
    sees none below 1e-7 of the largest.

    Parameters
    ----------
    embedding
        The trajectories; X and Y have its ``shape`` (rows, pairs).
    rank
        Number of directions kept, at most ``min(embedding.shape)``.

    Returns
    -------
    Reduced
        Of this rank.

    Raises
    ------
    InputError
        If the rank is None or a name, or above what the data can give, or if the trajectories are
        not finite or never move.
    """
    if rank is None or isinstance(rank, str):
        raise InputError("solver: 'lanczos' needs a rank; give rank, or solver='full'")
    xp = embedding.xp
    rows, columns = embedding.shape
    width = min(WIDTH, rows, columns)
    # Fixed, so that the same data give the same bytes.
    start = np.random.default_rng(0).standard_normal((columns, width))
    block = xp.linalg.qr(embedding.times(embedding.asarray(start)))[0]
    basis, images = block, [embedding.transposed_times(block)]
    projected = np.zeros((0, 0))
    while True:
        grown = embedding.times(images[-1])
        inner = basis.T @ grown
        projected = krylov.bordered(projected, to_numpy(inner))
        squares, turn = (part[..., ::-1] for part in np.linalg.eigh(projected))
        newest, floor = block.shape[1], ROUNDING * squares[0]
        block, coupling = krylov.beyond(basis, grown - basis @ inner, floor, embedding)
        if not len(coupling):
            # Nothing is new: the space holds all that X can give.
            break
        if len(projected) > rank:
            errors = coupling @ turn[-newest:, :rank]
            # The error of the kept subspace is its residual over the gap to what is left out.
            gap = squares[rank - 1] - squares[rank]
            if np.linalg.norm(errors, axis=0).max() <= max(TOLERANCE * gap, floor):
                break
        if len(projected) + block.shape[1] > min(rows, columns):
            # The space is all there is: a dense decomposition costs no more.
            return full(embedding, rank)
        basis = xp.concat([basis, block], axis=1)
        images.append(embedding.transposed_times(block))
    values = np.sqrt(np.clip(squares, 0, None))
    found = min(_numerical_rank(values, embedding), _seen_by_squares(values, embedding))
    rank = _kept(rank, found, values, embedding)
    turn, values = embedding.asarray(turn[:, :rank].copy()), values[:rank]
    left = basis @ turn
    right = (xp.concat(images, axis=1) @ turn) / embedding.asarray(values)
    return _reduce(embedding, left, values, right, None, _error_of_squares(values))


def gram(embedding: DelayEmbedding, rank: Rank) -> RightReduced:
    """Method of snapshots: many weights, few snapshots, streamed over blocks of weights.

    The weights are met once, in inner products of each run's first state and of its steps from one
    state to the next. These are of like size and nearly independent, whereas the states are almost
    the same vector: so squaring costs little of the precision that inner products of states would
    lose [ours]. All else happens in the coordinates that the inner products give.
    """
    products = _delayed(_inner_products(embedding), embedding)
    reduced = of_products(products, embedding.pairs, embedding, rank)
    return replace(reduced, right=embedding.asarray(reduced.right))


def of_products(
    products: np.ndarray, pairs: Sequence[int], size: Size | DelayEmbedding, rank: Rank
) -> RightReduced:
    """Reduced operator from inner products of each run's first state and of its steps alone.

    Parameters
    ----------
    products
        Shape (sum of pairs + 1, the same): row by row the first state of a run, then its
        differences of successive states.
    pairs
        Number of pairs of successive states of each run.
    size
        Shape and precision of the data that the products come from.
    rank
        As for :func:`koopscope.koopman.fit`.

    Raises
    ------
    InputError
        See :func:`koopscope.koopman.fit`.
    """
    lengths = np.sqrt(np.diag(products))
    scale = np.where(lengths > 0, lengths, 1)
    squares, axes = np.linalg.eigh(products / scale / scale[:, None])
    seen = squares > max(size.shape) * np.finfo(np.float64).eps * squares[-1]
    steps = np.sqrt(np.abs(squares))[:, None] * axes.T * scale
    # States are sums of steps, run by run; the last of a run has no successor.
    ends = np.cumsum(np.array(pairs) + 1)
    runs = [np.cumsum(part, axis=1) for part in np.split(steps, ends[:-1], axis=1)]
    states = np.concatenate([run[:, :-1] for run in runs], axis=1)
    unseen, states = states[~seen], states[seen]
    successors = np.concatenate([run[seen, 1:] for run in runs], axis=1)
    left, values, right_t = np.linalg.svd(states, full_matrices=False)
    found = _numerical_rank(values, size)
    rank = _kept(rank, found, values, size)
    left, values, right = left[:, :rank], values[:rank], right_t[:rank].T
    image = successors @ (right / values)
    operator = left.T @ image
    excess = np.linalg.qr(image - left @ operator)[1]
    # Products are off by a rounding of the largest of their matrix, which takes part in a direction
    # of the states as far as that lies along small directions of the steps: a tenth of the bound,
    # since errors are never all aligned. What is not seen at all is orthogonal to what is, so its
    # square counts.
    exposed = np.linalg.norm(left / np.sqrt(squares[seen])[:, None], axis=0)
    error = ROUNDING_UNIT * squares[-1] * np.max(exposed * values) * np.max(exposed / values) / 10
    error = max(error, (np.linalg.norm(unseen) / values[-1]) ** 2)
    return RightReduced(values, operator, excess, found, right.copy(), error=float(error))


def eigenpairs(operator: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues by falling modulus, of a conjugate pair the upper one first, and unit vectors.

    The operator is real, shape (rank, rank); shapes (mode,) and (rank, mode), complex.
    """
    eigenvalues, vectors = np.linalg.eig(operator)
    eigenvalues, vectors = eigenvalues.astype(complex), vectors.astype(complex)
    # Rounded moduli, so that the two of a conjugate pair stay neighbours.
    order = np.lexsort((-eigenvalues.imag, -eigenvalues.real, -np.abs(eigenvalues).round(12)))
    return eigenvalues[order], vectors[:, order]


def covariance(embedding: DelayEmbedding, rank: Rank) -> LeftReduced:
    """Few delayed weights, many steps: all from inner products over time, met once.

    X Xᵀ and Y Xᵀ are blocks of one small matrix, and Y V S⁻¹ = Y Xᵀ U S⁻². Its cost beside these
    products does not depend on the number of steps. Like every product of inner products it sees no
    singular value below 1e-7 of the largest.
    """
    products = _over_time(embedding)
    rows = embedding.shape[0]
    squares, axes = np.linalg.eigh(products[:rows, :rows])
    values = np.sqrt(np.clip(squares[::-1], 0, None))
    found = min(_numerical_rank(values, embedding), _seen_by_squares(values, embedding))
    rank = _kept(rank, found, values, embedding)
    left, values = axes[:, ::-1][:, :rank], values[:rank]
    image = products[-rows:, :rows] @ (left / values**2)
    operator = left.T @ image
    # NumPy's stubs do not know that this mode gives one array.
    excess = cast(np.ndarray, np.linalg.qr(image - left @ operator, mode="r"))
    error = _error_of_squares(values)
    return LeftReduced(values, operator, excess, found, left, image, error=error)


def _reduce(
    embedding: DelayEmbedding,
    left: Array,
    values: np.ndarray,
    right: Array,
    numerical_rank: int | None,
    error: float,
) -> RightReduced:
    xp = embedding.xp
    image = embedding.times(right / embedding.asarray(values), shift=1)
    operator = left.T @ image
    excess = xp.linalg.qr(image - left @ operator)[1]
    operator, excess = to_numpy(operator), to_numpy(excess)
    return RightReduced(values, operator, excess, numerical_rank, right, error=error)


def _over_time(embedding: DelayEmbedding) -> np.ndarray:
    """Sums over time of x_{t+i} x_{t+j}ᵀ for i, j up to one more than the delays.

    Shape (rows + weights, rows + weights): X Xᵀ is its upper left block, Y Xᵀ its lower left one.
    """
    xp, lags = embedding.xp, range(embedding.delays + 2)
    step = max(1, GRAM_BLOCK_BYTES // (8 * (embedding.shape[0] + embedding.weights)))
    products = 0
    for run, pairs in zip(embedding.runs(embedding.loaded()), embedding.pairs, strict=True):
        series = xp.asarray(run.T, copy=True)
        for low in range(0, pairs, step):
            high = min(low + step, pairs)
            lagged = xp.concat([series[:, low + lag : high + lag] for lag in lags], axis=0)
            products = products + lagged @ lagged.T
    return to_numpy(products)


def _inner_products(embedding: DelayEmbedding) -> np.ndarray:
    """Inner products of each run's first state and steps, in double precision.

    Shape (sum of steps, sum of steps): row by row the first state of a run, then its differences of
    successive states.
    """
    total = sum(embedding.lengths)
    products = np.zeros((total, total))
    width = max(1, GRAM_BLOCK_BYTES // (8 * total))
    moved, largest = False, 0
    for _, (moves, exponent, part) in embedding.mapped(_products_of_steps, width):
        moved = moved or moves
        # Of blocks beyond what can be squared, the largest decides; small ones join in its unit.
        if abs(exponent) > abs(largest) and (not products.any() or exponent > largest):
            products, largest = divided(products, 2 * (exponent - largest)), exponent
        products += divided(part, 2 * (largest - exponent))
    if not moved:
        raise InputError(CONSTANT)
    embedding.exponent += largest
    return products


def _products_of_steps(embedding: DelayEmbedding, snapshots: Array) -> tuple[bool, int, np.ndarray]:
    """Whether a block of weights moves, its scale, and inner products of first states and steps."""
    exponent, parts = embedding.excess(snapshots), []
    for run in embedding.runs(divided(snapshots, exponent)):
        parts += [run[:1], run[1:] - run[:-1]]
    steps = embedding.xp.concat(parts, axis=0)
    return embedding.moves(snapshots), exponent, to_numpy(steps @ steps.T)


def _delayed(products: np.ndarray, embedding: DelayEmbedding) -> np.ndarray:
    """Inner products of first delayed states and delayed steps, from those without delays."""
    begins = np.cumsum([0, *embedding.lengths[:-1]])
    counts = [pairs + 1 for pairs in embedding.pairs]
    rows = np.concatenate([np.arange(n) + begin for n, begin in zip(counts, begins, strict=True)])
    firsts = np.cumsum([0, *counts[:-1]])
    total: Array = 0
    for delay in range(embedding.delays + 1):
        # A state after the first is the first and the steps since.
        half = products[rows + delay]
        half[firsts] = sum(products[begins + j] for j in range(delay + 1))
        block = half[:, rows + delay]
        block[:, firsts] = sum(half[:, begins + j] for j in range(delay + 1))
        total = total + block
    return total


def _numerical_rank(values: np.ndarray, size: Size | DelayEmbedding) -> int:
    """Count the singular values above the rounding of the data's own precision."""
    growth = max(size.shape)
    if size.dtype == np.float32:
        # Rounding errors of single-precision data are independent, so they add up like a square
        # root; the worst case would throw half of a real spectrum away.
        growth = np.sqrt(growth)
    return int(np.sum(values > growth * np.finfo(size.dtype).eps * values[0]))


def _error_of_squares(values: np.ndarray) -> float:
    return float(ROUNDING_UNIT * (values[0] / values[-1]) ** 2)


def _seen_by_squares(values: np.ndarray, embedding: DelayEmbedding) -> int:
    """Count the singular values that survive being squared in double precision."""
    tolerance = np.sqrt(max(embedding.shape) * np.finfo(np.float64).eps)
    return int(np.sum(values > tolerance * values[0]))


def _kept(rank: Rank, found: int, values: np.ndarray, size: Size | DelayEmbedding) -> int:
    if found == 0:
        raise InputError(
            "trajectories: every state that has a successor is 0, so there is nothing to fit; "
            "check the observable"
        )
    if rank is None:
        return found
    if rank == ALL:
        return int(np.sum(values > 0))
    if rank == ROUNDING_RANK:
        return _above_rounding(values, size)
    if rank > found:
        raise RankError(
            f"rank: {rank} is more than the data can give; their numerical rank is {found}: "
            f"give at most {found}, or none for all of it",
            found,
        )
    return rank


def _above_rounding(values: np.ndarray, size: Size | DelayEmbedding) -> int:
    """Count the singular values above the size of the stored numbers' own rounding.

    An error uniform in ± half a unit in the last place has at most the standard deviation
    eps |x| / √12, so all errors together have at most the Frobenius norm eps ‖X‖ / √12; what the
    computation in double precision adds counts as in the numerical rank.
    """
    stored = np.finfo(size.dtype).eps / np.sqrt(12) * np.linalg.norm(values)
    computed = max(size.shape) * np.finfo(np.float64).eps * values[0]
    return int(np.sum(values > max(stored, computed)))
