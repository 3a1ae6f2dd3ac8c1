"""The command, as a shell calls it: what it prints, its exit codes, its one line of refusal."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from koopscope.recording.recorder import Recorder

SLOW, FAST = (0.99, 0.95, 0.9, 0.8, 0.6), (0.97, 0.9, 0.8, 0.6, 0.3)


def record(path, rates, seed, steps=60):
    rng = np.random.default_rng(seed)
    modes = np.array(rates) ** np.arange(steps)[:, None]
    states = modes @ rng.normal(1, 0.2, (len(rates), 6)) + 1e-4 * rng.normal(size=(steps, 6))
    with Recorder({"w": states[0]}, path, seed=seed, name=path.parent.name) as recorder:
        for state in states:
            recorder.snapshot({"w": state})
            recorder.log(loss=np.sum(state**2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cli")
    for name, rates, first in (("slow", SLOW, 0), ("fast", FAST, 100)):
        for seed in range(5):
            record(made / "runs" / name / str(seed), rates, first + seed)
    return made


def koopscope(folder, *arguments):
    """What the installed command does."""
    command = Path(sys.executable).with_name("koopscope")
    return subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True)


GROUPS = ("slow=runs/slow/*", "fast=runs/fast/*")


def test_compare_answers_in_words_and_writes_a_page(folder):
    done = koopscope(folder, "compare", *GROUPS, "--report", "out/page.html", "--save", "out")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("slow / fast: distinguished")
    assert "Report: out/page.html" in rest
    page = (folder / "out" / "page.html").read_text()
    assert "slow / fast: distinguished" in page
    # Self-contained: nothing is loaded from elsewhere.
    assert 'src="http' not in page and 'href="http' not in page and page.count("data:image") == 5
    assert (folder / "out" / "comparison.zarr").exists()


def test_compare_gives_json_to_scripts(folder):
    done = koopscope(folder, "compare", *GROUPS, "--json", "--no-sensitivity", "--windows", "30")
    facts = json.loads(done.stdout)
    assert facts["pairs"][0]["verdict"] == "distinguished"
    assert [row["part"] for row in facts["parts"]] == ["steps 1 to 30", "steps 31 to 60"]


def test_import_info_and_verify_go_together(folder):
    np.save(folder / "states.npy", np.random.default_rng(0).normal(size=(50, 3)).cumsum(axis=0))
    done = koopscope(folder, "import", "states.npy", "--out", "runs/old/0")
    assert done.returncode == 0 and "50 snapshots, 3 numbers each" in done.stdout, done.stderr
    (facts,) = json.loads(koopscope(folder, "info", "runs/old/0", "--json").stdout)
    assert facts["snapshots"] == 50 and facts["rule"] == {"delays": 2, "rank": 5}
    said = koopscope(folder, "info", "runs/slow/*").stdout
    assert "logged: ['loss']" in said and "name: slow" in said
    assert koopscope(folder, "verify", "runs/slow/*", "runs/old/0").returncode == 0
    broken = folder / "runs" / "old" / "0" / "weights" / "c" / "0" / "0"
    broken.write_bytes(b"x" + broken.read_bytes()[1:])
    done = koopscope(folder, "verify", "runs/*/*")
    assert done.returncode == 1
    assert "10 of 11 stores hold" in done.stdout
    assert "BROKEN  runs/old/0: contents differ from their seal" in done.stdout


def test_watch_shows_a_run_that_ended_and_one_that_goes_on(folder):
    done = koopscope(folder, "watch", "runs/slow/0")
    assert done.returncode == 0
    assert "ended" in done.stdout and "no verdict before 32 snapshots" in done.stdout
    going_on = folder / "runs" / "going" / "0"
    with Recorder({"w": np.ones(3)}, going_on) as recorder:
        for step in range(200):
            recorder.snapshot({"w": np.ones(3) * 0.9**step})
        while (recorder._writer._times[:] > 0).sum() < 128:
            pass
        facts = json.loads(koopscope(folder, "watch", str(going_on), "--json").stdout)
    assert facts["complete"] is False and facts["snapshots"] in (128, 192)


REFUSED = {
    "no group": (["compare", "runs/slow/*"], "'runs/slow/*': no group; give NAME=RUNS"),
    "one group": (["compare", GROUPS[0]], "groups: give a mapping of two names"),
    "a name twice": (["compare", GROUPS[0], GROUPS[0]], "groups: a name stands twice"),
    "no run": (["compare", "a=nowhere/*", GROUPS[1]], "a: runs: nothing is called nowhere/*"),
    "no column": (["compare", *GROUPS, "--column", "los"], "columns: no 'los'"),
    "no layer": (["compare", *GROUPS, "--layer", "v"], "layers: no 'v' was recorded"),
    "nothing there": (["info", "nowhere"], "runs: nothing is called nowhere"),
    "no recording": (["watch", "nowhere"], "nowhere: no such recording"),
    "a store is there": (
        ["import", "runs/slow/0", "--out", "runs/slow/1"],
        "store: runs/slow/1 exists",
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
def test_a_refusal_is_one_line_and_code_2(folder, case):
    arguments, words = REFUSED[case]
    done = koopscope(folder, *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("Error: ") and words in line


def test_the_version_is_that_of_the_package(folder):
    from koopscope import __version__

    assert koopscope(folder, "--version").stdout.strip() == f"koopscope {__version__}"
