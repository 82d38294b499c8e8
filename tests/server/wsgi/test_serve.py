"""The production server as a process: it answers, refuses, and stops as it should."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.http.running_server import cell_png, make_context, served

PATIENCE = 120.0


class Running(NamedTuple):
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    log: list[str]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "plasmolite", "serve", "--port", "0", "--threads", "1"]
    command += ["--slides", str(tmp_path / "slides.sqlite")]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    log: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "Plasmolite is at" in line:
            break
    else:
        pytest.fail(f"the server did not start: {''.join(log)}")
    port = int(log[-1].split("/ ")[0].rsplit(":", 1)[1])
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield Running(process, port, log)
    finally:
        process.kill()
        process.wait(PATIENCE)
        reader.join(PATIENCE)


def predict(port: int) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", cell_png(), {"Content-Type": "image/png"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return int(answer.status)


class Asked(NamedTuple):
    """One request and what came of it."""

    outcome: str
    """Status of a whole answer; `refused`, `unanswered` (closed before its first byte), or `cut off`."""
    sent: float
    """When the system had taken its last byte, by the monotonic clock; infinite where it never did."""


def ask(port: int) -> Asked:
    """Ask for one prediction over a connection of its own, and look at every byte of the answer."""
    picture, answer, sent = cell_png(), b"", math.inf
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(picture)}\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(head.encode() + b"Content-Type: image/png\r\n\r\n" + picture)
            sent = time.monotonic()
            while more := connection.recv(65536):
                answer += more
    except ConnectionRefusedError:
        return Asked("refused", sent)
    except ConnectionError as error:
        if answer:
            return Asked(f"cut off by {error!r}: {answer!r}", sent)
    if not answer:
        return Asked("unanswered", sent)
    found, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", found)
    whole = length is not None and len(body) == int(length[1])
    return Asked(found.split()[1].decode() if whole else f"cut off: {answer!r}", sent)


@pytest.mark.slow
def test_sigterm_under_load_finishes_what_was_accepted_and_ends_well(running: Running) -> None:
    asked: list[Asked] = []
    started = threading.Event()

    def client() -> None:
        # Keeps asking until the server no longer takes connections.
        last = None
        while last is None or last.outcome == "200":
            last = ask(running.port)
            asked.append(last)
            if len(asked) >= 6:
                started.set()

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    assert started.wait(PATIENCE)
    signalled = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE) == 0
    for thread in clients:
        thread.join(PATIENCE)
    assert {one.outcome for one in asked} <= {"200", "refused", "unanswered"}, asked
    assert asked[0].outcome == "200"
    # Only what came while the server was closing may be lost, never what it had before it was told to stop.
    assert all(one.sent > signalled for one in asked if one.outcome == "unanswered"), (signalled, asked)


@pytest.mark.slow
def test_the_log_is_json_without_names_or_queries(running: Running) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="Mr Secret.png"\r\n\r\nx\r\n--b--\r\n'
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}/predict?patient=Secret",
        body,
        {"Content-Type": "multipart/form-data; boundary=b", "Authorization": "Bearer Secret"},
    )
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=PATIENCE)
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not any('"stopped"' in line for line in running.log) and time.monotonic() < until:
        time.sleep(0.05)
    lines = [json.loads(line) for line in running.log if line.startswith("{")]
    asked = next(line for line in lines if line["event"] == "request")
    assert (asked["method"], asked["path"], asked["status"]) == ("POST", "/predict", 422)
    assert "Secret" not in "".join(running.log)


@pytest.mark.slow
def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "plasmolite", "serve", "--port", str(port)]
        command += ["--slides", str(tmp_path / "slides.sqlite"), "--language", "fr"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Erreur : Impossible d'écouter sur le port {port} de 127.0.0.1")


def test_a_request_that_never_ends_does_not_keep_the_others(tmp_path: Path) -> None:
    with make_context(tmp_path, threads=2) as context, served(context) as address:
        port = int(address.rsplit(":", 1)[1])
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
        for connection in slow:
            connection.sendall(
                b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nabc"
            )
        assert predict(port) == 200
        for connection in slow:
            connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: magic\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ],
    ids=["body of a gigabyte", "long head", "unknown encoding", "TLS spoken", "two lengths"],
)
def test_what_never_reaches_the_application_is_a_problem_document_too(
    tmp_path: Path, head: bytes, status: int
) -> None:
    with make_context(tmp_path) as context, served(context) as address:
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), PATIENCE) as connection:
            connection.sendall(head)
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        assert predict(int(address.rsplit(":", 1)[1])) == 200
    first, rest = answer.split("\r\n", 1)
    assert first.startswith(f"HTTP/1.1 {status} ") or first.startswith(f"HTTP/1.0 {status} ")
    assert "Content-Type: application/problem+json" in rest
    problem = json.loads(rest.split("\r\n\r\n", 1)[1])
    assert problem["status"] == status
    assert problem["detail"].endswith(".")


def test_a_stopping_server_says_that_it_is_not_ready(tmp_path: Path) -> None:
    with make_context(tmp_path) as context, served(context) as address:
        context.stopping.set()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/ready", timeout=PATIENCE)
        assert refused.value.code == 503
