import json

import numpy as np
import pytest

from koopscope.data import digits
from koopscope.data.dataset import check, make
from koopscope.data.synthetic import synthesize
from koopscope.errors import InputError


@pytest.fixture(scope="module")
def like():
    return digits.load()


@pytest.fixture(scope="module")
def large():
    """Many samples of few pixels with unlike means and variances: moments show clearly."""
    rng = np.random.default_rng(1)
    images = rng.normal([0, 5, -3, 100], [1, 0.1, 4, 30], (40_000, 4)).astype(np.float32)
    labels = (np.arange(40_000) % 10).astype(np.uint8)
    return make(images, labels, images[:2000], labels[:2000], kind="synthetic", manifest={})


def nearest_prototype_accuracy(ds):
    sd = ds.train_images.values.std(axis=0)
    train, test = (ds[f"{s}_images"].values[:, sd > 0] / sd[sd > 0] for s in ("train", "test"))
    centres = np.stack([train[ds.train_labels.values == c].mean(axis=0) for c in range(10)])
    distances = ((test[:, None] - centres) ** 2).sum(axis=2)
    return (distances.argmin(axis=1) == ds.test_labels.values).mean()


def test_the_twin_has_the_sizes_of_the_original(like):
    twin = synthesize(like, difficulty=0.5, seed=0)
    check(twin)
    assert twin.sizes == like.sizes
    assert twin.train_images.dtype == np.float32


def test_classes_are_balanced_and_in_random_order(like):
    twin = synthesize(like, difficulty=0.5, seed=0)
    for labels in (twin.train_labels.values, twin.test_labels.values):
        assert np.ptp(np.bincount(labels, minlength=10)) <= 1
        assert (np.diff(labels.astype(int)) == 0).mean() == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize("difficulty", [0, 0.3, 0.99])
def test_each_pixel_has_the_mean_and_variance_of_the_original(large, difficulty):
    twin = synthesize(large, difficulty, seed=0)
    expected = large.train_images.values.astype(float)
    found = twin.train_images.values.astype(float)
    sd = expected.std(axis=0)
    # Four standard errors of a mean (1/200) and of a relative sd (1/283) of 40,000 samples.
    np.testing.assert_allclose((found.mean(axis=0) - expected.mean(axis=0)) / sd, 0, atol=0.02)
    np.testing.assert_allclose(found.std(axis=0) / sd, 1, atol=0.015)


@pytest.mark.parametrize("difficulty", [0.2, 0.8])
def test_difficulty_is_the_share_of_variance_within_classes(large, difficulty):
    twin = synthesize(large, difficulty, seed=0)
    images, labels = twin.train_images.values.astype(float), twin.train_labels.values
    within = np.mean([images[labels == c].var(axis=0) for c in range(10)], axis=0)
    np.testing.assert_allclose(within / images.var(axis=0), difficulty, rtol=0.04)


def test_test_samples_come_from_the_same_prototypes(large):
    twin = synthesize(large, difficulty=0.2, seed=0)
    sd = large.train_images.values.std(axis=0)
    for c in range(10):
        train, test = (
            twin[f"{s}_images"].values[twin[f"{s}_labels"].values == c].mean(axis=0)
            for s in ("train", "test")
        )
        np.testing.assert_allclose((train - test) / sd, 0, atol=0.15)


def test_pixels_that_never_vary_stay_constant(like):
    constant = like.train_images.values.std(axis=0) == 0
    assert constant.any()
    twin = synthesize(like, difficulty=0.5, seed=0)
    assert np.ptp(twin.train_images.values[:, constant], axis=0).max() == 0


def test_higher_difficulty_makes_classes_harder_to_tell_apart(like):
    easy, middle, hard = (
        nearest_prototype_accuracy(synthesize(like, difficulty, seed=0))
        for difficulty in (0.5, 0.95, 0.995)
    )
    assert easy > 0.99
    assert easy > middle + 0.05
    assert middle > hard + 0.2
    assert hard > 0.1


def test_same_seed_gives_same_digest_and_another_seed_another(like):
    first, again, other = (synthesize(like, 0.5, seed).attrs["digest"] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_manifest_names_generator_parameters_and_original(like):
    manifest = json.loads(synthesize(like, 0.5, seed=7).attrs["manifest"])
    assert manifest == {
        "generator": "gaussian-prototypes",
        "difficulty": 0.5,
        "seed": 7,
        "like": like.attrs["digest"],
    }


@pytest.mark.parametrize("difficulty", [-0.1, 1, float("nan")])
def test_difficulty_outside_0_to_1_is_refused(like, difficulty):
    with pytest.raises(InputError, match="difficulty"):
        synthesize(like, difficulty, seed=0)


@pytest.mark.parametrize("seed", [-1, 0.5, True])
def test_seed_that_is_no_whole_number_is_refused(like, seed):
    with pytest.raises(InputError, match="seed"):
        synthesize(like, 0.5, seed)
