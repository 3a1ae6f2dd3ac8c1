"""One run at a time works in a folder, and its jobs end with it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import koopscope
from koopscope.artefacts import running
from koopscope.errors import InputError

SOURCES = str(Path(koopscope.__file__).parent.parent)
RUN = """
import os, subprocess, sys, time
from pathlib import Path
from koopscope.artefacts.running import Run
run = Run(Path(sys.argv[1]))
assert run.begin(os.environ, patience=20)
job = "from koopscope.artefacts import running; running.follow(); print('follows', flush=True); "
job += "import time; time.sleep(120)"
subprocess.Popen([sys.executable, "-c", job])
time.sleep(120)
"""


def begin(lock):
    """A run with one job, at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(lock)],
        env=os.environ | {"PYTHONPATH": SOURCES},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "follows\n"
    return process


@pytest.fixture
def lock(tmp_path):
    return tmp_path / ".state" / "run.lock"


@pytest.fixture
def at_work(lock):
    process = begin(lock)
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_second_run_is_refused_in_one_line_that_names_the_first(lock, at_work):
    with pytest.raises(InputError, match=f"process {at_work.pid} on .* at work") as error:
        running.Run(lock).begin({}, patience=0)
    assert "\n" not in str(error.value)
    assert not running.Run(lock).idle()


def test_jobs_of_a_run_that_was_killed_end_and_the_next_begins(lock, at_work):
    at_work.kill()
    at_work.wait()
    environment = {}
    start = time.monotonic()
    assert running.Run(lock).begin(environment, patience=60)
    assert time.monotonic() - start < 60
    assert environment[running.RUN].endswith(f":{lock}")
    # Its output has an end: no job holds it any more.
    assert at_work.stdout.read() == ""


def test_jobs_that_do_not_end_keep_the_next_run_out(lock):
    other = running.Run(lock)
    lock.parent.mkdir()
    held = running._locked(lock.with_name(f"jobs-{lock.name}"), True, 0)
    with pytest.raises(InputError, match="jobs of a run that was stopped are still at work"):
        other.begin({}, patience=0)
    assert not running.Run(lock).idle()
    held.close()


def test_nobody_works_in_a_folder_without_a_lock_and_looking_makes_none(lock):
    assert running.Run(lock).idle()
    assert not lock.parent.exists()


def test_a_process_that_is_no_job_or_one_of_another_host_follows_nobody(lock):
    lock.parent.mkdir()
    before = running.threading.active_count()
    running.follow({})
    running.follow({running.RUN: f"another-host:{lock}"})
    assert running.threading.active_count() == before
