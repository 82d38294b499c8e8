"""The page's own files under an address that changes with them: kept by browsers for a year, sent compressed."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, send_from_directory, url_for

assets = Blueprint("assets", __name__)

FOLDER = Path(str(files("server"))) / "static"
_LEAST_BYTES = 1024
"""Smaller answers are not worth the time of compressing them."""
_COMPRESSED = frozenset({"application/json", "text/css", "text/javascript", "image/svg+xml"})
"""Never HTML: the page holds its session's secret, and lengths of compressed secrets tell of them (BREACH)."""
_LEVEL = 5


@cache
def version() -> str:
    """A name for the state of all files together."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def modules() -> tuple[str, ...]:
    """The scripts of the page, for browsers to fetch at once instead of one after another."""
    names = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))
    return tuple(sorted(name for name in names if name != "signin.js"))


@assets.get("/static/v-<state>/<path:name>")
def versioned(state: str, name: str) -> Response:
    """Give a file of the page."""
    if state != version():
        abort(404)
    answer = send_from_directory(FOLDER, name)
    answer.direct_passthrough = False
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


def asset(name: str) -> str:
    """The address of a file of the page."""
    return url_for("assets.versioned", state=version(), name=name)


def compress_answers(app: Flask) -> None:
    """Compress what compresses well, for clients that take it."""
    app.after_request(_compress)
    app.jinja_env.globals.update(asset=asset, modules=modules)


def _compress(response: Response) -> Response:
    if response.mimetype not in _COMPRESSED or response.direct_passthrough or response.is_streamed:
        return response
    response.headers.add("Vary", "Accept-Encoding")
    if (
        response.status_code != 200
        or "Content-Encoding" in response.headers
        or not request.accept_encodings["gzip"]
        or (response.content_length or 0) < _LEAST_BYTES
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), _LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if (tag := response.get_etag()[0]) is not None:
        response.set_etag(tag, weak=True)  # other bytes of the same state
    return response
