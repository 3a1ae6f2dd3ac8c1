"""Runs are found by name or pattern, opened whatever they are, and cut to what a fit can use."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.imports import PACKAGE
from torch import nn

from koopscope.errors import InputError
from koopscope.recording.arrays import from_arrays
from koopscope.recording.finding import find_runs
from koopscope.recording.recorder import Recorder
from koopscope.recording.runs import bring_in, open_run
from koopscope.recording.saving import save_run
from koopscope.recording.snapshots import open_snapshots
from koopscope.recording.spacing import evenly, finite_part

RUN = from_arrays(np.ones((4, 3)), step=[10, 20, 30, 40], scalars={"loss": [4, 3, 2, 1]})


def names(found):
    return [path.name for path in found]


def test_runs_come_in_natural_order_each_once_and_unfinished_ones_of_others_are_none(tmp_path):
    for name in ("run-10", "run-2", "run-1", "other"):
        save_run(RUN, tmp_path / name)
    (tmp_path / ".partial-third").mkdir()
    (tmp_path / ".partial-old-run-1").mkdir()
    assert names(find_runs(f"{tmp_path}/run-*")) == ["run-1", "run-2", "run-10"]
    both = find_runs([f"{tmp_path}/run-10", tmp_path / "run-2", f"{tmp_path}/run-*"])
    assert names(both) == ["run-1", "run-2", "run-10"]
    assert all(isinstance(path, Path) for path in both)
    assert names(find_runs(f"{tmp_path.parent}/**/run-2"))[-1] == "run-2"


@pytest.mark.parametrize("name", ["a run", "läufe-β", "run[1]", "run*", "[seed=0]"])
def test_names_with_spaces_other_letters_and_brackets_are_found(tmp_path, name):
    save_run(RUN, tmp_path / name)
    save_run(RUN, tmp_path / "run1")
    assert names(find_runs(tmp_path / name)) == [name]
    assert open_run(str(tmp_path / name)).attrs["source"] == str(tmp_path / name)
    assert len(find_runs(f"{tmp_path}/*")) == 2


def test_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_run(RUN, tmp_path / "sgd" / "0")
    assert names(find_runs("~/sgd/*")) == ["0"]
    assert open_run("~/sgd/0").attrs["source"] == "~/sgd/0"


def test_an_unfinished_run_is_refused_by_its_name_and_by_a_pattern(tmp_path):
    save_run(RUN, tmp_path / "run-1")
    model = nn.Linear(3, 2)
    with pytest.raises(KeyError), Recorder(model, tmp_path / "run-2") as running:
        running.snapshot()
        raise KeyError
    for pattern in (f"{tmp_path}/run-*", tmp_path / "run-2", f"{tmp_path}/*"):
        with pytest.raises(
            InputError,
            match=r"^runs: .*/run-2 is being written or was cut short: wait, or go on with it "
            r"\(resume=True\), or delete .*\.partial-run-2$",
        ):
            find_runs(pattern)
    assert names(find_runs(tmp_path / "run-1")) == ["run-1"]
    with pytest.raises(InputError, match="was cut short, or is being written; give unfinished"):
        open_run(tmp_path / "run-2")
    assert open_run(tmp_path / "run-2", unfinished=True).attrs["complete"] is False


def test_a_pattern_without_a_run_names_what_is_nearest(tmp_path):
    save_run(RUN, tmp_path / "sgd" / "0")
    with pytest.raises(
        InputError, match=r"^runs: nothing is called .*/sgd/run-\*; the folder .*/sgd holds 0$"
    ):
        find_runs(f"{tmp_path}/sgd/run-*")
    with pytest.raises(InputError, match=r"nothing is called .*; the folder .* holds sgd$"):
        open_run(f"{tmp_path}/sdg/0")
    with pytest.raises(InputError, match="^runs: none given"):
        find_runs([])


def test_a_pattern_of_what_lies_in_a_run_names_the_run(tmp_path):
    save_run(RUN, tmp_path / "run")
    with pytest.raises(InputError, match=r"^runs: .*/run/\* matches .*, a part of the run .*/run;"):
        find_runs(f"{tmp_path}/run/*")


def test_choices_go_to_the_reader_and_columns_keep_scalars_alone(tmp_path):
    np.savez(tmp_path / "run.npz", weights=np.ones((4, 3)), loss=np.arange(4.0))
    run = open_run(tmp_path / "run.npz", step=[1, 2, 4, 8], seed=None)
    assert run["step"].values.tolist() == [1, 2, 4, 8]
    assert list(open_run(tmp_path / "run.npz", columns=["loss"])) == ["loss"]
    with pytest.raises(InputError, match=r"^columns: no 'acc'; there is loss$"):
        open_run(tmp_path / "run.npz", columns=["acc"])
    with pytest.raises(InputError, match="^projection: no choice for .*run.npz; from_arrays takes"):
        open_run(tmp_path / "run.npz", projection=3)
    assert open_run(np.ones((4, 3)), seed=1).attrs["seed"] == 1


def test_anything_is_brought_into_a_sealed_store(tmp_path):
    np.save(tmp_path / "run.npy", np.ones((4, 3)))
    found = bring_in(tmp_path / "run.npy", tmp_path / "out", name="sgd")
    assert found.identical(open_snapshots(tmp_path / "out"))
    assert found.attrs["source"] == str(tmp_path / "run.npy") and found.attrs["name"] == "sgd"


def steps(*values):
    return from_arrays(np.ones((len(values), 2)), step=values)


def test_even_steps_stay_and_multiples_are_chosen():
    assert evenly(RUN) is RUN
    assert evenly(steps(5)) is not None
    assert evenly(steps(1, 2, 4, 10, 20, 30), every=10)["step"].values.tolist() == [10, 20, 30]
    assert evenly(RUN, every=20)["step"].values.tolist() == [20, 40]


@pytest.mark.parametrize(
    ("run", "every", "said"),
    [
        (
            steps(1, 2, 4, 8, 16),
            None,
            "^step: unevenly spaced, by 1, 2, 4, 8; no three of them are even: record every so",
        ),
        (
            steps(1, 2, 5, 10, 20, 30, 40),
            None,
            r"^step: unevenly spaced, by 1, 3, 5, 10; give every=10, which keeps 4, or take the "
            r"longest even stretch, run.sel\(step=slice\(10, 40\)\): 4 steps by 10$",
        ),
        (steps(1, 3, 2), None, "^step: goes from 3 to 2 at row 2; give each step once, in ascend"),
        (steps(1, 1, 2), None, "^step: goes from 1 to 1 at row 1; "),
        (steps(1, 2, 3), 5, "^every: 5 keeps 0 of 3 steps, too few; "),
        (steps(1, 2, 3), 0, "^every: 0; give a whole number of at least 1"),
        (steps(2, 4, 8, 9), 2, "^every: 2 keeps 3 of 4 steps, spaced by 2, 4; no three"),
    ],
)
def test_uneven_steps_are_refused_with_the_ways_out(run, every, said):
    with pytest.raises(InputError, match=said):
        evenly(run, every)


def test_a_run_ends_before_its_first_number_that_is_not_finite(tmp_path):
    weights = np.ones((200, 3), np.float32)
    weights[150:, 1] = np.nan
    run = save_run(from_arrays(weights), tmp_path / "run")
    part, ended = finite_part(run)
    assert part.sizes["step"] == 150 and ended == 151
    assert finite_part(RUN) == (RUN, None)
    # What was not logged is no end of the weights.
    gaps = RUN.assign(loss=("step", [1, np.nan, 2, np.nan]))
    assert finite_part(gaps)[1] is None
    assert finite_part(gaps[["loss"]])[1] == 20


def test_reading_needs_no_torch(tmp_path):
    save_run(RUN, tmp_path / "run")
    np.save(tmp_path / "run.npy", np.ones((4, 3)))
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import koopscope as ks\n"
        "for path in sys.argv[1:]:\n"
        "    print(ks.open_run(path).sizes['step'])\n"
    )
    files = [str(tmp_path / name) for name in ("run", "run.npy")]
    done = subprocess.run(
        [sys.executable, "-c", code, *files],
        env={"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["4"] * len(files), done.stderr
