"""Who may ask: host names, the token, the page's session, CSRF, and the headers that bind the browser."""

import math
import secrets
import time
from datetime import timedelta
from functools import lru_cache, partial
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, Response, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response as AnyResponse

from edge.messages.catalogue import catalogue
from edge.messages.request_codes import RequestCode
from server.context import server_context
from server.credentials.pairing import CODE_SECONDS, pairing_address, qr_picture
from server.credentials.token import TokenRecord
from server.http.request_counts import RequestCounts
from server.language import asked_language
from server.problems import Problem, wants_page
from server.settings import ServerSettings, is_address, is_loopback

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script, no inline style, nothing from elsewhere."""

REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)
"""A report is one file with its styles in it; in a sandbox nothing of it can run or be sent anywhere."""

OPEN_ENDPOINTS = frozenset(
    {
        "security.sign_in",
        "security.check_token",
        "static",
        "assets.versioned",
        "page.messages",
        "status.health",
    }
)
"""What is answered without a token: the way in, the page's own files, and whether the process lives."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SESSION = "signed_in"
_CSRF = "csrf"
_ID = "id"

sign_in_pages = Blueprint("security", __name__)


def secure(app: Flask, settings: ServerSettings, token: TokenRecord | None) -> Limiter:
    """Put the checks before every request and the headers on every answer.

    Args:
        app: the application.
        settings: host, limits, and further host names.
        token: what clients need; ``None`` only on loopback.
    """
    app.session_interface = _NoSessions() if token is None else _Sessions()
    app.config.update(
        SECRET_KEY=token.session_key if token else secrets.token_hex(32),
        SESSION_COOKIE_NAME="plasmolite_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PATH=settings.path_prefix or "/",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
    )
    # First of all checks, so that refused tries count too.
    limiter = Limiter(
        get_remote_address,
        app=app,
        # One limit over all addresses, not one for each of them.
        application_limits=[f"{settings.requests_per_minute} per minute"],
        # On loopback there is one user, whose programs may go as fast as they can.
        enabled=not settings.on_loopback or token is not None,
        # Its headers would put the limit's reset in place of the Retry-After that a busy server names.
        headers_enabled=False,
        storage_uri=f"{RequestCounts.STORAGE_SCHEME[0]}://",
    )
    app.before_request(_check_host)
    app.before_request(_answer_preflight)
    app.before_request(_check_client)
    app.after_request(_bind_browser)
    app.after_request(partial(_tell_when_again, limiter))
    app.register_blueprint(sign_in_pages)
    slowly = limiter.limit(f"{settings.logins_per_minute} per minute")
    app.view_functions["security.check_token"] = slowly(check_token)
    return limiter


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies, marked as secure on connections that are."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - as the base class has it
        """Whether the browser, or the trusted proxy before it, speaks TLS."""
        return request.is_secure


class _NoSessions(SessionInterface):
    """Without a token nobody signs in, and no cookie is signed or read."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Give Flask none: it puts an empty one in its place."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep nothing."""


def _check_host() -> None:
    """Refuse names that are not the server's own: a foreign page could point its own name at this address."""
    settings = server_context().settings
    if not settings.on_loopback and not settings.allowed_hosts:
        return  # with a token, and no browser session of ours under a foreign name, the name tells nothing
    host = _name_in(request.host)
    # A page can point a name of its own here, but no address: browsers ask those for nobody's sake.
    known = is_loopback(host) or host == settings.host or host in settings.allowed_hosts
    if not (known or (not settings.on_loopback and is_address(host))):
        raise Problem(
            421,
            RequestCode.UNKNOWN_HOST,
            kind="unknown-host",
            field="Host",
            host=host[:80],
        )


