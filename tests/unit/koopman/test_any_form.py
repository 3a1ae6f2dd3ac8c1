"""Runs in whatever form people have them, numbers of any size, and results that travel."""

import copy
import pickle

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit
from koopscope.koopman.regressor import KoopmanRegressor

RUN = np.array([0.9, 0.5]) ** np.arange(20)[:, None]
TENSOR = torch.tensor(RUN)
FORMS = {
    "requires grad": [TENSOR.clone().requires_grad_()],
    "sparse": [TENSOR.to_sparse()],
    "torch and numpy": [TENSOR, RUN],
    "table": pd.DataFrame(RUN),
    "list of lists": [RUN.tolist()],
    "labelled": [xr.DataArray(RUN, dims=("step", "weight")).T],
    "masked nowhere": [np.ma.masked_array(RUN)],
}
REFUSED = {
    "mapping": ({"a": RUN}, "a mapping; give its runs alone"),
    "dataset": (xr.Dataset({"w": (("step", "weight"), RUN)}), r"give one of its variables \(w\)"),
    "masked": ([np.ma.masked_array(RUN, RUN > 0.99)], r"run 0: masked at \[0, 0\]"),
    "meta": ([TENSOR.to("meta")], "device 'meta', which holds no numbers"),
    "array": (np.ones((5000, 3)), r"one array of shape \(5000, 3\); give \[array\]"),
    "nothing": (None, "trajectories: None"),
}


@pytest.mark.parametrize("form", FORMS)
def test_runs_in_any_form_give_the_numbers_of_arrays(form):
    np.testing.assert_allclose(fit(FORMS[form]).eigenvalues, [0.9, 0.5], atol=1e-9)


def test_short_mantissas_are_taken_with_their_rounding():
    np.testing.assert_allclose(fit([TENSOR.bfloat16()]).eigenvalues, [0.9, 0.5], atol=0.02)


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_list_of_runs_is_refused_in_one_short_line(form):
    given, match = REFUSED[form]
    with pytest.raises(InputError, match=match) as refused:
        fit(given)
    assert len(str(refused.value)) < 250 and "\n" not in str(refused.value)


@pytest.mark.parametrize("unit", [1e200, 1e-200])
@pytest.mark.parametrize("solver", ["full", "lanczos", "gram", "covariance"])
def test_numbers_of_any_size_have_the_same_spectrum(solver, unit):
    found, expected = fit([RUN * unit], 0, 2, solver), fit([RUN], 0, 2, solver)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, atol=1e-9)
    np.testing.assert_allclose(found.amplitudes / unit, expected.amplitudes, rtol=1e-6)


@pytest.mark.parametrize("steps", [[*range(10), *range(20, 30)], range(20, 0, -1)])
def test_steps_that_are_uneven_or_go_back_are_refused(steps):
    run = xr.DataArray(RUN, dims=("step", "weight"), coords={"step": list(steps)})
    with pytest.raises(InputError, match=r"step: (unevenly spaced, by 1, 11|goes from 20 to 19)"):
        fit(run)


@pytest.mark.parametrize("through", [pickle, cloudpickle, None])
@pytest.mark.parametrize("runs", [[RUN], [TENSOR], xr.DataArray(RUN, dims=("step", "weight"))])
def test_a_spectrum_travels(through, runs):
    found = fit(runs)
    again = through.loads(through.dumps(found)) if through else copy.deepcopy(found)
    np.testing.assert_array_equal(again.modes().values, found.modes().values)


@pytest.mark.parametrize("which", [[5], [-3], [0.5], ["a"], [[0]]])
def test_modes_that_are_not_there_are_refused(which):
    with pytest.raises(InputError, match="which: "):
        fit([RUN]).modes(which)


def test_predictions_need_finite_windows_whole_steps_and_an_amplitude_a_mode():
    found = fit([RUN])
    with pytest.raises(InputError, match="steps: -1; give a whole number"):
        found.predict(RUN[:1], -1)
    with pytest.raises(InputError, match=r"window: nan at \[0, 0\]"):
        found.predict([[np.nan, 1]], 1)
    with pytest.raises(InputError, match=r"amplitudes: shape is \(5,\); give one for each of 2"):
        found.combined(np.ones(5))


def test_a_regressor_refuses_columns_in_another_order_and_nan():
    table = pd.DataFrame(RUN, columns=["a", "b"])
    model = KoopmanRegressor().fit(table)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[["b", "a"]])
    with pytest.raises(ValueError, match="NaN"):
        model.predict(table * np.nan)
