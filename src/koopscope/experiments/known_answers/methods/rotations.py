"""Angles between small matrices after the best rotation, of many pairs at once.

The descent of dynamical similarity analysis (Ostrow et al., NeurIPS 2023) as dsa-metric 2.0.2 does
it pair by pair: the same parameters, start and optimiser, a hundred times as fast.
"""

import math

import numpy as np
import torch

# Pairs that descend together: as many as leave their matrices in a processor's cache.
TOGETHER = 1000


def angles(matrices: np.ndarray, iterations: int, rate: float, seed: int = 0) -> np.ndarray:
    """Procrustes angles over vector fields between all pairs.

    For matrices A and B the least arccos of ⟨A, C B Cᵀ⟩ / (|A| |B|) over rotations C that a descent
    finds, the better of two: from B, and from B with its first two coordinates swapped, since a
    rotation cannot become a reflection. C is the Cayley transform of a skew matrix, which is that
    of a small network of three layers.

    Parameters
    ----------
    matrices
        Shape (run, n, n), none of them 0.
    iterations, rate
        Steps of Adam and their size.
    seed
        Of the networks' first weights.

    Returns
    -------
    numpy.ndarray
        Shape (run, run), in radians, from 0 to π; symmetric with a zero diagonal.
    """
    fields = torch.as_tensor(np.asarray(matrices), dtype=torch.float32)
    fields = fields / torch.linalg.norm(fields, dim=(1, 2), keepdim=True)
    generator = torch.Generator().manual_seed(seed)
    later, earlier = np.tril_indices(len(fields), -1)
    found = np.zeros((len(fields), len(fields)))
    for low in range(0, len(later), TOGETHER):
        i, j = (which[low : low + TOGETHER] for which in (later, earlier))
        found[i, j] = found[j, i] = _least(fields[i], fields[j], iterations, rate, generator)
    return found


def _least(
    first: torch.Tensor,
    second: torch.Tensor,
    iterations: int,
    rate: float,
    generator: torch.Generator,
) -> np.ndarray:
    """Angle of each pair, shape (pair,), of matrices (pair, n, n) of norm 1."""
    pairs, n, _ = first.shape
    identity = torch.eye(n)
    swap = identity[[1, 0, *range(2, n)]] if n > 1 else identity
    first, second = torch.cat([first, first]), torch.cat([second, swap @ second @ swap.T])
    shape = (2 * pairs, n, n)
    # As torch.nn.Linear starts.
    layers = [(2 * torch.rand(shape, generator=generator) - 1) / math.sqrt(n) for _ in range(3)]
    parameters = [p.requires_grad_() for p in (*layers, identity.expand(shape).clone())]
    optimizer = torch.optim.Adam(parameters, lr=rate)

    def turned() -> torch.Tensor:
        *weights, free = parameters
        free = torch.tanh(torch.tanh(free @ weights[0].mT) @ weights[1].mT) @ weights[2].mT
        skew = free - free.mT
        rotation = torch.linalg.solve(identity + skew, identity - skew)
        return rotation @ second @ rotation.mT

    for _ in range(iterations):
        optimizer.zero_grad()
        # Pairs share nothing, so each descends on its own part of the sum.
        ((first - turned()) ** 2).sum().backward()
        optimizer.step()
    with torch.no_grad():
        cosines = (first * turned()).sum(dim=(1, 2)).clamp(-1, 1)
        return torch.arccos(torch.maximum(*cosines.split(pairs))).double().numpy()
