"""Spectra in coordinates that take away what no verdict may rest on."""

import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from koopscope.config.coordinates import steps_of
from koopscope.config.fit import FitSpec
from koopscope.errors import InputError
from koopscope.koopman import fit
from koopscope.koopman.coordinates import constant_weights, embedded, whitened
from koopscope.koopman.embedding import DelayEmbedding
from koopscope.koopman.seeds import fit_one, of_seeds

WEIGHTS = 6


def runs(seed=0, inits=3, steps=60):
    """Trajectories of a slow linear map with noise: full rank, nothing special."""
    draw = np.random.default_rng(seed)
    step = np.eye(WEIGHTS) * np.linspace(0.99, 0.9, WEIGHTS) + 0.02 * draw.normal(
        size=(WEIGHTS, WEIGHTS)
    )
    out = np.empty((inits, steps, WEIGHTS))
    out[:, 0] = draw.normal(size=(inits, WEIGHTS))
    for t in range(1, steps):
        out[:, t] = out[:, t - 1] @ step.T + 0.02 * draw.normal(size=(inits, WEIGHTS))
    return xr.DataArray(out, dims=("init", "step", "weight"))


def eigenvalues(trajectories, coordinates, delays=2, rank=5):
    found = fit(trajectories, delays, rank, "full", coordinates).eigenvalues
    return np.sort_complex(found)


def pooled(trajectories, coordinates):
    return embedded(trajectories, 0, coordinates).loaded()


positive = arrays(float, WEIGHTS, elements=st.floats(1e-3, 1e3))
shifts = arrays(float, WEIGHTS, elements=st.floats(-10, 10))


@given(scales=positive, origin=shifts)
def test_a_scale_and_an_origin_for_each_weight_change_no_standardised_spectrum(scales, origin):
    given = runs()
    for coordinates in ("standardised", "normal_scores"):
        before = eigenvalues(given, coordinates)
        after = eigenvalues(given * scales + origin, coordinates)
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-8)


@given(scales=positive)
def test_a_scale_for_each_weight_changes_no_spectrum_per_step(scales):
    before, after = (eigenvalues(t, "per_step") for t in (runs(), runs() * scales))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-10)


def test_weights_per_step_are_divided_by_their_steps_within_runs():
    arrays = [run.values[: 40 + 5 * k] + 100 * k for k, run in enumerate(runs())]
    steps = np.concatenate([np.diff(run, axis=0) for run in arrays])
    expected = np.concatenate(arrays) / np.sqrt(np.mean(steps**2, axis=0))
    np.testing.assert_allclose(embedded(arrays, 0, "per_step").loaded(), expected, rtol=1e-12)


def test_a_weight_that_returns_at_once_still_has_steps():
    """Of steps of rounding alone there is no unit, of those that a run makes there is."""
    jumps = runs(inits=1)
    jumps[0, :, 0] = np.arange(60) % 2
    assert np.isfinite(pooled(jumps, "per_step")).all()
    assert np.ptp(pooled(jumps, "per_step")[:, 0]) == pytest.approx(1)


def test_scales_change_a_raw_spectrum():
    scales = np.logspace(-2, 2, WEIGHTS)
    moved = eigenvalues(runs() * scales, "raw") - eigenvalues(runs(), "raw")
    assert np.abs(moved).max() > 1e-3


@given(
    which=st.lists(st.sampled_from([np.sinh, np.arctan, np.cbrt, np.exp]), min_size=6, max_size=6)
)
def test_a_monotone_map_of_each_weight_changes_no_spectrum_of_normal_scores(which):
    given = runs()
    mapped = given.copy(
        data=np.stack([f(given.values[..., k]) for k, f in enumerate(which)], axis=-1)
    )
    before, after = (eigenvalues(t, "normal_scores") for t in (given, mapped))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-10)


@pytest.mark.parametrize("condition", [1, 10, 100])
def test_an_invertible_mixing_changes_no_spectrum_of_all_components_whitened(condition):
    draw = np.random.default_rng(3)
    one, two = (np.linalg.qr(draw.normal(size=(WEIGHTS, WEIGHTS)))[0] for _ in range(2))
    mixing = one * np.logspace(0, np.log10(condition), WEIGHTS) @ two
    given = runs()
    mixed = given.copy(data=given.values @ mixing.T)
    before, after = (eigenvalues(t, f"whitened:{WEIGHTS}") for t in (given, mixed))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-10)


def test_the_coordinates_are_those_of_scikit_learn_and_scipy():
    states = runs().values.reshape(-1, WEIGHTS)
    np.testing.assert_allclose(
        pooled(runs(), "standardised"), StandardScaler().fit_transform(states), atol=1e-12
    )
    ranks = stats.rankdata(states, axis=0)
    np.testing.assert_allclose(
        pooled(runs(), "normal_scores"), stats.norm.ppf((ranks - 0.5) / len(states)), atol=1e-12
    )
    # Whose variances are those of samples, and whose signs are another choice.
    components = PCA(3, whiten=True).fit_transform(states)
    components *= np.sqrt(len(states) / (len(states) - 1))
    np.testing.assert_allclose(np.abs(pooled(runs(), "whitened:3")), np.abs(components), atol=1e-10)


def test_changes_joined_by_plus_are_taken_one_after_the_other():
    scores = pooled(runs(), "normal_scores").reshape(3, 60, WEIGHTS)
    expected = pooled(runs().copy(data=scores), "whitened:4")
    found = pooled(runs(), "normal_scores+whitened:4")
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-10)


