"""One function for every Koopman fit."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import xarray as xr

from koopscope.errors import InputError
from koopscope.koopman import dmd
from koopscope.koopman.embedding import Array, DelayEmbedding, to_numpy
from koopscope.koopman.spectrum import Spectrum

SMALL = 1_000_000
TALL = 4
LARGE = 50_000_000


def fit(
    trajectories: xr.DataArray | Sequence[Array],
    delays: int = 0,
    rank: int | str | None = None,
    solver: str = "auto",
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
        ``"full"`` (dense SVD: small or ill-conditioned data, full rank), ``"lanczos"`` (matrix-free
        randomised SVD of the delay embedding), ``"gram"`` (method of snapshots, streamed: many
        weights, few snapshots; sees no step below 1e-7 of the others), ``"covariance"`` (few
        delayed weights, many snapshots; sees no direction below 1e-7 of the first) or ``"auto"``,
        which takes one of the first three.

    Returns
    -------
    Spectrum
        Eigenvalues per step with residuals and amplitudes; modes on demand.

    Raises
    ------
    InputError
        If the trajectories are empty, too short, non-finite or constant, or if the rank is above
        what they can give.

    References
    ----------
    Redman et al., NeurIPS 2024 (delays, one fit per seed); Drmač, Mezić, Mohr,
    SIAM J. Sci. Comput. 40 (2018) (residuals).

    Examples
    --------
    >>> import numpy as np
    >>> decay = np.array([0.9, 0.5]) ** np.arange(20)[:, None]
    >>> fit([decay]).eigenvalues.real.round(6).tolist()
    [0.9, 0.5]
    """
    for name, value in (("delays", delays), ("rank", rank)):
        everything = name == "rank" and value in dmd.NAMED_RANKS
        if not everything and not isinstance(value, Integral):
            raise InputError(f"{name}: {value!r} is not a whole number")
    embedding = DelayEmbedding(trajectories, delays)
    if rank not in dmd.NAMED_RANKS and not 1 <= rank <= min(embedding.shape):
        raise InputError(f"rank: {rank} is not possible here; give 1 to {min(embedding.shape)}")
    if solver == "auto":
        solver = _choose(embedding.shape, rank)
    solvers = {name: getattr(dmd, name) for name in ("full", "lanczos", "gram", "covariance")}
    if solver not in solvers:
        raise InputError(f"solver: unknown {solver!r}; give one of auto, {', '.join(solvers)}")
    reduced = solvers[solver](embedding, rank)

    eigenvalues, vectors = dmd.eigenpairs(reduced.operator)
    if reduced.right is None:
        first_states, last_states = (reduced.left.T @ states for states in embedding.ends())
        combining = {"_short": (reduced.left @ vectors, reduced.image @ vectors)}
    else:
        right, ends = to_numpy(reduced.right), np.cumsum(embedding.pairs) - 1
        first_states, last_states = (
            reduced.singular_values[:, None] * right[at].T for at in (embedding.starts, ends)
        )
        combining = {"_coefficients": (right / reduced.singular_values) @ vectors}
    return Spectrum(
        eigenvalues=eigenvalues,
        residuals=np.linalg.norm(reduced.excess @ vectors, axis=0),
        rank=len(eigenvalues),
        numerical_rank=reduced.numerical_rank,
        condition_number=float(reduced.singular_values[0] / reduced.singular_values[-1]),
        singular_values=reduced.singular_values,
        solver=solver,
        delays=delays,
        vectors=vectors,
        _first=first_states,
        _last=last_states,
        _embedding=embedding,
        **combining,
    )


def _choose(shape: tuple[int, int], rank: int | str | None) -> str:
    rows, columns = shape
    if rank in dmd.NAMED_RANKS or rows * columns <= SMALL:
        return "full"
    if rows * columns > LARGE and rows >= TALL * columns:
        return "gram"
    return "lanczos"
