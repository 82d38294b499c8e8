"""Errors as RFC 9457 problem details: one class to raise, one place where all of them become answers."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json, render_template, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from edge.errors import (
    ImageError,
    NotACellError,
    PlasmoliteError,
    PrevalenceError,
    SlideError,
    SourceError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from edge.messages.catalogue import Value, catalogue
from edge.messages.codes import AnyCode
from edge.messages.message import Message
from edge.messages.request_codes import RequestCode
from server.language import asked_language

PROBLEM_TYPE = "application/problem+json"
_LOG = logging.getLogger("plasmolite.server")


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """A request that cannot be answered as asked; becomes a problem document.

    Attributes:
        status: HTTP status.
        message: what was wrong and what to do; in English it is the ``detail``.
        kind: last part of the problem's ``type``; the same for all problems of one kind.
        field: the form field, query parameter or header at fault.
        retry_after: seconds after which it may be tried again.
    """

    def __init__(
        self,
        status: int,
        what: AnyCode | Message,
        *,
        kind: str,
        field: str | None = None,
        retry_after: int | None = None,
        **values: Value,
    ) -> None:
        self.message = Message(what, **values) if isinstance(what, AnyCode) else what
        super().__init__(str(self.message))
        self.status = status
        self.kind = kind
        self.field = field
        self.retry_after = retry_after


def problem_body(
    status: int, message: Message, kind: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Make the members of a problem document.

    Extension members (RFC 9457, section 3.2): ``code`` and ``values`` say the same as ``detail`` to programs and to
    the page, which has a sentence for each code in each language; ``errors`` has one entry ``{"field", "detail"}``
    for every part of the request that is at fault.
    """
    body: dict[str, Any] = {
        "type": f"urn:plasmolite:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(message),
        **message.to_json(),
    }
    if errors:
        body["errors"] = errors
    return body


def problem_response(
    status: int,
    message: Message,
    kind: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer with a problem document, or where a person went to an address, with a page that says the same."""
    if wants_page():
        language = asked_language()
        page = render_template(
            "problem.html",
            language=language,
            title=HTTPStatus(status).phrase,
            detail=catalogue(language).on_page(message),
        )
        return Response(page, status, headers=headers, content_type="text/html; charset=utf-8")
    body = problem_body(status, message, kind, errors)
    return Response(json.dumps(body), status, headers=headers, content_type=PROBLEM_TYPE)


def wants_page() -> bool:
    """Whether a browser goes to an address, rather than a script or a program asking for data.

    Browsers name text/html before all else, beside image types and signed exchanges; a program that takes anything
    does not name it.
    """
    if (
        request.method not in {"GET", "POST"}
        or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    ):
        return False
    accepted = request.accept_mimetypes
    named = any(kind == "text/html" for kind, _ in accepted)
    return named and accepted["text/html"] >= accepted["application/json"]


class ProblemApi(Api):
    """flask-smorest's API with errors as problem documents in place of its own format."""

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Turn what Flask, Werkzeug and webargs raise into problem documents."""
        status = error.code or 500
        headers = {
            name: value
            for name, value in error.get_headers()
            if name.lower() not in {"content-type", "content-length"}
        }
        data = getattr(error, "data", None) or {}
        errors = _webargs_errors(data.get("messages"))
        if errors:
            faults = " ".join(f"{entry['field']}: {entry['detail']}" for entry in errors)
            message = Message(RequestCode.INVALID, faults=faults)
        elif status in _MESSAGES:
            message = _MESSAGES[status]
        else:
            reason = _sentence(error.description or HTTPStatus(status).phrase)
            message = Message(RequestCode.HTTP, reason=reason)
        headers.update(data.get("headers") or {})
        return problem_response(status, message, _KINDS.get(status, "http"), errors=errors, headers=headers)


_MESSAGES = {
    404: Message(RequestCode.NOT_FOUND),
    405: Message(RequestCode.METHOD),
    413: Message(RequestCode.TOO_LARGE),
    429: Message(RequestCode.TOO_MANY),
    500: Message(RequestCode.DEFECT),
}
_KINDS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-type",
    422: "invalid-field",
    429: "too-many-requests",
    500: "defect",
}


def register_problem_handlers(app: Flask) -> None:
    """Make every error of ours a problem document, whatever raised it."""
    app.register_error_handler(Problem, _from_problem)
    app.register_error_handler(PlasmoliteError, _from_plasmolite)


def _from_problem(problem: Problem) -> Response:
    errors = [{"field": problem.field, "detail": str(problem)}] if problem.field else None
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="plasmolite"'
    return problem_response(problem.status, problem.message, problem.kind, errors=errors, headers=headers)


def _from_plasmolite(error: PlasmoliteError) -> Response:
    status, kind = status_of(error)
    if status >= 500:
        _LOG.warning("request could not be served", extra={"path": request.path, "reason": str(error)})
    headers = {"Retry-After": "10"} if status == 503 else {}
    field = "file" if isinstance(error, ImageError) else None
    errors = [{"field": field, "detail": str(error)}] if field else None
    return problem_response(status, error.message, kind, errors=errors, headers=headers)


def status_of(error: PlasmoliteError) -> tuple[int, str]:
    """Say which HTTP status and which kind of problem an error of the device side is."""
    for kind_of_error, status, kind in _PLASMOLITE_STATUS:
        if isinstance(error, kind_of_error):
            return status, kind
    return 503, "not-available"


# In this order: a subclass stands before its base.
_PLASMOLITE_STATUS: tuple[tuple[type[PlasmoliteError], int, str], ...] = (
    (NotACellError, 422, "not-a-cell"),
    (ImageError, 422, "unreadable-picture"),
    (SlideError, 409, "slide"),
    (PrevalenceError, 422, "prevalence"),
    (SourceError, 409, "source"),
    (StoreBusyError, 409, "slide-in-use"),
    (StoreFullError, 507, "store-full"),
    (StoreError, 503, "store"),
)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _webargs_errors(messages: Any) -> list[dict[str, str]]:
    """Flatten webargs' nested messages ({"query": {"name": ["Not a valid integer."]}}) to a list."""
    if not isinstance(messages, dict):
        return []
    found = []
    for location, fields in messages.items():
        if not isinstance(fields, dict):
            found.append({"field": str(location), "detail": _sentence("; ".join(map(str, fields)))})
            continue
        for field, complaints in fields.items():
            words = complaints if isinstance(complaints, list) else [complaints]
            found.append({"field": str(field), "detail": " ".join(map(str, words))})
    return found