@pytest.mark.parametrize("coordinates", ["standardised", "whitened:4"])
def test_the_eigenvalues_of_a_linear_map_are_found_in_coordinates_that_are_linear(coordinates):
    """Centred about the fixed point that all runs fall to: a rotation, and two decays."""
    turned = 0.98 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    step = np.zeros((4, 4))
    step[:2, :2], step[2, 2], step[3, 3] = turned, 0.95, 0.8
    known = np.sort_complex(np.linalg.eigvals(step))
    # As many runs from x as from -x: their mean is 0, the fixed point.
    states = np.random.default_rng(1).normal(size=(4, 4))
    states = np.concatenate([states, -states])
    series = [states]
    for _ in range(40):
        series.append(series[-1] @ step.T)
    trajectories = xr.DataArray(np.stack(series, axis=1), dims=("init", "step", "weight"))
    found = eigenvalues(trajectories, coordinates, delays=0, rank=4)
    np.testing.assert_allclose(found, known, atol=1e-9)


def test_a_weight_that_never_changes_is_left_out_and_counted():
    given = runs()
    still = xr.concat([given, given.isel(weight=[0]) * 0 + 7], dim="weight")
    for coordinates in ("standardised", "per_step", "normal_scores"):
        before, after = (eigenvalues(t, coordinates) for t in (given, still))
        np.testing.assert_allclose(after, before, atol=1e-12)
    assert constant_weights(DelayEmbedding(still)) == 1
    assert fit_one(still, FitSpec(2, 5, coordinates="standardised"))["constant_weights"] == 1


def test_what_moves_by_the_rounding_of_single_precision_alone_is_no_weight():
    draw = np.random.default_rng(0)
    single = runs().astype("float32")
    noise = 1 + np.finfo("float32").eps * draw.integers(0, 2, single.shape[:2])
    still = single.isel(weight=[0]).copy(data=noise.astype("float32")[..., None])
    assert constant_weights(DelayEmbedding(xr.concat([single, still], dim="weight"))) == 1


def test_runs_of_unequal_length_and_any_library_are_taken():
    torch = pytest.importorskip("torch")
    arrays = [run.values[: 40 + 5 * k] for k, run in enumerate(runs())]
    for coordinates in ("per_step", "normal_scores", "whitened:4", "whitened:4+standardised"):
        found = eigenvalues(arrays, coordinates)
        tensors = eigenvalues([torch.tensor(a) for a in arrays], coordinates)
        np.testing.assert_allclose(tensors, found, atol=1e-10)


def test_blocks_of_weights_read_from_dask_give_the_same_spectrum(monkeypatch):
    chunked = runs().chunk(weight=2)
    for coordinates in ("standardised", "per_step", "normal_scores"):
        found = fit(chunked, 2, 5, "gram", coordinates).eigenvalues
        expected = fit(runs(), 2, 5, "gram", coordinates).eigenvalues
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_principal_components_of_inner_products_are_those_of_the_states(monkeypatch):
    direct = np.concatenate(whitened(DelayEmbedding(runs()), 3))
    monkeypatch.setattr("koopscope.koopman.coordinates.DENSE", 0)
    streamed = np.concatenate(whitened(DelayEmbedding(runs()), 3))
    np.testing.assert_allclose(np.abs(streamed), np.abs(direct), atol=1e-9)


def test_more_components_than_directions_are_refused_with_what_there_is():
    flat = runs().copy(data=runs().values[..., [0, 1, 2, 0, 1, 2]])
    for coordinates, most in (("whitened:4", 3), ("standardised+whitened:9", 3)):
        with pytest.raises(InputError, match=f"coordinates: whitened:. of data with {most} dir"):
            fit(flat, 2, 2, coordinates=coordinates)


@pytest.mark.parametrize("unknown", ["Raw", "", "whitened", "whitened:0", "whitened:x", "raw+x", 3])
def test_unknown_coordinates_are_refused_in_one_line(unknown):
    with pytest.raises(InputError, match="coordinates: unknown") as error:
        fit(runs(), 2, 5, coordinates=unknown)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="coordinates: "):
        FitSpec(coordinates=unknown)
    with pytest.raises(InputError, match="coordinates: unknown"):
        steps_of(unknown)


def test_the_coordinates_of_a_fit_stand_in_its_attributes():
    spec = FitSpec(2, 5, coordinates="whitened:4")
    found = of_seeds([fit_one(runs(), spec)], [0], spec)
    assert found.attrs["weight_coordinates"] == "whitened:4"
    assert "coordinates" not in found.attrs
    assert fit(runs(), 2, 5, coordinates="whitened:4").weight_coordinates == "whitened:4"


@pytest.mark.parametrize("power", [-200, 200])
def test_numbers_of_any_size_have_the_same_spectrum(power):
    given = runs() * 10.0**power
    for coordinates in ("standardised", "per_step", "normal_scores", "whitened:4"):
        before, after = (eigenvalues(t, coordinates) for t in (runs(), given))
        np.testing.assert_allclose(after, before, atol=1e-10)


def test_a_spectrum_in_other_coordinates_can_be_pickled():
    for coordinates in ("standardised+normal_scores", "whitened:4"):
        found = fit(runs(), 2, 5, coordinates=coordinates)
        again = pickle.loads(pickle.dumps(found))
        np.testing.assert_array_equal(again.modes().values, found.modes().values)
