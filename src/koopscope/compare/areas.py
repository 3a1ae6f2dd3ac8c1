"""Areas under the curve of scores, for weights of groups of runs that are resampled together."""

import numpy as np


def weighted_auc(
    scores: np.ndarray,
    positive: np.ndarray,
    places: np.ndarray,
    weights: np.ndarray,
    within: bool = False,
) -> np.ndarray:
    """Chance that a positive run has the higher score than another, ties half.

    Parameters
    ----------
    scores, positive
        Of each run, shape (run,).
    places
        Which group each run belongs to, such as its seed or its setting; shape (run,).
    weights
        How often each group counts, shape (draw, group).
    within
        Whether runs are compared with runs of their own group alone.

    Returns
    -------
    numpy.ndarray
        Shape (draw,); NaN where one side has no weight or a score is not finite.

    Examples
    --------
    A score that says the group and nothing else:

    >>> import numpy as np
    >>> from koopscope.compare.areas import weighted_auc
    >>> scores, positive = np.array([2, 2, 1, 1]), np.array([True, True, True, False])
    >>> places, once = np.array([0, 0, 1, 1]), np.ones((1, 2))
    >>> weighted_auc(scores, positive, places, once).round(3).tolist()
    [0.833]
    >>> weighted_auc(scores, positive, places, once, within=True).tolist()
    [0.5]
    """
    if not np.isfinite(scores).all():
        return np.full(len(weights), np.nan)
    higher = scores[positive][:, None] - scores[~positive]
    wins = (higher > 0) + 0.5 * (higher == 0)
    groups = np.eye(weights.shape[1])
    one, other = groups[places[positive]], groups[places[~positive]]
    won, pairs = one.T @ wins @ other, one.T @ np.ones_like(wins) @ other
    if within:
        # A group that is drawn twice is there twice, and not compared with its copy.
        area, total = (weights @ np.diagonal(counts) for counts in (won, pairs))
    else:
        area, total = (
            np.einsum("ds,st,dt->d", weights, counts, weights) for counts in (won, pairs)
        )
    return np.where(total > 0, area / np.maximum(total, 1), np.nan)
