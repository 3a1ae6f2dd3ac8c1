import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from koopscope.compare.transport import distance_matrix, wasserstein
from koopscope.compare.verdict import adjusted, compare, effects, swapped_pair_control
from koopscope.errors import InputError
from koopscope.koopman.fitting import fit


def groups(first, second, shift, seed, scale=1.0):
    """Distances between random points of the plane, the second group's shifted."""
    points = np.random.default_rng(seed).normal(size=(first + second, 2), scale=scale)
    points[first:, 0] += shift
    return cdist(points, points), np.arange(first), np.arange(first, first + second)


def energy_by_loops(distances, first, second):
    between = np.mean([distances[i, j] for i in first for j in second])
    inside = [np.mean([distances[i, j] for i in g for j in g]) for g in (first, second)]
    return 2 * between - sum(inside)


def test_the_exact_p_of_a_case_by_hand():
    distances = np.zeros((4, 4))
    for (i, j), value in {(0, 1): 1, (2, 3): 2, (0, 2): 4, (1, 3): 4, (0, 3): 6, (1, 2): 3}.items():
        distances[i, j] = distances[j, i] = value
    # Energies of the three splits into pairs, 2·between - within: {0, 1}: 2·17/4 - 1/2 - 2/2 = 7,
    # {0, 2}: 2·12/4 - 4/2 - 4/2 = 2, {0, 3}: 2·11/4 - 6/2 - 3/2 = 1; each counts with its mirror.
    found = compare(distances, [0, 1], [2, 3])
    assert found.statistic == pytest.approx(7)
    assert found.p_value == found.smallest_p == pytest.approx(2 / 6)
    assert found.between == pytest.approx(17 / 4)
    assert found.within == pytest.approx(3 / 2)
    assert found.effect == pytest.approx(17 / 6)
    middle = compare(distances, [0, 2], [3, 1])
    assert middle.statistic == pytest.approx(2)
    assert middle.p_value == pytest.approx(4 / 6)
    last = compare(distances, [3, 0], [1, 2])
    assert last.statistic == pytest.approx(1)
    assert last.p_value == 1


def test_the_statistic_is_the_energy_distance():
    for sizes in ((4, 4), (3, 6), (1, 5)):
        distances, first, second = groups(*sizes, shift=0.7, seed=1)
        expected = energy_by_loops(distances, first, second)
        assert compare(distances, first, second).statistic == pytest.approx(expected)


def test_the_groups_may_be_any_indices_of_the_matrix():
    distances, first, second = groups(4, 5, shift=1, seed=2)
    order = np.random.default_rng(0).permutation(12)
    larger = np.full((12, 12), np.nan)
    larger[np.ix_(order[:9], order[:9])] = distances
    found = compare(larger, order[:9][first], order[:9][second])
    assert found == compare(distances, first, second)


def test_p_is_about_uniform_where_the_groups_are_alike():
    p = np.array([compare(*groups(5, 5, shift=0, seed=s), bootstrap=0).p_value for s in range(300)])
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        error = np.sqrt(level * (1 - level) / 300)
        assert abs(np.mean(p <= level) - level) < 4 * error + 2 / 252


def test_p_is_about_uniform_too_where_relabellings_are_drawn():
    p = np.array(
        [
            compare(*groups(8, 8, shift=0, seed=s), permutations=99, bootstrap=0).p_value
            for s in range(200)
        ]
    )
    assert p.min() >= 0.01
    for level in (0.1, 0.5):
        assert abs(np.mean(p <= level) - level) < 4 * np.sqrt(level * (1 - level) / 200)


def test_separated_groups_are_distinguished_with_the_smallest_p():
    found = compare(*groups(5, 5, shift=20, seed=0))
    assert found.p_value == found.smallest_p == pytest.approx(2 / 252)
    assert found.effect > 5
    assert found.verdict(0.05, 1.1) == "distinguished"
    unequal = compare(*groups(4, 6, shift=20, seed=0))
    assert unequal.p_value == unequal.smallest_p == pytest.approx(1 / 210)
    drawn = compare(*groups(12, 12, shift=20, seed=0), permutations=199)
    assert drawn.p_value == drawn.smallest_p == pytest.approx(1 / 200)


