"""A FHIR server on loopback that does to its clients what servers and lines do: errors, half answers, cuts."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any

from tests.support.fhir_server import FhirServer
from tests.support.http.loopback import on_loopback

CUT_BEFORE, CUT_AFTER, HALF = "cut before", "cut after", "half an answer"
"""Beside these a fault is the number of a status."""


class HttpFhirServer:
    """A `FhirServer` behind HTTP.

    Attributes:
        server: what it holds.
        faults: gives the fault of the next request; None for a good answer.
        requests: authorization header and bundle of each request that came whole.
    """

    def __init__(self, check: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        self.server = FhirServer()
        self.faults: Iterator[str | int | None] = iter(())
        self.requests: list[tuple[str | None, dict[str, Any]]] = []
        self.writes = 0
        self.url = ""
        self._check = check
        self._lock = Lock()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Take one request and answer it, or do what the next fault says."""
        fault = next(self.faults, None)
        if fault == CUT_BEFORE:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        bundle = json.loads(body)
        if isinstance(fault, int):
            text = json.dumps(
                {"resourceType": "OperationOutcome", "issue": [{"diagnostics": f"fault {fault}"}]}
            )
            self._write(handler, fault, text, {"Retry-After": "7"} if fault == 429 else {})
            return
        with self._lock:
            self.requests.append((handler.headers["Authorization"], bundle))
            self._check(bundle)
            statuses = self.server.post(bundle)
            self.writes += 1
        taken = {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"response": {"status": status}} for status in statuses],
        }
        if fault == CUT_AFTER:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        text = json.dumps(taken)
        if fault == HALF:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text[: len(text) // 2].encode())
            return
        self._write(handler, 200, text, {})

    @staticmethod
    def _write(handler: BaseHTTPRequestHandler, status: int, text: str, headers: dict[str, str]) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text.encode())


@contextmanager
def fhir_over_http(
    context: ssl.SSLContext | None = None, check: Callable[[dict[str, Any]], object] = lambda _: None
) -> Iterator[HttpFhirServer]:
    """Serve on loopback while a block runs.

    Args:
        context: for TLS.
        check: raises at a bundle that is not valid.
    """
    held = HttpFhirServer(check)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            held.answer(self)

    with on_loopback(Handler, context) as place:
        held.url = f"http{'s' if context else ''}://{place}/fhir"
        yield held
