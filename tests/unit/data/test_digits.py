import hashlib
import json

import numpy as np
from sklearn.datasets import load_digits

from koopscope.data import digits
from koopscope.data.dataset import check


def test_digits_are_split_four_to_one_in_the_common_form():
    ds = digits.load()
    check(ds)
    assert dict(ds.sizes) == {"train_sample": 1437, "test_sample": 360, "pixel": 64}
    assert ds.train_images.dtype == np.uint8
    assert (int(ds.train_images.min()), int(ds.train_images.max())) == (0, 16)


def test_train_and_test_are_all_bundled_samples_once():
    ds = digits.load()
    found = np.column_stack(
        [
            np.concatenate([ds.train_images, ds.test_images]),
            np.concatenate([ds.train_labels, ds.test_labels]),
        ]
    )
    bundled = np.column_stack(load_digits(return_X_y=True)).astype(np.uint8)
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(bundled, axis=0))
    assert sorted(map(bytes, found)) == sorted(map(bytes, bundled))


def test_every_class_is_in_both_parts():
    ds = digits.load()
    assert np.bincount(ds.train_labels, minlength=10).min() > 120
    assert np.bincount(ds.test_labels, minlength=10).min() > 20


def test_the_split_is_always_the_same():
    # Recorded once: another digest means other data under the same name.
    assert (
        digits.load().attrs["digest"]
        == "fc96b6e546e10d82a6ab05cf4c8264f9ddc14de2c9ea86b5064db8571fb4f4c6"
    )


def test_manifest_names_the_digests_of_what_is_bundled():
    manifest = json.loads(digits.load().attrs["manifest"])
    images = load_digits().data.astype(np.uint8)
    assert manifest["images_sha256"] == hashlib.sha256(images.tobytes()).hexdigest()
    assert manifest["split"] == {"seed": 0, "train_samples": 1437}