def test_a_difference_of_spread_alone_is_found_too():
    narrow = np.random.default_rng(0).normal(size=(10, 2), scale=0.05)
    wide = np.random.default_rng(1).normal(size=(10, 2))
    points = np.concatenate([narrow, wide])
    found = compare(cdist(points, points), np.arange(10), np.arange(10, 20))
    assert found.p_value < 0.01


def test_three_words_follow_from_p_and_the_interval_of_the_effect():
    alike = compare(*groups(40, 40, shift=0, seed=4))
    assert alike.verdict(0.05, 1.2) == "not distinguished"
    # The interval holds effects on both sides of the smallest that counts.
    assert alike.verdict(0.05, alike.effect) == "inconclusive"
    assert alike.reason(0.05, 1.2) == ""
    assert alike.reason(0.05, alike.effect).startswith("the interval holds")
    apart = compare(*groups(40, 40, shift=3, seed=4))
    assert apart.verdict(0.05, 1.2) == "distinguished"
    assert apart.verdict(0.05, 1.2, p_adjusted=0.06) == "inconclusive"
    said = "the interval lies above 1.2, but p = 0.06 is above 0.05"
    assert apart.reason(0.05, 1.2, p_adjusted=0.06) == said
    # A difference that p finds may still be too small to count.
    assert apart.p_value < 0.05
    assert apart.verdict(0.05, smallest_effect=apart.effect_high + 0.1) == "not distinguished"


def test_corrected_p_are_those_of_the_textbooks():
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    # Holm: 4 · 0.005, 3 · 0.01, 2 · 0.03, then never less than the one before.
    np.testing.assert_allclose(adjusted(p, "holm"), [0.03, 0.06, np.nan, 0.06, 0.02])
    # Benjamini and Hochberg: 4 · 0.005, 4/2 · 0.01, 4/3 · 0.03, 0.04, from the largest down.
    np.testing.assert_allclose(adjusted(p, "bh"), [0.02, 0.04, np.nan, 0.04, 0.02])
    np.testing.assert_array_equal(adjusted(p, "none"), p)
    assert adjusted(np.array([0.9, 0.8]), "holm").max() == 1
    assert adjusted(np.array([]), "bh").size == 0
    with pytest.raises(InputError, match="correction: unknown 'bonferroni'; give one of holm"):
        adjusted(p, "bonferroni")


def test_too_few_seeds_are_said_to_be_too_few():
    for sizes in ((1, 1), (2, 2), (3, 3), (1, 18)):
        found = compare(*groups(*sizes, shift=50, seed=0))
        assert found.smallest_p > 0.05
        assert found.verdict(0.05, 1.1) == "inconclusive"
        said = "too few seeds or permutations: p is at least .*, above 0.05"
        assert re.fullmatch(said, found.reason(0.05, 1.1))
    assert compare(*groups(4, 4, shift=50, seed=0)).verdict(0.05, 1.1) == "distinguished"
    assert compare(*groups(4, 4, shift=50, seed=0)).verdict(0.01, 1.1) == "inconclusive"


def test_one_seed_a_group_has_a_distance_but_no_within():
    found = compare(*groups(1, 1, shift=3, seed=0))
    assert found.between > 0
    assert np.isnan([found.within, found.effect, found.effect_low, found.effect_high]).all()


def test_the_interval_contains_the_effect_and_shrinks_with_seeds():
    widths = []
    for size in (6, 40):
        inside = 0
        for seed in range(10):
            found = compare(*groups(size, size, shift=2, seed=seed), permutations=9, bootstrap=300)
            inside += found.effect_low < found.effect < found.effect_high
        assert inside >= 9
        widths.append(found.effect_high - found.effect_low)
    assert widths[1] < widths[0] / 1.5


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    case = groups(9, 9, shift=0.5, seed=0)
    assert compare(*case, seed=1) == compare(*case, seed=1)
    assert compare(*case, seed=1) != compare(*case, seed=2)


