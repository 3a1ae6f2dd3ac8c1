"""Runs against what was made of them: neither a smaller effect nor a small p by pairing alone."""

import numpy as np
import pytest

from koopscope.compare.paired import unpaired
from koopscope.compare.verdict import compare


def twins(count, seed, apart=0.0, rounding=1e-3):
    """Distances of points and of the same points moved, and the places of those that are one."""
    draw = np.random.default_rng(seed)
    first = draw.normal(size=(count, 3))
    second = first + rounding * draw.normal(size=first.shape) + apart * np.array([1.0, 0, 0])
    at = np.concatenate([first, second])
    distances = np.linalg.norm(at[:, None] - at, axis=-1)
    return distances, [(i, count + i) for i in range(count)]


def compared(distances, count):
    return compare(distances, range(count), range(count, 2 * count), bootstrap=0, permutations=199)


def test_twins_are_as_far_apart_as_strangers_of_the_two_groups():
    distances, those = twins(5, 0, apart=0.4)
    found = unpaired(distances, those)
    between = distances[:5, 5:]
    strangers = between[~np.eye(5, dtype=bool)].mean()
    np.testing.assert_allclose(np.diag(found[:5, 5:]), strangers)
    np.testing.assert_allclose(found[:5, 5:].mean(), strangers)
    np.testing.assert_array_equal(found, found.T)
    untouched = ~np.isclose(found, distances)
    assert untouched.sum() == 2 * 5


def test_pairing_lowers_no_effect():
    raw, treated = [], []
    for seed in range(40):
        distances, those = twins(6, seed)
        raw.append(compared(distances, 6).effect)
        treated.append(compared(unpaired(distances, those), 6).effect)
    # A sixth of the distances between the groups is nearly 0 as they stand.
    assert np.mean(raw) < 0.9
    np.testing.assert_allclose(np.mean(treated), 1, atol=0.01)


@pytest.mark.parametrize("count", [4, 6, 12, 25])
def test_pairing_makes_no_small_p(count):
    p = [compared(unpaired(*twins(count, seed)), count).p_value for seed in range(60)]
    assert min(p) > 0.2 and max(p) < 0.8


def test_what_recoding_moves_is_still_found():
    p = [compared(unpaired(*twins(8, seed, apart=3.0)), 8).p_value for seed in range(20)]
    assert np.mean(np.array(p) <= 0.05) == 1


def test_one_pair_alone_has_no_strangers():
    distances, those = twins(1, 0)
    assert np.isnan(unpaired(distances, those)[0, 1])
