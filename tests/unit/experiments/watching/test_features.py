"""What the windows of a run say at chosen epochs, on runs whose spectrum is known."""

import numpy as np
import pytest
from fixtures.watching import decaying, recorded

from koopscope.errors import InputError
from koopscope.experiments.watching.features import at_epochs

EPOCHS = 12


@pytest.fixture(scope="module")
def runs():
    """Two runs that settle, the second more slowly."""
    rates = ([0.9, 0.7], [0.96, 0.7])
    return recorded([decaying(8 * EPOCHS + 1, r, 30, seed=s) for s, r in enumerate(rates)])


def test_spectra_at_epochs_are_of_the_windows_that_end_there(runs):
    seen = at_epochs(runs, [1, 2, 5])
    assert seen["eigenvalue"].shape == (2, 3, 4)
    found = seen["eigenvalue"].values[0, 1]
    # Three parts, so the fourth direction is rounding.
    np.testing.assert_allclose(found[:3], [1, 0.9, 0.7], atol=1e-3)
    assert np.isnan(found[3])
    # With nine snapshots 0.9 is not told from 1, with seventeen it is.
    np.testing.assert_allclose(seen["time_constant"][0, :2], -1 / np.log([0.7, 0.9]), rtol=0.05)


def test_a_motionless_run_counts_as_one_eigenvalue_1_and_a_broken_one_as_nothing():
    still = np.ones((17, 5))
    broken = np.where(np.arange(17)[:, None] > 9, np.nan, decaying(17, [0.9], 5))
    seen = at_epochs(recorded([still, broken]), [1, 2])
    assert seen["slow_share"][0].values.tolist() == [1, 1]
    assert seen["predicted_displacement"][0].values.tolist() == [0, 0]
    assert np.isfinite(seen["predicted_displacement"].values[1]).tolist() == [True, False]
    assert seen["verdict"].values.tolist() == [["stalled"] * 2, ["converging", "diverging"]]


def test_an_epoch_that_is_not_there_is_refused(runs):
    with pytest.raises(InputError, match="^epochs: 13 is none of the run's 1 to 12"):
        at_epochs(runs, [1, 13])