@pytest.mark.filterwarnings("error")
def test_groups_of_equal_spectra_have_an_infinite_effect_without_an_interval():
    distances = np.kron([[0.0, 1.0], [1.0, 0.0]], np.ones((4, 4)))
    found = compare(distances, np.arange(4), np.arange(4, 8))
    assert found.within == 0
    assert found.effect == np.inf
    assert (found.effect_low, found.effect_high) == (np.inf, np.inf)
    assert found.verdict(0.05, 1.1) == "distinguished"
    alike = compare(np.zeros((8, 8)), np.arange(4), np.arange(4, 8))
    assert alike.p_value == 1
    assert np.isnan([alike.effect, alike.effect_low, alike.effect_high]).all()
    assert alike.verdict(0.05, 1.1) == "inconclusive"
    assert alike.reason(0.05, 1.1).startswith("no effect is known")
    without = compare(*groups(9, 9, shift=9, seed=0), bootstrap=0)
    assert without.reason(0.05, 1.1).startswith("no interval of the effect")


@pytest.mark.parametrize(
    ("first", "second"), [([], [1]), ([0], []), ([0, 1], [1, 2]), ([0, 0], [1, 2])]
)
def test_groups_that_are_empty_or_overlap_are_refused(first, second):
    with pytest.raises(InputError, match="two groups of spectra, none empty, none named twice"):
        compare(np.zeros((3, 3)), first, second)


@pytest.mark.parametrize("empty", [0, 3, 6])
def test_a_spectrum_without_eigenvalues_is_left_out_counted_and_gives_no_p(empty):
    values = [[0.1], [0.2], [0.3], [0.5], [0.6], [0.7], [0.8]]
    places = [i for i in range(7) if i != empty]
    expected = compare(
        distance_matrix([values[i] for i in places]),
        range(sum(i < 4 for i in places)),
        range(sum(i < 4 for i in places), 6),
    )
    values[empty] = []
    with pytest.warns(UserWarning, match="1 of 7 spectra left out, which have no eigenvalues"):
        found = compare(distance_matrix(values), range(4), range(4, 7))
    assert found == replace(expected, left_out=1)


def test_a_group_without_any_eigenvalue_has_no_numbers_at_all():
    with pytest.warns(UserWarning, match="2 of 4"):
        found = compare([[1.0], [0.9]], [[], []])
    assert np.isnan([found.p_value, found.statistic, found.smallest_p]).all()
    assert (found.verdict(), found.left_out) == ("inconclusive", 2)
    assert found.reason() == "no spectrum of a group has eigenvalues"


@pytest.mark.parametrize("second", [[2, 9], [-1, 2], [2.0, 3.0], [[2, 3]], [True, False], ["a"]])
def test_places_that_are_not_there_are_refused(second):
    with pytest.raises(InputError, match="second: .*; give places from 0 to 3, or a mask of 4"):
        compare(np.ones((4, 4)) - np.eye(4), [0, 1], second)


def test_masks_name_groups_as_places_do():
    distances = distance_matrix([[0.1], [0.2], [0.5], [0.7]])
    first = np.array([True, True, False, False])
    assert compare(distances, first, ~first) == compare(distances, [0, 1], [2, 3])


def test_the_swapped_pair_control_of_equal_spectra_is_1():
    spectrum = np.array([1, 0.5 + 0.2j, 0.5 - 0.2j])
    assert swapped_pair_control(spectrum, spectrum[::-1]) == 1


def test_the_swapped_pair_control_says_little_of_spectra_far_apart():
    # The fault it is named for: the pairs lie so far apart that no swap can lower the distance.
    a = np.array([1, 0.5, 0.1])
    assert swapped_pair_control(a, a + np.array([0.01j, -0.01j, 0.01j])) == 1


