"""Modular arithmetic: every answer, every split, and the elements under other names."""

import json

import numpy as np
import pytest
import xarray as xr

from koopscope.artefacts import store
from koopscope.artefacts.provenance import stamp
from koopscope.config.data import DataSpec
from koopscope.data import digits
from koopscope.data.controls import permute, relabel
from koopscope.data.dataset import check, make, standardised
from koopscope.data.loading import load
from koopscope.data.modular import modular_arithmetic, rename
from koopscope.errors import InputError

SPLITS = ("train", "test")
ANSWERS = {
    "add": lambda a, b, p: (a + b) % p,
    "subtract": lambda a, b, p: (a - b) % p,
    "multiply": lambda a, b, p: (a * b) % p,
    "square_sum": lambda a, b, p: (a**2 + b**2) % p,
}


def samples(ds, split):
    """Triples (a, b, answer) of a split, in whole numbers of Python."""
    images, p = ds[f"{split}_images"].values, ds.attrs["classes"]
    if images.shape[1] == 3:
        assert (images[:, 2] == p).all()
        pairs = images[:, :2]
    else:
        halves = images.reshape(len(images), 2, p)
        assert (np.sort(halves)[..., -1] == 1).all() and (halves.sum(axis=2) == 1).all()
        pairs = halves.argmax(axis=2)
    return list(map(tuple, np.column_stack([pairs, ds[f"{split}_labels"]]).tolist()))


@pytest.mark.parametrize("encoding", ["onehot", "tokens"])
@pytest.mark.parametrize("operation", ANSWERS)
@pytest.mark.parametrize("modulus", [3, 7, 10, 250])
def test_every_answer_is_that_of_whole_numbers(operation, encoding, modulus):
    ds = modular_arithmetic(modulus, operation, 0.4, encoding, seed=2)
    check(ds)
    found = [*samples(ds, "train"), *samples(ds, "test")]
    assert all(c == ANSWERS[operation](a, b, modulus) for a, b, c in found)
    assert sorted(pair[:2] for pair in found) == [
        (a, b) for a in range(modulus) for b in range(modulus)
    ]
    assert (ds.attrs["kind"], ds.attrs["classes"]) == ("modular", modulus)


@pytest.mark.parametrize("encoding", ["onehot", "tokens"])
def test_a_network_sees_the_numbers_as_they_are(encoding):
    ds = modular_arithmetic(7, encoding=encoding)
    for split in SPLITS:
        np.testing.assert_array_equal(standardised(ds, split), ds[f"{split}_images"])


def test_a_seed_draws_the_split_and_nothing_else():
    first, again, other = (modular_arithmetic(11, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(first, again)
    there, elsewhere = ({*samples(ds, "train"), *samples(ds, "test")} for ds in (first, other))
    assert there == elsewhere
    assert set(samples(first, "train")) != set(samples(other, "train"))
    tokens = modular_arithmetic(11, encoding="tokens", seed=1)
    assert samples(tokens, "train") == samples(first, "train")


def test_the_manifest_says_what_was_made():
    ds = modular_arithmetic(np.int64(5), "multiply", np.float32(0.5), seed=np.uint8(3))
    assert json.loads(ds.attrs["manifest"]) == {
        "generator": "modular-arithmetic",
        "kind": "modular",
        "modulus": 5,
        "operation": "multiply",
        "train_share": 0.5,
        "encoding": "onehot",
        "seed": 3,
    }


# If these change, so does what every stored run on such data was trained on.
def test_digests_are_those_they_always_were():
    onehot, tokens = (modular_arithmetic(7, encoding=e, seed=1) for e in ("onehot", "tokens"))
    assert [ds.attrs["digest"][:16] for ds in (onehot, tokens, rename(onehot, 1))] == [
        "4697a81f3edcdd1e",
        "867fdf6f293b33bc",
        "6894617683c82a39",
    ]


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("digits", "fc96b6e546e10d82a6ab05cf4c8264f9ddc14de2c9ea86b5064db8571fb4f4c6"),
        ("permuted", "8c011bc4ff8b3218c8711da41e7110f5b5364668f3e337a1a9da1ee26368cf44"),
        ("relabelled", "e4c50fe073e07afe3d3a589f5149c76dbdef4a4a9451678945a2d31147fd50ba"),
    ],
)
def test_digests_of_data_sets_of_ten_classes_are_those_before_there_were_others(kind, digest):
    small = DataSpec("digits", "digits")
    seeds = {"permuted": 1, "relabelled": 2}
    spec = DataSpec(kind, kind, like=small, seed=seeds[kind]) if kind in seeds else small
    found = load(spec)
    assert (found.attrs["digest"], found.attrs["classes"]) == (digest, 10)


@pytest.mark.parametrize("encoding", ["onehot", "tokens"])
@pytest.mark.parametrize("operation", ANSWERS)
def test_renamed_elements_are_one_bijection_without_fixed_points_of_every_sample(
    operation, encoding
):
    like = modular_arithmetic(11, operation, 0.3, encoding, seed=4)
    control = rename(like, 5)
    check(control)
    name = {}
    for split in SPLITS:
        for old, new in zip(samples(like, split), samples(control, split), strict=True):
            for x, y in zip(old, new, strict=True):
                assert name.setdefault(x, y) == y
    assert sorted(name) == sorted(name.values()) == list(range(11))
    assert all(x != y for x, y in name.items())
    assert (control.attrs["kind"], control.attrs["classes"]) == ("renamed", 11)
    assert [control.attrs[key] for key in ("mean", "sd")] == [0.0, 1.0]


