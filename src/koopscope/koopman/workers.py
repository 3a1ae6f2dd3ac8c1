"""A Dask scheduler elsewhere and its workers: whether they compute what this process would."""

import importlib.metadata
from pathlib import Path
from typing import Any

from distributed import Client, Scheduler, Worker, get_worker

from koopscope.artefacts.code import PACKAGE, code_digest
from koopscope.errors import InputError

# Seconds to wait for the first worker.
PATIENCE = 60
# Read when imported: a process keeps the code that it began with, whatever becomes of the files.
OURS = {
    "koopscope": code_digest(PACKAGE / "koopman" / "ensemble.py"),
    **{name: importlib.metadata.version(name) for name in ("numpy", "scipy")},
}
INSTALL = "restart it with koopscope installed, or with its src folder in PYTHONPATH"


def check(client: Client) -> None:
    """Ask a scheduler, and every worker that it has now, whether it can serve this process.

    Raises
    ------
    InputError
        If one cannot, or if there is no worker; the line says which and why.
    """
    try:
        # The scheduler reads the tasks too.
        answers = {"the scheduler": client.run_on_scheduler(facts)}
    except Exception as error:
        answers = {"the scheduler": error}
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        address = client.scheduler.address
        raise InputError(
            f"koopman.scheduler: {address!r} has no workers; "
            f"start some: dask worker {address} --nthreads 1"
        ) from None
    of_workers = client.run(facts, on_error="return")
    answers |= {f"worker {address}": answer for address, answer in of_workers.items()}
    for who, answer in answers.items():
        if isinstance(answer, OSError):
            continue  # Gone by now: others take its place.
        if isinstance(answer, Exception):
            reason = str(answer).splitlines()[0]
            raise InputError(
                f"koopman.scheduler: {who} cannot import koopscope ({reason}); {INSTALL}"
            )
        _refuse_unlike(who, answer, OURS)


def check_here(asker: dict[str, Any], path: Path) -> None:
    """On a worker: make sure that it can fit this store, since it may have joined after the check.

    Raises
    ------
    InputError
        If it cannot.
    """
    worker = get_worker()
    _refuse_unlike(f"worker {worker.address}", facts(worker), asker)
    if not path.exists():
        raise InputError(
            f"koopman.scheduler: worker {worker.address} does not see {path}; "
            "start it where this file system is"
        )


def facts(dask_worker: Worker | Scheduler) -> dict[str, Any]:
    """On a worker or a scheduler, which Dask gives: what the last bits of a fit depend on there."""
    threads = dask_worker.state.nthreads if isinstance(dask_worker, Worker) else 1
    return OURS | {"threads": threads}


def _refuse_unlike(who: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    who = f"koopman.scheduler: {who}"
    if theirs["koopscope"] != ours["koopscope"]:
        raise InputError(f"{who} runs another koopscope than this one; restart it with the same")
    for name in ("numpy", "scipy"):
        if theirs[name] != ours[name]:
            raise InputError(f"{who} has {name} {theirs[name]}; give it {ours[name]}, as here")
    # A limit on the threads of a product holds for a process, and falls when another fit ends.
    if theirs["threads"] > 1:
        raise InputError(f"{who} has {theirs['threads']} threads; restart it with --nthreads 1")
