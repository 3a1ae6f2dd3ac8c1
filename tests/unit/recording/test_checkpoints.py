"""Checkpoints that exist become the store that a recording of the same training would be."""

import json
import pickle
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr
from fixtures.imports import PACKAGE
from torch import nn

from koopscope.errors import InputError
from koopscope.recording import checkpoints
from koopscope.recording.checkpoints import from_checkpoints
from koopscope.recording.finding import find_runs
from koopscope.recording.recorder import Recorder
from koopscope.recording.runs import bring_in, open_run
from koopscope.recording.snapshots import open_snapshots
from koopscope.recording.spacing import finite_part


def network(widths=(4, 3)):
    torch.manual_seed(1)
    first, second = widths
    return nn.Sequential(nn.Linear(6, first), nn.BatchNorm1d(first), nn.Linear(first, second))


def train(model, steps, after=lambda step: None):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs = torch.randn(16, 6)
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()
        after(step)


def saved(folder, steps=12, form=lambda model: model.state_dict(), name="model-{}.pt"):
    """Checkpoints of a training, in a folder."""
    folder.mkdir()
    model = network()
    torch.save(form(model), folder / name.format(0))
    train(model, steps, lambda step: torch.save(form(model), folder / name.format(step)))
    return folder


def files_of(store, *arrays):
    """Bytes of all chunks and their description, by name."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for array in arrays
        for path in sorted((store / array).rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("choices", "array"),
    [
        ({}, "weights"),
        ({"every": 3}, "weights"),
        ({"include": ["2.*"]}, "weights"),
        ({"buffers": True}, "weights"),
        ({"projection": 5, "projection_seed": 2}, "sketch"),
    ],
)
def test_the_store_is_that_of_a_recording_byte_by_byte(tmp_path, monkeypatch, choices, array):
    # Blocks that end amid a chunk, as those of large networks do.
    monkeypatch.setattr(checkpoints, "MEMORY", 5 * 8 * 50)
    model = network()
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    torch.save(model.state_dict(), folder / "0.pt")
    with Recorder(model, tmp_path / "recorded", **choices) as running:
        train(
            model,
            70,
            lambda step: (
                running.snapshot(),
                torch.save(model.state_dict(), folder / f"{step}.pt"),
            ),
        )
    found = from_checkpoints(folder, tmp_path / "brought in", **choices)
    names = ("step", array, "initial", "layer", "index")
    recorded = files_of(tmp_path / "recorded", *names)
    assert len(recorded) >= 10
    assert files_of(tmp_path / "brought in", *names) == recorded
    before = open_snapshots(tmp_path / "recorded")
    assert found[array].identical(before[array])
    every = {"every": choices.get("every")}
    assert json.loads(found.attrs["recording"]) == json.loads(before.attrs["recording"]) | every


@pytest.mark.parametrize("below", ["state_dict", "model", "model_state_dict"])
def test_weights_may_lie_below_a_key_beside_a_trainers_state(tmp_path, below):
    def form(model):
        return {"epoch": 3, "optimizer": {"lr": torch.ones(3)}, below: model.state_dict()}

    plain = from_checkpoints(saved(tmp_path / "a"), tmp_path / "plain")
    nested = from_checkpoints(saved(tmp_path / "b", form=form, name="e{}.ckpt"), tmp_path / "out")
    assert nested["weights"].identical(plain["weights"])


def test_what_is_known_of_the_run_is_kept(tmp_path):
    run = from_checkpoints(
        saved(tmp_path / "a"), tmp_path / "run", name="sgd", seed=4, settings={"lr": 0.1}
    )
    assert {k: run.attrs[k] for k in ("name", "seed", "settings", "complete")} == {
        "name": "sgd",
        "seed": 4,
        "settings": '{"lr":0.1}',
        "complete": True,
    }


def test_buffers_are_left_out_unless_asked_for_and_counts_always(tmp_path):
    folder = saved(tmp_path / "a")
    names = {
        choice: list(
            from_checkpoints(folder, tmp_path / str(choice), buffers=choice)["layer"].attrs[
                "flag_meanings"
            ]
        )
        for choice in (False, True)
    }
    assert names[False] == ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]
    assert names[True] == [*names[False], "1.running_mean", "1.running_var"]


def test_tied_weights_count_once_and_names_lose_their_wrappers(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
            self.head.weight = self.embed.weight

    model = Tied()
    for step in (1, 2):
        wrapped = {f"module.{name}": value for name, value in model.state_dict().items()}
        torch.save(wrapped, tmp_path / f"{step}.pt")
    run = from_checkpoints(f"{tmp_path}/*.pt", tmp_path / "run")
    assert run["layer"].attrs["flag_meanings"] == ["embed.weight"]
    assert run["weights"].shape == (2, 15)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_become_single(tmp_path, kind):
    value = torch.linspace(0, 1, 7, dtype=kind)
    torch.save({"a": value}, tmp_path / "1.pt", _use_new_zipfile_serialization=False)
    torch.save({"a": 2 * value}, tmp_path / "2.pt")
    run = from_checkpoints(tmp_path, tmp_path / "run")
    assert run["weights"].dtype == np.float32
    np.testing.assert_array_equal(run["weights"][0], value.float())
    np.testing.assert_array_equal(run["weights"][1], (2 * value).float())


def test_a_model_says_what_its_parameters_are_and_in_which_order(tmp_path):
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.ones(2))
            self.zeta, self.alpha = nn.Linear(2, 2), nn.Linear(2, 2)
            self.alpha.requires_grad_(False)

    model = Other()
    for step in (1, 2):
        torch.save(dict(reversed(model.state_dict().items())), tmp_path / f"{step}.pt")
    known = from_checkpoints(tmp_path, tmp_path / "known", model=model)
    assert known["layer"].attrs["flag_meanings"] == ["zeta.weight", "zeta.bias"]
    assert from_checkpoints(tmp_path, tmp_path / "run").sizes["weight"] == 14
    with pytest.raises(InputError, match=r"1.pt: no 'weight', which was asked for"):
        from_checkpoints(tmp_path, tmp_path / "other", model=nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (["run-9.pt", "run-10.pt", "run-100.pt"], [9, 10, 100]),
        (["epoch=0-step=20.ckpt", "epoch=1-step=5.ckpt"], [5, 20]),
        (["epoch=1-val_loss=0.25-step=7.ckpt", "epoch=2-val_loss=0.12-step=9.ckpt"], [7, 9]),
        (["step_1 v2.pth", "läufe[3].bin"], [2, 3]),
        (["a2-0003.pt", "a1-0004.pt"], [3, 4]),
    ],
)
def test_the_order_is_that_of_the_numbers(tmp_path, names, steps):
    if names[0].startswith("step_1"):
        # The number after "step" goes before the last one.
        steps = [1, 3]
    for name in reversed(names):
        torch.save({"a": torch.ones(2)}, tmp_path / name)
    files = [tmp_path / name for name in reversed(names)]
    for given in (tmp_path, files, f"{tmp_path}/*"):
        out = tmp_path.parent / f"out {len(str(given))}"
        assert from_checkpoints(given, out)["step"].values.tolist() == steps
        subprocess.run(["rm", "-r", str(out)], check=True)


def test_memory_does_not_grow_with_the_number_of_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "MEMORY", 8 * 100_000)
    peaks = []
    for step in range(1, 33):
        torch.save({"a": torch.full((100_000,), float(step))}, tmp_path / f"{step}.pt")
        if step in (8, 32):
            tracemalloc.start()
            run = from_checkpoints(tmp_path, tmp_path / f"run-{step}")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert (run["weights"].values == np.arange(1, 33)[:, None]).all()


def test_a_run_that_diverged_is_brought_in_up_to_there(tmp_path):
    for step in (10, 20, 30, 40):
        torch.save(
            {"a": torch.full((3,), float("nan") if step > 20 else 1.0)}, tmp_path / f"{step}.pt"
        )
    run = from_checkpoints(tmp_path, tmp_path / "run")
    assert run["step"].values.tolist() == [10, 20]
    assert finite_part(run)[1] == 30
    with pytest.raises(InputError, match=r"30.pt: not finite, and the first"):
        from_checkpoints(f"{tmp_path}/[34]0.pt", tmp_path / "other")


def test_checkpoints_are_opened_as_a_run_where_a_folder_for_them_is_given(tmp_path):
    folder = saved(tmp_path / "a run")
    with pytest.raises(InputError, match="checkpoints; give scratch, .* or use from_checkpoints"):
        open_run(folder)
    run = open_run(folder, scratch=tmp_path / "scratch", include=["0.*"], columns=None)
    assert run["weights"].shape == (12, 28) and run.attrs["source"] == str(folder)
    stores = list((tmp_path / "scratch").iterdir())
    again = open_run(folder, tmp_path / "scratch", include=["0.*"])
    assert again.identical(run) and list((tmp_path / "scratch").iterdir()) == stores
    torch.save(torch.load(folder / "model-3.pt"), folder / "model-20.pt")
    assert open_run(folder, tmp_path / "scratch", include=["0.*"]).sizes["step"] == 13
    kept = bring_in(folder, tmp_path / "out", include=["0.*"])
    assert kept["weights"].shape == (13, 28)
    with pytest.raises(InputError, match=r"^columns: no choice for .*; from_checkpoints takes"):
        bring_in(folder, tmp_path / "more", columns=["loss"])


def test_a_pattern_of_checkpoints_names_their_folder(tmp_path):
    folder = saved(tmp_path / "a run", steps=2)
    with pytest.raises(InputError, match=r"matches model-0.pt, a part of the run .*/a run; give"):
        find_runs(f"{folder}/*.pt")
    assert find_runs(folder) == [folder]


class Evil:
    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


def test_code_in_a_checkpoint_is_never_run(tmp_path):
    ran = tmp_path / "ran"
    torch.save({"state_dict": {"a": torch.ones(2)}, "x": Evil(ran)}, tmp_path / "1.pt")
    (tmp_path / "2.ckpt").write_bytes(pickle.dumps(Evil(ran)))
    (tmp_path / "3.bin").write_bytes(pickle.dumps({"a": Evil(ran)}, protocol=2))
    torch.save(nn.Linear(2, 2), tmp_path / "4.pth")
    for file in ("1.pt", "2.ckpt", "3.bin", "4.pth"):
        with pytest.raises(
            InputError, match=f"{file}: holds more than tensors.*; code in a checkpoint is never"
        ) as refused:
            from_checkpoints([tmp_path / file], tmp_path / "run")
        assert "\n" not in str(refused.value)
    assert not ran.exists() and not list(tmp_path.glob("*run"))


def cut(file, size):
    file.write_bytes(file.read_bytes()[:size])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: cut(f / "model-2.pt", 700), "model-2.pt: cannot be read .*was cut short: leave"),
        (lambda f: cut(f / "model-2.pt", 0), "model-2.pt: an empty file"),
        (
            lambda f: torch.save({"lr": 0.1}, f / "model-1.pt"),
            r"model-1.pt: no tensors in it \(keys: lr\); give a state_dict, or one below state_d",
        ),
        (lambda f: torch.save([1], f / "model-1.pt"), "model-1.pt: holds a list; give a state_di"),
        (
            lambda f: torch.save({"n": torch.tensor(1)}, f / "model-0.pt"),
            "model-0.pt: no floating-point tensors",
        ),
        (
            lambda f: torch.save({"0.weight": torch.ones(4, 6)}, f / "model-2.pt"),
            r"model-2.pt: no '0.bias', which model-0.pt has; give checkpoints of one run",
        ),
        (
            lambda f: torch.save(network((5, 3)).state_dict(), f / "model-2.pt"),
            r"model-2.pt: 0.weight has the shape \(5, 6\), not \(4, 6\) as at first",
        ),
        (
            lambda f: torch.save(
                {**network().state_dict(), "new": torch.ones(1)}, f / "model-2.pt"
            ),
            "model-2.pt: has 'new', which model-0.pt lacks; give .* include",
        ),
        (
            lambda f: (f / "model-2.pt").rename(f / "last.pt"),
            r"the name of .*last.pt has no number, .*; leave it out by a pattern such as",
        ),
        (
            lambda f: (f / "model-2.pt").rename(f / "val=0.25.pt"),
            r"the name of .*val=0.25.pt ends in the fraction 0.25, ",
        ),
        (
            lambda f: (f / "model-2.pt").rename(f / "other-1.pt"),
            "model-1.pt and other-1.pt have the number 1 both; give a list, or a pattern",
        ),
    ],
)
def test_what_cannot_be_brought_in_is_refused_in_a_line_and_leaves_nothing(tmp_path, damage, said):
    folder = saved(tmp_path / "a run", steps=3)
    damage(folder)
    with pytest.raises(InputError, match=said) as refused:
        from_checkpoints(folder, tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a run"]


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"include": ["3.*"]}, r"^include: the model has no '3.\*'; it has 0.weight, "),
        ({"include": "0.weight"}, "^include: '0.weight' is one text; give a list"),
        ({"every": 50}, "^checkpoints: .* holds none after step 0 with .*every=50"),
        ({"every": 0}, "^every: 0; give a whole number"),
        ({"projection": 0}, "^projection: 0"),
        ({"settings": {"a": {1}}}, "^settings: "),
    ],
)
def test_choices_that_do_not_fit_are_refused(tmp_path, choices, said):
    folder = saved(tmp_path / "a run", steps=3)
    with pytest.raises(InputError, match=said):
        from_checkpoints(folder, tmp_path / "out", **choices)


def test_nothing_that_is_there_is_written_over(tmp_path):
    folder = saved(tmp_path / "a run", steps=3)
    for there in ("out", ".partial-out"):
        (tmp_path / there).mkdir()
        with pytest.raises(InputError, match=f"^store: .*{re.escape(there)} exists; give another"):
            from_checkpoints(folder, tmp_path / "out")
        (tmp_path / there).rmdir()
    with pytest.raises(InputError, match=r"^runs: nothing is called .*; the folder .* holds a run"):
        from_checkpoints(tmp_path / "other", tmp_path / "out")
    with pytest.raises(InputError, match=r"^checkpoints: .* holds none; give .pt"):
        from_checkpoints(Path(tmp_path), tmp_path / "out")


def test_parts_of_a_checkpoint_are_one(tmp_path):
    model = network()
    for step in (100, 20):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        names = dict.fromkeys(model.state_dict(), "pytorch_model-00001-of-00002.bin")
        names["2.weight"] = names["2.bias"] = "pytorch_model-00002-of-00002.bin"
        for shard in set(names.values()):
            part = {n: v for n, v in model.state_dict().items() if names[n] == shard}
            torch.save(part, folder / shard)
        index = folder / "pytorch_model.bin.index.json"
        index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
        torch.save({"state": {}}, folder / "optimizer.pt")
    # The model of the end, which a trainer saves beside its checkpoints.
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    run = from_checkpoints(tmp_path, tmp_path / "run")
    assert run["step"].values.tolist() == [20, 100]
    flat = torch.cat([value.flatten() for value in model.parameters()])
    np.testing.assert_array_equal(run["weights"][1], flat.detach())
    (tmp_path / "checkpoint-20" / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(InputError, match="00002-of-00002.bin: a part of the checkpoint is missing"):
        from_checkpoints(tmp_path, tmp_path / "other")
    (tmp_path / "checkpoint-20" / "pytorch_model.bin.index.json").write_text("{")
    with pytest.raises(InputError, match="index.json: damaged; copy the checkpoint again"):
        from_checkpoints(tmp_path, tmp_path / "other")


def test_a_missing_library_is_named_with_its_extra(tmp_path):
    (tmp_path / "1.safetensors").write_bytes(b"0")
    code = (
        "import sys\n"
        "sys.modules['safetensors'] = None\n"
        "import koopscope as ks\n"
        "try:\n    ks.from_checkpoints(sys.argv[1], 'out')\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"PYTHONPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith(
        "1.safetensors needs safetensors, which is not installed: "
        "pip install 'koopscope[integrations]'"
    ), done.stderr


def test_a_store_that_was_brought_in_is_whole(tmp_path):
    from_checkpoints(saved(tmp_path / "a", steps=3), tmp_path / "run")
    group = zarr.open_group(tmp_path / "run", mode="r")
    assert group["weights"].shape == (3, 51)
    assert open_snapshots(tmp_path / "run", network()).sizes["step"] == 3
