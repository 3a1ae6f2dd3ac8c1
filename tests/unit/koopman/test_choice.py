"""The rule for delays and rank: from length and size alone."""

import numpy as np
import pytest

from koopscope.koopman.choice import MOST_DELAYS, PAIRS_A_DIRECTION, RANK, choose
from koopscope.koopman.fitting import fit


@pytest.mark.parametrize("snapshots", [3, 10, 19, 50, 100, 400, 1000, 100_000])
@pytest.mark.parametrize("features", [1, 2, 7, 1000])
def test_what_is_chosen_can_be_fitted(snapshots, features):
    choice = choose(snapshots, features)
    assert 0 <= choice.delays <= MOST_DELAYS and 1 <= choice.rank <= RANK
    pairs = snapshots - choice.delays - 1
    assert choice.rank <= max(1, pairs // PAIRS_A_DIRECTION)
    assert choice.rank <= (choice.delays + 1) * features
    if snapshots <= 1000:
        run = np.random.default_rng(0).normal(size=(snapshots, features)).cumsum(axis=0)
        assert fit([run], choice.delays, choice.rank).rank == choice.rank


def test_longer_runs_never_get_fewer():
    found = [choose(n, 50) for n in range(10, 1200, 7)]
    for name in ("delays", "rank"):
        values = [getattr(choice, name) for choice in found]
        assert values == sorted(values)


def test_the_reason_gives_the_numbers():
    assert choose(400, 760).reason == "delays min(32, 400 // 20), rank 5"
    assert choose(400, 760, delays=3).reason == "delays as given, rank 5"
    assert choose(400, 760, rank=3).reason == "delays min(32, 400 // 20), rank as given"
    few = choose(40, 1)
    assert few.rank == 3 and "rank 3 of the 3 numbers of a delayed state" in few.reason
    short = choose(20, 500)
    assert short.rank == 3 and "18 pairs of states // 5" in short.reason
