import numpy as np
import pytest
import xarray as xr

from koopscope import data
from koopscope.artefacts import store
from koopscope.artefacts.provenance import stamp
from koopscope.config.data import DataSpec
from koopscope.data import dataset, digits
from koopscope.data.loading import load
from koopscope.errors import InputError

ARRAYS = tuple(dataset.VARIABLES)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "train_images": rng.integers(0, 256, (30, 6), dtype=np.uint8),
        "train_labels": np.arange(30, dtype=np.uint8) % 10,
        "test_images": rng.integers(0, 256, (20, 6), dtype=np.uint8),
        "test_labels": np.arange(20, dtype=np.uint8) % 10,
    }


def made(arrays, **options):
    return data.make(**arrays, **{"kind": "digits", "manifest": {}} | options)


@pytest.mark.parametrize("name", ARRAYS)
def test_digest_changes_with_one_value_of_any_array(arrays, name):
    before = made(arrays).attrs["digest"]
    arrays[name] = arrays[name].copy()
    arrays[name].flat[3] ^= 1
    assert made(arrays).attrs["digest"] != before


def test_digest_knows_types_and_shapes_not_bytes_alone(arrays):
    zeros = {n: np.zeros_like(a) for n, a in arrays.items()}
    options = {"mean": 0, "sd": 1}
    digests = {made(zeros, **options).attrs["digest"]}
    # The same zero bytes, in other rows and as another type.
    zeros |= {n: np.zeros((len(zeros[n]), 8), np.uint8) for n in ARRAYS[::2]}
    digests.add(made(zeros, **options).attrs["digest"])
    zeros |= {n: np.zeros((len(zeros[n]), 2), np.float32) for n in ARRAYS[::2]}
    digests.add(made(zeros, **options).attrs["digest"])
    assert len(digests) == 3


def test_digest_does_not_know_memory_layout_or_byte_order(arrays):
    arrays |= {n: arrays[n].astype(np.float32) for n in ARRAYS[::2]}
    ds = made(arrays)
    other = ds.assign(
        train_images=(ds.train_images.dims, np.asfortranarray(arrays["train_images"])),
        test_images=(ds.test_images.dims, arrays["test_images"].astype(">f4")),
    )
    assert data.dataset_digest(other) == ds.attrs["digest"]


def test_a_stored_data_set_still_holds_its_digest(arrays, tmp_path):
    store.write(tmp_path / "d.zarr", made(arrays), stamp("data", parameters={}))
    data.check(store.read(tmp_path / "d.zarr", kind="data"))


def test_check_finds_a_changed_pixel(arrays):
    ds = made(arrays)
    ds.train_images[2, 3] ^= 1
    with pytest.raises(InputError, match="^digest: the arrays give"):
        data.check(ds)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_images": np.zeros((30, 2, 3), np.uint8)}, r"train_images: shape \(30, 2, 3\)"),
        ({"test_images": np.zeros((20, 7), np.uint8)}, "7 pixels, but train_images have 6"),
        ({"test_labels": np.zeros(19, np.uint8)}, "19 labels for 20 images"),
        ({"train_labels": np.zeros(30, np.int64)}, "train_labels: type int64; give uint8"),
        ({"train_images": np.zeros((30, 6))}, "type float64; give uint8 or float32"),
        ({"train_labels": np.full(30, 10, np.uint8)}, "10 is no class; give 0 to 9"),
        ({"test_images": np.full((20, 6), np.nan, np.float32)}, "test_images: a pixel is not fin"),
        ({"train_images": np.ones((30, 6), np.uint8)}, "mean, sd: 1.0, 0.0 cannot scale"),
        (
            {"test_images": np.zeros((0, 6), np.uint8), "test_labels": np.zeros(0, np.uint8)},
            "test_images: empty",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(arrays, change, said):
    with pytest.raises(InputError, match=said):
        made(arrays | change)


def test_check_refuses_what_is_not_in_the_common_form(arrays):
    ds = made(arrays)
    with pytest.raises(InputError, match="train_labels: missing"):
        data.check(ds.drop_vars("train_labels"))
    with pytest.raises(InputError, match="train_images: dims"):
        data.check(ds.transpose())
    with pytest.raises(InputError, match="manifest: attribute missing"):
        data.check(ds.drop_attrs().assign_attrs(kind="digits", classes=10, mean=0.0, sd=1.0))


def test_training_images_have_mean_0_and_sd_1_after_scaling(arrays):
    scaled = data.standardised(made(arrays), "train")
    assert scaled.shape == (30, 6)
    assert scaled.dtype == np.float32
    assert abs(scaled.mean()) < 1e-6
    assert abs(scaled.std() - 1) < 1e-6


def test_test_images_are_scaled_by_the_training_images(arrays):
    train = arrays["train_images"]
    expected = (arrays["test_images"] - train.mean()) / train.std()
    np.testing.assert_allclose(data.standardised(made(arrays), "test"), expected, atol=1e-6)


def test_scaling_leaves_the_data_set_as_it_was(arrays):
    floats = {n: arrays[n].astype(np.float32) for n in ARRAYS[::2]}
    ds = made(arrays | floats)
    data.standardised(ds, "train")[:] = 0
    data.check(ds)


def test_unknown_split_is_refused(arrays):
    with pytest.raises(InputError, match="split: unknown 'valid'; give one of train, test"):
        data.standardised(made(arrays), "valid")


def test_load_follows_the_definition():
    small = DataSpec("small", "digits")
    ds = load(small)
    assert (ds.attrs["name"], ds.attrs["kind"], ds.sizes["pixel"]) == ("small", "digits", 64)
    twin = DataSpec("twin", "synthetic", like=small, difficulty=0.9, seed=3)
    made_here = load(twin)
    assert made_here.attrs["name"] == "twin"
    xr.testing.assert_identical(made_here, load(twin, like=ds))
    expected = data.synthesize(ds, difficulty=0.9, seed=3)
    assert made_here.attrs["digest"] == expected.attrs["digest"]


def test_load_refuses_what_the_definition_has_no_use_for(tmp_path):
    small = DataSpec("small", "digits")
    with pytest.raises(InputError, match="data.small.like"):
        load(small, like=digits.load())
    with pytest.raises(InputError, match="data.small.path"):
        load(small, path=tmp_path)
    with pytest.raises(InputError, match="data.twin.path"):
        load(DataSpec("twin", "synthetic", like=small), path=tmp_path)


def test_load_refuses_another_data_set_than_the_one_to_imitate():
    spec = DataSpec("twin", "synthetic", like=DataSpec("mnist", "mnist"))
    with pytest.raises(InputError, match="given digits data with 64 pixels; give mnist with 784"):
        load(spec, like=digits.load())
