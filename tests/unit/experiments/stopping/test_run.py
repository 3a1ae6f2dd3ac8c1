"""Stopping rules on curves and spectra whose stopping epoch is known."""

import numpy as np
import pytest
from fixtures.watching import decaying, recorded

from koopscope.experiments.stopping.names import CHOSEN
from koopscope.experiments.stopping.run import (
    Stop,
    by_patience,
    by_sign,
    compared,
    stops,
    summarised,
)

EPOCHS = 12


@pytest.fixture(scope="module")
def runs():
    """Two runs that settle, the second more slowly, with accuracies that rise to 0.9."""
    sketches = [decaying(8 * EPOCHS + 1, rates, 30, seed=s) for s, rates in enumerate(
        ([0.9, 0.7], [0.96, 0.7])
    )]  # fmt: skip
    accuracy = 0.9 - 0.5 * 0.5 ** np.arange(EPOCHS + 1)
    loss = np.abs(np.arange(EPOCHS + 1) - 5) + 1.0
    return recorded(sketches, test_accuracy=accuracy, validation_loss=loss)


def chosen(table, rule):
    return table.isel(setting=int(np.flatnonzero((table["rule"] == rule) & table["chosen"])[0]))


def test_patience_stops_so_many_epochs_after_the_best_and_keeps_that():
    assert by_patience(np.array([5, 4, 3, 3, 3.5, 2]), 3) == Stop(5, 5, False)
    assert by_patience(np.array([5, 4, 3, 3, 3.5, 2]), 2) == Stop(4, 2, True)
    assert by_patience(np.array([5, np.nan, np.nan]), 2) == Stop(2, 0, True)


def test_a_sign_has_to_hold_three_times_in_a_row():
    epochs = np.arange(2, 9)
    assert by_sign(np.array([1, 1, 0, 1, 1, 1, 1]), epochs, 8) == Stop(7, 7, True)
    assert by_sign(np.array([1, 1, 0, 1, 1, 0, 1]), epochs, 8) == Stop(8, 8, False)


def test_a_run_that_settles_sooner_is_stopped_sooner(runs):
    table, seen = stops(runs)
    ahead = chosen(table, "spectrum: predicted displacement")
    assert ahead["stop"].values[0] < ahead["stop"].values[1]
    assert ahead["saved"].values.tolist() == (EPOCHS - ahead["stop"].values).tolist()
    # Known to the snapshot: the sign holds from the first epoch whose next window goes under 5 %.
    for run in range(2):
        first = int(
            seen["epoch"].values[np.argmax(seen["predicted_displacement"].values[run] <= 0.05)]
        )
        assert ahead["stop"].values[run] == first + 2


def test_what_a_rule_loses_is_the_accuracy_at_the_end_less_that_of_the_weights_kept(runs):
    table, _ = stops(runs)
    patient = chosen(table, "patience")
    assert (patient["stop"] == 5 + CHOSEN["patience"]).all()
    np.testing.assert_allclose(patient["lost"], 0.5 * (0.5**5 - 0.5**12), atol=1e-6)
    fixed = table.isel(setting=np.flatnonzero(table["rule"] == "fixed"))
    assert fixed["stop"][0].values.tolist() == list(range(1, EPOCHS + 1))
    assert fixed["lost"].values[:, -1] == pytest.approx(0)


def test_a_rule_that_never_speaks_saves_nothing_and_says_so(runs):
    table, _ = stops(runs.isel(run=[1]))
    strict = table.isel(
        setting=int(np.flatnonzero((table["rule"] == "patience") & (table["threshold"] == 10))[0])
    )
    assert not strict["reached"].item()
    assert strict["saved"].item() == 0


def test_means_have_intervals_and_a_fixed_budget_loses_nothing_against_itself(runs):
    table, _ = stops(runs)
    found = summarised(table)
    low, high = found["saved"].sel(bound="low"), found["saved"].sel(bound="high")
    assert (
        (low <= found["saved"].sel(bound="mean")) & (found["saved"].sel(bound="mean") <= high)
    ).all()
    fixed = found.isel(setting=np.flatnonzero(found["rule"] == "fixed"))
    np.testing.assert_allclose(fixed["less_lost"], 0, atol=1e-12)


def test_better_worse_and_neither_are_told_by_both_differences(runs):
    table, _ = stops(runs)
    one, other = (
        int(np.flatnonzero((table["rule"] == rule) & table["chosen"])[0])
        for rule in ("spectrum: slow share", "patience")
    )
    for saved, lost, word in ((3, 0.0, "better"), (-3, 0.0, "worse"), (3, 0.1, "neither")):
        changed = table.copy(deep=True)
        changed["saved"][:, one] = changed["saved"][:, other] + saved
        changed["lost"][:, one] = changed["lost"][:, other] + lost
        assert compared(changed, "spectrum: slow share", "patience")[0] == word


def test_a_diverged_run_has_no_right_answers_and_is_counted(runs):
    broken = runs.copy(deep=True)
    for name in ("sketch", "train_loss", "validation_loss", "test_accuracy"):
        half = broken.sizes["snapshot" if broken[name].dims[1] == "snapshot" else "epoch"] // 2
        broken[name].values[0, half:] = np.nan
    table, _ = stops(broken)
    assert np.isfinite(table["lost"]).all()
    last = table["lost"].isel(setting=int(np.flatnonzero(table["rule"] == "fixed")[0]))
    assert last.values[0] == -broken["test_accuracy"].values[0, 1]
    assert np.isfinite(summarised(table)["lost"]).all()
