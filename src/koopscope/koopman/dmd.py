"""Dynamic mode decomposition: three ways to the same reduced operator.

With X = U S Vᵀ truncated to rank r, the operator on the leading r directions is
K = Uᵀ Y V S⁻¹ (Schmid 2010, Tu et al. 2014). Its eigenpairs (λ, w) carry the data-driven residual
‖Y V S⁻¹ w − λ U w‖ of Drmač, Mezić and Mohr (SIAM J. Sci. Comput. 40, 2018); since Uᵀ Y V S⁻¹ = K,
that is ‖E w‖ with E = Y V S⁻¹ − U K.
"""

from dataclasses import dataclass

import numpy as np

from koopscope.errors import InputError
from koopscope.koopman.embedding import CONSTANT, Array, DelayEmbedding, to_numpy

# Fewer columns a product waste the processor; more waste products.
MIN_BLOCK = 4
# Error allowed in the leading singular subspace. Real trajectories' eigenvalues end within 1e-10 of
# those of a dense decomposition.
TOLERANCE = 1e-10
ROUNDING = 1e-14
GRAM_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Reduced:
    """Reduced operator with all that the spectrum needs.

    Attributes
    ----------
    singular_values
        Of X, kept ones, shape (rank,).
    right
        Right singular vectors V, shape (pairs, rank), in the trajectories' array library.
    operator
        K, shape (rank, rank).
    excess
        Triangular factor of E, shape (rank, rank): ‖excess w‖ is the residual of (λ, w).
    numerical_rank
        Of X, or None where the solver need not find it.
    """

    singular_values: np.ndarray
    right: Array
    operator: np.ndarray
    excess: np.ndarray
    numerical_rank: int | None


def full(embedding: DelayEmbedding, rank: int | None) -> Reduced:
    """Dense singular value decomposition: for small or ill-conditioned data and full rank."""
    xp = embedding.xp
    left, values, right_t = xp.linalg.svd(embedding.matrix(), full_matrices=False)
    values = to_numpy(values)
    found = _numerical_rank(values, embedding)
    rank = _kept(rank, found)
    left, right = left[:, :rank], right_t[:rank, :].T
    return _reduce(embedding, left, values[:rank], right, found)


