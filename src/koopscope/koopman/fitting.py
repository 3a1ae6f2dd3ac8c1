"""One function for every Koopman fit."""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
import xarray as xr

from koopscope.config.coordinates import RAW
from koopscope.errors import InputError
from koopscope.koopman import costs, dmd
from koopscope.koopman.coordinates import embedded
from koopscope.koopman.embedding import Array, DelayEmbedding, divided, to_numpy
from koopscope.koopman.inputs import one_of
from koopscope.koopman.spectrum import Spectrum

Reduced = dmd.RightReduced | dmd.LeftReduced
SOLVERS = ("full", "lanczos", "gram", "covariance")
# Numbers of X up to which its dense decomposition is cheap enough to settle any doubt.
SMALL = 1_000_000
# Numbers that are held in memory without thought: of X, or of the snapshots in double precision.
LARGE = 50_000_000
# Weights for each snapshot from which inner products take little beside the snapshots.
TALL = 4
# Error estimated for the directions kept, up to which no other solver is asked: of 3,000 random
# fits, none with less was further than 2.5e-8 from the dense solver's eigenvalues.
EXACT = 1e-7


def fit(
    trajectories: xr.DataArray | Sequence[Array],
    delays: int = 0,
    rank: dmd.Rank = None,
    solver: str = "auto",
    coordinates: str = RAW,
) -> Spectrum:
    """Estimate the Koopman spectrum that a set of trajectories shares.

    Parameters
    ----------
    trajectories
        A DataArray with dims ``(init, step, weight)``, or ``(step, weight)`` for a single run, or a
        sequence of arrays ``(step, weight)`` of possibly unequal length. All are fitted together;
        pairs of successive states never cross from one trajectory to another.
    delays
        Number of time delays: a delayed state joins ``delays + 1`` successive states.
    rank
        Directions kept of the data; None for their numerical rank; ``"rounding"`` for those above
        the rounding of the numbers as they are stored, a lower bar for single precision; ``"all"``
        for every direction, made of rounding or not. ``"lanczos"`` needs a number.
    solver
        ``"full"`` (dense SVD: ill-conditioned data, full rank), ``"lanczos"`` (matrix-free
        randomised SVD of the delay embedding), ``"gram"`` (method of snapshots, streamed: many
        weights, few snapshots; sees no step below 1e-7 of the others), ``"covariance"`` (few
        delayed weights, many snapshots; sees no direction below 1e-7 of the first) or ``"auto"``:
        ``"full"`` without a rank in numbers, else the one whose work is estimated to be least
        (:mod:`koopscope.koopman.costs`); ``"gram"`` where snapshots alone fill memory. Where the
        one taken sees fewer directions than asked for, or not in enough digits, another goes on:
        of up to a million delayed numbers ``"full"``, of more ``"lanczos"``, then ``"full"`` while
        the delayed matrix is no more than 400 MB. The spectrum names the one that gave it.
    coordinates
        ``"raw"``, the weights as they are; ``"standardised"``, ``"per_step"``,
        ``"normal_scores"``, ``"whitened:k"`` or some of them joined by ``+``: pooled over these
        trajectories, before the delays (:mod:`koopscope.koopman.coordinates`). Modes and predictions are in them.

    Returns
    -------
    Spectrum
        Eigenvalues per step with residuals and amplitudes; modes on demand.

    Raises
    ------
    InputError
        If the trajectories are empty, too short, non-finite or constant, if the rank is above what
        they can give, or if another argument is out of its range.

    References
    ----------
    Redman et al., NeurIPS 2024 (delays, one fit per seed); Drmač, Mezić, Mohr,
    SIAM J. Sci. Comput. 40 (2018) (residuals).

    Examples
    --------
    A spiral that turns by 0.3 and shrinks to 0.9 at each step has the eigenvalues 0.9 exp(±0.3i):

    >>> import numpy as np
    >>> from koopscope.koopman import fit
    >>> turned = 0.9 ** np.arange(30) * np.exp(0.3j * np.arange(30))
    >>> spectrum = fit([np.column_stack([turned.real, turned.imag])])
    >>> np.abs(spectrum.eigenvalues).round(6).tolist()
    [0.9, 0.9]
    >>> np.angle(spectrum.eigenvalues).round(6).tolist()
    [0.3, -0.3]

    One of its two coordinates and a delay give the same:

    >>> np.angle(fit([turned.real[:, None]], delays=1).eigenvalues).round(6).tolist()
    [0.3, -0.3]
    """
    for name, value in (("delays", delays), ("rank", rank)):
        named = value is None or isinstance(value, str)
        everything = name == "rank" and named and value in dmd.NAMED_RANKS
        if not everything and (not isinstance(value, Integral) or isinstance(value, bool)):
            raise InputError(f"{name}: {value!r} is not a whole number")
    embedding = embedded(trajectories, delays, coordinates)
    if not (rank is None or isinstance(rank, str) or 1 <= rank <= min(embedding.shape)):
        raise InputError(f"rank: {rank} is not possible here; give 1 to {min(embedding.shape)}")
    one_of("solver", solver, ("auto", *SOLVERS))
    reduced: Reduced
    if solver == "auto":
        solver, reduced = _reduced(embedding, rank)
    else:
        reduced = getattr(dmd, solver)(embedding, rank)

    eigenvalues, vectors = dmd.eigenpairs(reduced.operator)
    combining: np.ndarray | tuple[np.ndarray, np.ndarray]
    if isinstance(reduced, dmd.LeftReduced):
        first_states, last_states = (reduced.left.T @ states for states in embedding.ends())
        combining = reduced.left @ vectors, reduced.image @ vectors
    else:
        right, ends = to_numpy(reduced.right), np.cumsum(embedding.pairs) - 1
        first_states, last_states = (
            reduced.singular_values[:, None] * right[at].T for at in (embedding.starts, ends)
        )
        combining = (right / reduced.singular_values) @ vectors
    return Spectrum(
        eigenvalues=eigenvalues,
        residuals=np.linalg.norm(reduced.excess @ vectors, axis=0),
        rank=len(eigenvalues),
        numerical_rank=reduced.numerical_rank,
        condition_number=float(reduced.singular_values[0] / reduced.singular_values[-1]),
        singular_values=divided(reduced.singular_values, -embedding.exponent),
        solver=solver,
        delays=delays,
        weight_coordinates=coordinates,
        vectors=vectors,
        _first=divided(first_states, -embedding.exponent),
        _last=divided(last_states, -embedding.exponent),
        _embedding=embedding,
        _combining=combining,
    )


