"""Groups drawn from pools, and what methods answer to them."""

import numpy as np
import pytest
import xarray as xr

from koopscope.experiments.known_answers.draws import (
    answers_of_function,
    answers_of_matrix,
    groups,
)
from koopscope.experiments.known_answers.methods.answer import Answer


def line(*places):
    at = np.array(places, float)
    return np.abs(at[:, None] - at)


def test_groups_are_drawn_without_repetition_from_one_part():
    parts = np.arange(12) % 3
    drawn = list(groups(9, parts, 4, 50, (1, 2)))
    assert {len(set(a)) for a, _ in drawn} == {4} and {len(set(b)) for _, b in drawn} == {4}
    assert {len(set(parts[b])) for _, b in drawn} == {1}
    assert {int(parts[b][0]) for _, b in drawn} == {0, 1, 2}
    again = list(groups(9, parts, 4, 50, (1, 2)))
    np.testing.assert_array_equal(drawn, again)


def test_pools_that_are_too_small_give_no_answer():
    drawn = list(groups(3, np.zeros(9), 4, 2, (0,)))
    p, effect = answers_of_matrix(np.zeros((12, 12)), 3, drawn, 99)
    assert np.isnan(p).all() and np.isnan(effect).all()


def test_a_matrix_answers_by_the_energy_test():
    matrix = line(*range(6), *range(100, 106))
    p, effect = answers_of_matrix(matrix, 6, [(np.arange(5), np.arange(5))], 199)
    assert p[0] == pytest.approx(2 / 252) and effect[0] == pytest.approx(100 / 2)


def test_a_run_without_an_answer_leaves_its_draws_without_one():
    matrix = line(*range(12))
    matrix[2, :] = matrix[:, 2] = np.nan
    matrix[2, 2] = 0
    drawn = [(np.array([0, 1, 3, 4]), np.arange(4)), (np.array([0, 1, 2, 3]), np.arange(4))]
    p, effect = answers_of_matrix(matrix, 6, drawn, 99)
    assert np.isfinite(p[0]) and np.isnan(p[1]) and np.isnan(effect[1])


def test_a_function_gets_the_groups():
    pool = xr.Dataset({"weights": ("seed", np.arange(10.0))})
    seen = []

    def function(first, second):
        seen.append((first["weights"].values.tolist(), second["weights"].values.tolist()))
        return Answer(0.5, 2.0)

    drawn = [(np.array([1, 3]), np.array([0, 9]))]
    p, effect = answers_of_function(function, (pool, pool), drawn)
    assert seen == [([1, 3], [0, 9])] and (p[0], effect[0]) == (0.5, 2.0)
