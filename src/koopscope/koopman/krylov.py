"""A block Krylov space grown by one block, as :func:`koopscope.koopman.dmd.lanczos` needs it."""

import numpy as np

from koopscope.koopman.embedding import Array, DelayEmbedding, to_numpy


def beyond(
    basis: Array, grown: Array, floor: float, embedding: DelayEmbedding
) -> tuple[Array, np.ndarray]:
    """Orthonormal directions of a block beyond a basis, and the block's coordinates along them.

    Columns may be nearly dependent, and are where X has few directions: what is left of them after
    the others is small, and made normal its share of the basis is no rounding error any more. So
    directions below ``floor`` are left out, and the rest is made orthogonal once more at unit
    length.
    """
    xp = embedding.xp
    grown = grown - basis @ (basis.T @ grown)
    block, coupling = xp.linalg.qr(grown)
    turn, sizes, coordinates = np.linalg.svd(to_numpy(coupling))
    kept = sizes > floor
    block = block @ embedding.asarray(turn[:, kept])
    block = xp.linalg.qr(block - basis @ (basis.T @ block))[0]
    return block, sizes[kept, None] * coordinates[kept]


def bordered(projected: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Symmetric projection of X Xᵀ, grown by the inner products with its newest block."""
    n, old = len(inner), len(projected)
    grown = np.zeros((n, n))
    grown[:old, :old] = projected
    grown[:, old:] = inner
    grown[old:, :] = inner.T
    return grown
