"""How often the 95 % intervals hold a truth that is known by closed form."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from koopscope.compare.intervals import bounds, places
from koopscope.compare.verdict import compare

DRAWS = 1000
SIZES = (5, 10, 25)


@pytest.fixture(autouse=True)
def one_thread():
    """With more, products of a few numbers take many times as long."""
    with threadpool_limits(1, "blas"):
        yield


def folded(shift, deviation):
    """Mean of |d| for a normal d."""
    return stats.foldnorm.mean(np.abs(shift) / deviation, scale=deviation)


def plane(shift):
    """Points of the plane, the second group's shifted; distances are of Rice's distribution."""

    def draw(rng, size):
        points = rng.normal(size=(2 * size, 2))
        points[size:, 0] += shift
        return cdist(points, points)

    between = stats.rice.mean(shift / np.sqrt(2), scale=np.sqrt(2)) if shift else np.sqrt(np.pi)
    return draw, between / np.sqrt(np.pi)


def exponential(scale):
    """One skewed number each, the second group's spread by a factor, so that the means differ."""

    def draw(rng, size):
        points = np.concatenate([rng.exponential(size=size), rng.exponential(scale, size)])
        return np.abs(points[:, None] - points)

    # Of scales a and c the mean distance is (a² + c²) / (a + c), within one the scale.
    return draw, 2 * (1 + scale**2) / (1 + scale) ** 2


def spectra(shifts):
    """Spectra of three modes so far apart that each is matched with its own."""
    at, spread = np.array([0.2, 0.5, 0.98]), np.array([0.03, 0.02, 0.002])

    def draw(rng, size):
        modes = at + spread * rng.normal(size=(2 * size, 3))
        modes[size:] += shifts
        return np.abs(modes[:, None] - modes).mean(axis=-1)

    wide = np.sqrt(2) * spread
    return draw, folded(np.array(shifts), wide).mean() / folded(np.zeros(3), wide).mean()


def line(shift):
    """One normal number each: the most skewed effects."""

    def draw(rng, size):
        points = rng.normal(size=2 * size)
        points[size:] += shift
        return np.abs(points[:, None] - points)

    return draw, folded(shift, np.sqrt(2)) / folded(0, np.sqrt(2))


APART = {
    "plane 1.45": plane(2),
    "plane 2.94": plane(5),
    "exponential 1.36": exponential(4),
    "spectra 1.45": spectra((0.05, 0.02, 0)),
    "spectra 2.66": spectra((0.1, 0.05, -0.005)),
}
ALIKE = {"plane 1": plane(0), "spectra 1": spectra((0, 0, 0))}


def held(pool, size):
    """Shares of draws whose interval holds the true effect, and lies above it."""
    draw, truth = pool
    rng = np.random.default_rng(size)
    groups = range(size), range(size, 2 * size)
    found = [compare(draw(rng, size), *groups, permutations=1) for _ in range(DRAWS)]
    low, high = np.array([(f.effect_low, f.effect_high) for f in found]).T
    return np.mean((low <= truth) & (truth <= high)), np.mean(low > truth)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pool", APART)
def test_the_interval_of_an_effect_holds_the_true_one_in_95_of_100_draws(pool, size):
    assert 0.93 <= held(APART[pool], size)[0] <= 0.97


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pool", ALIKE)
def test_the_interval_is_wider_than_it_need_be_where_the_groups_are_alike(pool, size):
    inside, above = held(ALIKE[pool], size)
    # There the effect's first-order spread over seeds is 0, and resamples show more than there is.
    assert inside >= 0.99
    assert above <= 0.01


@pytest.mark.parametrize(("size", "least"), [(5, 0.92), (10, 0.92), (25, 0.93)])
def test_the_interval_of_spectra_of_a_single_mode_is_a_little_too_narrow(size, least):
    # A limit of what is known, as docs/decisions.md says it.
    assert least <= held(line(3), size)[0] <= 0.97


@pytest.mark.parametrize(("size", "least"), [(5, 0.9), (10, 0.93), (25, 0.93)])
def test_the_interval_of_a_mean_over_seeds_holds_the_true_one_in_95_of_100_draws(size, least):
    # Of five seeds in 91, since no resample's mean lies beyond the outermost seed.
    drawn = np.random.default_rng(size).normal(size=(DRAWS, size))
    # Other resamples for each draw would only cost time.
    resampled = drawn[:, places(size, 1000, 0)].mean(axis=2)
    mean, low, high = bounds(resampled, size).T
    np.testing.assert_allclose(mean, drawn.mean(axis=1))
    assert least <= np.mean((low <= 0) & (high >= 0)) <= 0.97
