"""A study on runs of one's own, from the recordings to the report; again when one changes."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr

from koopscope.own_runs.compare import compare_runs
from koopscope.recording.recorder import Recorder

STUDY = """
studies:
  rates:
    question: Do slow and fast decay alike?
    variants:
      slow: {runs: "runs/slow/*"}
      fast: {runs: "runs/fast runs/*"}
      again: {runs: "runs/again/*"}
    pairs:
      - {first: slow, second: fast, expected: different, because: other rates of decay}
      - {first: slow, second: again, expected: equivalent, because: fresh seeds}
    fit: {delays: 3, rank: 5}
    sensitivity: {rank_3: {fit: {rank: 3}}}
"""
SLOW, FAST = (0.99, 0.95, 0.9, 0.8, 0.6), (0.97, 0.9, 0.8, 0.6, 0.3)
MADE = {"slow": (SLOW, 0), "fast runs": (FAST, 100), "again": (SLOW, 200)}


def record(path, rates, seed, steps=60):
    rng = np.random.default_rng(seed)
    modes = np.array(rates) ** np.arange(steps)[:, None]
    states = modes @ rng.normal(1, 0.2, (len(rates), 6)) + 1e-4 * rng.normal(size=(steps, 6))
    with Recorder({"w": states[0]}, path, seed=seed) as recorder:
        for state in states:
            recorder.snapshot({"w": state})
            recorder.log(loss=np.sum(state**2))


@pytest.fixture(scope="module")
def studied(tmp_path_factory, checkout_at):
    checkout = checkout_at(tmp_path_factory.mktemp("own runs") / "checkout")
    for name, (rates, first) in MADE.items():
        for seed in range(5):
            record(checkout.root / "runs" / name / str(seed), rates, first + seed)
    (checkout.root / "own.yaml").write_text(STUDY)
    checkout.run(config="own.yaml")
    return checkout


def test_the_study_says_what_compare_runs_says(studied):
    summary = json.loads((studied.root / "results/summary.json").read_text())
    study = summary["studies"]["rates"]
    verdicts = {pair["name"]: pair["verdict"] for pair in study["pairs"]}
    assert verdicts["slow / fast"] == "distinguished"
    assert verdicts["slow / again"] != "distinguished"
    groups = {name: studied.root / "runs" / name / "*" for name in MADE}
    found = compare_runs(groups, delays=3, rank=5, sensitivity=False)
    stored = xr.open_zarr(studied.root / "results/comparison/rates.zarr", consolidated=False)
    np.testing.assert_array_equal(stored["eigenvalue"], found.comparison["eigenvalue"])
    assert float(stored["effect"][0]) == float(found.comparison["effect"][0])
    # So do both control lines, which either way are made of the first group's own runs.
    assert stored["control_paired"].values.all() and study["control_lines"]
    for name in ("control_line", "control_effect", "control_verdict"):
        assert stored[name].values.tolist() == found.comparison[name].values.tolist()


def test_the_report_is_there_and_nothing_is_made_twice(studied):
    assert (studied.root / "results/report.html").stat().st_size > 100_000
    assert not (studied.root / "results/data").exists()
    assert not studied.planned(config="own.yaml")
    assert "BROKEN" not in studied.run("verify", config="own.yaml").stdout


def test_a_run_that_changes_makes_again_what_depends_on_it_and_nothing_else(studied):
    path = studied.root / "runs/again/3"
    kept = path.with_name("kept")
    shutil.move(path, studied.root / "kept")
    try:
        record(path, SLOW, 999)
        planned = studied.planned(config="own.yaml")
        assert planned["bring_in_runs"] == 1
        # As the study has it, and with another rank.
        assert planned["fit_spectra"] == 2
        assert planned["compare_study"] == planned["vary_estimate"] == planned["report"] == 1
    finally:
        shutil.rmtree(path)
        shutil.move(studied.root / "kept", path)
    assert not kept.exists() and not studied.planned(config="own.yaml")


WRONG = {
    "no such runs": (
        {"runs/slow/*": "runs/slaw/*"},
        ["variants.slow", "nothing is called runs/slaw/*"],
    ),
    "the same runs twice": (
        {"runs/again/*": "runs/slow/*"},
        ["slow / again", "5 runs stand on both sides"],
    ),
    "neither runs nor a base": (
        {'again: {runs: "runs/again/*"}': "again: {}"},
        ["variants.again", "has no runs", "base, network, model, online"],
    ),
    "a key of networks": (
        {'{runs: "runs/again/*"}': '{runs: "runs/again/*", batch_size: 3}'},
        ["variants.again.batch_size", "unknown key of recorded runs"],
    ),
    "a control of theirs": (
        {"    fit: {delays: 3": "    controls: [fresh]\n    fit: {delays: 3"},
        ["controls", "fresh", "slow is recorded"],
    ),
    "another unit of time": (
        {"    fit: {delays: 3": "    time_unit: epoch\n    fit: {delays: 3"},
        ["time_unit", "epoch", "give step"],
    ),
    "a change of their training": (
        {"rank_3: {fit: {rank: 3}}": "batch: {batch_size: 30}"},
        ["sensitivity.batch", "batch_size"],
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_what_cannot_be_compared_ends_in_one_line(studied, case):
    changes, words = WRONG[case]
    config = studied.config("wrong", changes, base="own.yaml")
    done = studied.run("-n", config=config, check=False)
    assert done.returncode
    last = done.stdout.strip().splitlines()[-1]
    assert all(word in last for word in words), last


def test_runs_may_stand_beside_what_is_trained(studied):
    mixed = STUDY.replace(
        "    fit: {delays: 3, rank: 5}",
        "    network: {data: digits, hidden_widths: [4], steps: 60, seeds: [1, 2, 3, 4]}\n"
        "    fit: {delays: 3, rank: 5}",
    ).replace("      again:", "      trained: {}\n      again:")
    mixed = "data: {digits: {kind: digits}}\n" + mixed.replace(
        "    pairs:", "    pairs:\n      - {first: slow, second: trained}"
    )
    (studied.root / "mixed.yaml").write_text(mixed)
    planned = studied.planned(config="mixed.yaml")
    # The reference is trained, and once more from fresh seeds for its control lines.
    assert planned["train_network"] == 2 and planned["prepare_data"] == 1
    # All in the coordinates of studies, which recorded runs alone do not take.
    assert planned["fit_spectra"] == 10
