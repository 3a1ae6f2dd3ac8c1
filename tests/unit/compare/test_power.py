"""How many seeds would settle a comparison: what is foreseen, and whether it comes true."""

import numpy as np
import pytest
from scipy import stats

from koopscope.compare.power import MOST, seeds_needed
from koopscope.compare.transport import distance_matrix
from koopscope.compare.verdict import Comparison, compare
from koopscope.compare.words import INCONCLUSIVE


def found(effect, low, high, least=0.001, p=0.4):
    return Comparison(1.0, effect, effect, low, high, 0.1, p, least)


def test_beyond_two_hundred_seeds_nothing_is_foreseen():
    assert MOST == 200
    # Of 200 and 200 half an interval and 0.84 are 2.811 deviations, each √(8 / 200) of that of
    # eight: 0.0171 there makes 0.0096 of log effect.
    half = 2.293 * 0.0171
    effects = [1.1 * np.exp(-gap) for gap in (0.0098, 0.0094)]
    needed = [seeds_needed(found(e, e * np.exp(-half), e * np.exp(half)), 8, 8) for e in effects]
    assert 190 < needed[0].seeds <= 200
    assert needed[1].seeds is None


def test_what_is_settled_needs_nothing():
    assert seeds_needed(found(1.0, 0.9, 1.05), 8, 8) is None
    assert seeds_needed(found(2.0, 1.5, 2.6, p=0.001), 8, 8) is None


def test_too_few_for_any_p_need_as_many_as_reach_the_level():
    least = found(3.0, 2.0, 4.0, least=0.1)
    assert seeds_needed(least, 3, 3).seeds == 4
    # Holm multiplies the smallest p by the number of tests: 2/70 · 3 is above the level.
    assert seeds_needed(least, 3, 3, tests=3).seeds == 5
    # Two of each reach 2/6.
    assert seeds_needed(found(3.0, 2.0, 4.0, least=1.0), 1, 1, alpha=0.4).seeds == 2
    assert seeds_needed(least, 3, 3).reason == f"p can then reach {2 / 70:.2g}"
    assert seeds_needed(least, 3, 3, tests=3).reason == f"p can then reach {3 * 2 / 252:.2g}"


def test_no_seeds_help_where_the_effect_is_the_smallest_of_interest():
    needed = seeds_needed(found(1.1, 1.0, 1.2), 8, 8)
    assert needed.seeds is None
    assert needed.reason == f"the effect found, 1.1, is too close to 1.1 for {MOST} seeds to tell"


def test_more_are_needed_the_wider_the_interval_and_the_nearer_the_effect():
    narrow, wide = found(1.0, 0.93, 1.12), found(1.0, 0.85, 1.25)
    near = found(1.05, 0.98, 1.18)
    counts = [seeds_needed(one, 8, 8).seeds for one in (narrow, wide, near)]
    assert counts[0] < counts[1] and counts[0] < counts[2]


def test_the_seeds_foreseen_keep_the_smallest_effect_outside_with_their_own_interval():
    # Half an interval of 8 and 8 is t(14) √(8/7) = 2.293 deviations; of n and n it has to be, with
    # 0.84 more for four in five, below the gap to 1.1: 0.0854 of log effect.
    alike = found(1.01, 0.90, 1.13)
    deviation = np.log(1.13 / 0.90) / (2 * 2.145 * np.sqrt(8 / 7))
    gap = np.log(1.1 / 1.01)
    reach = [
        (stats.t.ppf(0.975, 2 * n - 2) * np.sqrt(n / (n - 1)) + 0.84) * deviation * np.sqrt(8 / n)
        for n in range(2, 60)
    ]
    least = 2 + int(np.argmax(np.array(reach) < gap))
    assert seeds_needed(alike, 8, 12).seeds != least
    needed = seeds_needed(alike, 8, 8)
    assert needed.seeds == least == 23
    assert needed.reason == "the interval would then probably lie below 1.1"
    above = seeds_needed(found(1.3, 1.05, 1.6), 8, 8)
    assert above.reason == "the interval would then probably lie above 1.1"


def test_a_group_of_one_seed_needs_what_p_needs_whatever_its_interval():
    assert seeds_needed(found(1.3, 1.05, 1.6, least=0.1), 1, 8).seeds == 4


def test_where_permutations_cannot_reach_the_level_more_of_them_are_asked_for():
    few = found(3.0, 2.0, 4.0, least=0.1)
    # With seven of each all 3,432 labellings are gone through, with eight 99 are drawn.
    assert seeds_needed(few, 8, 8, alpha=1e-3, permutations=99).seeds == 7
    none = seeds_needed(few, 8, 8, alpha=1e-4, permutations=99)
    assert none.seeds is None and none.reason.startswith("give more permutations")


@pytest.mark.parametrize("shift", [0.0, 1.6])
def test_most_comparisons_with_the_seeds_foreseen_are_settled(shift):
    """Points on a line, whose effect is known; what ten of each foresee is tried on new draws."""
    rng = np.random.default_rng(3)

    def drawn(n):
        at = np.concatenate([rng.normal(0, 1, n), rng.normal(shift, 1, n)])
        distances = distance_matrix([[x] for x in at])
        return compare(distances, range(n), range(n, 2 * n), permutations=199, bootstrap=200)

    settled, tried = 0, 0
    for _ in range(40):
        needed = seeds_needed(drawn(10), 10, 10)
        if needed is not None and needed.seeds is not None:
            tried += 1
            settled += drawn(needed.seeds).verdict(0.05, 1.1) != INCONCLUSIVE
    assert tried >= 10
    # Asked for are four in five; what is foreseen rests on ten seeds' guess of the effect.
    assert settled / tried > 0.55
