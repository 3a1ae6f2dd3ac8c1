"""Start the scripts of jobs from a process that has imported once what they need.

To import torch, xarray and seaborn takes a job two to five seconds, more than what many do with
them. A server that lives as long as the run imports them once and forks for each job. The command
that Snakemake runs in place of Python asks it, hands its standard streams on, and ends as the job
does. What asks for other threads or packages than the server has, or before it is ready, starts as
ever.

Of the standard library alone, since the side that asks starts with nothing else.

    python preloaded.py serve ADDRESS MODULE…     until its standard input ends
    python preloaded.py ADDRESS SCRIPT ARGUMENT…
"""

import atexit
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import struct
import sys
import threading
import types
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

# What is read while modules are imported, and by no job later.
READ_ON_IMPORT = (
    "PYTHONPATH",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "MPLBACKEND",
)
STREAMS = (0, 1, 2)
TAKEN, REFUSED = b"taken\n", b"refused\n"
HEAD = struct.Struct("!Q")


def serve(address: str, modules: list[str]) -> tuple[list[str], str, dict[str, str]] | None:
    """Fork for each job that is asked for, until standard input ends.

    Returns
    -------
    tuple or None
        In a job's process its command, folder and environment; None in the server's, at its end.
    """
    for name in modules:
        import_module(name)
    # No other thread may be at work when a process is forked.
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return None
    gc.collect()
    gc.freeze()
    # An interrupt from the keyboard reaches the jobs too: theirs to deal with.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs: dict[int, int] = {}
    with selectors.DefaultSelector() as waiting, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        waiting.register(STREAMS[0], selectors.EVENT_READ)
        waiting.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj == STREAMS[0]:
                    return None
                if key.fileobj is listener:
                    line = listener.accept()[0]
                    job = _begun(line, waiting, jobs)
                    if job:
                        listener.close()
                        return job
                elif isinstance(key.fileobj, int):
                    _ended(key.fileobj, key.data, waiting, jobs)
                else:
                    # Whoever asked is gone, and so shall be what it asked for.
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    if key.data in jobs.values():
                        os.kill(key.data, signal.SIGTERM)


def _begun(
    line: socket.socket, waiting: selectors.BaseSelector, jobs: dict[int, int]
) -> tuple[list[str], str, dict[str, str]] | None:
    """Fork for a job; return it in its own process."""
    try:
        head, streams, _, _ = socket.recv_fds(line, HEAD.size, len(STREAMS))
        asked = json.loads(_received(line, HEAD.unpack(head)[0]))
    except (OSError, ValueError, struct.error):
        line.close()
        return None
    environment = asked["environment"]
    same = all(environment.get(name) == os.environ.get(name) for name in READ_ON_IMPORT)
    with suppress(OSError):
        line.sendall(TAKEN if same else REFUSED)
    if same:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for own, given in zip(STREAMS, streams, strict=True):
                os.dup2(given, own)
                os.close(given)
            for key in list(waiting.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()
            line.close()
            return asked["command"], asked["folder"], environment
        # Readable when the process has ended.
        handle = os.pidfd_open(process)
        jobs[handle] = process
        waiting.register(handle, selectors.EVENT_READ, line)
        waiting.register(line, selectors.EVENT_READ, process)
    else:
        line.close()
    for given in streams:
        os.close(given)
    return None


def _ended(
    handle: int, line: socket.socket, waiting: selectors.BaseSelector, jobs: dict[int, int]
) -> None:
    """Tell whoever asked for a job how it ended."""
    status = os.waitpid(jobs.pop(handle), 0)[1]
    waiting.unregister(handle)
    os.close(handle)
    if line.fileno() >= 0:
        with suppress(OSError):
            line.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        waiting.unregister(line)
        line.close()


def _received(line: socket.socket, size: int) -> bytes:
    with line.makefile("rb") as incoming:
        return incoming.read(size)


def run(command: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run a script as Python does, in this process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    sys.path[0] = str(Path(command[0]).absolute().parent)
    script = types.ModuleType("__main__")
    script.__file__ = command[0]
    sys.modules["__main__"] = script
    code = compile(Path(command[0]).read_bytes(), command[0], "exec")
    exec(code, vars(script))


def leave() -> NoReturn:
    """End this process as a forked one ends, since to take all imports down takes half a second."""
    # What Python does before that; `multiprocessing` ends its processes so, too.
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def ask(address: str, command: list[str]) -> None:
    """Let the server run a script, and end as it does; run it here if the server does not."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(address)
            wanted = {
                "command": command,
                "folder": str(Path.cwd()),
                "environment": dict(os.environ),
            }
            text = json.dumps(wanted).encode()
            socket.send_fds(line, [HEAD.pack(len(text))], STREAMS)
            line.sendall(text)
            answers = line.makefile("rb")
            taken = answers.readline() == TAKEN
        except OSError:
            taken = False
        if taken:
            ended = answers.readline()
            if not ended:
                sys.exit("the process that starts jobs is gone")
            status = int(ended)
            if status < 0:
                # The usual answer to SIGKILL can be neither changed nor set.
                with suppress(OSError):
                    signal.signal(-status, signal.SIG_DFL)
                os.kill(os.getpid(), -status)
            sys.exit(status)
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    _, first, *rest = sys.argv
    if first == "serve":
        job = serve(rest[0], rest[1:])
        if job:
            run(*job)
            leave()
        else:
            shutil.rmtree(Path(rest[0]).parent, ignore_errors=True)
    else:
        ask(first, rest)
