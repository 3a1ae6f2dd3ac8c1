import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from koopscope.data.signals import signal
from koopscope.errors import InputError
from koopscope.hsvr import kernel
from koopscope.hsvr.model import HierarchicalSVR

RNG = np.random.default_rng(0)
X = np.linspace(0, 1, 301)[:, None]
Y = 3 + np.sin(2 * np.pi * X[:, 0]) + 0.5 * np.sin(2 * np.pi * 11 * X[:, 0])


@parametrize_with_checks([HierarchicalSVR()])
def test_it_is_a_true_regressor_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def model():
    return HierarchicalSVR().fit(X, Y)


# [pilot] Largest error by range after each layer, layers 0, 1, 2, …; 2,001 points, dyadic scales.
PILOT = {
    "tones": [0.36, 0.35, 0.34, 0.22, 0.19, 0.031, 0.013, 0.010, 0.010],
    "tone": [0.54, 0.56, 0.60, 0.60, 0.56, 0.54, 0.27, 0.010, 0.010],
    "weak-tone": [0.10, 0.10, 0.05, 0.05, 0.05, 0.05, 0.05, 0.010],
    "chirp": [0.59, 0.66, 0.59, 0.63, 0.60, 0.57, 0.19, 0.013, 0.010],
}


@pytest.mark.parametrize("name", PILOT)
def test_the_error_falls_as_in_the_pilot(name):
    found = signal(name, 2001)
    x, y = found["x"].values[:, None], found["value"].values
    model = HierarchicalSVR(depth=len(PILOT[name])).fit(x, y)
    np.testing.assert_allclose(model.scales_, 2 * np.pi / 2 ** np.arange(len(PILOT[name])))
    np.testing.assert_allclose(model.errors_ / np.ptp(y), PILOT[name], atol=0.01)


def test_the_layers_add_up_to_the_prediction(model):
    x = RNG.uniform(-0.1, 1.1, (50, 1))
    layers = []
    for support, coefficients, intercept, scale in zip(
        model.support_, model.dual_coef_, model.intercept_, model.scales_, strict=True
    ):
        kernel = np.exp(-((x - X[support, 0]) ** 2) / (2 * scale**2))
        layers.append(kernel @ coefficients + intercept)
    np.testing.assert_allclose(model.predict(x), np.sum(layers, axis=0), atol=1e-9)
    stages = np.array(list(model.staged_predict(x)))
    np.testing.assert_allclose(stages, np.cumsum(layers, axis=0), atol=1e-9)
    for k in (1, 3, len(layers)):
        np.testing.assert_array_equal(model.predict(x, layers=k), stages[k - 1])


def test_the_residuals_are_what_the_stages_leave(model):
    left = Y - np.array(list(model.staged_predict(X)))
    np.testing.assert_allclose(model.residuals_, left, atol=1e-9)
    np.testing.assert_allclose(model.errors_, np.abs(left).max(axis=1), atol=1e-9)
    assert model.n_support_.tolist() == [len(support) for support in model.support_]
    assert model.epsilon_ == pytest.approx(0.01 * np.ptp(Y))
    assert model.critical_scale_ == model.scales_[-1]
    assert model.errors_[-1] <= 2 * model.epsilon_ < model.errors_[-2]


def test_kernels_row_by_row_give_the_same_model(model):
    rows = HierarchicalSVR(cache_size=1).fit(X, Y)
    np.testing.assert_allclose(rows.errors_, model.errors_, atol=0.005 * np.ptp(Y))
    np.testing.assert_allclose(rows.predict(X), model.predict(X), atol=0.005 * np.ptp(Y))


def test_distances_are_computed_once_and_kernels_once_a_layer(monkeypatch):
    calls = {"distances": 0, "kernels": 0}

    def counted(name, function):
        def wrapped(*arguments, **options):
            calls[name] += 1
            return function(*arguments, **options)

        return wrapped

    distances = counted("distances", kernel.euclidean_distances)
    monkeypatch.setattr(kernel, "euclidean_distances", distances)
    monkeypatch.setattr(kernel.np, "exp", counted("kernels", np.exp))
    fitted = HierarchicalSVR(depth=6).fit(X, Y)
    assert calls == {"distances": 1, "kernels": 6}
    assert (fitted.n_support_ > 0).all()