@lru_cache(maxsize=64)
def _name_in(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _check_client() -> AnyResponse | None:
    token = server_context().token
    bearer = _bearer()
    if token is not None and request.endpoint not in OPEN_ENDPOINTS:
        if bearer is not None:
            if not token.matches(bearer):
                raise Problem(401, RequestCode.WRONG_TOKEN, kind="wrong-token", field="Authorization")
        elif not _signed_in():
            if wants_page():
                path = request.full_path.rstrip("?")
                wanted = None if path == "/" else request.script_root + path
                return redirect(url_for("security.sign_in", next=wanted))
            raise Problem(
                401,
                RequestCode.TOKEN_NEEDED,
                kind="token-needed",
                field="Authorization",
            )
    # A browser adds neither a bearer token nor leaves out its Origin by itself: only cookies and open
    # loopback can be abused by a foreign page.
    if request.method not in _SAFE_METHODS and bearer is None:
        _check_origin()
        if token is not None and _signed_in():
            _check_csrf_token()
    return None


def _signed_in() -> bool:
    """Whether the request's cookie is of a session that began here and was not ended."""
    return bool(session.get(_SESSION)) and session.get(_ID) not in server_context().ended_sessions


def _bearer() -> str | None:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer":
        return None
    return authorization.token or ""


def _check_origin() -> None:
    """Refuse what a page of another origin sends (OWASP, "CSRF prevention": fetch metadata and origin)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise Problem(
            403,
            RequestCode.FOREIGN_ORIGIN,
            kind="foreign-origin",
            field="Sec-Fetch-Site",
        )
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Problem(403, RequestCode.FOREIGN_ORIGIN, kind="foreign-origin", field="Origin")


def _check_csrf_token() -> None:
    sent = request.headers.get("X-CSRF-Token") or ""
    if not secrets.compare_digest(sent.encode(), str(session.get(_CSRF, "")).encode()):
        raise Problem(
            403,
            RequestCode.CSRF,
            kind="csrf",
            field="X-CSRF-Token",
        )


def csrf_token() -> str:
    """The token that the page sends back with everything that changes something."""
    return str(session.get(_CSRF, ""))


@sign_in_pages.get("/sign-in")
def sign_in() -> str:
    """The form that takes the token."""
    return _form(None, _own_path(request.args.get("next")))


def _form(wrong: str | None, wanted: str) -> str:
    """The form, with what was wrong: the token, the code for a phone, or nothing yet."""
    language = asked_language()
    words = catalogue(language).text
    return render_template("sign_in.html", wrong=wrong, wanted=wanted, language=language, words=words)


@sign_in_pages.post("/sign-in")
def check_token() -> AnyResponse | tuple[str, int]:
    """Exchange the token, or a code for a phone, for a session cookie."""
    context = server_context()
    wanted = _own_path(request.form.get("next"))
    if context.token is None:
        return redirect(wanted)
    code = request.form.get("pair", "")
    good = context.pairing.use(code) if code else context.token.matches(request.form.get("token", "").strip())
    if not good:
        return _form("pair" if code else "token", wanted), 401
    session.clear()
    session.permanent = True
    session[_SESSION] = True
    session[_ID] = secrets.token_urlsafe(16)
    session[_CSRF] = secrets.token_urlsafe(24)
    return redirect(wanted)


@sign_in_pages.post("/pairing")
def pair() -> dict[str, str | float]:
    """Give a person who is signed in a code that signs a phone in once."""
    context = server_context()
    address = pairing_address(request.url_root, context.pairing.draw())
    return {"address": address, "qr": qr_picture(address), "seconds": CODE_SECONDS}


def _own_path(wanted: str | None) -> str:
    """The address that was asked for before the sign-in, if it is one of this server's; else that of the page."""
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable():
        return wanted
    return url_for("page.page")


@sign_in_pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """Forget the session."""
    context = server_context()
    if context.token is None:
        return redirect(url_for("page.page"))
    if _ID in session:
        context.ended_sessions.add(str(session[_ID]))
    session.clear()
    return redirect(url_for("security.sign_in"))


def _allowed_origin() -> str | None:
    """The origin of the asking page, where the server was told to let its scripts in."""
    origin = request.headers.get("Origin")
    return origin if origin in server_context().settings.allowed_origins else None


def _answer_preflight() -> Response | None:
    """Answer a browser that asks whether a page of another origin may send a request (Fetch, "CORS protocol").

    It comes without the token, which the request itself then needs.
    """
    origin = _allowed_origin()
    if (
        origin is None
        or request.method != "OPTIONS"
        or "Access-Control-Request-Method" not in request.headers
    ):
        return None
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
        },
    )


def _let_origin_read(response: Response) -> None:
    """Let the scripts of an allowed origin read an answer; never with cookies."""
    if not server_context().settings.allowed_origins:
        return
    response.headers.add("Vary", "Origin")
    if (origin := _allowed_origin()) is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After, Content-Disposition"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _tell_when_again(limiter: Limiter, response: Response) -> Response:
    """Tell a client over its limit after how many seconds it may ask again (RFC 9110, section 10.2.3)."""
    limit = limiter.current_limit
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and limit is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(limit.reset_at - time.time())))
    return response


def _bind_browser(response: Response) -> Response:
    headers = response.headers
    _let_origin_read(response)
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not "no-referrer": a form would then be sent with "Origin: null" (Fetch standard, "append a request
    # Origin header"), which the check of origins refuses, and nobody could sign in.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if request.is_secure or is_loopback(_name_in(request.host)):
        # Elsewhere browsers ignore it, and complain of it on every page.
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
    if request.endpoint not in {"static", "assets.versioned"}:
        # Results of patients' slides must not stay in a shared computer's cache.
        headers.setdefault("Cache-Control", "no-store")
    return response
