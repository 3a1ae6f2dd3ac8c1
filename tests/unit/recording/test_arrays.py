"""Arrays of any program, in memory and in files, come into the form of a recording."""

import numpy as np
import pytest
import torch
import xarray as xr
import zarr

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import stamp
from koopscope.config.data import DataSpec
from koopscope.config.setup import NetworkSetup
from koopscope.data import digits
from koopscope.errors import InputError
from koopscope.recording.arrays import from_arrays
from koopscope.recording.layers import recorded_shapes
from koopscope.recording.saving import save_run
from koopscope.recording.snapshots import open_snapshots
from koopscope.training.recording import record

WEIGHTS = np.random.default_rng(0).standard_normal((7, 6))
STEPS = list(range(10, 80, 10))


def test_a_matrix_keeps_its_precision_and_gets_steps_layers_and_attributes():
    run = from_arrays(
        WEIGHTS,
        step=STEPS,
        layers={"a": (2, 2), "b": (2,)},
        scalars={"loss": range(7)},
        name="sgd",
        seed=3,
        settings={"lr": 0.1},
    )
    assert run["weights"].dims == ("step", "weight") and run["weights"].dtype == np.float64
    np.testing.assert_array_equal(run["weights"], WEIGHTS)
    assert run["step"].dtype == np.int64 and run["step"].values.tolist() == STEPS
    assert recorded_shapes(run["weights"]) == {"a": (2, 2), "b": (2,)}
    assert run["index"].values.tolist() == [0, 1, 2, 3, 0, 1]
    assert run["loss"].dims == ("step",) and run["loss"].dtype == np.float64
    assert run.attrs == {"name": "sgd", "seed": 3, "settings": '{"lr":0.1}', "complete": True}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_no_precision_is_changed(kind):
    assert from_arrays(WEIGHTS.astype(kind))["weights"].dtype == kind


def test_rows_without_steps_count_from_one():
    assert from_arrays(WEIGHTS)["step"].values.tolist() == list(range(1, 8))


def test_three_axes_are_seeds_and_four_are_one_run():
    assert from_arrays(np.ones((2, 7, 6)))["weights"].dims == ("seed", "step", "weight")
    assert from_arrays(np.ones((2, 7, 6)), seeds=[4, 9])["seed"].values.tolist() == [4, 9]
    run = from_arrays(np.ones((7, 3, 2, 2)))
    assert run["weights"].shape == (7, 12) and recorded_shapes(run["weights"]) == {
        "values": (3, 2, 2)
    }
    assert from_arrays(np.ones(7))["weights"].shape == (7, 1)


def test_lists_are_steps_of_vectors_and_seeds_of_matrices():
    assert from_arrays(list(WEIGHTS))["weights"].identical(from_arrays(WEIGHTS)["weights"])
    runs = from_arrays([WEIGHTS, 2 * WEIGHTS], step=STEPS, scalars={"loss": np.ones((2, 7))})
    assert runs["weights"].dims == ("seed", "step", "weight") and runs["loss"].shape == (2, 7)
    np.testing.assert_array_equal(runs["weights"][1], 2 * WEIGHTS)
    assert runs["step"].values.tolist() == STEPS
    mapped = from_arrays([{"a": WEIGHTS, "loss": np.ones(7)}] * 3, seeds=[5, 6, 7])
    assert mapped["loss"].dims == ("seed", "step") and mapped["seed"].values.tolist() == [5, 6, 7]
    assert mapped["layer"].dims == ("weight",)


def test_a_mapping_names_layers_and_scalars():
    given = {
        "net": {"kernel": WEIGHTS.reshape(7, 3, 2), "bias": WEIGHTS[:, :2]},
        "train/loss": np.arange(7),
        "step": STEPS,
    }
    run = from_arrays(given)
    assert recorded_shapes(run["weights"]) == {"net.kernel": (3, 2), "net.bias": (2,)}
    np.testing.assert_array_equal(run["weights"], np.hstack([WEIGHTS, WEIGHTS[:, :2]]))
    # A slash in a name would be a folder of a store.
    assert run["train.loss"].values.tolist() == list(range(7))
    assert run["step"].values.tolist() == STEPS
    several = from_arrays({"a": np.ones((2, 7, 3, 2)), "loss": np.ones((2, 7))}, seeds=[0, 1])
    assert several["weights"].shape == (2, 7, 6) and several["loss"].dims == ("seed", "step")


