"""Runs that are killed, at moments drawn with a fixed seed: the same command goes on.

`make kill-test` is the same with 100 kills (KILLS).
"""

import os
import random
import re
import shutil
import signal
import subprocess

import pytest

from koopscope.artefacts import store
from koopscope.artefacts.seals import PARTIAL, SEAL

KILLS = int(os.environ.get("KILLS", "26"))
# Seconds of a run before it is killed: planning takes about four of them.
LONGEST = 14.0
# What is made again, and a change of the configuration that makes others again.
FORCED = ["collect_curves", "train_network", "fit_spectra", "compare_study", "run_experiment"]
FORCED += ["train_experiment", "prepare_data", "draw", "summary", "report", "gather_pruning"]
CHANGED = {"steps: 120": "steps: 100"}


def start(checkout, *arguments, config="config/smoke.yaml"):
    return subprocess.Popen(
        checkout.command(*arguments, config=config),
        cwd=checkout.root,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )


def killed(process, seconds, whole_group):
    """Kill a run after some seconds; whether it was still at work."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        process.stdout.close()
        return True
    text = process.stdout.read()
    assert process.returncode == 0, text
    return False


def digests(checkout):
    """Seals of all stores; figures show measured times, and so do the pages."""
    results = checkout.root / "results"
    return {
        path.parent.relative_to(results): path.read_text()
        for path in results.rglob(SEAL)
        if path.parent.suffix == ".zarr" and path.parent.name != store.TIMINGS
    }


def whole(checkout, config="config/smoke.yaml"):
    """The same command ends well; whatever holds is proved, and nothing is left over."""
    checkout.run(config=config)
    assert "Nothing to be done" in checkout.run(config=config).stdout
    said = checkout.run("verify", config=config).stdout
    holds, found = re.search(r"(\d+) of (\d+) results hold", said).groups()
    assert holds == found, said
    assert not list((checkout.root / "results").rglob(f"{PARTIAL}*"))


def copy_of(checkout, root, checkout_at):
    """A checkout with the results of another, and all that Snakemake knows of them."""
    made = checkout_at(root)
    for part in ("results", ".snakemake"):
        shutil.copytree(checkout.root / part, root / part)
    return made


@pytest.fixture
def finished(smoke, tmp_path, checkout_at):
    return copy_of(smoke, tmp_path / "finished", checkout_at)


def test_a_first_making_that_is_killed_again_and_again_ends_in_the_same_bytes(another, smoke):
    draw, kills = random.Random(16), 0
    while kills < KILLS // 2:
        done = not killed(start(another), draw.uniform(0.2, LONGEST), draw.random() < 0.7)
        kills += not done
        if done:
            # Whole, so the rest of the kills fall on another first making.
            assert digests(another) == digests(smoke)
            shutil.rmtree(another.root / "results")
    whole(another)
    assert digests(another) == digests(smoke)


def test_makings_again_that_are_killed_leave_what_a_whole_run_makes(finished, smoke):
    draw = random.Random(17)
    changed = finished.config("changed", CHANGED)
    kills = 0
    while kills < KILLS - KILLS // 2:
        rule = draw.choice([*FORCED, None])
        process = (
            start(finished, config=changed)
            if rule is None
            else start(finished, "--forcerun", rule, "--")
        )
        kills += killed(process, draw.uniform(3.0, LONGEST), draw.random() < 0.7)
    whole(finished)
    after, before = digests(finished), digests(smoke)
    assert {path: after[path] for path in before} == before
