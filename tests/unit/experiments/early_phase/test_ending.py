"""The rule by which an early phase ends, on effects that are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koopscope.compare.words import DISTINGUISHED, INCONCLUSIVE, NOT_DISTINGUISHED
from koopscope.experiments.early_phase.ending import ending, first_alike

TOLD = {True: DISTINGUISHED, False: INCONCLUSIVE}


def ended(effects, told, highs=None, halves=NOT_DISTINGUISHED, draws=None, margin=1.1):
    effects = np.array(effects, float)
    highs = effects + 0.05 if highs is None else np.array(highs)
    draws = np.tile(effects, (200, 1)) if draws is None else np.array(draws, float)
    return ending(effects, highs, [TOLD[t] for t in told], halves, draws, margin, 10)


def test_it_ends_where_effects_come_below_and_stay_there():
    found = ended([3, 2, 1.0, 1.02], [True, True, False, False])
    assert (found.window, found.low, found.high, found.outcome) == (2, 2, 2, "ends")


def test_a_later_window_that_differs_puts_the_end_after_it():
    assert ended([3, 1, 1.5, 1], [True, False, True, False]).window == 3


def test_it_is_not_over_where_the_window_before_the_last_differs():
    found = ended([3, 2, 2, 2], [True] * 4)
    assert (found.window, found.outcome) == (4, "not over")
    found = ended([3, 2, 2, 1.15], [True, True, True, False])
    assert found.outcome == INCONCLUSIVE and "neither alike nor distinguished" in found.reason


def test_none_is_seen_only_where_all_intervals_are_below_the_margin():
    assert ended([1, 0.98, 1.01], [False] * 3).outcome == "none seen"
    found = ended([1, 0.98, 1.01], [False] * 3, highs=[1.2, 1.0, 1.05])
    assert found.outcome == INCONCLUSIVE and "not all of their intervals" in found.reason


def test_an_end_without_a_distinguished_window_before_it_is_inconclusive():
    found = ended([1.2, 1, 1], [False] * 3)
    assert (found.window, found.outcome) == (1, INCONCLUSIVE)
    assert found.reason == "no window before the end is distinguished"


def test_halves_of_the_last_window_that_differ_make_it_inconclusive():
    found = ended([3, 2, 1, 1], [True, True, False, False], halves=DISTINGUISHED)
    assert found.outcome == INCONCLUSIVE and "halves" in found.reason


def test_an_effect_that_is_not_known_makes_it_inconclusive():
    found = ended([3, np.nan, 1], [True, False, False])
    assert np.isnan(found.window) and found.outcome == INCONCLUSIVE


def test_the_interval_of_the_end_is_that_of_its_resamples():
    draws = [[3, 2, 1, 1]] * 150 + [[3, 2, 1.2, 1]] * 50
    found = ended([3, 2, 1, 1], [True, True, False, False], draws=draws)
    assert (found.window, found.low, found.high) == (2, 2, 3)


@given(st.lists(st.floats(0.5, 4), min_size=1, max_size=12), st.floats(1, 3))
def test_from_the_end_on_all_is_below_and_just_before_it_is_not(effects, margin):
    effects = np.array(effects)
    end = int(first_alike(effects, margin))
    assert (effects[end:] < margin).all()
    assert end == 0 or effects[end - 1] >= margin


@given(st.lists(st.floats(0.5, 4), min_size=1, max_size=12), st.floats(1, 2), st.floats(0, 2))
def test_a_larger_margin_ends_no_later(effects, margin, more):
    effects = np.array(effects)
    assert first_alike(effects, margin + more) <= first_alike(effects, margin)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5)])
def test_many_are_ended_at_once_as_each_by_itself(shape):
    effects = np.random.default_rng(0).uniform(0.8, 1.4, shape)
    found = first_alike(effects, 1.1)
    each = [int(first_alike(row, 1.1)) for row in effects.reshape(-1, shape[-1])]
    assert found.ravel().tolist() == each
