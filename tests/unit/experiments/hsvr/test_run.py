import numpy as np
import pytest

from koopscope.data.signals import coordinates, draws, signal, split
from koopscope.errors import InputError
from koopscope.experiments.hsvr import regressors, transitions
from koopscope.experiments.hsvr.names import REGRESSORS
from koopscope.experiments.hsvr.prediction import predictions
from koopscope.experiments.hsvr.regressors import baselines, compare_regressors
from koopscope.experiments.hsvr.transitions import error_by_layer, phase_transitions, transition
from koopscope.experiments.means import Means
from koopscope.experiments.registry import read
from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.scales import layers_to, predict_layers, reachable_scale


def test_the_transition_is_the_first_layer_from_which_on_the_error_stays_low():
    assert transition([0.5, 0.4, 0.02, 0.01], 0.01) == 3
    assert transition([0.01, 0.4, 0.02, 0.01], 0.01) == 3
    assert transition([0.01, 0.01], 0.01) == 1
    assert np.isnan(transition([0.5, 0.01, 0.03], 0.01))
    assert np.isnan(transition([np.nan, np.nan], 0.01))


def test_every_second_point_trains_and_those_amid_are_held_out():
    train, held_out = split(signal("rings", 9))
    assert dict(train.sizes) == {"x": 5, "y": 5}
    assert dict(held_out.sizes) == {"x": 4, "y": 4}
    np.testing.assert_allclose(held_out["x"], train["x"].values[:-1] + np.pi / 4)
    assert coordinates(train).shape == (25, 2)
    np.testing.assert_allclose(coordinates(train)[1], [0, np.pi / 2])
    with pytest.raises(InputError, match="signal: no point to hold out"):
        split(signal("tone", 2).isel(x=[0]))


# Known scales, whose transition the improved rule has to find within one dyadic layer.
@pytest.mark.parametrize(
    "name", ["tone", "tones", "weak-tone", "broken-tone", "modulated", "quasi-periodic"]
)
def test_the_tapered_rule_finds_the_transition_within_one_layer(name):
    found = phase_transitions([signal(name, 1001)])
    assert np.abs(found["miss"].sel(rule="tapered")).item() <= 1
    assert found["miss"].sel(rule="fft").item() >= 1
    assert found["train_error"].isel(case=0, layers=-1) <= 0.02


def test_under_noise_the_tapered_rule_finds_the_layer_that_generalises_best():
    found = phase_transitions([signal(name, 1001, 0.1, seed=1) for name in ("tones", "chirp")])
    assert (np.abs(found["predicted"].sel(rule="tapered") - found["best"]) <= 1).all()
    # The training error falls only where the noise is memorised.
    assert (found["transition"] > found["best"] + 1).all()


def observed_and_predicted(x, y):
    dx = x[1] - x[0]
    model = HierarchicalSVR(depth=layers_to(dx, np.ptp(x))).fit(x[:, None], y)
    errors = np.abs(model.residuals_)
    predicted = predict_layers(y, dx)
    worst = x[errors[predicted - 1].argmax()] / np.ptp(x)
    return transition(errors.max(axis=1), model.epsilon_), predicted, worst


def test_it_is_the_end_of_the_window_not_the_taper_that_costs_a_chirp_a_layer():
    turn = 2 * np.pi
    x = np.linspace(0, 2 * turn, 1001)
    rising = np.where(x < turn, 3 * x**2, 6 * turn**2 - 3 * (2 * turn - x) ** 2)
    # Fastest in the middle, where the taper hides nothing and kernels reach to both sides.
    observed, predicted, _ = observed_and_predicted(x, np.sin(rising))
    assert observed == predicted
    # Fastest at the end: a layer more is needed, there, than for a wave that goes on.
    half = x[x <= turn * 1.0001]
    observed, predicted, worst = observed_and_predicted(half, np.sin(3 * half**2))
    assert observed == predicted + 1 and worst > 0.99
    # The end's own frequency, told to the rule, gives no other layer than what the taper leaves.
    told = reachable_scale(6 * turn / (2 * np.pi), len(half) / turn)
    assert layers_to(told, turn) == predicted
    # Nor is it the chirp: a tone that does not end at 0 needs that layer too.
    for phase, more in ((0, 0), (1, 1), (2.3, 1)):
        observed, predicted, worst = observed_and_predicted(half, np.sin(40 * half + phase))
        assert observed == predicted + more
        assert not more or min(worst, 1 - worst) < 0.01


