"""What holds of a monitor's window whatever the weights do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.experiments.stopping.run import by_patience, first_in_a_row
from koopscope.koopman.fitting import fit
from koopscope.monitor.verdict import classify
from koopscope.monitor.window import SlidingWindow

seeds = st.integers(0, 2**32 - 1)


def walk(seed, steps, features, start):
    rng = np.random.default_rng(seed)
    return start + rng.normal(size=(steps, features)).cumsum(axis=0)


def windowed(snapshots, length, asked=()):
    """Window with snapshots added one by one, asked something after some of them."""
    window = SlidingWindow(length, snapshots.shape[1])
    for number, snapshot in enumerate(snapshots):
        window.add(snapshot)
        if number in asked:
            assert window.moved == (number > 0)
    return window


@settings(max_examples=30, deadline=None)
@given(
    seed=seeds,
    length=st.integers(3, 12),
    more=st.integers(0, 30),
    features=st.integers(1, 30),
    start=st.sampled_from([0.0, 1.0, 100.0]),
    asked=st.sets(st.integers(0, 41)),
)
def test_streaming_equals_a_fit_of_the_window_whenever_it_is_asked(
    seed, length, more, features, start, asked
):
    snapshots = walk(seed, length + more, features, start)
    found = windowed(snapshots, length, asked).spectrum()
    batch = fit([snapshots[-length:]], solver="full")
    assert len(found.eigenvalues) == len(batch.eigenvalues)
    # Pairs by order; the moduli of near ties may swap it.
    distances = np.abs(found.eigenvalues[:, None] - batch.eigenvalues)
    tolerance = (
        1e-8 * max(1, batch.condition_number / 1e5) * max(1, np.abs(batch.eigenvalues).max())
    )
    assert distances.min(axis=1).max() < tolerance
    assert distances.min(axis=0).max() < tolerance


@settings(max_examples=30, deadline=None)
@given(
    seed=seeds,
    length=st.integers(3, 9),
    before=st.integers(0, 25),
    after=st.integers(0, 12),
    asked=st.sets(st.integers(0, 40)),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_window_that_is_saved_and_loaded_goes_on_to_the_last_bit(
    seed, length, before, after, asked, dtype
):
    snapshots = walk(seed, before + after, 5, 1.0).astype(dtype)
    whole, second = windowed(snapshots, length, asked), SlidingWindow(length, 5)
    second.load_state_dict(windowed(snapshots[:before], length, asked).state_dict())
    for number, snapshot in enumerate(snapshots[before:], before):
        second.add(snapshot)
        if number in asked:
            assert second.moved == (number > 0)
    for key, value in whole.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)
    if before + after >= length:
        np.testing.assert_array_equal(second.spectrum().eigenvalues, whole.spectrum().eigenvalues)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, features=st.integers(1, 20))
def test_shares_are_shares(seed, features):
    found = windowed(walk(seed, 10, features, 0.0), 10).spectrum()
    assert (found.variance_shares >= 0).all()
    assert 0.999 < found.variance_shares.sum() < 1.001
    assert 0 <= found.slow_share <= 1
    assert 0 <= found.growing_share <= 1
    assert (found.time_constants >= 0).all()


@settings(max_examples=30, deadline=None)
@given(seed=seeds, scale=st.floats(1e-3, 1e3))
def test_a_verdict_does_not_depend_on_the_unit_of_the_weights(seed, scale):
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.3, 1.1, 3)
    snapshots = rates ** np.arange(12)[:, None] @ rng.normal(size=(3, 8))
    words = [
        classify(
            windowed(s, 12).spectrum(), np.linalg.norm(s[-1] - s[0]), np.linalg.norm(s[-1])
        ).status
        for s in (snapshots, scale * snapshots)
    ]
    assert words[0] == words[1]


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
def test_the_first_row_of_signs_is_the_first(signs, count):
    place = first_in_a_row(np.array(signs), count)
    rows = [i for i in range(count - 1, len(signs)) if all(signs[i - count + 1 : i + 1])]
    assert place == (rows[0] if rows else None)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30), st.integers(1, 10))
def test_patience_keeps_the_best_epoch_up_to_its_stop(losses, patience):
    found = by_patience(np.array(losses), patience)
    assert losses[found.kept] == min(losses[: found.epoch + 1])
    assert found.epoch == found.kept + patience if found.reached else found.epoch == len(losses) - 1
