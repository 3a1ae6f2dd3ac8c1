"""At full rank without delays, the fit is scikit-learn's linear regression."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LinearRegression

from koopscope.koopman.fitting import fit
from koopscope.koopman.regressor import KoopmanRegressor


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 5))
    matrix *= 0.95 / np.abs(np.linalg.eigvals(matrix)).max()
    states = [rng.normal(size=5)]
    for _ in range(79):
        states.append(matrix @ states[-1] + 0.2 * rng.normal(size=5))
    return np.array(states)


@pytest.mark.parametrize("solver", ["full", "gram"])
def test_predictions_are_those_of_linear_regression(run, solver):
    peer = LinearRegression(fit_intercept=False).fit(run[:-1], run[1:])
    states = np.random.default_rng(1).normal(size=(20, 5))
    for model in (
        KoopmanRegressor(solver=solver).fit(run),
        KoopmanRegressor(solver=solver).fit(run[:-1], run[1:]),
    ):
        np.testing.assert_allclose(model.predict(states), peer.predict(states), atol=1e-9)
        assert model.score(run[:-1], run[1:]) == pytest.approx(peer.score(run[:-1], run[1:]))


def test_eigenvalues_are_those_of_the_coefficients(run):
    peer = LinearRegression(fit_intercept=False).fit(run[:-1], run[1:])
    expected = np.linalg.eigvals(peer.coef_)
    costs = np.abs(fit([run]).eigenvalues[:, None] - expected)
    assert costs[linear_sum_assignment(costs)].max() < 1e-10


def test_with_delays_the_last_block_is_autoregression(run):
    delays = 2
    windows = np.hstack([run[j : len(run) - delays - 1 + j] for j in range(delays + 1)])
    peer = LinearRegression(fit_intercept=False).fit(windows, run[delays + 1 :])
    model = KoopmanRegressor(delays=delays).fit(run)
    np.testing.assert_allclose(model.predict(windows), peer.predict(windows), atol=1e-8)
