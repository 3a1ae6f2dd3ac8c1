"""Delays and rank by a rule, from how long and how large the data are and from nothing else.

A delayed state spans at most a twentieth of the run, so that hundreds of pairs of states are left
of it. Five directions hold what a single noisy run has in common with others; with more the
spectrum fits the run's noise (docs/how-many-seeds.md has the measurements, docs/decisions.md what
was chosen before and after them).
"""

from dataclasses import dataclass

# Longest delay, and the share of the run that it may span.
MOST_DELAYS, SHARE = 32, 20
RANK = 5
# Pairs of states for each direction kept.
PAIRS_A_DIRECTION = 5


@dataclass(frozen=True)
class Choice:
    """Delays and rank, and why.

    Attributes
    ----------
    delays, rank
        As for :func:`koopscope.koopman.fit`.
    reason
        The rule with the numbers that it was given.
    """

    delays: int
    rank: int
    reason: str


def choose(
    snapshots: int, features: int, delays: int | None = None, rank: int | None = None
) -> Choice:
    """Delays and rank for runs of so many snapshots of so many numbers.

    Parameters
    ----------
    snapshots
        Of the shortest run that is fitted by itself, at least 3.
    features
        Numbers of a snapshot.
    delays, rank
        Where one of them is given, the other is chosen to go with it.

    Returns
    -------
    Choice
        The same for all runs that are compared.

    Examples
    --------
    >>> from koopscope.koopman import choose
    >>> choose(snapshots=1000, features=400)
    Choice(delays=32, rank=5, reason='delays min(32, 1000 // 20), rank 5')
    >>> choose(snapshots=40, features=1).rank
    3
    """
    reasons = []
    if delays is None:
        delays = min(MOST_DELAYS, snapshots // SHARE)
        reasons.append(f"delays min({MOST_DELAYS}, {snapshots} // {SHARE})")
    else:
        reasons.append("delays as given")
    if rank is None:
        pairs = snapshots - delays - 1
        most = {
            f"{(delays + 1) * features} numbers of a delayed state": (delays + 1) * features,
            f"{pairs} pairs of states // {PAIRS_A_DIRECTION}": pairs // PAIRS_A_DIRECTION,
        }
        least = min(most, key=lambda said: most[said])
        rank = max(1, min(RANK, most[least]))
        reasons.append(f"rank {RANK}" if rank == RANK else f"rank {rank} of the {least}")
    else:
        reasons.append("rank as given")
    return Choice(delays, rank, ", ".join(reasons))
