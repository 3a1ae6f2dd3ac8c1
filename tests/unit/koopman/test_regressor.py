import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

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
    with pytest.raises(InputError, match=r"y: shape is \(29, 1\); give the successors of X"):
        KoopmanRegressor().fit(run[:-1], run[1:, :1])
    with pytest.raises(InputError, match=r"X: shape is \(30, 2\); give \(n, 4\)"):
        KoopmanRegressor(delays=1).fit(run).predict(run)
    with pytest.raises(InputError, match="rank: 3 is not possible here; give 1 to 2"):
        KoopmanRegressor(rank=3).fit(run)
    with pytest.raises(ValueError, match="NaN"):
        KoopmanRegressor().fit(np.where(run > 0.9, np.nan, run))