def test_tensors_of_any_precision_are_read():
    tensor = torch.tensor(WEIGHTS, dtype=torch.bfloat16, requires_grad=True)
    found = from_arrays(tensor)["weights"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, tensor.detach().float())


def test_xarray_brings_its_names():
    array = xr.DataArray(
        WEIGHTS.reshape(7, 2, 3).transpose(1, 0, 2), dims=("x", "step", "y"), coords={"step": STEPS}
    )
    run = from_arrays(array)
    np.testing.assert_array_equal(run["weights"], WEIGHTS)
    assert run["step"].values.tolist() == STEPS
    assert recorded_shapes(run["weights"]) == {"values": (2, 3)}
    layers = xr.Dataset(
        {
            "kernel": (("seed", "step", "x"), np.ones((2, 7, 3))),
            "loss": (("step", "seed"), np.ones((7, 2))),
        },
        coords={"step": STEPS, "seed": [3, 5]},
    )
    run = from_arrays(layers)
    assert run["weights"].shape == (2, 7, 3) and run["loss"].shape == (2, 7)
    assert run["seed"].values.tolist() == [3, 5] and run["step"].values.tolist() == STEPS
    curve = from_arrays(xr.DataArray(np.ones(7), dims="step", name="loss"))
    assert list(curve) == ["loss"] and curve["step"].values.tolist() == list(range(1, 8))
    # What is in the form already stays as it is.
    again = from_arrays(from_arrays(WEIGHTS, step=STEPS, scalars={"loss": range(7)}))
    assert again.identical(from_arrays(WEIGHTS, step=STEPS, scalars={"loss": range(7)}))


def test_files_of_numpy_netcdf_and_zarr_are_read(tmp_path):
    given = {"weights": WEIGHTS, "loss": np.arange(7.0), "step": np.array(STEPS)}
    dataset = xr.Dataset(
        {"weights": (("step", "p"), WEIGHTS), "loss": ("step", np.arange(7.0))},
        coords={"step": STEPS},
    )
    np.save(tmp_path / "a run [1].npy", WEIGHTS)
    np.savez(tmp_path / "läufe.npz", **given)
    dataset.to_netcdf(tmp_path / "run.nc", engine="scipy")
    dataset.to_zarr(tmp_path / "run.zarr", consolidated=False)
    zarr.save_group(tmp_path / "plain.zarr", zarr_format=2, **given)
    zarr.save_array(tmp_path / "array.zarr", WEIGHTS)
    for file in ("a run [1].npy", "array.zarr"):
        np.testing.assert_array_equal(from_arrays(tmp_path / file)["weights"], WEIGHTS)
    for file in ("läufe.npz", "run.nc", "run.zarr", "plain.zarr"):
        run = from_arrays(str(tmp_path / file))
        np.testing.assert_array_equal(run["weights"], WEIGHTS, err_msg=file)
        assert run["step"].values.tolist() == STEPS, file
        assert run["loss"].dims == ("step",), file
    both = from_arrays([tmp_path / "a run [1].npy", tmp_path / "array.zarr"])
    assert both["weights"].shape == (2, 7, 6)


def test_an_archive_of_one_array_holds_seeds_under_any_name(tmp_path):
    np.savez(tmp_path / "runs.npz", trajectory=np.ones((2, 7, 6)))
    assert from_arrays(tmp_path / "runs.npz")["weights"].dims == ("seed", "step", "weight")


def test_trajectories_of_the_workflow_are_runs(tmp_path):
    spec = DataSpec("digits", "digits")
    setup = NetworkSetup(spec, hidden_widths=(4,), steps=5, seeds=(0, 1), initialisations=3)
    made = stamp("trajectories", parameters={})
    with stores.staged(tmp_path / "run.zarr", made) as folder:
        record(setup, digits.load(), folder, device="cpu")
    run = from_arrays(tmp_path / "run.zarr")
    assert run["weights"].dims == ("seed", "init", "step", "weight")
    assert set(recorded_shapes(run["weights"]).values()) == {(4, 10)}
    place = run["index"].values[run["layer"] == 0]
    assert (place == run["row"].values * 10 + run["column"].values).all()
    assert run["loss"].dtype == np.float64


