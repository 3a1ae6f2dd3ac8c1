"""Dynamic mode decomposition: three ways to the same reduced operator.

With X = U S Vᵀ truncated to rank r, the operator on the leading r directions is
K = Uᵀ Y V S⁻¹ (Schmid 2010, Tu et al. 2014). Its eigenpairs (λ, w) carry the data-driven residual
‖Y V S⁻¹ w − λ U w‖ of Drmač, Mezić and Mohr (SIAM J. Sci. Comput. 40, 2018); since Uᵀ Y V S⁻¹ = K,
that is ‖E w‖ with E = Y V S⁻¹ − U K.
"""

from dataclasses import dataclass

import numpy as np

from koopscope.errors import InputError
from koopscope.koopman.embedding import Array, DelayEmbedding, to_numpy

OVERSAMPLING = 10
MAX_ITERATIONS = 60
SUBSPACE_TOLERANCE = 1e-11
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
    """Randomised subspace iteration with matrix-free products: the delayed matrix is never built.

    Iterates until the leading singular vectors have converged to ``SUBSPACE_TOLERANCE`` of the
    smallest one kept (Halko, Martinsson, Tropp, SIAM Review 53, 2011, with a stopping test).
    """
    if rank is None:
        raise InputError("solver: 'hankel' needs a rank; give rank, or solver='full'")
    xp = embedding.xp
    width = min(rank + OVERSAMPLING, *embedding.shape)
    # Fixed, so that the same data give the same bytes.
    sketch = np.random.default_rng(0).standard_normal((embedding.shape[1], width))
    basis = xp.linalg.qr(embedding.times(embedding.asarray(sketch)))[0]
    for _ in range(MAX_ITERATIONS):
        # Xᵀ Q = V S Wᵀ, hence X ≈ (Q W) S Vᵀ.
        right, values, turn_t = xp.linalg.svd(
            embedding.transposed_times(basis), full_matrices=False
        )
        image = embedding.times(right)
        left = basis @ turn_t.T
        error = to_numpy(xp.linalg.vector_norm(image - left * values, axis=0))[:rank]
        basis = xp.linalg.qr(image)[0]
        sizes = to_numpy(values)
        if error.max() <= SUBSPACE_TOLERANCE * max(sizes[rank - 1], sizes[0] * 1e-5):
            break
    found = _numerical_rank(sizes, embedding)
    rank = _kept(rank, found)
    return _reduce(embedding, left[:, :rank], sizes[:rank], right[:, :rank], None)


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
    tolerance = np.sqrt(max(embedding.shape) * np.finfo(np.float64).eps)
    found = min(int(np.sum(values > tolerance * values[0])), _numerical_rank(values, embedding))
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
    for _, arrays in embedding.blocks(width):
        stacked = embedding.xp.concat(arrays, axis=0)
        moved = moved or any(bool(embedding.xp.any(a[1:] != a[:-1])) for a in arrays)
        products += to_numpy(stacked @ stacked.T)
    if not moved:
        raise InputError(
            "trajectories: no weight ever changes, so there are no dynamics to fit; "
            "check the learning rate and the observable"
        )
    return products


def _numerical_rank(values: np.ndarray, embedding: DelayEmbedding) -> int:
    """Count the singular values above the rounding of the data's own precision."""
    tolerance = max(embedding.shape) * np.finfo(embedding.dtype).eps
    if embedding.dtype == np.float32:
        # Rounding errors of single-precision data are independent, so they add up like a square
        # root; the worst case would throw half of a real spectrum away.
        tolerance = np.sqrt(max(embedding.shape)) * np.finfo(np.float32).eps
    return int(np.sum(values > tolerance * values[0]))


def _kept(rank: int | None, found: int) -> int:
    if rank is None:
        return found
    if rank > found:
        raise InputError(
            f"rank: {rank} is more than the data can give; their numerical rank is {found}: "
            f"give at most {found}, or none for all of it"
        )
    return rank
