"""The production server: waitress, bounded on every side, which finishes what it accepted before it stops."""

import json
import logging
import signal
import threading
import time
from http import HTTPStatus
from types import FrameType
from typing import Any

import numpy as np
from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from edge.watchdog import Watchdog
from server.batching import GathererClosedError, QueueFullError
from server.instruments import Instruments
from server.problems import PROBLEM_TYPE, problem_body
from server.settings import ServerSettings

_LOG = logging.getLogger("plasmolite.server")

_BODY_MARGIN = 1024 * 1024
"""Flask refuses bodies over the limit once they are read; waitress refuses those far beyond it unread."""

_RECEIVE_BYTES = 128 * 1024
"""Taken from a connection at a time: a cell's picture in one go, where waitress's own 8 KiB need several."""

_STREAM_BUFFER = 256 * 1024
"""Bytes that wait for a slow reader of a stream before its next frame is awaited: two or three frames."""


class DrainingTask(WSGITask):
    """A request's work; while the server drains, its answer closes the connection."""

    def build_response_header(self) -> bytes:
        """Write the head of the answer."""
        if self.channel.server.draining:
            self.request.headers["CONNECTION"] = "close"
        header: bytes = super().build_response_header()
        return header


class ProblemTask(ErrorTask):
    """The answer to what never reaches the application: no HTTP, too long a head, far too large a body."""

    def execute(self) -> None:
        """Write a problem document, and close the connection once it is sent."""
        status = HTTPStatus(self.request.error.code)
        detail, kind = _UNREACHED.get(status, _UNREACHED[HTTPStatus.BAD_REQUEST])
        _LOG.info("request", extra={"path": "unread", "status": int(status), "client": self.channel.addr[0]})
        body = json.dumps(problem_body(status, detail, kind)).encode()
        self.status = f"{status:d} {status.phrase}"
        self.response_headers += [
            ("Content-Type", PROBLEM_TYPE),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


_UNREACHED = {
    HTTPStatus.BAD_REQUEST: ("The request is no HTTP that this server understands.", "bad-request"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "The request is larger than this server takes. Send fewer or smaller pictures.",
        "too-large",
    ),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("The head of the request is too long.", "too-large"),
    HTTPStatus.NOT_IMPLEMENTED: ("This server does not take this Transfer-Encoding.", "bad-request"),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("The server met a defect of its own. Its log tells more.", "defect"),
}
"""Sentence and kind of what waitress refuses by itself; nothing that the client sent is repeated."""


class DrainingChannel(HTTPChannel):
    """One client's connection."""

    task_class = DrainingTask
    error_task_class = ProblemTask

    @property
    def busy(self) -> bool:
        """Whether a request of it is being read, worked on or answered."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)


class DrainingServer(TcpWSGIServer):
    """Waitress's server, which :meth:`drain` makes answer all that it accepted, and then end.

    Waitress itself cancels what waits when it is told to stop, and no longer sends what is ready.
    """

    channel_class = DrainingChannel
    draining = False

    def run(self) -> None:
        """Serve until :meth:`drain` is called."""
        while not self.draining and self._map:
            self.asyncore.loop(timeout=0.5, map=self._map, use_poll=True, count=1)
        self._finish()
        self.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)

    def drain(self, seconds: float) -> None:
        """Stop accepting and make :meth:`run` end; safe to call from a signal handler.

        Args:
            seconds: after which what is not answered is given up.
        """
        self.draining = True
        self._drain_until = time.monotonic() + seconds
        self.pull_trigger()

    def _finish(self) -> None:
        # Connections that the system has taken already were accepted too, as far as their clients can tell.
        for _ in range(20):
            self.asyncore.loop(timeout=0.005, map=self._map, use_poll=True, count=1)
        # Closing the listening socket only: the trigger is still needed to send what is ready.
        wasyncore.dispatcher.close(self)
        quiet_since = time.monotonic()
        while time.monotonic() < self._drain_until:
            if any(channel.busy for channel in list(self.active_channels.values())):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > 0.3:
                # Long enough for a request that was on its way on an open connection.
                return
            self.asyncore.loop(timeout=0.02, map=self._map, use_poll=True, count=1)
        _LOG.warning("gave up unanswered requests", extra={"connections": len(self.active_channels)})


def make_server(app: Flask, settings: ServerSettings) -> DrainingServer:
    """Bind the address; requests are served once ``run`` is called.

    Raises:
        OSError: the address cannot be used.
    """
    options: dict[str, Any] = {
        "listen": f"{_bracketed(settings.host)}:{settings.port}",
        "threads": settings.threads,
        "connection_limit": 8 * settings.threads,
        "channel_timeout": 60,
        "cleanup_interval": 15,
        "max_request_header_size": 32 * 1024,
        "max_request_body_size": settings.max_body_bytes + _BODY_MARGIN,
        "recv_bytes": _RECEIVE_BYTES,
        "outbuf_high_watermark": _STREAM_BUFFER,
        "expose_tracebacks": False,
        "ident": None,
        "clear_untrusted_proxy_headers": True,
    }
    return DrainingServer(app, adj=Adjustments(**options))


def run_until_stopped(server: DrainingServer, instruments: Instruments) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was accepted and close the instruments."""

    def stop(signum: int, _frame: FrameType | None) -> None:
        _LOG.info("stopping", extra={"signal": signal.Signals(signum).name})
        instruments.stopping.set()
        server.drain(instruments.settings.drain_seconds)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    try:
        with Watchdog(lambda: pipeline_fault(instruments)):
            server.run()
    finally:
        instruments.gatherer.close()
        if instruments.live is not None:
            instruments.live.close()
        if instruments.store is not None:
            instruments.store.close()
        _LOG.info("stopped")


def pipeline_fault(instruments: Instruments) -> str | None:
    """Send one black cell the way that all cells go; a pipeline that hangs keeps this call from returning.

    A full disk or a missing camera is for ``/ready`` to tell: restarting would not cure it.

    Returns:
        What is wrong, as a sentence; None where a cell is judged, or the server is stopping.
    """
    if instruments.stopping.is_set():
        return None
    size = instruments.classifier.input_size
    cell = np.zeros((1, size, size, 3), np.uint8)
    try:
        score = instruments.gatherer.probabilities(cell)
    except QueueFullError:
        # Busy is not sick: past the queue, the network itself is asked.
        score = instruments.classifier.probabilities(cell)
    except GathererClosedError:
        return None if instruments.stopping.is_set() else "The queue of cells is closed."
    return None if 0 <= float(score[0]) <= 1 else "The network's answer is no probability."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
