"""The rim of the server: clients that drip, that do not read, and that open too much."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.settings import ServerSettings
from server.wsgi import draining
from server.wsgi.serve import make_server

PATIENCE = 60.0


def hello(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@contextmanager
def running(application: Any, idle_seconds: float = PATIENCE) -> Iterator[int]:
    """A server that looks after its connections five times a second; gives its port."""
    server = make_server(application, ServerSettings(port=0, threads=2))
    server.adj.cleanup_interval = 0.2
    server.adj.channel_timeout = idle_seconds
    server.next_channel_cleanup = 0
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.drain(1.0)
        thread.join(PATIENCE)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def asks(connection: socket.socket) -> bytes:
    try:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"hello") and (more := connection.recv(65536)):
            answer += more
    except ConnectionError:
        return b""
    return answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "begun"),
    [
        ("HEAD_SECONDS", b"GET / HTTP/1.1\r\nX-Drip: "),
        ("REQUEST_SECONDS", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"),
    ],
    ids=["head", "body"],
)
def test_a_request_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, limit: str, begun: bytes) -> None:
    # The other limit is out of reach: a head has its own, and so has the rest.
    for name in ("HEAD_SECONDS", "REQUEST_SECONDS"):
        monkeypatch.setattr(draining, name, 0.5 if name == limit else 10 * PATIENCE)
    with running(hello) as port, connect(port) as drip:
        drip.settimeout(0.1)
        closed = False
        drip.sendall(begun)
        for _ in range(int(PATIENCE / 0.1)):
            try:
                drip.sendall(b"x")  # activity all the time, so that it is never idle
                closed = drip.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
            if closed:
                break
        assert closed


def test_a_client_that_does_not_take_its_answer_gives_its_thread_back() -> None:
    let_go = threading.Event()

    def endless(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        try:
            while True:
                yield bytes(100_000)
        finally:
            let_go.set()

    with running(endless, idle_seconds=0.5) as port, connect(port) as deaf:
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert let_go.wait(PATIENCE)


def test_one_client_cannot_take_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "CONNECTIONS_OF_ONE_CLIENT", 3)
    monkeypatch.setattr(draining, "is_loopback", lambda _host: False)
    with running(hello) as port:
        connections = [connect(port) for _ in range(5)]
        answers = [asks(connection) for connection in connections]
        for connection in connections:
            connection.close()
    assert [answer[-5:] for answer in answers] == [b"hello"] * 3 + [b""] * 2


def test_a_proxy_on_this_computer_may_open_as_many_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "CONNECTIONS_OF_ONE_CLIENT", 3)
    with running(hello) as port:
        connections = [connect(port) for _ in range(5)]
        assert all(asks(connection).endswith(b"hello") for connection in connections)
        for connection in connections:
            connection.close()


def test_an_address_that_is_none_closes_its_connection_only() -> None:
    with running(hello) as port, connect(port) as odd, connect(port) as other:
        odd.sendall(b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert odd.recv(100) == b""
        assert asks(other).endswith(b"hello")


def test_what_was_accepted_is_answered_after_the_stop() -> None:
    working, go_on = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        working.set()
        go_on.wait(PATIENCE)
        return hello(environ, start)

    server = make_server(slow, ServerSettings(port=0, threads=1))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    connections = [connect(int(server.effective_port)) for _ in range(4)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert working.wait(PATIENCE)
    listening = server.socket
    server.drain(PATIENCE)
    # The listening socket closes first; one request is being answered then and three wait.
    while listening.fileno() != -1:
        thread.join(0.01)
    go_on.set()
    for connection in connections:
        with connection:
            assert b"".join(iter(lambda one=connection: one.recv(65536), b"")).endswith(b"hello")  # type: ignore[misc]
    thread.join(PATIENCE)
    assert not thread.is_alive()
