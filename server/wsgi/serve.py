"""The production server: waitress, bounded on every side, which finishes what it accepted before it stops."""

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Flask
from waitress.adjustments import Adjustments

from edge.device.systemd import Watchdog
from server.batching import BatcherClosedError, QueueFullError
from server.context import ServerContext, context_of
from server.settings import ServerSettings
from server.wsgi.draining import CONNECTIONS, DrainingServer
from server.wsgi.guard import admission

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LOG = logging.getLogger("plasmolite.server")

_BODY_MARGIN = 1024 * 1024
"""Flask refuses bodies over the limit once they are read; waitress refuses those far beyond it unread."""

_RECEIVE_BYTES = 128 * 1024
"""Taken from a connection at a time: a cell's picture in one go, where waitress's own 8 KiB need several."""

_STREAM_BUFFER = 256 * 1024
"""Bytes that wait for a slow reader of a stream before its next frame is awaited: two or three frames."""


def make_server(app: "Flask | WSGIApplication", settings: ServerSettings) -> DrainingServer:
    """Bind the address; requests are served once ``run`` is called.

    Raises:
        OSError: the address cannot be used.
    """
    options: dict[str, Any] = {
        "listen": f"{_bracketed(settings.host)}:{settings.port}",
        "threads": settings.threads,
        "connection_limit": CONNECTIONS,
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
    if settings.trusted_proxy:
        options |= {
            "trusted_proxy": settings.trusted_proxy,
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        }
    if settings.path_prefix:
        options["url_prefix"] = settings.path_prefix
    server = DrainingServer(app, adj=Adjustments(**options))
    if isinstance(app, Flask):
        server.admits = admission(app, context_of(app))
    return server


def run_until_stopped(server: DrainingServer, current: Callable[[], ServerContext]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was accepted and close the context.

    Args:
        server: bound to its address.
        current: gives the application's context, which a change of model replaces.
    """

    def stop(signum: int, _frame: FrameType | None) -> None:
        _LOG.info("stopping", extra={"signal": signal.Signals(signum).name})
        current().stopping.set()
        server.drain(current().settings.drain_seconds)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    try:
        with Watchdog(lambda: pipeline_fault(current())):
            server.run()
    finally:
        current().close()
        _LOG.info("stopped")


def pipeline_fault(context: ServerContext) -> str | None:
    """Send one black cell the way that all cells go; a pipeline that hangs keeps this call from returning.

    A full disk or a missing camera is for ``/ready`` to tell: restarting would not cure it.

    Returns:
        What is wrong, as a sentence; None where a cell is judged, or the server is stopping.
    """
    if context.stopping.is_set():
        return None
    size = context.classifier.input_size
    cell = np.zeros((1, size, size, 3), np.uint8)
    try:
        score = context.batcher.probabilities(cell)
    except QueueFullError:
        # Busy is not sick: past the queue, the network itself is asked.
        score = context.classifier.cell_probabilities(cell)
    except BatcherClosedError:
        return None if context.stopping.is_set() else "The queue of cells is closed."
    return None if 0 <= float(score[0]) <= 1 else "The network's answer is no probability."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
