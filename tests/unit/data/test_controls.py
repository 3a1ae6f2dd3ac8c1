"""Controls: the same data in other words."""

import json

import numpy as np
import pytest
import xarray as xr

from koopscope.config.data import DataSpec
from koopscope.data import digits
from koopscope.data.controls import permute, relabel
from koopscope.data.dataset import check, standardised
from koopscope.data.loading import load
from koopscope.errors import InputError

SPLITS = ("train", "test")


@pytest.fixture(scope="module")
def like():
    return digits.load()


def test_permuted_pixels_are_those_of_the_same_images_in_one_other_order(like):
    control = permute(like, 3)
    check(control)
    order = np.random.default_rng(3).permutation(64)
    assert (order != np.arange(64)).any()
    for split in SPLITS:
        images, changed = (ds[f"{split}_images"].values for ds in (like, control))
        np.testing.assert_array_equal(changed, images[:, order])
        np.testing.assert_array_equal(changed[:, np.argsort(order)], images)
        np.testing.assert_array_equal(like[f"{split}_labels"], control[f"{split}_labels"])


def test_relabelled_classes_are_the_same_sets_under_one_other_name_each(like):
    control = relabel(like, 3)
    check(control)
    names = {}
    for split in SPLITS:
        np.testing.assert_array_equal(like[f"{split}_images"], control[f"{split}_images"])
        for old, new in zip(*(ds[f"{split}_labels"].values for ds in (like, control)), strict=True):
            assert names.setdefault(old, new) == new
    assert sorted(names) == sorted(names.values()) == list(range(10))
    assert all(old != new for old, new in names.items())


def test_every_derangement_is_as_likely_as_another(like):
    small = like.isel(train_sample=slice(60), test_sample=slice(1))
    own = small["train_labels"].values
    first = int(np.flatnonzero(own == 0)[0])
    names = [int(relabel(small, seed)["train_labels"][first]) for seed in range(900)]
    counts = np.bincount(names, minlength=10)
    assert counts[0] == 0
    # Five standard deviations of a binomial count around 100.
    np.testing.assert_allclose(counts[1:], 100, atol=50)


@pytest.mark.parametrize("make", [permute, relabel])
def test_a_control_is_scaled_as_its_original(like, make):
    control = make(like, 1)
    for name in ("mean", "sd", "classes"):
        assert control.attrs[name] == like.attrs[name]
    assert control["train_images"].dtype == like["train_images"].dtype
    moments = [standardised(ds, "train").mean(dtype=np.float64) for ds in (like, control)]
    assert moments[0] == pytest.approx(moments[1], abs=1e-12)


@pytest.mark.parametrize(
    ("make", "generator"), [(permute, "pixel-permutation"), (relabel, "class-derangement")]
)
def test_a_control_repeats_and_names_generator_seed_and_original(like, make, generator):
    first, again, other = (make(like, seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(first, again)
    digests = {ds.attrs["digest"] for ds in (like, first, other)}
    assert len(digests) == 3
    assert json.loads(first.attrs["manifest"]) == {
        "generator": generator,
        "seed": 1,
        "like": like.attrs["digest"],
    }
    with pytest.raises(InputError, match="seed: -1 is not a whole number of at least 0"):
        make(like, -1)


@pytest.mark.parametrize(("kind", "make"), [("permuted", permute), ("relabelled", relabel)])
def test_controls_are_loaded_by_their_definition_also_of_derived_data(like, kind, make):
    spec = DataSpec("control", kind, like=DataSpec("small", "digits"), seed=4)
    expected = make(like, 4)
    for found in (load(spec), load(spec, like=like)):
        assert (found.attrs["name"], found.attrs["kind"]) == ("control", kind)
        assert found.attrs["digest"] == expected.attrs["digest"]
    twice = load(DataSpec("again", "relabelled", like=spec, seed=5))
    assert twice.attrs["digest"] == relabel(expected, 5).attrs["digest"]
