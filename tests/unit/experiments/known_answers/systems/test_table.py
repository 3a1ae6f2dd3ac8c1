"""What every analytic system promises: the form, the seeds, and the law of the loss curves."""

import numpy as np
import pytest

from koopscope.errors import InputError
from koopscope.experiments.known_answers import names
from koopscope.experiments.known_answers.systems.table import SYSTEMS

PAIR = SYSTEMS["gradient descent bases"]


def clearest(first, second):
    """Largest of Welch's t statistics of the mean log loss, over all steps."""
    means, errors = [], []
    for pool in (first, second):
        curves = np.log(pool["loss"].values).mean(axis=1)
        means.append(curves.mean(axis=0))
        errors.append(curves.var(axis=0, ddof=1) / len(curves))
    return np.max(np.abs(means[1] - means[0]) / np.sqrt(errors[0] + errors[1] + 1e-30))


def test_every_system_has_a_known_answer_and_a_reason_in_one_line():
    assert list(SYSTEMS) == [case.name for case in names.ANALYTIC]
    assert names.CASES.keys() >= SYSTEMS.keys()
    for case in names.CASES.values():
        assert case.answer in (names.EQUIVALENT, names.DIFFERENT)
        assert case.because and case.system and "\n" not in case.because
        assert not case.core or case.answer == names.EQUIVALENT


def test_of_two_cases_of_one_name_the_second_is_refused():
    with pytest.raises(ValueError, match=f"two cases are called '{names.ANALYTIC[0].name}'"):
        names.by_name([*names.ANALYTIC, names.ANALYTIC[0]])


@pytest.mark.parametrize("name", SYSTEMS)
def test_pools_have_the_common_form_and_positive_losses(name):
    first, second = SYSTEMS[name]([3, 0], [7, 5, 6])
    for pool, seeds in ((first, [3, 0]), (second, [7, 5, 6])):
        assert pool["weights"].dims == ("seed", "init", "step", "weight")
        assert pool["loss"].dims == ("seed", "init", "step")
        assert pool["seed"].values.tolist() == seeds
        assert pool["weights"].dtype == pool["loss"].dtype == np.float64
        assert np.isfinite(pool["weights"]).all()
        assert (pool["loss"] > 0).all()
    shapes = [pool["weights"].shape[1:] for pool in (first, second)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_seeds_run_does_not_depend_on_the_others_and_seeds_differ(name):
    together, alone = SYSTEMS[name]([1, 2], [3])[0], SYSTEMS[name]([2], [4])[0]
    kept = together["weights"].sel(seed=[2])
    np.testing.assert_allclose(kept, alone["weights"], rtol=1e-9, atol=1e-11)
    assert not np.allclose(kept, together["weights"].sel(seed=[1]), rtol=1e-3)


@pytest.mark.parametrize("name", SYSTEMS)
def test_loss_curves_are_told_apart_where_they_are_said_to_differ_and_nowhere_else(name):
    found = clearest(*SYSTEMS[name](range(100), range(100, 200)))
    assert found < 5 if names.CASES[name].same_curve else found > 6


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        ([], [1], "first_seeds: none; give at least one seed"),
        ([0], [], "second_seeds: none; give at least one seed"),
        ([0, 1], [2, 1], "second_seeds: 1 is among first_seeds too; give each side its own"),
        ([0, 4, 4], [2], "first_seeds: 4 is given twice; give each seed once"),
        ([0], [-1], "second_seeds: -1; give a whole number of at least 0"),
        ([0.5], [1], "first_seeds: 0.5; give a whole number of at least 0"),
    ],
)
def test_seeds_that_make_no_two_pools_are_refused_in_one_line(first, second, line):
    with pytest.raises(InputError) as refused:
        PAIR(first, second)
    assert str(refused.value) == line
