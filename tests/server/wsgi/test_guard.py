"""What is refused before its body is received: strangers' bodies, and lengths that are told twice."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from server.credentials.token import make_token
from tests.support.http.running_server import cell_png, make_context, served, store_in


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[str, int], str]]:
    secret, record = make_token()
    folder = tmp_path_factory.mktemp("guarded")
    with (
        store_in(folder) as store,
        make_context(folder, store=store, token=record) as context,
        served(context) as address,
    ):
        there = urlsplit(address)
        yield (there.hostname or "", there.port or 0), secret


def answer_to(there: tuple[str, int], sent: bytes) -> bytes:
    """Everything that the server answers before it closes or falls silent."""
    with socket.create_connection(there, timeout=20) as line:
        line.sendall(sent)
        line.settimeout(20)
        answer = b""
        while b"\r\n\r\n" not in answer and (part := line.recv(65536)):
            answer += part
        return answer


def head(*lines: str) -> bytes:
    return ("\r\n".join(["POST /predict HTTP/1.1", "Host: 127.0.0.1", *lines]) + "\r\n\r\n").encode()


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 48000000",),
        ("Content-Length: 48000000", "Authorization: Bearer guess"),
        ("Content-Length: 48000000", "Cookie: plasmolite_session=eyJzaWduZWRfaW4iOnRydWV9.aaaa.bbbb"),
        ("Content-Length: 48000000", "Expect: 100-continue"),
        ("Transfer-Encoding: chunked",),
    ],
)
def test_a_strangers_body_is_refused_at_its_head(
    bench: tuple[tuple[str, int], str], lines: tuple[str, ...]
) -> None:
    answer = answer_to(bench[0], head("Content-Type: image/png", *lines))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: bearer" in answer.lower()
    assert b"100 Continue" not in answer


def test_who_has_the_token_may_send_a_body(bench: tuple[tuple[str, int], str]) -> None:
    there, secret = bench
    picture = cell_png() + b"\0" * 20_000
    lines = ("Content-Type: image/png", f"Content-Length: {len(picture)}", f"Authorization: Bearer {secret}")
    assert answer_to(there, head(*lines) + picture).startswith(b"HTTP/1.1 200 ")


def test_far_too_long_a_body_is_refused_at_its_head(bench: tuple[tuple[str, int], str]) -> None:
    lines = ("Content-Length: 99999999999", "Expect: 100-continue", f"Authorization: Bearer {bench[1]}")
    assert answer_to(bench[0], head(*lines)).startswith(b"HTTP/1.1 413 ")


def test_a_request_that_tells_two_lengths_is_refused_and_its_connection_closed(
    bench: tuple[tuple[str, int], str],
) -> None:
    inner = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    sent = head(f"Content-Length: {len(inner) + 5}", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + inner
    with socket.create_connection(bench[0], timeout=20) as line:
        line.sendall(sent)
        line.settimeout(20)
        answer = b""
        while part := line.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
