"""Waitress's server made fit for a bench: it ends well, refuses in sentences, and waits for no client for ever."""

import json
import logging
import socket
import time
from http import HTTPStatus
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from edge.messages.message import Message
from edge.messages.request_codes import RequestCode
from server.problems import PROBLEM_TYPE, problem_body
from server.settings import is_loopback
from server.wsgi.guard import Admits, GuardedParser

CONNECTIONS = 256
"""Open connections; a quarter of what a process may have open on Linux by default."""

CONNECTIONS_OF_ONE_CLIENT = 64
"""A browser opens six. One client that opens hundreds shuts nobody else out; a proxy on loopback may."""

HEAD_SECONDS = 30.0
"""Within which the head of a request has to come, however slowly it drips."""

REQUEST_SECONDS = 300.0
"""Within which a whole request has to come: 48 MiB over a village's mobile network."""

_LOG = logging.getLogger("plasmolite.server")


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
        code, kind = _UNREACHED.get(status, _UNREACHED[HTTPStatus.BAD_REQUEST])
        _LOG.info("request", extra={"path": "unread", "status": int(status), "client": self.channel.addr[0]})
        body = json.dumps(problem_body(status, Message(code), kind)).encode()
        self.status = f"{status:d} {status.phrase}"
        self.response_headers += [
            ("Content-Type", PROBLEM_TYPE),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if status == HTTPStatus.UNAUTHORIZED:
            self.response_headers.append(("WWW-Authenticate", 'Bearer realm="plasmolite"'))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


_UNREACHED = {
    HTTPStatus.BAD_REQUEST: (RequestCode.NOT_HTTP, "bad-request"),
    HTTPStatus.UNAUTHORIZED: (RequestCode.TOKEN_NEEDED, "token-needed"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (RequestCode.TOO_LARGE, "too-large"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (RequestCode.LONG_HEAD, "too-large"),
    HTTPStatus.NOT_IMPLEMENTED: (RequestCode.TRANSFER_ENCODING, "bad-request"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (RequestCode.DEFECT, "defect"),
}
"""Code and kind of what waitress refuses by itself; nothing that the client sent is repeated."""


class DrainingChannel(HTTPChannel):
    """One client's connection."""

    request_began = 0.0
    task_class = DrainingTask
    error_task_class = ProblemTask

    def parser_class(self, adj: Any) -> GuardedParser:
        """Make the parser of the next request."""
        return GuardedParser(adj, self.server.admits)

    def received(self, data: bytes) -> bool:
        """Take in what came, and note when its request began."""
        if self.request is None:
            self.request_began = time.time()
        try:
            taken: bool = super().received(data)
        except ValueError:
            # Waitress lets an address through to urlsplit that is none, such as http://[::1/.
            _LOG.info("request", extra={"path": "unread", "status": 400, "client": self.addr[0]})
            self.handle_close()
            return False
        return taken

    def stuck(self, now: float) -> bool:
        """Whether the client neither takes its answer nor gets its request finished.

        Args:
            now: seconds since the epoch.
        """
        if self.total_outbufs_len:
            return bool(now - self.last_activity > self.adj.channel_timeout)
        if self.request is None:
            return False
        limit = REQUEST_SECONDS if self.request.headers_finished else HEAD_SECONDS
        return now - self.request_began > limit

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
    admits: Admits | None = None
    """Tells known clients by the heads of their requests; none where no token is needed."""

    def run(self) -> None:
        """Serve until :meth:`drain` is called."""
        while not self.draining and self._map:
            self.asyncore.loop(timeout=0.5, map=self._map, use_poll=True, count=1)
        self._finish()
        self.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)

    def accept(self) -> tuple[socket.socket, tuple[str, int]] | None:
        """Take a connection, unless its client has as many as one may have."""
        taken: tuple[socket.socket, tuple[str, int]] | None = super().accept()
        if taken is None or is_loopback(taken[1][0]) or taken[1][0] == self.adj.trusted_proxy:
            return taken
        client = taken[1][0]
        if sum(channel.addr[0] == client for channel in self.active_channels.values()) < (
            CONNECTIONS_OF_ONE_CLIENT
        ):
            return taken
        taken[0].close()
        return None

    def maintenance(self, now: float) -> None:
        """Close idle connections, as waitress does, and those that a client keeps busy without end.

        Waitress waits for ever for a client that sends a byte now and then, or that no longer takes the
        answer that a thread is writing.
        """
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.stuck(now):
                _LOG.info("gave up a client that does not go on", extra={"client": channel.addr[0]})
                channel.handle_close()

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
        # What the system still holds when the socket closes is reset, so all of it is taken first. A connection
        # that comes between the last of them and the close is lost: its client sees it closed before any answer.
        taken = -1
        while taken < len(self.active_channels) < CONNECTIONS:
            taken = len(self.active_channels)
            self.handle_accept()
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
