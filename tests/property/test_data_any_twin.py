import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.data.dataset import check, make
from koopscope.data.synthetic import synthesize


@settings(max_examples=50, deadline=None)
@given(
    train=st.integers(2, 60),
    test=st.integers(1, 30),
    pixels=st.integers(1, 8),
    difficulty=st.floats(0, 1, exclude_max=True),
    seed=st.integers(0, 2**63),
)
def test_any_twin_is_in_the_common_form_balanced_and_repeatable(
    train, test, pixels, difficulty, seed
):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(train + test, pixels)).astype(np.float32)
    labels = np.zeros(train + test, np.uint8)
    like = make(
        images[:train], labels[:train], images[train:], labels[train:], kind="digits", manifest={}
    )
    twin = synthesize(like, difficulty, seed)
    check(twin)
    assert twin.sizes == like.sizes
    for split in ("train", "test"):
        assert np.ptp(np.bincount(twin[f"{split}_labels"], minlength=10)) <= 1
    assert twin.identical(synthesize(like, difficulty, seed))
