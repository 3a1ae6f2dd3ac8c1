"""The address of a Dask scheduler: whether it is one, and whether anyone answers there.

Only the standard library: the workflow asks when it starts, where Dask need not be installed.
"""

import socket
from threading import Thread
from urllib.parse import urlsplit

from koopscope.errors import InputError

PROTOCOLS = ("tcp", "tls")
SECONDS = 5
# A scheduler speaks first, and tells in so many bytes how long its first message is.
GREETING = 8
LONGEST = 2**20


def host_and_port(address: str) -> tuple[str, int]:
    """Host and port of an address such as ``tcp://node1:8786``.

    Raises
    ------
    InputError
        If it is no such address.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # no number, or above 65535
        host = port = None
    if not host or not port or address != f"{parts.scheme}://{parts.netloc}":
        raise InputError(
            f"koopman.scheduler: {address!r} is no address; give one such as "
            "tcp://node1:8786, or null for a scheduler inside each job"
        )
    if parts.scheme not in PROTOCOLS:
        raise InputError(
            f"koopman.scheduler: unknown protocol in {address!r}; "
            f"begin with {' or '.join(f'{name}://' for name in PROTOCOLS)}"
        )
    return host, port


def check_answers(address: str, seconds: float = SECONDS) -> None:
    """Call a scheduler, listen to how it greets, and hang up.

    Raises
    ------
    InputError
        If nobody takes the call within so many seconds, or if somebody else than Dask does.
    """
    target = host_and_port(address)
    reason = f"no answer in {seconds:g} s"
    greeting = None

    def call() -> None:
        nonlocal reason, greeting
        try:
            with socket.create_connection(target, timeout=seconds) as line:
                greeting = b""
                greeting = line.recv(GREETING, socket.MSG_WAITALL)
        except OSError as error:
            reason = error.strerror or reason

    # In a thread, since looking up a name knows no time limit of its own.
    caller = Thread(target=call, daemon=True)
    caller.start()
    caller.join(seconds)
    if greeting is None:
        raise unanswered(address, reason)
    # Over TLS the caller has to speak first.
    if address.startswith("tcp:") and not 0 < int.from_bytes(greeting, "little") < LONGEST:
        raise InputError(
            f"koopman.scheduler: no Dask scheduler answers at {address!r}, but something else; "
            "give the address that `dask scheduler` prints, not its dashboard's"
        )


def unanswered(address: str, reason: str) -> InputError:
    """Error of an address where nobody answers."""
    return InputError(
        f"koopman.scheduler: nothing answers at {address!r} ({reason}); "
        "start a Dask scheduler there, or give null for one inside each job"
    )
