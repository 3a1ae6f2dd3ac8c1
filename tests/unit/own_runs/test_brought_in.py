"""A verdict on what exists: checkpoints and logs, against the same runs recorded."""

import csv

import numpy as np
import torch

from koopscope.own_runs.compare import compare_runs
from koopscope.recording.recorder import Recorder


def train(folder, name, rate, seed, steps=60):
    """Record a training, and keep its checkpoints and its log beside it."""
    torch.manual_seed(seed)
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    checkpoints = folder / "checkpoints" / name / str(seed)
    checkpoints.mkdir(parents=True)
    log = folder / "logs" / name / f"{seed}.csv"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        Recorder(model, folder / "runs" / name / str(seed), optimizer) as recorder,
        log.open("w", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(["step", "loss"])
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            inputs = torch.randn(16, 4)
            loss = (model(inputs) - inputs[:, :3]).square().mean()
            loss.backward()
            optimizer.step()
            recorder.log(loss=loss)
            rows.writerow([step, loss.item()])
            torch.save({"state_dict": model.state_dict()}, checkpoints / f"step{step}.pt")


def test_checkpoints_and_logs_give_the_bytes_of_the_same_runs_recorded(tmp_path):
    for seed in range(4):
        train(tmp_path, "slow", 0.05, seed)
        train(tmp_path, "fast", 0.5, 100 + seed)

    def compared(kind, suffix="", **choices):
        groups = {n: f"{tmp_path}/{kind}/{n}/*{suffix}" for n in ("slow", "fast")}
        return compare_runs(groups, sensitivity=False, **choices)

    recorded, imported = compared("runs"), compared("checkpoints")
    curves, logged = compared("runs", columns=["loss"]), compared("logs", ".csv", columns=["loss"])
    for one, other in ((recorded, imported), (curves, logged)):
        for name in ("eigenvalue", "distance", "effect", "p_value"):
            np.testing.assert_array_equal(one.comparison[name], other.comparison[name])
        assert one.verdicts == other.verdicts
        assert sorted(one.provenance["inputs"].values()) == sorted(
            other.provenance["inputs"].values()
        )
    assert recorded.verdicts == {"slow / fast": "distinguished"}


def test_sketches_of_checkpoints_are_those_of_recordings(tmp_path):
    for seed in range(4):
        train(tmp_path, "slow", 0.05, seed)
        train(tmp_path, "fast", 0.5, 100 + seed)
    found = compare_runs(
        {n: f"{tmp_path}/checkpoints/{n}/*" for n in ("slow", "fast")},
        sensitivity=False,
        projection=8,
    )
    assert "Compared: sketch (all that was recorded), 11 numbers a snapshot" in str(found)
    assert found.verdicts == {"slow / fast": "distinguished"}


def test_gaps_of_other_columns_are_none_of_the_one_that_is_compared(tmp_path):
    """As in a log of training with validation now and then, at steps of its own."""
    rng = np.random.default_rng(0)
    for name, rate in (("slow", 0.99), ("fast", 0.9)):
        for seed in range(4):
            log = tmp_path / name / f"{seed}.csv"
            log.parent.mkdir(exist_ok=True)
            rows = ["step,train/loss,val/loss"]
            for step in range(0, 400, 10):
                rows.append(f"{step},{rate ** (step / 10) + 1e-3 * rng.normal()},")
                rows += [f"{step + 5},,{rng.normal()}"] if step % 40 == 0 else []
            log.write_text("\n".join(rows))
    found = compare_runs(
        {n: f"{tmp_path}/{n}/*.csv" for n in ("slow", "fast")},
        columns=["train/loss"],
        sensitivity=False,
    )
    assert "Compared: logged train.loss; steps 0 to 390, every 10 steps" in str(found)
    assert "not finite" not in str(found)
