"""The log: one JSON object a line, without pictures, names of files, query strings or tokens.

What was refused, what failed and what changed something is told; verdicts and reading are counted for
``/metrics``, and told only on request: hundreds of lines a second wear a Pi's card out.
"""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from server.context import server_context

_LOG = logging.getLogger("plasmolite.server")
_JUDGING = frozenset({"predict.judge_cells", "analyze.analyse_fields", "explain.explain_cell"})
"""Endpoints that take a POST and keep nothing of it."""
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record and its ``extra`` values as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send the log of the process to standard error as JSON lines; at level DEBUG with every request."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    _LOG.setLevel(level)
    # Waitress warns whenever a request waits for a thread, which under load is every one.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def keep_access_log(app: Flask) -> None:
    """Log and count every answer of an application."""
    app.before_request(_begin)
    app.after_request(_note)


def _begin() -> None:
    g.began = time.perf_counter()


def _note(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    endpoint = request.endpoint or "none"
    metrics = server_context().metrics
    metrics.requests.labels(endpoint, _method(), str(response.status_code)).inc()
    metrics.seconds.labels(endpoint).observe(seconds)
    level = _level(response.status_code, endpoint)
    if not _LOG.isEnabledFor(level):
        return response
    _LOG.log(
        level,
        "request",
        extra={
            "method": _method(),
            # The rule, not the path: a path may hold what a stranger typed.
            "path": str(request.url_rule or "unknown"),
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "client": request.remote_addr,
            "bytes_in": request.content_length or 0,
        },
    )
    return response


def _level(status: int, endpoint: str) -> int:
    if status >= 500:
        return logging.WARNING
    routine = status < 400 and (request.method in {"GET", "HEAD", "OPTIONS"} or endpoint in _JUDGING)
    return logging.DEBUG if routine else logging.INFO


def _method() -> str:
    """The method, from a closed list: a label must not grow with what clients invent."""
    return (
        request.method
        if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
        else "other"
    )
