"""Looks at the head of a request before its body is taken in: whose it is, and whether its length is told one way."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import Error
from werkzeug.http import parse_cookie

from server.context import ServerContext

STRANGERS_BYTES = 16 * 1024
"""Largest body that is received from a client that has shown neither the token nor a session: a sign-in is far
smaller, and what it does not open is refused by the application."""

Admits = Callable[[Mapping[str, str]], bool]
"""Whether the client that sent a head, names in capitals with underscores, is known."""


class UnauthorizedBodyError(Error):
    """A stranger begins to send a body."""

    code = HTTPStatus.UNAUTHORIZED
    reason = "Unauthorized"


class GuardedParser(HTTPRequestParser):
    """Waitress's parser, which gives up a request at the end of its head where its body would be refused.

    Args:
        adj: waitress's settings.
        admits: whether a client is known; None where no token is needed.
    """

    error: Error | None = None

    def __init__(self, adj: Any, admits: Admits | None) -> None:
        super().__init__(adj)
        self._admits = admits

    def parse_header(self, header_plus: bytes) -> None:
        """Take the head apart."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            # Two lengths: a proxy before this server may have taken the other (RFC 9112, section 6.1).
            raise ParsingError("Content-Length together with Transfer-Encoding")

    def received(self, data: bytes) -> int:
        """Take in what came, and say how much of it belongs to this request."""
        had_head = self.headers_finished
        taken: int = super().received(data)
        if self.error:
            # Waitress would first ask the client to go on with a body that it has refused.
            self.expect_continue = False
        if had_head or not self.headers_finished or self.error or self.body_rcv is None:
            return taken
        large = self.chunked or self.content_length > STRANGERS_BYTES
        if large and self._admits is not None and not self._admits(self.headers):
            self.error = UnauthorizedBodyError("no token")
            self.expect_continue = False
            self.completed = True
        return taken


def admission(app: Flask, context: ServerContext) -> Admits | None:
    """Make the check of heads: a bearer token that is right, or a session that lives."""
    token = context.token
    if token is None:
        return None
    sessions = SecureCookieSessionInterface().get_signing_serializer(app)
    lasting = int(app.permanent_session_lifetime.total_seconds())

    def admits(head: Mapping[str, str]) -> bool:
        kind, _, value = head.get("AUTHORIZATION", "").partition(" ")
        if kind.lower() == "bearer":
            return token.matches(value.strip())
        cookie = parse_cookie(head.get("COOKIE", "")).get(app.config["SESSION_COOKIE_NAME"])
        if cookie is None or sessions is None:
            return False
        try:
            session = sessions.loads(cookie, max_age=lasting)
        except BadSignature:
            return False
        return bool(session.get("signed_in")) and session.get("id") not in context.ended_sessions

    return admits
