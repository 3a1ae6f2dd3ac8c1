"""Curves that loggers wrote become runs of scalars, without gaps, or are refused in a line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from fixtures.imports import PACKAGE

from koopscope.errors import InputError
from koopscope.recording.logs import from_csv, from_json_lines, from_tensorboard
from koopscope.recording.runs import bring_in, open_run
from koopscope.recording.snapshots import open_snapshots

# As Lightning's CSVLogger writes it.
LIGHTNING = """epoch,step,train_loss,val_loss
0,9,3.0,
0,19,2.5,
0,19,,2.75
1,29,2.0,
1,39,nan,
1,39,,inf
"""


def written(folder, text, name="metrics.csv"):
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_rows_without_the_chosen_columns_are_left_out(tmp_path):
    file = written(tmp_path, LIGHTNING)
    run = from_csv(file, columns=["val_loss"], name="sgd", seed=3)
    assert run["step"].values.tolist() == [19, 39] and run["step"].dtype == np.int64
    assert run["val_loss"].values.tolist() == [2.75, np.inf] and run["val_loss"].dtype == float
    assert run.attrs == {"name": "sgd", "seed": 3, "complete": True}
    # Rows of one step are one, and a number that is not finite is one too.
    both = from_csv(file, columns=["train_loss", "val_loss"])
    assert both["step"].values.tolist() == [19, 39]
    np.testing.assert_array_equal(both["train_loss"], [2.5, np.nan])
    assert from_csv(file, "train_loss").sizes == {"step": 4}


def test_without_a_choice_all_numeric_columns_come_with_their_gaps(tmp_path):
    run = from_csv(written(tmp_path, LIGHTNING.replace("epoch,", "who,").replace("\n0,", "\na,")))
    assert list(run) == ["train_loss", "val_loss"]
    np.testing.assert_array_equal(run["val_loss"], [np.nan, 2.75, np.nan, np.inf])


@pytest.mark.parametrize(
    ("header", "step"),
    [
        ("epoch,global_step,x", 10),
        ("epoch,_step,x", 10),
        ("_step,trainer/global_step,x", 10),
        ("other,epoch,x", 10),
    ],
)
def test_the_column_of_steps_is_found_by_its_name(tmp_path, header, step):
    file = written(tmp_path, f"{header}\n1,{step},5\n2,20,6\n")
    assert from_csv(file, columns="x")["step"].values.tolist() == [step, 20]
    assert from_csv(file, columns="x", step=header.split(",")[0])["step"].values.tolist() == [1, 2]


@pytest.mark.parametrize("parted", ["\t", ";"])
def test_tabs_semicolons_marks_of_order_and_names_of_any_kind_are_read(tmp_path, parted):
    text = '\ufeffstep,"train/loss, all",β\n1,2,3\n2,1,\n'
    text = text.replace('"train/loss, all"', "train/loss all").replace(",", parted)
    file = written(tmp_path, text, "läufe [1] a.tsv")
    run = from_csv(file, columns=["train/loss all"])
    # A slash in a name would be a folder of a store.
    assert list(run) == ["train.loss all"] and run.sizes == {"step": 2}
    assert from_csv(file, columns=["train.loss all", "β"]).sizes == {"step": 1}


def test_json_lines_a_trainers_state_and_exports_are_read(tmp_path):
    history = [
        {"step": 10, "epoch": 0.5, "loss": 3.0},
        {"step": 20, "epoch": 1.0, "loss": 2.0},
        {"step": 20, "epoch": 1.0, "eval_loss": 2.5},
        {"step": 20, "epoch": 1.0, "train_loss": 2.4, "total_flos": 1},
    ]
    state = written(tmp_path, json.dumps({"log_history": history, "step": 3}), "state.json")
    run = from_json_lines(state, columns=["loss", "eval_loss"])
    assert run["step"].values.tolist() == [20] and run["eval_loss"].item() == 2.5
    lines = "\n".join(map(json.dumps, history)) + "\n"
    for name, text in (("a.jsonl", lines), ("b.json", json.dumps(history))):
        assert from_json_lines(written(tmp_path, text, name), "loss").sizes == {"step": 2}
    exported = written(
        tmp_path,
        '{"_step": 0, "train": {"loss": 1}, "who": "x"}\n\n{"_step": 1, "train": {"loss": "NaN"}}',
        "c.jsonl",
    )
    np.testing.assert_array_equal(from_json_lines(exported)["train.loss"], [1, np.nan])


@pytest.mark.parametrize(
    ("text", "choices", "said"),
    [
        ("", {}, "an empty file; give the log of a run"),
        ("step,x\n", {}, "no rows; give the log of a run"),
        (b"\xff\xfe\x00", {}, r"cannot be read \(not text of UTF-8\)"),
        ("step,x\n1,2\n", {"columns": ["y"]}, "has no 'y'; it has step, x"),
        ("step,x\n1,2\n", {"step": "t"}, "has no column 't'; it has step, x"),
        ("a,x\n1,2\n", {}, "no column of steps; name one by step=: a, x"),
        ("step,x\n1,2\n2,oops\n", {"columns": ["x"]}, "line 3: x is 'oops'; give columns of num"),
        ("step,x\n1,a\n", {}, "none numeric in .* has no number; choose others"),
        ("step,x,y\n1,2,\n2,,3\n", {"columns": ["x", "y"]}, "x, y in .* are at no step together"),
        ("step,x\n1.5,2\n", {}, "line 2: step is '1.5', no whole number; name another"),
        ("step,x\n,2\n", {}, "line 2: step is '', no whole number"),
        ("step,x\n1,2\n1,3\n", {}, "line 3: x is 3.0 at step 1, but was 2.0 there; name a column"),
        ("step,x\n5,2\n1,3\n", {}, "line 3: the step of x goes back from 5 to 1; keep the rows of"),
        ("step,x,x\n5,2,1\n", {}, "the column 'x' is there twice; rename one"),
        ('step,x\n5,"2\n', {}, "no table .*; give the log as it was written"),
        ("step,weights\n5,2\n", {"columns": "weights"}, "'weights' is a name of the form's own"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path, text, choices, said):
    with pytest.raises(InputError, match=said) as refused:
        from_csv(written(tmp_path, text), **choices)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty file"),
        ('{"step": 1, "x": 2}\n{"step": 2, "x"', "line 2 is no JSON, perhaps cut short; delete it"),
        ("[1, 2]", "entry 1 is no object"),
        ("3\n4\n", "line 1 is no object"),
        ('{"step": 1, "x": [2]}', "none numeric in"),
        ("[]", "no rows"),
        ("3", "line 1 is no object"),
        ('{"log_history": 3}', "no column of steps"),
        ('{"step": 1e30, "x": 2}', "step is 1e\\+30, no whole number"),
    ],
)
def test_json_that_cannot_be_read_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as refused:
        from_json_lines(written(tmp_path, text, "log.jsonl"))
    assert "\n" not in str(refused.value)


def test_logs_are_opened_as_runs_also_by_their_folder(tmp_path):
    file = written(tmp_path, LIGHTNING)
    run = open_run(file, columns=["train_loss"])
    assert list(run) == ["train_loss"] and run.attrs["source"] == str(file)
    assert open_run(tmp_path, columns=["train_loss"]).equals(run)
    kept = bring_in(file, tmp_path / "out", columns=["train_loss"], seed=1)
    assert kept.equals(run) and open_snapshots(tmp_path / "out").attrs["seed"] == 1
    written(tmp_path, '{"step": 1, "a/b": 2}\n', "log.jsonl")
    # A name with a slash survives a store.
    assert list(bring_in(tmp_path / "log.jsonl", tmp_path / "more")) == ["a.b"]
    written(tmp_path, "x", "notes.txt")
    with pytest.raises(InputError, match=r"notes.txt: no run; files of runs end in .npy"):
        open_run(tmp_path / "notes.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder: no run; give .* pattern .* 'folder/\*'$"):
        open_run(tmp_path / "folder")


def test_reading_a_log_needs_neither_torch_nor_tensorboard(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(b"")
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['tensorboard'] = None\n"
        "import koopscope as ks\n"
        "print(ks.open_run(sys.argv[1]).sizes['step'])\n"
        "try:\n    ks.from_tensorboard('.')\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(written(tmp_path, LIGHTNING))],
        env={"PYTHONPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "4",
        ". needs tensorboard, which is not installed: pip install 'koopscope[integrations]'",
    ], done.stderr


def test_a_folder_without_event_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="no event file of TensorBoard; give one, or the folder"):
        from_tensorboard(tmp_path)
    with pytest.raises(InputError, match="no event file of TensorBoard"):
        from_tensorboard(tmp_path / "missing")