def test_the_order_of_the_points_does_not_change_the_scales(model):
    order = RNG.permutation(len(X))
    for scales in ("dyadic", "fft", "dmd"):
        a = HierarchicalSVR(scales=scales).fit(X, Y)
        b = HierarchicalSVR(scales=scales).fit(X[order], Y[order])
        np.testing.assert_allclose(a.scales_, b.scales_)


def test_a_layer_with_nothing_to_fit_costs_nothing(model):
    deep = HierarchicalSVR(depth=len(model.scales_) + 4).fit(X, Y)
    assert deep.n_support_[-1] == 0
    np.testing.assert_array_equal(deep.residuals_[-1], deep.residuals_[-2])
    np.testing.assert_allclose(deep.predict(X), Y, atol=1.2 * deep.epsilon_)


def test_scales_come_from_fourier_from_dmd_or_from_the_user():
    assert HierarchicalSVR(scales="dmd").fit(X, Y).scales_ == pytest.approx([1 / 6, 1 / 66])
    fft = HierarchicalSVR(scales="fft", decay=3).fit(X, Y).scales_
    assert (fft[:-1] >= 3 * fft[1:]).all()
    given = HierarchicalSVR(scales=[0.3, 0.1, 0.2]).fit(X, Y)
    assert given.scales_.tolist() == [0.3, 0.1, 0.2]
    assert given.critical_scale_ == 0.1


@pytest.mark.parametrize("depth", ["auto", "fft", "dmd", "tapered", "lomb-scargle", "spacing"])
def test_every_rule_gives_a_depth_that_fits(depth):
    model = HierarchicalSVR(depth=depth).fit(X, Y)
    assert len(model.scales_) >= 5
    assert model.errors_[-1] <= 3 * model.epsilon_


def test_scattered_points_are_served():
    x = np.sort(RNG.uniform(0, 1, 300))[:, None]
    y = np.sin(2 * np.pi * 7 * x[:, 0])
    model = HierarchicalSVR().fit(x, y)
    assert model.score(x, y) > 0.999
    plane = RNG.uniform(0, 1, (400, 2))
    z = np.sin(6 * plane[:, 0]) * np.cos(5 * plane[:, 1])
    assert HierarchicalSVR().fit(plane, z).score(plane, z) > 0.999


def test_a_grid_of_two_coordinates_is_served_by_every_rule():
    axes = np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21), indexing="ij")
    x = np.stack([axis.ravel() for axis in axes], axis=1)
    y = np.sin(2 * np.pi * (2 * x[:, 0] + x[:, 1]))
    dmd = HierarchicalSVR(scales="dmd").fit(x, y)
    np.testing.assert_allclose(dmd.scales_, [1 / (6 * np.sqrt(5))])
    for options in ({"scales": "fft"}, {"depth": "tapered"}, {"depth": "dmd"}):
        model = HierarchicalSVR(**options).fit(x, y)
        assert model.errors_[-1] <= 3 * model.epsilon_


def test_a_subset_sees_fewer_points_and_fits_nearly_as_well():
    x = np.linspace(0, 1, 2000)[:, None]
    y = np.sin(2 * np.pi * 9 * x[:, 0])
    few = HierarchicalSVR(subset=500, random_state=1).fit(x, y)
    assert max(few.n_support_) <= 500
    assert few.residuals_.shape == (len(few.scales_), 2000)
    assert few.score(x, y) > 0.999
    again = HierarchicalSVR(subset=500, random_state=1).fit(x, y)
    np.testing.assert_array_equal(few.predict(x), again.predict(x))
    whole, all_of_it = (HierarchicalSVR(subset=n).fit(X, Y) for n in (None, 10_000))
    np.testing.assert_array_equal(whole.predict(X), all_of_it.predict(X))


def test_it_works_with_the_tools_of_scikit_learn():
    model = HierarchicalSVR(scales=[0.3, 0.1], decay=3)
    assert clone(model).get_params() == model.get_params()
    piped = make_pipeline(MinMaxScaler(), HierarchicalSVR()).fit(1000 * X, Y)
    np.testing.assert_allclose(piped.predict(1000 * X), Y, atol=0.03 * np.ptp(Y))
    folds = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(HierarchicalSVR(), {"depth": [2, "auto"]}, cv=folds).fit(X, Y)
    assert search.best_params_ == {"depth": "auto"}
    both = np.stack([Y, Y**2], axis=1)
    wrapped = MultiOutputRegressor(HierarchicalSVR()).fit(X, both)
    assert wrapped.predict(X).shape == both.shape


