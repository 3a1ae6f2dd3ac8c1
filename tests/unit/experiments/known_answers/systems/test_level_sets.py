"""What goes on along a level set is in no loss curve."""

from functools import partial

import numpy as np
import pytest

from koopscope.experiments.known_answers.systems import level_sets
from koopscope.experiments.known_answers.systems.pools import orthogonal
from koopscope.koopman.fitting import fit

SEEDS = tuple(range(8))
MOTIONS = {
    "drift": level_sets.drift,
    "slowing": partial(level_sets.drift, slowing=level_sets.SLOWING),
    "oscillation": level_sets.oscillation,
    "white": level_sets.walk,
    "correlated": partial(level_sets.walk, memory=level_sets.MEMORY),
}


@pytest.mark.parametrize("motion", MOTIONS)
def test_flat_directions_are_in_the_weights_and_not_in_the_loss(motion):
    still = level_sets.beside_descent(SEEDS, lambda seeds: 0 * level_sets.drift(seeds))
    moving = level_sets.beside_descent(SEEDS, MOTIONS[motion])
    np.testing.assert_array_equal(moving["loss"], still["loss"])
    basis = orthogonal(level_sets.BASIS, level_sets.WEIGHTS)
    along = (moving["weights"] - still["weights"]).values[:, 0] @ basis
    steep = level_sets.WEIGHTS - level_sets.FLAT
    np.testing.assert_allclose(along[..., :steep], 0, atol=1e-12)
    np.testing.assert_allclose(along[..., steep:], MOTIONS[motion](SEEDS), atol=1e-12)
    assert np.abs(along[..., steep:]).max() > 0.5


def test_drifts_go_the_same_way_at_a_constant_speed_or_one_that_falls():
    even, slowing = (MOTIONS[name](SEEDS) for name in ("drift", "slowing"))
    np.testing.assert_allclose(even[:, [0, -1]], slowing[:, [0, -1]], atol=1e-12)
    np.testing.assert_allclose(np.diff(even, 2, axis=1), 0, atol=1e-13)
    speed = np.diff(slowing, axis=1)
    np.testing.assert_allclose(speed[:, 1:], (1 - level_sets.SLOWING) * speed[:, :-1], atol=1e-13)


def test_an_oscillation_has_its_frequency_as_the_spectrum_and_spreads_as_far_as_a_drift():
    single = list(level_sets.oscillation(SEEDS)[:, :, :1])
    found = fit(single, delays=2, rank=3).eigenvalues
    expected = np.exp(1j * level_sets.FREQUENCY * np.array([0, 1, -1]))
    assert np.abs(np.sort_complex(found) - np.sort_complex(expected)).max() < 1e-8
    spread = [MOTIONS[name](range(400)).var(axis=1).mean() for name in ("drift", "oscillation")]
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_walks_diffuse_as_fast_with_and_without_memory():
    white, correlated = (MOTIONS[name](range(400)) for name in ("white", "correlated"))
    ends = [walk[:, -1].var() for walk in (white, correlated)]
    assert ends[0] == pytest.approx(1, rel=0.1)
    # The memory of the last steps is not yet walked off.
    assert ends[1] == pytest.approx(ends[0], rel=0.15)
    steps = [np.diff(walk, axis=1)[:, 50:] for walk in (white, correlated)]
    memories = [np.corrcoef(s[:, :-1].ravel(), s[:, 1:].ravel())[0, 1] for s in steps]
    np.testing.assert_allclose(memories, [0, level_sets.MEMORY], atol=0.02)


def test_the_spiral_adds_a_rotation_of_known_eigenvalues_and_the_same_noise(monkeypatch):
    angle = 0.3
    basis = orthogonal(level_sets.BASIS, level_sets.WEIGHTS)
    straight, turning = (
        level_sets.spiral(SEEDS, angle=of)["weights"].values[:, 0] @ basis for of in (0, angle)
    )
    plain = straight[:, 1:] - 0.99 * straight[:, :-1]
    as_numbers = turning[..., ::2] + 1j * turning[..., 1::2]
    turned = as_numbers[:, 1:] - 0.99 * np.exp(1j * angle) * as_numbers[:, :-1]
    np.testing.assert_allclose(turned, plain[..., ::2] + 1j * plain[..., 1::2], atol=1e-12)
    monkeypatch.setattr(level_sets, "SPIRAL_NOISE", 0.0)
    for of in (0.0, level_sets.SHRINKING):
        pool = level_sets.spiral(range(12), angle=of)
        found = fit(pool["weights"].isel(init=0).rename(seed="init"), rank=10).eigenvalues
        np.testing.assert_allclose(np.abs(found), 0.99, atol=1e-9)
        np.testing.assert_allclose(np.abs(np.angle(found)), of, atol=1e-7)
        np.testing.assert_allclose(np.diff(np.log(pool["loss"])), 2 * np.log(0.99), rtol=1e-9)
