"""Groups whose members belong together in twos: runs, and what was made of these very runs."""

from collections.abc import Iterable

import numpy as np


def unpaired(distances: np.ndarray, twins: Iterable[tuple[int, int]]) -> np.ndarray:
    """Distances in which twins are as far apart as strangers of the two groups.

    A run and its own recoding lie closer together than runs of different seeds, which would lower
    the distance between the groups, hence the effect. Each distance of twins is replaced by the
    mean of the others between the groups. The effect is then what groups of different seeds have
    in the mean, and the statistic of the true labels about the mean over all relabellings: where
    recoding makes no difference, p lies near its middle and never near 0.

    Parameters
    ----------
    distances
        Between all members of both groups, symmetric, shape (n, n).
    twins
        Places of a member of the first group and of its twin in the second.

    Returns
    -------
    numpy.ndarray
        Shape (n, n); NaN for the twins where there is but one such pair.

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.compare.paired import unpaired
    >>> at = np.array([0.0, 1.0, 0.0, 1.0])
    >>> unpaired(np.abs(at[:, None] - at), [(0, 2), (1, 3)])[:2, 2:].tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    distances = np.array(distances, dtype=float)
    first, second = np.array(list(twins), dtype=int).reshape(-1, 2).T
    between = distances[np.ix_(first, second)]
    others = between[~np.eye(len(first), dtype=bool)]
    mean = others.mean() if others.size else np.nan
    distances[first, second] = distances[second, first] = mean
    return distances