def test_results_have_named_dims_and_belong_to_their_signal():
    found = phase_transitions([signal("tones", 101), signal("tones-2d", 17, 0.1)])
    assert dict(found["train_error"].sizes) == {"case": 2, "layers": found.sizes["layers"]}
    assert found["miss"].dims == ("case", "rule")
    assert found["signal"].values.tolist() == ["tones", "tones-2d"]
    assert found["noise"].values.tolist() == [0, 0.1]
    assert found["points"].values.tolist() == [51, 81]
    assert np.isnan(found["predicted"].sel(rule="lomb-scargle")[1])
    assert np.isfinite(found["predicted"].sel(rule="tapered")).all()
    with pytest.raises(InputError, match="signals: none"):
        phase_transitions([])


def test_depth_and_rules_can_be_chosen():
    found = error_by_layer(signal("tones", 101), layers=3, decay=3)
    np.testing.assert_allclose(found["scale"], 2 * np.pi / 3.0 ** np.arange(3))
    assert np.isnan(found["transition"])
    chosen = predictions(signal("tones", 101), ["dmd", "fft"])
    assert chosen["rule"].values.tolist() == ["dmd", "fft"]
    assert (chosen["prediction_seconds"] > 0).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_regressors_are_compared_on_the_same_points():
    found = compare_regressors(signal("van-der-pol", 121))
    assert found["regressor"].values.tolist() == list(REGRESSORS)
    assert all(np.isfinite(found[name]).all() for name in found)
    assert found["held_out_rms"].sel(regressor="hsvr") < 0.02
    fixed = found.sel(regressor="hsvr-fixed")
    assert fixed["train_error"] <= 0.02
    with pytest.raises(InputError, match="regressors: unknown 'lasso'; give some of hsvr, "):
        compare_regressors(signal("tone", 41), ["lasso"])


def test_regressors_are_compared_by_case_with_the_seed_of_the_signal():
    signals, told = draws({"tones": 61}, [0.1], [1, 2]), []
    found = baselines(signals, ["hsvr", "trees"], progress=told.append)
    assert dict(found.sizes) == {"case": 2, "regressor": 2} and told == [1, 1]
    assert found["seed"].values.tolist() == [1, 2] and found["points"].dims == ("case",)
    alone = compare_regressors(signals[1], ["hsvr", "trees"], seed=2)
    np.testing.assert_array_equal(found["held_out_rms"][1], alone["held_out_rms"])


def test_cases_keep_their_names_even_if_all_are_alike():
    found = phase_transitions([signal("tones", 61)], ["tapered"], decay=3.0, epsilon=0.02)
    assert found["signal"].dims == ("case",) and found["scale"].dims == ("case", "layers")
    assert found["rule"].values.tolist() == ["tapered"]
    assert found.attrs == {"decay": 3.0, "epsilon": 0.02}


@pytest.mark.parametrize("module", [transitions, regressors])
def test_a_run_tells_of_as_much_work_as_its_plan_has(module):
    # Without noise both seeds give one signal, with noise two.
    entry = {"question": "?", "signals": {"tones": 61}, "noise": [0, 0.1], "seeds": [1, 2]}
    entry |= {"rules": ["fft"], "baselines": {"regressors": ["trees"], "signals": ["tones"]}}
    plan, told = read({"data": {}, "hsvr": {"one": entry}})["one"], []
    found = module.run(plan, [], Means(progress=told.append))
    assert found.sizes["case"] == 3
    assert sum(told) == plan.work(module.__name__.split(".")[-1])[0] == 4