def _reduced(embedding: DelayEmbedding, rank: dmd.Rank) -> tuple[str, Reduced]:
    """By the solver that is estimated to be the fastest, or the next where it sees too little.

    All but the dense one work with inner products, so they do not see small directions, and those
    near that limit in few digits.
    """
    *first, last = _order(embedding, rank)
    for solver in first:
        try:
            reduced = getattr(dmd, solver)(embedding, rank)
        except InputError:
            # Too few directions seen, or something that the next refuses too.
            continue
        # Of large data, what Lanczos sees has to do.
        if reduced.error <= EXACT or (solver == "lanczos" and not _is_small(embedding)):
            return solver, reduced
    return last, getattr(dmd, last)(embedding, rank)


def _order(embedding: DelayEmbedding, rank: dmd.Rank) -> list[str]:
    """Solvers to try, one after the other."""
    if rank is None or isinstance(rank, str):
        return ["full"]
    snapshots = sum(embedding.lengths)
    if embedding.weights * snapshots > LARGE and embedding.weights >= TALL * snapshots:
        # It alone streams.
        return ["gram"]
    work = costs.estimates(embedding, rank)
    order = [min(work, key=work.__getitem__)]
    small = _is_small(embedding)
    if not small:
        order.append("lanczos")
    # Rounding to single precision hides more than inner products do: no solver could see it.
    if small or (math.prod(embedding.shape) <= LARGE and embedding.dtype != np.float32):
        order.append("full")
    return ["full"] if order[0] == "full" else list(dict.fromkeys(order))


def _is_small(embedding: DelayEmbedding) -> bool:
    return math.prod(embedding.shape) <= SMALL