def test_a_network_with_rows_and_columns_moved_answers_renamed_questions_as_before():
    """The symmetry itself: the same weights in another order have the same loss on both sets."""
    like = modular_arithmetic(7, "subtract")
    control = rename(like, 1)
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(14, 5)), rng.normal(size=(5, 7))
    pairs = zip(like["train_labels"].values, control["train_labels"].values, strict=True)
    new = dict(pairs)
    names = np.array([new[element] for element in range(7)])
    moved_first, moved_last = np.empty_like(first), np.empty_like(last)
    moved_first[np.concatenate([names, 7 + names])] = first
    moved_last[:, names] = last
    for split in SPLITS:
        before = np.tanh(standardised(like, split) @ first) @ last
        after = np.tanh(standardised(control, split) @ moved_first) @ moved_last
        truth, renamed = (ds[f"{split}_labels"].values for ds in (like, control))
        rows = np.arange(len(truth))
        np.testing.assert_allclose(after[rows, renamed], before[rows, truth], rtol=1e-12)
        np.testing.assert_allclose(np.sort(after), np.sort(before), rtol=1e-12)


def test_a_renamed_set_repeats_names_what_it_is_made_of_and_may_be_renamed_again():
    like = modular_arithmetic(7)
    first, again, other = (rename(like, seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(first, again)
    assert len({ds.attrs["digest"] for ds in (like, first, other)}) == 3
    assert json.loads(first.attrs["manifest"]) == {
        "generator": "element-derangement",
        "seed": 1,
        "like": like.attrs["digest"],
    }
    check(rename(first, 2))


@pytest.mark.parametrize("make_control", [permute, relabel])
def test_other_controls_keep_the_number_of_classes(make_control):
    like = modular_arithmetic(31)
    control = make_control(like, 3)
    check(control)
    assert control.attrs["classes"] == 31
    if make_control is relabel:
        names = dict(zip(like["train_labels"].values, control["train_labels"].values, strict=True))
        assert sorted(names) == sorted(names.values()) == list(range(31))
        assert all(old != new for old, new in names.items())


@pytest.mark.parametrize("encoding", ["onehot", "tokens"])
def test_both_are_loaded_by_their_definition_which_knows_their_sizes(encoding, tmp_path):
    own = {"modulus": 13, "operation": "subtract", "train_share": 0.3, "encoding": encoding}
    spec = DataSpec("sums", "modular", **own, seed=5)
    control = DataSpec("other", "renamed", like=spec, seed=2)
    expected = modular_arithmetic(**own, seed=5)
    for found, made, of in (
        (load(spec), expected, spec),
        (load(control), rename(expected, 2), control),
        (load(control, like=expected), rename(expected, 2), control),
    ):
        assert found.attrs["digest"] == made.attrs["digest"]
        assert (found.attrs["name"], found.attrs["kind"]) == (of.name, of.kind)
        sizes = {
            "pixel": of.pixels,
            "train_sample": of.train_samples,
            "test_sample": of.test_samples,
        }
        assert (dict(found.sizes), found.attrs["classes"]) == (sizes, of.classes)
    store.write(tmp_path / "d.zarr", load(control), stamp("data", parameters={}))
    stored = store.read(tmp_path / "d.zarr", kind="data")
    check(stored)
    assert rename(stored, 3).attrs["digest"] == rename(rename(expected, 2), 3).attrs["digest"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modulus": 2}, "modulus: 2; give a whole number of at least 3"),
        ({"modulus": 5.0}, "modulus: 5.0; give a whole number"),
        ({"modulus": 251}, "modulus: 251 is not a whole number of at least 3 and of at most 250"),
        ({"operation": "divide"}, "operation: unknown 'divide'; give one of add, subtract"),
        ({"train_share": 1.0}, "train_share: 1 is not a number above 0 and below 1"),
        ({"train_share": "half"}, "train_share: 'half'; give a finite number"),
        ({"modulus": 3, "train_share": 0.01}, "train_share: 0.01 of 9 pairs leaves none to train"),
        ({"encoding": "bits"}, "encoding: unknown 'bits'; give one of onehot, tokens"),
        ({"seed": -1}, "seed: -1; give a whole number of at least 0"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(change, said):
    with pytest.raises(InputError, match=said) as refused:
        modular_arithmetic(**{"modulus": 5, **change})
    assert "\n" not in str(refused.value)


def test_only_elements_can_be_renamed():
    with pytest.raises(InputError, match="like: digits data have no elements to rename; give mod"):
        rename(digits.load(), 1)
    with pytest.raises(InputError, match="seed: -1 is not a whole number of at least 0"):
        rename(modular_arithmetic(5), -1)


@pytest.mark.parametrize("classes", [1, 257, 3.0, True, None])
def test_a_number_of_classes_that_no_byte_holds_is_refused(classes):
    images, labels = np.array([[0], [1]], np.uint8), np.zeros(2, np.uint8)
    with pytest.raises(InputError, match="classes: .*; give a whole number from 2 to 256"):
        make(images, labels, images, labels, kind="digits", manifest={}, classes=classes)


def test_labels_are_checked_against_the_classes_that_a_data_set_says_it_has():
    images, labels = np.array([[0], [1]], np.uint8), np.array([0, 11], np.uint8)
    arrays = (images, labels, images, labels)
    ds = make(*arrays, kind="digits", manifest={}, classes=12)
    check(ds)
    with pytest.raises(InputError, match="train_labels: 11 is no class; give 0 to 10"):
        check(ds.assign_attrs(classes=11))
    with pytest.raises(InputError, match="train_labels: 11 is no class; give 0 to 9"):
        make(*arrays, kind="digits", manifest={})