def hankel(embedding: DelayEmbedding, rank: int | None) -> Reduced:
    """Randomised block Lanczos with matrix-free products: the delayed matrix is never built.

    The leading left singular vectors of X are the Ritz vectors of X Xᵀ in the block Krylov space
    of a random start. The space grows until the subspace kept is exact to ``TOLERANCE`` (Golub and
    Underwood 1977; Musco and Musco, NeurIPS 2015). It works with squared singular values, so it
    sees none below 1e-7 of the largest.
    """
    if rank is None:
        raise InputError("solver: 'hankel' needs a rank; give rank, or solver='full'")
    xp = embedding.xp
    rows, columns = embedding.shape
    width = min(max(rank // 2, MIN_BLOCK), rows, columns)
    # Fixed, so that the same data give the same bytes.
    start = np.random.default_rng(0).standard_normal((columns, width))
    block = xp.linalg.qr(embedding.times(embedding.asarray(start)))[0]
    basis, images = block, embedding.transposed_times(block)
    projected = np.zeros((0, 0))
    while True:
        grown = embedding.times(images[:, -block.shape[1] :])
        inner = basis.T @ grown
        projected = _bordered(projected, to_numpy(inner))
        squares, turn = (part[..., ::-1] for part in np.linalg.eigh(projected))
        # Twice is enough to keep the basis orthogonal to rounding.
        grown = grown - basis @ inner
        grown = grown - basis @ (basis.T @ grown)
        block, coupling = xp.linalg.qr(grown)
        if len(projected) > rank:
            errors = to_numpy(coupling) @ turn[-block.shape[1] :, :rank]
            # The error of the kept subspace is its residual over the gap to what is left out.
            gap = squares[rank - 1] - squares[rank]
            enough = max(TOLERANCE * gap, ROUNDING * squares[0])
            if np.linalg.norm(errors, axis=0).max() <= enough:
                break
        if len(projected) + block.shape[1] > min(rows, columns):
            # The space is all there is: a dense decomposition costs no more.
            return full(embedding, rank)
        basis = xp.concat([basis, block], axis=1)
        images = xp.concat([images, embedding.transposed_times(block)], axis=1)
    values = np.sqrt(np.clip(squares, 0, None))
    rank = _kept(rank, min(_numerical_rank(values, embedding), _seen_by_squares(values, embedding)))
    turn, values = embedding.asarray(turn[:, :rank].copy()), values[:rank]
    left = basis @ turn
    right = (images @ turn) / embedding.asarray(values)
    return _reduce(embedding, left, values, right, None)


def gram(embedding: DelayEmbedding, rank: int | None) -> Reduced:
    """Method of snapshots: many weights, few snapshots, streamed over blocks of weights.

    Works with inner products of snapshots alone, which squares the condition number: singular
    values below the square root of the rounding of double precision are not seen.
    """
    snapshots = _inner_products(embedding)
    first = np.concatenate(
        [
            np.arange(n) + offset
            for n, offset in zip(
                embedding.pairs, np.cumsum([0, *embedding.lengths[:-1]]), strict=True
            )
        ]
    )

    def delayed(row: int, column: int) -> np.ndarray:
        steps = range(embedding.delays + 1)
        return sum(snapshots[np.ix_(first + row + j, first + column + j)] for j in steps)

    xx, xy, yy = delayed(0, 0), delayed(0, 1), delayed(1, 1)
    squares, vectors = np.linalg.eigh(xx)
    values = np.sqrt(np.clip(squares[::-1], 0, None))
    found = min(_numerical_rank(values, embedding), _seen_by_squares(values, embedding))
    rank = _kept(rank, found)
    right, values = vectors[:, ::-1][:, :rank], values[:rank]
    scaled = right / values
    operator = scaled.T @ xy @ scaled
    # EᵀE = (Y V S⁻¹)ᵀ(Y V S⁻¹) − KᵀK, positive up to rounding.
    excess2, axes = np.linalg.eigh(scaled.T @ yy @ scaled - operator.T @ operator)
    excess = np.sqrt(np.clip(excess2, 0, None))[:, None] * axes.T
    return Reduced(values, embedding.asarray(right.copy()), operator, excess, found)


def _reduce(
    embedding: DelayEmbedding,
    left: Array,
    values: np.ndarray,
    right: Array,
    numerical_rank: int | None,
) -> Reduced:
    xp = embedding.xp
    image = embedding.times(right / embedding.asarray(values), shift=1)
    operator = left.T @ image
    excess = xp.linalg.qr(image - left @ operator)[1]
    return Reduced(values, right, to_numpy(operator), to_numpy(excess), numerical_rank)


def _inner_products(embedding: DelayEmbedding) -> np.ndarray:
    """Inner products of all snapshots, shape (sum of steps, sum of steps), in double precision."""
    total = sum(embedding.lengths)
    products = np.zeros((total, total))
    width = max(1, GRAM_BLOCK_BYTES // (8 * total))
    moved = False
    for _, snapshots in embedding.blocks(width):
        moved = moved or embedding.moves(snapshots)
        products += to_numpy(snapshots @ snapshots.T)
    if not moved:
        raise InputError(CONSTANT)
    return products


def _numerical_rank(values: np.ndarray, embedding: DelayEmbedding) -> int:
    """Count the singular values above the rounding of the data's own precision."""
    growth = max(embedding.shape)
    if embedding.dtype == np.float32:
        # Rounding errors of single-precision data are independent, so they add up like a square
        # root; the worst case would throw half of a real spectrum away.
        growth = np.sqrt(growth)
    return int(np.sum(values > growth * np.finfo(embedding.dtype).eps * values[0]))


def _seen_by_squares(values: np.ndarray, embedding: DelayEmbedding) -> int:
    """Count the singular values that survive being squared in double precision."""
    tolerance = np.sqrt(max(embedding.shape) * np.finfo(np.float64).eps)
    return int(np.sum(values > tolerance * values[0]))


def _bordered(projected: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Symmetric projection of X Xᵀ, grown by the inner products with its newest block."""
    n, old = len(inner), len(projected)
    grown = np.zeros((n, n))
    grown[:old, :old] = projected
    grown[:, old:] = inner
    grown[old:, :] = inner.T
    return grown


def _kept(rank: int | None, found: int) -> int:
    if found == 0:
        raise InputError(
            "trajectories: every state that has a successor is 0, so there is nothing to fit; "
            "check the observable"
        )
    if rank is None:
        return found
    if rank > found:
        raise InputError(
            f"rank: {rank} is more than the data can give; their numerical rank is {found}: "
            f"give at most {found}, or none for all of it"
        )
    return rank