@pytest.mark.parametrize("scales", ["dyadic", "fft", "dmd", [0.5, 0.25]])
def test_a_constant_gets_one_layer_and_a_warning(scales):
    model = HierarchicalSVR(scales=scales)
    with pytest.warns(UserWarning, match="y: constant, so it has no scale; one layer is enough"):
        model.fit(X, np.full(len(X), 4.0))
    assert len(model.scales_) == 1
    np.testing.assert_array_equal(model.predict(X), np.full(len(X), 4.0))


def test_scales_finer_than_the_points_are_warned_of():
    for options in ({"scales": [0.1, 1e-4]}, {"depth": 14}):
        with pytest.warns(UserWarning, match="is too fine for points 0.00333 apart"):
            HierarchicalSVR(**options).fit(X, Y)


CASES = {
    "scales": (dict(scales="wavelet"), "scales: unknown 'wavelet'; give one of dyadic, fft, dmd"),
    "negative scale": (dict(scales=[1, -1]), "scales: -1.0 is not a positive number"),
    "no scale": (dict(scales=[]), r"scales: shape is \(0,\)"),
    "depth": (dict(depth="deep"), "depth: unknown 'deep'; give one of auto, fft, dmd, tapered"),
    "no depth": (dict(depth=0), "depth: 0 is not a whole number of at least 1"),
    "half a layer": (dict(depth=1.5), "depth: 1.5 is not a whole number"),
    "decay": (dict(decay=1), "decay: 1 is not a finite number above 1"),
    "epsilon": (dict(epsilon=0), "epsilon: 0 is not between 0 and 1"),
    "threshold": (dict(threshold=2), "threshold: 2 is not between 0 and 1"),
    "C": (dict(C=-1), "C: -1 is not a finite number above 0"),
    "tol": (dict(tol=0), "tol: 0 is not a finite number above 0"),
    "subset": (dict(subset=1), "subset: 1 is not a whole number of at least 2"),
}


@pytest.mark.parametrize("case", CASES)
def test_parameters_out_of_their_range_are_refused_in_one_clear_line(case):
    arguments, match = CASES[case]
    with pytest.raises(InputError, match=match) as refused:
        HierarchicalSVR(**arguments).fit(X, Y)
    assert "\n" not in str(refused.value)


def test_points_that_do_not_suit_the_rule_are_refused():
    scattered, repeated = X**2, np.maximum(X, 0.1)
    with pytest.raises(InputError, match="x: steps from .* give equidistant points"):
        HierarchicalSVR(scales="fft").fit(scattered, Y)
    with pytest.raises(InputError, match="x: 0.1 is there twice; average the values"):
        HierarchicalSVR(depth="tapered").fit(repeated, Y)
    plane = RNG.uniform(0, 1, (50, 2))
    with pytest.raises(InputError, match="scales: 'dmd' needs points on an equidistant grid"):
        HierarchicalSVR(scales="dmd").fit(plane, plane[:, 0])
    with pytest.raises(InputError, match="depth: 'lomb-scargle' needs one coordinate, X has 2"):
        HierarchicalSVR(depth="lomb-scargle").fit(plane, plane[:, 0])
    with pytest.raises(InputError, match="a spectrum needs at least 8 points"):
        HierarchicalSVR(scales="fft").fit(X[:6], Y[:6])
    with pytest.raises(ValueError, match="NaN"):
        HierarchicalSVR().fit(X, np.where(Y > 4, np.nan, Y))
    with pytest.raises(ValueError, match="infinity"):
        HierarchicalSVR().fit(np.where(X > 0.5, np.inf, X), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        HierarchicalSVR().fit(X, Y[:-1])


def test_layers_that_are_not_there_are_refused(model):
    for layers in (0, len(model.scales_) + 1, 1.5):
        with pytest.raises(InputError, match=rf"layers: {layers} is not possible here; give 1 to"):
            model.predict(X, layers=layers)
    with pytest.raises(NotFittedError):
        HierarchicalSVR().predict(X)


@pytest.mark.parametrize("choices", [{}, {"depth": 3}, {"scales": [1.0]}])
def test_two_distinct_points_are_enough(choices):
    binary = np.tile([[0.0], [1.0]], (20, 1))
    found = HierarchicalSVR(**choices).fit(binary, 2 * binary[:, 0]).predict([[0.0], [1.0]])
    assert found.shape == (2,) and np.isfinite(found).all()
    HierarchicalSVR().fit([[0.0], [1.0]], [0.0, 1.0])
