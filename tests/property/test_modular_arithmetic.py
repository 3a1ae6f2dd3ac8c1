"""Modular arithmetic of any size: all pairs once, and a symmetry that renames the elements."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from koopscope.config.data import OPERATIONS, DataSpec, train_pairs
from koopscope.data.dataset import check
from koopscope.data.modular import modular_arithmetic, rename


def tokens_of(ds):
    """Tokens and answers of all samples, training first, in any encoding."""
    p = ds.attrs["classes"]
    images = np.concatenate([ds["train_images"].values, ds["test_images"].values])
    if images.shape[1] != 3:
        images = images.reshape(-1, 2, p).argmax(axis=2)
    labels = np.concatenate([ds["train_labels"].values, ds["test_labels"].values])
    return np.column_stack([images[:, :2], labels]).astype(int)


@settings(max_examples=50, deadline=None)
@given(
    modulus=st.integers(3, 40),
    operation=st.sampled_from(OPERATIONS),
    train_share=st.floats(0, 1, exclude_min=True, exclude_max=True, allow_subnormal=False),
    encoding=st.sampled_from(["onehot", "tokens"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_set_has_every_pair_once_and_any_renaming_is_one_of_all_its_samples(
    modulus, operation, train_share, encoding, seed
):
    train = train_pairs(modulus, train_share)
    assume(0 < train < modulus**2 and train_share > 1e-30)
    ds = modular_arithmetic(modulus, operation, train_share, encoding, seed)
    check(ds)
    fields = {"modulus": modulus, "train_share": train_share, "encoding": encoding}
    spec = DataSpec("x", "modular", **fields)
    sizes = {"train_sample": train, "test_sample": spec.test_samples, "pixel": spec.pixels}
    assert dict(ds.sizes) == sizes
    before = tokens_of(ds)
    assert len(np.unique(before[:, :2], axis=0)) == len(before) == modulus**2
    control = rename(ds, seed)
    check(control)
    after = tokens_of(control)
    names = np.full(modulus, -1)
    names[before[:, 0]] = after[:, 0]
    np.testing.assert_array_equal(names[before], after)
    assert sorted(names) == list(range(modulus)) and (names != np.arange(modulus)).all()
