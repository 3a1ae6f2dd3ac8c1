"""A study of networks of any module, one of them the user's own, through the real workflow."""

import json

import pytest
import xarray as xr

STUDY = """
data:
  digits: {kind: digits}
training: {threads: 1}
compare: {permutations: 199, bootstrap: 200}
studies:
  modules:
    question: Do networks with and without bias train alike?
    model:
      data: digits
      architecture: mlp
      options: {hidden_widths: [6]}
      observable: ["output.weight"]
      steps: 60
      evaluate_every: 60
      seeds: [1, 2, 3, 4, 5]
    fit: {delays: 4, rank: 5}
    variants:
      bias: {}
      plain: {options: {hidden_widths: [6], bias: false}}
      adam: {optimizer: adam, learning_rate: 0.01}
    reference: bias
    controls: [fresh, relabelled]
  own:
    question: Does a module of one's own train alike at two rates?
    model:
      data: digits
      module: "own_module:network"
      options: {width: 5}
      observable: ["3.weight"]
      record_every: 2
      steps: 120
      seeds: [1, 2, 3, 4, 5]
    fit: {delays: 4, rank: 5}
    variants: {slow: {learning_rate: 0.05}, fast: {learning_rate: 0.2}}
"""
MODULE = """
from torch import nn


def network(width):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 10))
"""


@pytest.fixture(scope="module")
def studied(tmp_path_factory, checkout_at):
    checkout = checkout_at(tmp_path_factory.mktemp("models") / "checkout")
    (checkout.root / "own_module.py").write_text(MODULE)
    (checkout.root / "models.yaml").write_text(STUDY)
    checkout.run("summary", config="models.yaml")
    return checkout


def test_every_ensemble_is_trained_and_compared(studied):
    summary = json.loads((studied.root / "results/summary.json").read_text())
    assert set(summary["studies"]) == {"modules", "own"}
    pairs = {pair["name"]: pair for pair in summary["studies"]["modules"]["pairs"]}
    assert pairs["bias / fresh"]["verdict"] != "distinguished"
    found = xr.open_zarr(studied.root / "results/comparison/own.zarr", consolidated=False)
    assert found["eigenvalue"].notnull().any("mode").all()


def test_trajectories_say_which_parameter_each_number_is_of(studied):
    (path,) = studied.root.glob("results/trajectories/model-mlp-adam-*.zarr")
    found = xr.open_zarr(path, consolidated=False)
    assert dict(found["weights"].sizes) == {"seed": 5, "init": 1, "step": 60, "weight": 60}
    assert found["layer"].attrs["flag_meanings"] == ["output.weight"]
    # Both rates, and fresh seeds of the first for the control lines.
    path, *others = sorted(studied.root.glob("results/trajectories/model-network-*.zarr"))
    assert len(others) == 2
    assert xr.open_zarr(path, consolidated=False)["step"].values[:3].tolist() == [2, 4, 6]


def test_nothing_is_made_twice_but_for_a_module_that_changed(studied):
    assert not studied.planned("summary", config="models.yaml")
    (studied.root / "own_module.py").write_text(MODULE.replace("Tanh", "ReLU"))
    planned = studied.planned("summary", config="models.yaml")
    assert planned.get("train_model") == 3 and planned.get("compare_study") == 1


def test_a_module_that_python_does_not_find_is_refused_before_anything_runs(studied):
    (studied.root / "wrong.yaml").write_text(STUDY.replace("own_module:", "other_module:"))
    done = studied.run("summary", config="wrong.yaml", check=False)
    assert done.returncode != 0
    assert "module: other_module cannot be imported: ModuleNotFoundError" in done.stdout
