"""The benchmark itself, small: what it asks, and what its answers are."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from koopscope.config.data import DataSpec
from koopscope.data import digits
from koopscope.experiments.known_answers.methods.answer import Answer, ByDistance
from koopscope.experiments.known_answers.methods.spectral import Spectra, Spectral, observed
from koopscope.experiments.known_answers.methods.table import METHODS
from koopscope.experiments.known_answers.names import CASES
from koopscope.experiments.known_answers.plan import KnownAnswers, network_of
from koopscope.experiments.known_answers.rates import rates
from koopscope.experiments.known_answers.run import run
from koopscope.experiments.known_answers.systems.table import SYSTEMS
from koopscope.experiments.known_answers.vocabulary import PLAIN, spectrum_named
from koopscope.experiments.means import Means

NETWORK = network_of(
    {"data": DataSpec("digits", "digits"), "hidden_widths": (6,), "steps": 60, "probe": 4}
)
PLAN = KnownAnswers(
    "known",
    "Which?",
    NETWORK,
    delays=4,
    rank=3,
    runs=12,
    core_times=2,
    sizes=(4, 6),
    draws=10,
    maps=2,
    permutations=99,
    cases=("weights rescaled", "rate 0.5", "omd/ogd tan", "ogd/bisection tan"),
    methods=("spectrum raw", "spectrum normal_scores", "spectrum whitened:3", "loss_curve"),
)


def of_mean(first, second):
    """A method of someone's own, which has no answer for bisection."""
    if float(second["loss"].min()) < 1e-10:
        raise RuntimeError("no root")
    return Answer(0.01, 3.0)


def last_losses(runs):
    last = runs["loss"].isel(step=-1).mean("init").values
    return abs(last[:, None] - last)


few = ByDistance(last_losses, most_runs=7)


@pytest.fixture(scope="module")
def answers():
    methods = (*PLAN.methods, f"{__name__}:of_mean")
    with pytest.warns(UserWarning, match="RuntimeError: no root"):
        return run(replace(PLAN, methods=methods), [digits.load()], Means())


def test_every_case_has_its_pools():
    assert set(CASES) >= set(SYSTEMS)
    assert {case.name for case in CASES.values() if case.system == "network"} == set(CASES) - set(
        SYSTEMS
    )


def test_plain_methods_are_those_that_there_are():
    assert set(PLAIN) == set(METHODS)


def test_core_cases_have_more_draws(answers):
    assert answers["draws"].values.tolist() == [20, 10, 20, 10]
    beyond = answers["p_value"].isel(case=1, draw=slice(10, None))
    assert bool(beyond.isnull().all())
    assert bool(answers["p_value"].sel(approach="spectrum raw").isel(case=0).notnull().all())


def test_it_is_kept_how_many_runs_a_method_was_asked_about(answers):
    assert (answers["pool"] == answers["pool"][0]).all()
    assert answers["pool"][0].values.tolist() == [24, 12, 24, 12]
    plan = replace(PLAN, cases=("omd/ogd tan",), methods=(f"{__name__}:few",), sizes=(4,))
    assert run(plan, [digits.load()], Means())["pool"].item() == 7


def test_no_answer_is_none_for_either_side(answers):
    found = rates(answers)
    # Two weights have no three principal components.
    whitened = found.sel(approach="spectrum whitened:3", case="omd/ogd tan")
    assert (whitened["answered"] == 0).all() and whitened["rate"].isnull().all()
    assert not bool(found["admissible"].sel(approach="spectrum whitened:3"))
    own = found.sel(approach=f"{__name__}:of_mean")
    assert (own["answered"].sel(case="ogd/bisection tan") == 0).all()
    assert (own["rate"].sel(case="rate 0.5") == 1).all()


def test_the_same_questions_get_the_same_answers(answers):
    again = run(replace(PLAN, methods=PLAN.methods[:1]), [digits.load()], Means(threads=2))
    for name in ("p_value", "effect"):
        np.testing.assert_array_equal(again[name][0], answers[name][0])


def test_scores_of_ranks_are_blind_to_mirrors_and_raw_weights_are_not(answers):
    found = rates(answers).sel(case="omd/ogd tan", size=6)
    assert float(found["rate"].sel(approach="spectrum raw")) > 0.9
    assert float(found["rate"].sel(approach="spectrum normal_scores")) < 0.3


def test_fits_of_the_base_are_reused_and_others_forgotten():
    spectra = Spectra()
    runs = np.random.default_rng(0).normal(size=(5, 1, 40, 3)).cumsum(axis=2)
    pool = xr.Dataset({"weights": (("seed", "init", "step", "weight"), runs)})
    pool = pool.assign_attrs(delays=2, rank=2)
    base = pool.assign_attrs(reused="side 0")
    whole = spectra.of(base, "weights", "raw")
    assert spectra.of(base.isel(seed=slice(3)), "weights", "raw") == whole[:3]
    other = spectra.of(pool, "weights", "raw")
    assert spectra.of(pool, "weights", "raw") is not None and other[0][0] is not whole[0][0]
    spectra.forget()
    assert list(spectra._kept) == [("side 0", "weights", "raw")]


def test_an_observable_that_was_not_recorded_gives_no_spectrum():
    pool = xr.Dataset({"weights": (("seed", "init", "step", "weight"), np.ones((3, 1, 9, 2)))})
    pool = pool.assign_attrs(delays=1, rank=1)
    assert observed(pool, "probe").size == 0
    matrix = Spectral("raw", "wasserstein", "probe", Spectra()).distances(pool, pool)
    assert np.isnan(matrix[~np.eye(6, dtype=bool)]).all()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("spectrum raw", ("raw", "wasserstein", "weights")),
        ("spectrum whitened:5 hausdorff of probe", ("whitened:5", "hausdorff", "probe")),
        ("spectrum raw of loss", ("raw", "wasserstein", "loss")),
        ("spectrum", None),
        ("spectrum raw hausdorff more", None),
        ("loss_curve", None),
    ],
)
def test_the_name_of_a_spectrum_says_how_it_is_taken(name, found):
    assert spectrum_named(name) == found