def test_the_swapped_pair_control_falls_where_a_swap_allows_a_better_matching():
    a, b = np.array([0, 1]), np.array([1, 2])
    assert wasserstein(a, b) == 1
    # Swapped, one of the two pairs gives {1, 1} and {0, 2}, or {0, 2} and {1, 1}: still 1.
    assert swapped_pair_control(a, b) == 1
    a, b = np.array([0, 3]), np.array([2, 5])
    # Swapping one pair gives {2, 3} and {0, 5}: 2; {0, 5} and {2, 3}: 2.
    assert swapped_pair_control(a, b) == 1
    a, b = np.array([0, 1.5]), np.array([2, 3.5])
    # One swapped: {2, 1.5} and {0, 3.5}, 1.75 < 2; none or both swapped: 2. So p is about ½.
    p = swapped_pair_control(a, b, shuffles=2000)
    assert p == pytest.approx(0.5, abs=0.05)
    assert p == swapped_pair_control(a, b, shuffles=2000)


def test_the_swapped_pair_control_needs_equal_sizes():
    with pytest.raises(InputError, match="1 and 2 eigenvalues; a matching needs equal sizes"):
        swapped_pair_control(np.array([1]), np.array([1, 2]))


def test_groups_of_spectra_are_compared_as_their_distances_are():
    rng = np.random.default_rng(5)
    runs = [np.cumsum(rng.normal(size=(60, 3)), axis=0) for _ in range(10)]
    spectra = [fit([run], delays=1, rank=3) for run in runs]
    expected = compare(distance_matrix(spectra), range(5), range(5, 10))
    assert compare(spectra[:5], spectra[5:]) == expected
    assert compare([s.eigenvalues for s in spectra[:5]], spectra[5:]) == expected
    assert expected.verdict() == expected.verdict(0.05, 1.1)
    assert expected.reason() == expected.reason(0.05, 1.1)


def test_what_is_neither_distances_nor_spectra_is_told_what_is_taken():
    takes = "give two lists of spectra, or distances"
    for given in ((np.ones((4, 4)), [0, 1]), (fit([np.eye(5)], rank=1), [0, 1])):
        with pytest.raises(InputError, match=takes):
            compare(*given)
    with pytest.raises(InputError, match=r"shape \(2, 3\) is no matrix of distances; give two"):
        compare(np.ones((2, 3)), [0], [1])
    with pytest.raises(InputError, match="none empty"):
        compare([], [[1.0]])


def test_copies_of_a_seed_are_no_pair_of_one_group():
    distances, first, second = groups(4, 3, shift=1, seed=6)
    # Drawn: 0, 0, 1, 3 of the first, 2, 2, 1 of the second; next each once.
    drawn = np.array([[2.0, 1, 0, 1], [1, 1, 1, 1]]), np.array([[0.0, 1, 2], [1, 1, 1]])
    between, within, effect = effects(distances, *drawn)
    for row in range(2):
        one, two = (
            [at for at, count in zip(group, counts[row], strict=True) for _ in range(int(count))]
            for group, counts in ((first, drawn[0]), (second, drawn[1]))
        )
        pairs = [(i, j) for group in (one, two) for i in group for j in group if i != j]
        assert between[row] == pytest.approx(np.mean([distances[i, j] for i in one for j in two]))
        assert within[row] == pytest.approx(np.mean([distances[i, j] for i, j in pairs]))
        assert effect[row] == pytest.approx(between[row] / within[row])


@pytest.mark.parametrize("seed", [1, 3, 8])
def test_ties_are_told_whatever_the_unit(seed):
    # Whole numbers on a line, whose statistics are counted without rounding.
    at = np.random.default_rng(seed).integers(6, size=10)
    distances = np.abs(at[:, None] - at)
    signs = np.array(
        [np.where(np.isin(range(10), some), 1, -1) for some in combinations(range(10), 5)]
    )
    exact = -np.einsum("ki,ij,kj->k", signs, distances, signs)
    expected = np.mean(exact >= exact[0])
    for scale in (1e-3, 1 / 3, 7e5, 1e11):
        found = compare(scale * distances, range(5), range(5, 10), bootstrap=0)
        assert found.p_value == expected


def test_what_holds_no_numbers_is_no_matrix_of_distances():
    for given in (object(), [["a", "b"], ["c", "d"]]):
        with pytest.raises(InputError, match="compare: .* give two lists of spectra, or distances"):
            compare(given, [0], [1])
