"""Runs that are killed, at moments drawn with a fixed seed: the same command goes on.

`make kill-test` is the same with 100 kills (KILLS).
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time

from koopscope.artefacts import store
from koopscope.artefacts.seals import OLD, PARTIAL, SEAL

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
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        process.stdout.close()
        return True
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


def test_a_run_at_work_keeps_its_lock_and_others_out(smoke):
    at_work = start(smoke, "--forcerun", "train_network", "--")
    locks = smoke.root / ".snakemake/locks"
    training = smoke.root / "results/trajectories"
    try:
        deadline = time.monotonic() + 120
        while not list(training.glob(f"{PARTIAL}*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        second = smoke.run("--forcerun", "draw", "--", check=False)
        assert second.returncode == 1
        lines = [line for line in second.stdout.splitlines() if line.startswith("Error: ")]
        assert re.fullmatch(
            rf"Error: \S+: another run \(process {at_work.pid} on \S+\) is at work in this folder; "
            "wait for its end, or stop it",
            *lines,
        )
        assert "Traceback" not in second.stdout
        assert "results hold" in smoke.run("verify", check=False).stdout
        assert at_work.poll() is None and list(locks.glob("*.lock"))
    finally:
        assert not killed(at_work, 300, True)
    assert "Nothing to be done" in smoke.run().stdout


def test_jobs_of_a_run_whose_process_alone_was_killed_end(smoke):
    at_work = start(smoke, "--forcerun", "train_network", "--")
    training = smoke.root / "results/trajectories"
    deadline = time.monotonic() + 120
    while not list(training.glob(f"{PARTIAL}*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    at_work.kill()
    # The jobs have its output too: it ends when the last of them does.
    at_work.stdout.read()
    at_work.wait()
    done = smoke.run().stdout
    assert "Clearing the lock of a run that was killed: its process is gone." in done
    whole(smoke)


def test_what_a_kill_leaves_between_two_renames_is_put_back_before_the_plan(smoke):
    place = next((smoke.root / "results/spectra").glob("*/*.zarr"))
    place.replace(place.with_name(OLD + place.name))
    assert "Nothing to be done" in smoke.run("-n").stdout
    assert place.exists()
    place.replace(place.with_name(OLD + place.name))
    done = smoke.run().stdout
    assert f"Put back {place.relative_to(smoke.root)}, whose replacement was killed." in done
    assert "Nothing to be done" in done


def test_copies_that_a_kill_left_stop_no_later_run_and_replace_what_is_not_whole(smoke):
    curves = smoke.root / "results/curves/width.zarr"
    before = store.sealed_digest(curves)
    copy = smoke.root / ".snakemake/backups/results/curves/width.zarr"
    shutil.copytree(curves, copy)
    (curves / SEAL).unlink()
    done = smoke.run().stdout
    assert "Put back results/curves/width.zarr, which a killed run was making again." in done
    assert not copy.exists()
    shutil.copytree(curves, copy)
    smoke.run("--forcerun", "collect_curves", "--", "results/curves/width.zarr")
    assert store.sealed_digest(curves) == before


def test_a_failure_leaves_the_summary_and_the_report_that_there_were(smoke):
    pages = [
        smoke.root / "results" / name
        for name in ("summary.md", "summary.json", "tables/answers.csv", "report.html")
    ]
    before = [page.read_bytes() for page in pages]
    for broken in ("summary", "captions"):
        module = smoke.root / f"src/koopscope/experiments/{broken}.py"
        kept = module.read_text()
        module.write_text(kept + "\nraise RuntimeError('no page')\n")
        try:
            done = smoke.run("--forcerun", "summary", "--", check=False)
        finally:
            module.write_text(kept)
        assert done.returncode == 1
        assert [page.read_bytes() for page in pages] == before
    whole(smoke)
