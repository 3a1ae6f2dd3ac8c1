"""Fits on a Dask scheduler elsewhere: a real one, with workers that can be killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from distributed import Client

from koopscope.artefacts import store

# Fits of about a second each, so that one can be killed in mid-run.
LONG = {"steps: 120": "steps: 250", "rank: 6, delays: 4": "rank: 6, delays: 6, solver: full"}


@contextmanager
def dask(folder, source, workers=3):
    """Address of a scheduler with so many workers, each a process of one thread without a nanny."""
    environment = os.environ | {"PYTHONPATH": str(source)}
    file = folder / "scheduler.json"
    local = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    with ExitStack() as processes:

        def keep(process):
            processes.callback(process.wait)
            processes.callback(process.kill)

        keep(start("scheduler", "--port", "0", *local))
        for _ in range(workers):
            keep(start("worker", "--nthreads", "1", "--no-nanny", *local))
        with Client(scheduler_file=str(file), timeout=60) as client:
            client.wait_for_workers(workers, timeout=120)
            yield client.scheduler.address


def remote(checkout, address, change=None):
    """Path of the smoke configuration with a scheduler's address."""
    lines = f"koopman: {{scheduler: '{address}'}}\n\ncompare:"
    return checkout.config("remote", {"compare:": lines, **(change or {})})


def spectra(checkout):
    """Digest of each store of spectra, by its path."""
    folder = checkout.root / "results/spectra"
    return {path.relative_to(folder): store.sealed_digest(path) for path in folder.glob("*/*.zarr")}


def test_a_killed_worker_costs_time_and_changes_no_byte(smoke, another, tmp_path):
    for folder in ("results", ".snakemake"):
        shutil.copytree(smoke.root / folder, another.root / folder)
    shutil.rmtree(another.root / "results/spectra")
    another.run("spectra", config=another.config("local", LONG))
    expected = spectra(another)
    assert len(expected) == 18  # ten of the studies' own, eight of other ways to estimate
    shutil.rmtree(another.root / "results/spectra")

    with dask(tmp_path, another.root / "src") as address, Client(address) as watcher:
        pids = watcher.run(os.getpid)
        run = subprocess.Popen(
            another.command("spectra", config=remote(another, address, LONG)),
            cwd=another.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lost = kill_a_busy_worker(watcher, pids)
        text, _ = run.communicate(timeout=300)
        assert run.returncode == 0, text
        assert set(watcher.scheduler_info()["workers"]) == set(pids) - {lost}

    assert spectra(another) == expected


def kill_a_busy_worker(watcher, pids):
    """Kill the first worker that has been at the same fit twice in a row; return its address."""
    before = {}
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        fits = {address: set(keys) for address, keys in watcher.processing().items()}
        for address in fits:
            if fits[address] & before.get(address, set()):
                os.kill(pids[address], signal.SIGKILL)
                return address
        before = fits
        time.sleep(0.1)
    raise AssertionError("no worker was ever busy")


def test_workers_without_koopscope_are_named_with_the_remedy(another, tmp_path):
    # In front of an installed one: a package that is not to be found.
    empty = tmp_path / "empty/koopscope"
    empty.mkdir(parents=True)
    (empty / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'koopscope'\")")
    with dask(tmp_path, empty.parent, workers=1) as address:
        done = another.run("spectra", config=remote(another, address), check=False)
    assert done.returncode != 0
    assert "cannot import koopscope (" in done.stdout
    assert (
        "restart it with koopscope installed, or with its src folder in PYTHONPATH" in done.stdout
    )
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:9", "nothing answers at 'tcp://127.0.0.1:9'"),
        ("tcp://nowhere.invalid:8786", "nothing answers at 'tcp://nowhere.invalid:8786'"),
        ("127.0.0.1:8786", "'127.0.0.1:8786' is no address; give one such as tcp://node1:8786"),
        ("tcp://node1", "'tcp://node1' is no address"),
        ("http://node1:8787", "unknown protocol"),
    ],
)
def test_a_wrong_address_ends_in_one_line_before_work_starts(fresh, address, words):
    line = refused_at_the_start(fresh, address)
    assert words in line


def test_an_address_that_stays_silent_does_so_too(fresh):
    # Takes the call, and says nothing: what a firewall or another server may do.
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = refused_at_the_start(fresh, f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert "no Dask scheduler answers at" in line


def refused_at_the_start(checkout, address):
    """Line of the error."""
    config = remote(checkout, address)
    start = time.monotonic()
    done = checkout.run(config=config, check=False)
    assert done.returncode != 0
    assert time.monotonic() - start < 10 + STARTUP
    assert not (checkout.root / "results").exists()
    (line,) = [x for x in done.stdout.splitlines() if "Error" in x or "rror:" in x]
    assert line.startswith(f"Error: {config}: koopman.scheduler: ")
    assert done.stdout.rstrip().endswith(line)
    return line


# Seconds that Snakemake itself may take to start on a busy machine.
STARTUP = 20


def test_what_fits_nothing_asks_no_scheduler(fresh):
    config = remote(fresh, "tcp://127.0.0.1:9")
    assert fresh.planned(config=config)["fit_spectra"] == 18
    done = fresh.run("-n", "data", config=config)
    assert "prepare_data" in done.stdout
