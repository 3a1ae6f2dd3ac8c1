"""Jobs start from a process that has imported what they need, and else as ever."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PRELOADED = Path(__file__).parents[2] / "workflow/preloaded.py"
THREADS = {"OMP_NUM_THREADS": "1"}
# What it does and where, and whether `wave` was there before it asked.
SCRIPT = """
import json, os, signal, sys, time
known = "wave" in sys.modules
import subprocess
found = {"known": known, "folder": os.getcwd(), "name": __name__, "file": __file__}
print(json.dumps(found | {"arguments": sys.argv[1:], "of_mine": os.environ.get("OF_MINE")}))
print("aside", file=sys.stderr)
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="of Linux alone")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of a server that has imported `wave`, and the server."""
    address, process = served(tmp_path_factory.mktemp("server"))
    yield address, process
    process.stdin.close()
    process.wait(30)
    assert not address.parent.exists()


def served(folder):
    address = folder / "for-jobs" / "jobs"
    address.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, PRELOADED, "serve", address, "wave"],
        stdin=subprocess.PIPE,
        env=os.environ | THREADS,
    )
    until(address.exists)
    return address, process


def until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError


def command(address, script, *arguments):
    return [sys.executable, "-I", "-S", PRELOADED, address, script, *arguments]


def asked(address, tmp_path, text, *arguments, **environment):
    script = tmp_path / "script.py"
    script.write_text(text)
    return subprocess.run(
        command(address, script, *arguments),
        cwd=tmp_path,
        env=os.environ | THREADS | environment,
        capture_output=True,
        text=True,
    )


def test_a_job_finds_what_was_imported_and_all_else_as_if_it_had_been_started(server, tmp_path):
    done = asked(server[0], tmp_path, SCRIPT, "a b", "ü", OF_MINE="yes")
    found = json.loads(done.stdout)
    assert found.pop("known")
    assert found == {
        "folder": str(tmp_path),
        "name": "__main__",
        "file": str(tmp_path / "script.py"),
        "arguments": ["a b", "ü"],
        "of_mine": "yes",
    }
    assert done.stderr == "aside\n" and done.returncode == 0


@pytest.mark.parametrize(
    ("address", "environment"),
    [(None, {"OMP_NUM_THREADS": "2"}), (None, {"PYTHONPATH": "elsewhere"}), ("nobody", {})],
    ids=["other threads", "other packages", "no server"],
)
def test_what_the_server_has_not_starts_as_ever(server, tmp_path, address, environment):
    done = asked(address or server[0], tmp_path, SCRIPT, "x", **environment)
    found = json.loads(done.stdout)
    assert not found["known"] and found["arguments"] == ["x"] and done.returncode == 0


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys; sys.exit('Error: no')", 1, "Error: no\n"),
        ("import sys; sys.exit(7)", 7, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os; os.kill(os.getpid(), 15)", -15, ""),
    ],
)
def test_a_job_ends_as_its_script_does(server, tmp_path, text, status, said):
    done = asked(server[0], tmp_path, text)
    assert done.returncode == status and done.stderr.endswith(said)


def test_a_job_that_is_done_leaves_nothing_undone(server, tmp_path):
    text = """
import atexit, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
def late(word):
    time.sleep(0.2)
    # At once: what two threads print may mix words and ends of lines.
    sys.stdout.write(word + "\\n")
atexit.register(print, "at exit")
threading.Thread(target=late, args=["thread"]).start()
ThreadPoolExecutor(1).submit(late, "pool")
print("script")
"""
    done = asked(server[0], tmp_path, text)
    said = done.stdout.splitlines()
    assert said[0] == "script" and sorted(said[1:3]) == ["pool", "thread"]
    assert said[3:] == ["at exit"] and done.returncode == 0 and not done.stderr


def test_who_stops_asking_stops_the_job(server, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    asking = subprocess.Popen(
        command(server[0], script), stdout=subprocess.PIPE, env=os.environ | THREADS, text=True
    )
    job = int(asking.stdout.readline())
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    until(lambda: not Path(f"/proc/{job}").exists())


def test_jobs_run_side_by_side(server, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time; from pathlib import Path\n"
        "Path(sys.argv[1]).touch()\n"
        "while not Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
    )
    both = [
        subprocess.Popen(command(server[0], script, *order), env=os.environ | THREADS)
        for order in ((first, second), (second, first))
    ]
    assert [process.wait(60) for process in both] == [0, 0]


def test_a_server_that_dies_ends_its_jobs_callers_with_a_word(tmp_path):
    address, process = served(tmp_path)
    script = tmp_path / "script.py"
    script.write_text("import time; print(1, flush=True); time.sleep(5)")
    asking = subprocess.Popen(
        command(address, script),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | THREADS,
        text=True,
    )
    assert asking.stdout.readline() == "1\n"
    process.kill()
    process.wait()
    assert asking.wait(30) == 1
    assert "the process that starts jobs is gone" in asking.stderr.read()
