import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import check_estimator

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.koopman.regressor import KoopmanRegressor

MATRIX = np.array([[0.9, 0.4], [-0.4, 0.9]])


@pytest.fixture(scope="module")
def run():
    states = [np.array([1.0, 0.5])]
    for _ in range(29):
        states.append(MATRIX @ states[-1])
    return np.array(states)


@pytest.mark.parametrize("solver", ["auto", "full", "gram"])
def test_it_predicts_the_successors_of_any_states(run, solver):
    model = KoopmanRegressor(solver=solver).fit(run)
    states = np.random.default_rng(0).normal(size=(7, 2))
    np.testing.assert_allclose(model.predict(states), states @ MATRIX.T, atol=1e-6)
    assert model.n_features_in_ == 2


@pytest.mark.parametrize("delays", [1, 3])
def test_with_delays_it_predicts_from_flattened_windows(run, delays):
    # One weight alone says too little of its successor; its past completes it.
    seen = run[:, :1]
    model = KoopmanRegressor(delays=delays).fit(seen)
    windows = np.lib.stride_tricks.sliding_window_view(seen[:-1, 0], delays + 1)
    np.testing.assert_allclose(model.predict(windows), seen[delays + 1 :], atol=1e-9)


def test_it_fits_states_and_their_successors_in_any_order(run):
    order = np.random.default_rng(1).permutation(29)
    model = KoopmanRegressor().fit(run[:-1][order], run[1:][order])
    np.testing.assert_allclose(model.predict(run[:-1]), run[1:], atol=1e-9)
    expected = fit([run]).eigenvalues
    np.testing.assert_allclose(model.spectrum_.eigenvalues, expected, atol=1e-10)
    assert model.score(run[:-1], run[1:]) == pytest.approx(1)


def test_it_is_an_estimator_like_any_other(run):
    model = KoopmanRegressor(delays=2, rank=3, solver="lanczos")
    assert model.get_params() == {"delays": 2, "rank": 3, "solver": "lanczos"}
    copy = clone(model.fit(np.random.default_rng(0).normal(size=(20, 3))))
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "spectrum_")
    assert copy.set_params(rank=1).rank == 1
    noisy = run + 1e-3 * np.random.default_rng(2).normal(size=run.shape)
    search = GridSearchCV(KoopmanRegressor(), {"rank": [1, 2]}, cv=3)
    assert search.fit(noisy[:-1], noisy[1:]).best_params_ == {"rank": 2}
    piped = make_pipeline(MaxAbsScaler(), KoopmanRegressor()).fit(run)
    expected = MaxAbsScaler().fit(run).transform(run)[1:]
    np.testing.assert_allclose(piped.predict(run[:-1]), expected, atol=1e-9)


def test_what_it_cannot_use_is_refused(run):
    with pytest.raises(NotFittedError):
        KoopmanRegressor().predict(run)
    with pytest.raises(InputError, match="delays: 1 need a trajectory; leave y out"):
        KoopmanRegressor(delays=1).fit(run[:-1], run[1:])
    with pytest.raises(InputError, match=r"X: shape is \(30, 2\); give \(n, 4\)"):
        KoopmanRegressor(delays=1).fit(run).predict(run)
    with pytest.raises(InputError, match="rank: 3 is not possible here; give 1 to 2"):
        KoopmanRegressor(rank=3).fit(run)
    with pytest.raises(ValueError, match="NaN"):
        KoopmanRegressor().fit(np.where(run > 0.9, np.nan, run))


def test_scikit_learns_own_checks_pass():
    found = check_estimator(KoopmanRegressor(), on_fail=None)
    assert len(found) > 40
    assert not [check for check in found if check["status"] == "failed"]
    # By the name of the module's flag, without which it runs nowhere.
    skipped = {check["check_name"] for check in found if check["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}


@pytest.mark.parametrize("rank", [None, 2])
def test_other_numbers_are_those_of_a_regression_on_the_first_directions(rank):
    draw = np.random.default_rng(5)
    states = draw.normal(size=(40, 4)) * [3, 2, 1, 0.5]
    numbers = states @ draw.normal(size=(4, 2)) + 0.1 * draw.normal(size=(40, 2))
    svd = TruncatedSVD(rank or 4, random_state=0)
    reduced = svd.fit_transform(states)
    expected = LinearRegression(fit_intercept=False).fit(reduced, numbers).predict(reduced)
    model = KoopmanRegressor(rank=rank).fit(states, numbers)
    np.testing.assert_allclose(model.predict(states), expected, atol=1e-8)
    assert not hasattr(model, "spectrum_")
    one = KoopmanRegressor(rank=rank).fit(states, numbers[:, 0]).predict(states)
    np.testing.assert_allclose(one, expected[:, 0], atol=1e-8)
    assert not hasattr(model.fit(states), "coef_")


def test_a_rank_that_numbers_cannot_have_is_refused():
    with pytest.raises(InputError, match="rank: 5 is not possible here; give 1 to 3"):
        KoopmanRegressor(rank=5).fit(np.eye(4)[:, :3], np.arange(4.0))


def test_successors_with_their_columns_in_another_order_are_refused():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["a", "b"])
    with pytest.raises(InputError, match="y: its columns are those of X in another order"):
        KoopmanRegressor().fit(table[:-1], table[["b", "a"]][1:])


def test_a_fitted_regressor_travels():
    states = np.random.default_rng(0).normal(size=(30, 2)).cumsum(axis=0)
    model = KoopmanRegressor().fit(states)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(states), model.predict(states))
