"""Whatever is given to a public function is taken, or refused in one line that is ours."""

import math
import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from koopscope.compare import compare, wasserstein
from koopscope.compare.transport import distance_matrix
from koopscope.errors import InputError
from koopscope.koopman import KoopmanRegressor, fit
from koopscope.sobolev import SobolevLoss

ODD_NUMBERS = [0, 1, -1, 3, 2.5, -0.0, 1e300, 1e-300, math.nan, math.inf, 2**70, True, None]
ODD_NUMBERS += ["", "x", "3", b"3", [], (), {}, [1, 2], {"a": 1}, np.int64(3), np.float32(0.5)]
ODD_NUMBERS += [np.array(2), np.array([1.0, 2.0]), torch.tensor(2.0), 1j, object(), slice(2)]
DTYPES = ["float64", "float32", "float16", "int32", "uint8", "bool", "complex64"]
SHAPES = [(), (0,), (3,), (8, 2), (0, 3), (5, 0), (1, 2), (2, 8, 2), (1, 3, 2, 2)]


def _array(shape, dtype, value, seed):
    draw = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (draw.normal(size=shape) * value).astype(dtype)


def _forms(array):
    """The same numbers as people have them."""
    yield lambda: array
    yield array.tolist
    yield lambda: [array]
    yield lambda: [array, array]
    yield lambda: xr.DataArray(array)
    yield lambda: xr.DataArray(array, dims=("init", "step", "weight", "x")[-array.ndim :][:3])
    yield lambda: xr.Dataset({"weights": xr.DataArray(array)})
    yield lambda: np.ma.masked_array(array, mask=np.zeros(array.shape, bool))
    yield lambda: [torch.tensor(array)]
    yield lambda: [torch.tensor(array).to(torch.bfloat16)]
    yield lambda: [torch.tensor(array, device="meta")]
    yield lambda: {"a": array}


@st.composite
def data(draw):
    """Arrays of odd shapes, types and sizes in one of the forms, or no array at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(ODD_NUMBERS))
    shape, dtype = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(DTYPES))
    value = draw(st.sampled_from([1.0, 0.0, 1e300, 1e-300, 1e160, math.nan, math.inf]))
    array = _array(shape, dtype, value, draw(st.integers(0, 5)))
    forms = list(_forms(array))
    try:
        return draw(st.sampled_from(forms))()
    except ValueError:  # more dims than names
        return array


odd = st.sampled_from(ODD_NUMBERS)


def taken_or_refused(work):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=UserWarning)
            work()
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000


@given(
    trajectories=data(), delays=st.just(0) | odd, rank=st.none() | odd, solver=odd | st.just("auto")
)
@settings(max_examples=300)
def test_fit_takes_or_refuses_whatever_it_is_given(trajectories, delays, rank, solver):
    taken_or_refused(lambda: fit(trajectories, delays, rank, solver))


@given(trajectories=data(), which=odd, window=data(), steps=odd)
@settings(max_examples=150)
def test_a_spectrum_answers_or_refuses_whatever_it_is_asked(trajectories, which, window, steps):
    runs = [np.random.default_rng(0).normal(size=(12, 2)).cumsum(axis=0)]
    spectrum = fit(runs, 1, 2)
    taken_or_refused(lambda: spectrum.modes(which))
    taken_or_refused(lambda: spectrum.predict(window, steps))
    taken_or_refused(lambda: spectrum.predict(trajectories, 2))


@given(one=data(), other=data())
@settings(max_examples=200)
def test_a_distance_of_spectra_is_one_or_is_refused(one, other):
    taken_or_refused(lambda: wasserstein(one, other))
    taken_or_refused(lambda: distance_matrix([one, other]))


@given(matrix=data(), a=odd | data(), b=odd | data(), permutations=odd, bootstrap=odd)
@settings(max_examples=300)
def test_compare_takes_or_refuses_whatever_it_is_given(matrix, a, b, permutations, bootstrap):
    good = np.abs(np.subtract.outer(np.arange(8.0), np.arange(8.0)))
    taken_or_refused(lambda: compare(matrix, a, b))
    taken_or_refused(lambda: compare(good, a, b))
    small = permutations if not isinstance(permutations, int) or permutations < 2000 else 2000
    few = bootstrap if not isinstance(bootstrap, int) or bootstrap < 2000 else 2000
    taken_or_refused(
        lambda: compare(good, range(4), range(4, 8), permutations=small, bootstrap=few)
    )


@pytest.mark.parametrize("name", ["s", "length"])
@given(value=odd, output=data(), target=data())
@settings(max_examples=150)
def test_a_loss_takes_or_refuses_whatever_it_is_given(name, value, output, target):
    taken_or_refused(lambda: SobolevLoss(**{"s": 1.0, "grid": (8,)} | {name: value}))
    taken_or_refused(lambda: SobolevLoss(1.0, grid=(2,))(output, target))


@given(states=data(), rank=odd)
@settings(max_examples=100)
def test_a_regressor_refuses_as_scikit_learn_does_or_in_one_line(states, rank):
    try:
        taken_or_refused(lambda: KoopmanRegressor(rank=rank).fit(states))
    except (ValueError, TypeError) as error:
        # scikit-learn's own checks of arrays, by their words.
        assert type(error).__module__ == "builtins"
