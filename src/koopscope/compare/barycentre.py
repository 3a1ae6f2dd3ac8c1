"""Which eigenvalues of several seeds belong together."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def matched_modes(values: np.ndarray, rounds: int = 20) -> list[np.ndarray]:
    """Group the eigenvalues of several seeds into modes by optimal matching.

    Starts from the seed whose spectrum is nearest to all others and then alternates between
    matching each seed to the means and taking means: a barycentre for the Wasserstein distance.

    Parameters
    ----------
    values : ndarray of complex, shape (seeds, modes)
        Spectra, padded with NaN.

    Returns
    -------
    list of ndarray
        The eigenvalues of each mode, at most one from each seed. As many modes as the seed that
        it started from has; eigenvalues that other seeds have beyond that are left out.
    """
    found = [row[np.isfinite(row)] for row in values]
    found = [row for row in found if row.size]
    if not found:
        return []

    def match(centres: np.ndarray) -> tuple[list[list[complex]], float]:
        modes: list[list[complex]] = [[] for _ in centres]
        cost = 0.0
        for row in found:
            gaps = np.abs(row[:, None] - centres[None, :])
            for i, j in zip(*linear_sum_assignment(gaps), strict=True):
                modes[j].append(row[i])
                cost += gaps[i, j] / min(gaps.shape)
        return modes, cost

    largest = max(row.size for row in found)
    modes, _ = min((match(row) for row in found if row.size == largest), key=lambda m: m[1])
    for _ in range(rounds):
        centres = np.array([np.mean(mode) for mode in modes])
        modes, _ = match(centres)
        modes = [mode for mode in modes if mode]
        if np.array_equal(centres, [np.mean(mode) for mode in modes]):
            break
    return [np.array(mode) for mode in modes]
