"""Addresses of Dask schedulers: what is one, and whether anyone answers."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from distributed import LocalCluster

from koopscope.config.scheduler import check_answers, host_and_port
from koopscope.errors import InputError


def test_host_and_port_of_an_address():
    assert host_and_port("tcp://node1:8786") == ("node1", 8786)
    assert host_and_port("tls://[::1]:8786") == ("::1", 8786)


@pytest.mark.parametrize(
    "address",
    ["", "node1", "node1:8786", "tcp://node1", "tcp://:8786", "tcp://node1:many", "tcp://n:99999"]
    + ["tcp://node1:8786/path", "tcp://[::1:8786", "http://node1:8786"],
)
def test_what_is_no_address_is_refused_with_an_example(address):
    with pytest.raises(InputError, match="^koopman.scheduler: ") as error:
        host_and_port(address)
    assert repr(address) in str(error.value)
    assert "tcp://" in str(error.value)


@pytest.fixture
def answering():
    """Address of a server that greets each caller with the words it is given."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:

        def serve(words):
            def answer():
                with server.accept()[0] as line:
                    line.sendall(words)

            pool.submit(answer)
            return f"tcp://127.0.0.1:{server.getsockname()[1]}"

        yield serve


def test_a_scheduler_answers():
    with LocalCluster(n_workers=0, processes=True, dashboard_address="127.0.0.1:0") as local:
        check_answers(local.scheduler_address)


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request", b""])
def test_another_server_is_not_taken_for_a_scheduler(answering, words):
    with pytest.raises(InputError, match="but something else; .* not its dashboard's"):
        check_answers(answering(words))


def test_a_server_that_waits_for_the_caller_to_speak_is_no_scheduler():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(InputError, match="but something else"),
    ):
        check_answers(f"tcp://127.0.0.1:{server.getsockname()[1]}", seconds=0.3)


def test_a_closed_port_does_not():
    with pytest.raises(InputError, match=r"nothing answers at 'tcp://127.0.0.1:9' \(Connection"):
        check_answers("tcp://127.0.0.1:9")


def test_patience_ends_also_when_the_name_server_is_silent(monkeypatch):
    def silent(*_, timeout):
        time.sleep(2)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    start = time.monotonic()
    with pytest.raises(InputError, match=r"no answer in 0.2 s"):
        check_answers("tcp://node1:8786", seconds=0.2)
    assert time.monotonic() - start < 1.5
