"""Window and spectrum by themselves, and the words of the verdict."""

import numpy as np
import pytest
import torch
from fixtures.watching import decaying

from koopscope.errors import InputError
from koopscope.monitor.spectrum import WindowSpectrum
from koopscope.monitor.verdict import classify
from koopscope.monitor.window import SlidingWindow
from koopscope.recording.sketch import Sketch


def windowed(snapshots, length=None, rank=None):
    window = SlidingWindow(length or len(snapshots), snapshots.shape[1], rank)
    for snapshot in snapshots:
        window.add(snapshot)
    return window


def test_a_sketch_shows_the_eigenvalues_of_all_weights():
    snapshots = torch.tensor(decaying(20, [0.95, 0.8, 0.6], features=3000))
    sketch = Sketch(3000, 64)
    found = windowed(np.array([sketch([s]) for s in snapshots])).spectrum()
    leading = found.variance_shares > 1e-9
    np.testing.assert_allclose(found.eigenvalues[leading].real, [0.95, 0.8, 0.6], atol=1e-6)


def test_a_window_holds_the_last_snapshots_oldest_first():
    snapshots = np.random.default_rng(0).normal(size=(11, 5))
    window = windowed(snapshots, 4)
    np.testing.assert_array_equal(window.snapshots, snapshots[-4:])
    np.testing.assert_array_equal(window.last, snapshots[-1])
    np.testing.assert_array_equal(windowed(snapshots[:2], 4).snapshots, snapshots[:2])


def test_shares_are_of_variation_and_memory_is_the_time_to_1_over_e():
    decay = np.stack([5 + 3 * 0.9 ** np.arange(12), 2 * 0.5 ** np.arange(12)], axis=1)
    # A third, constant direction, so that 1 has its own.
    found = windowed(np.concatenate([decay, np.full((12, 1), 7.0)], axis=1)).spectrum()
    np.testing.assert_allclose(found.eigenvalues, [1, 0.9, 0.5], atol=1e-10)
    varied = [0, *(np.var(decay, axis=0) / np.var(decay, axis=0).sum())]
    np.testing.assert_allclose(found.variance_shares, varied, atol=1e-9)
    np.testing.assert_allclose(found.time_constants[1:], [-1 / np.log(0.9), -1 / np.log(0.5)])
    assert found.slowest == 1


def test_the_way_ahead_is_the_distance_that_the_run_then_goes():
    whole = decaying(60, [0.97, 0.8])
    found = windowed(whole[:15]).spectrum()
    for after in (0, 7, 30):
        went = np.linalg.norm(whole[14 + after + 15] - whole[14 + after])
        assert found.predicted_displacement(after) == pytest.approx(went, rel=1e-5)
    until = int(found.snapshots_until(found.predicted_displacement(20)))
    assert until in (20, 21)
    assert found.snapshots_until(found.predicted_displacement()) == 0
    assert found.snapshots_until(0) == np.inf


def test_growth_counts_only_if_its_residual_is_small():
    grows = 1.2 ** np.arange(12)[:, None] * np.ones((1, 4)) + decaying(12, [0.5], 4)
    found = windowed(grows).spectrum()
    assert found.growing_share > 0.9
    noise = np.random.default_rng(0).normal(size=(12, 40))
    assert windowed(noise).spectrum().growing_share == 0


def test_an_oscillation_whose_modulus_is_not_known_is_not_called_lasting():
    # As of a network that leaves a small start: neither growth nor rest is certain.
    values = np.array([1.044 + 0.126j, 1.044 - 0.126j])
    ones = np.ones(2, dtype=complex)
    for residual, share in [(0.068, 0.0), (1e-9, 1.0)]:
        found = WindowSpectrum(
            values / np.abs(values) if share else values,
            np.full(2, residual), ones, ones, np.eye(2, dtype=complex), 17,
        )  # fmt: skip
        assert found.oscillating_share == pytest.approx(share)
        assert found.growing_share == 0


@pytest.mark.parametrize(
    ("rates", "displacement", "word"),
    [
        ([0.5], 10.0, "converged"),
        ([0.9], 1.0, "converging"),
        ([1.2], 10.0, "diverging"),
        ([0.9], 1e-6, "stalled"),
    ],
)
def test_each_word_has_its_reason(rates, displacement, word):
    verdict = classify(windowed(decaying(20, rates)).spectrum(), displacement, size=5.0)
    assert verdict.status == word
    assert str(verdict).startswith(f"{word}: ")
    assert len(verdict.reason) > 20
    assert verdict.spectrum is not None


def test_no_end_is_foretold_where_none_is_near():
    verdict = classify(windowed(decaying(20, [1.02])).spectrum(), 1.0, 5.0)
    assert verdict.status == "converging"
    assert verdict.reason.endswith("no end is predicted")


def test_one_snapshot_too_few_is_refused():
    with pytest.raises(InputError, match="^window: 10 snapshots, but only 9 were taken so far"):
        windowed(decaying(9, [0.9]), 10).spectrum()