def test_a_run_is_kept_as_a_sealed_store(tmp_path):
    run = from_arrays(WEIGHTS, step=STEPS, scalars={"loss": range(7)}, seed=np.int64(2).item())
    found = save_run(run, tmp_path / "run")
    assert found.identical(open_snapshots(tmp_path / "run"))
    kept = found.drop_attrs(deep=False).assign_attrs(run.attrs)
    xr.testing.assert_identical(kept.load(), run)
    with pytest.raises(InputError, match="^store: .* exists; give another name or delete it$"):
        save_run(run, tmp_path / "run")


class Evil:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (self.file, "w")


def test_what_cannot_be_used_is_refused_in_a_line(tmp_path):
    (tmp_path / "empty.npy").touch()
    (tmp_path / "empty.npz").touch()
    evil = np.array([Evil(str(tmp_path / "ran"))], dtype=object)
    np.save(tmp_path / "code.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "code.npz", a=evil)
    np.save(tmp_path / "whole.npy", WEIGHTS)
    cut = (tmp_path / "whole.npy").read_bytes()[:-100]
    (tmp_path / "cut.npy").write_bytes(cut)
    np.savez(tmp_path / "whole.npz", WEIGHTS)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:100])
    (tmp_path / "cut.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 50)
    (tmp_path / "run.txt").write_text("1 2")
    (tmp_path / "folder").mkdir()
    files = {
        "empty.npy": "an empty file; write it again",
        "empty.npz": "an empty file",
        "code.npy": "holds Python objects, which are never loaded; save numbers",
        "code.npz": "holds Python objects",
        "cut.npy": "cannot be read .* damaged or cut short: save again",
        "cut.npz": "cannot be read",
        "cut.nc": "no reader of such NetCDF is installed, or it is damaged",
        "run.txt": "not a file of arrays; give one of .npy, ",
        "folder": "a folder, but no Zarr store",
        "missing.npy": "no such file",
    }
    for file, said in files.items():
        with pytest.raises(InputError, match=f"{file}: {said}") as refused:
            from_arrays(tmp_path / file)
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("values", "choices", "said"),
    [
        (["a", "b"], {}, "^a: no such file"),
        (np.array(["a", "b"]), {}, "^values: <U1 of 2 numbers; give real numbers"),
        (np.ones((3, 2)) * 1j, {}, "^values: complex128"),
        (np.ones((0, 2)), {}, "^values: float64 of 0 numbers"),
        (WEIGHTS, {"step": [1, 2]}, r"^step: \[1, 2\]; give 7 whole numbers, one a step"),
        (WEIGHTS, {"step": np.linspace(0, 1, 7)}, "^step: .*; give 7 whole numbers"),
        (WEIGHTS, {"layers": {"a": (2, 2)}}, "^layers: 4 weights in .*, but a row has 6"),
        (WEIGHTS, {"scalars": {"loss": [1, 2]}}, r"^loss: shape \(2,\) beside step 7; give one"),
        (WEIGHTS, {"scalars": {"step": range(7)}}, "^scalars: 'step' is a name of the form's own"),
        (WEIGHTS, {"seeds": [1]}, r"^seed: \[1\]; give 7 whole numbers, one a seed"),
        (WEIGHTS, {"settings": {"a": {1}}}, "^settings: "),
        ({}, {}, "^values: an empty mapping"),
        ({"a": WEIGHTS, "b": WEIGHTS[:5]}, {}, r"^b: shape is \(5, 6\), but a has \(7, 6\)"),
        ({"a": WEIGHTS, "loss": [1, 2]}, {}, r"^loss: shape \(2,\) beside step 7"),
        (
            {"weights": np.ones((2, 7, 6)), "loss": np.ones((2, 7))},
            {},
            r"^loss: shape \(2, 7\) beside weights \(2, 7, 6\) may be a layer or .*; give seeds=",
        ),
        ([WEIGHTS, WEIGHTS[:5]], {}, "^values: run 1 has 5 steps up to 5, the first 7 up to 7"),
        ([WEIGHTS, WEIGHTS[:, :5]], {}, "^values: run 1 has weights .*; give runs of one arch"),
        (xr.DataArray(WEIGHTS, dims=("t", "w")), {}, "^values: no dim 'step', only t, w; rename"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, choices, said):
    with pytest.raises(InputError, match=said) as refused:
        from_arrays(values, **choices)
    assert "\n" not in str(refused.value)
