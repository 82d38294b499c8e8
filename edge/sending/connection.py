"""One request to a server of the user's: over TLS with its own authority, certificate, token or password.

No redirect is followed: what is sent goes where the settings say, and nowhere else.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from edge.errors import SendError
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of, system_reason
from edge.messages.send_codes import SendCode
from edge.sending.settings import Target

MOST_BYTES = 16 * 2**20
"""A longer answer is cut: what servers answer to a slide is some kilobytes."""


class Answer(NamedTuple):
    """What a server said."""

    status: int
    body: bytes
    """As far as it came."""
    retry_after: float | None
    """Seconds that it asks to wait."""

    def json(self) -> Any:
        """Its body as JSON; None where it is none, or broke off."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class NotReachedError(Exception):
    """No answer came: there is no network, the server is away, or the line was cut. It may have taken the request."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class Connection:
    """Speaks to one server.

    Args:
        target: where it is, and what it asks for.

    Raises:
        SendError: a certificate or a secret cannot be read, or the address is none; what to do is said.
    """

    def __init__(self, target: Target) -> None:
        parts = _address(target.url)
        self._target = target
        self._headers = self._credentials()
        if "Authorization" in self._headers and parts.scheme == "http" and not _local(parts.hostname or ""):
            raise SendError(SendCode.SECRET_IN_CLEAR, url=target.url)
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=self._context()))
        self._opener = urllib.request.build_opener(*handlers)

    def send(self, method: str, path: str, body: bytes, kind: str) -> Answer:
        """Send one request and read the answer.

        Args:
            method: such as POST.
            path: below the server's address; empty for the address itself.
            body: what is sent.
            kind: its media type.

        Raises:
            NotReachedError: no whole answer came.
        """
        url = self._target.url.rstrip("/") + path
        headers = {"Content-Type": kind, "Accept": kind.partition(";")[0], "Prefer": "return=minimal"}
        headers |= self._headers
        request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310 - http or https
        try:
            with self._opener.open(request, timeout=self._target.timeout) as answer:
                return Answer(answer.status, answer.read(MOST_BYTES), None)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _rest(error), _seconds(error.headers.get("Retry-After")))
        except urllib.error.URLError as error:
            reason = error.reason
            if isinstance(reason, ssl.SSLCertVerificationError):
                # A clock that is years off makes every certificate invalid.
                raise NotReachedError(Message(SendCode.CERTIFICATE, reason=reason.verify_message)) from error
            raise NotReachedError(_told(reason)) from error
        except (OSError, HTTPException) as error:
            raise NotReachedError(_told(error)) from error

    def _credentials(self) -> dict[str, str]:
        target = self._target
        if target.token_file:
            return {"Authorization": f"Bearer {_secret(target.token_file, str.isascii)}"}
        if target.user_file:
            encoded = base64.b64encode(_secret(target.user_file).encode()).decode()
            return {"Authorization": f"Basic {encoded}"}
        return {}

    def _context(self) -> ssl.SSLContext:
        target = self._target
        try:
            context = ssl.create_default_context(cafile=target.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if target.ca:
                # Python 3.13 asks for RFC 5280 to the letter, which certificates of a hospital's own authority often
                # miss (no authority key identifier). The chain, the name and the dates are checked all the same.
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if target.certificate:
                context.load_cert_chain(target.certificate, target.key)
        except OSError as error:  # ssl.SSLError is one
            files = ", ".join(name for name in (target.ca, target.certificate, target.key) if name)
            raise SendError(SendCode.NO_CERTIFICATE, files=files, reason=str(error)) from error
        return context


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the answer with its status is given back."""


def _address(url: str) -> SplitResult:
    """Take an address apart, as far as a request will need it.

    Raises:
        SendError: it is none.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        good = parts.scheme in {"http", "https"} and host and not parts.username and parts.port != 0
        good = good and parts.path.isascii() and " " not in url
    except ValueError:  # half a pair of brackets, a port that is no number, too long a part of a name
        good = False
    if not good:
        raise SendError(SendCode.ADDRESS, url=url)
    return parts


def _secret(path: str, fits: Callable[[str], bool] = str.isprintable) -> str:
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SendError(SendCode.NO_SECRET, path=path, reason=reason_of(error)) from error
    if not (secret.isprintable() and fits(secret)):
        raise SendError(SendCode.NO_SECRET, path=path, reason=Message(SendCode.NOT_ONE_LINE))
    return secret


def _rest(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(MOST_BYTES)
    except (OSError, HTTPException):
        return b""


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _told(reason: object) -> Message:
    if isinstance(reason, OSError) and reason.errno and not isinstance(reason, ssl.SSLError):
        return system_reason(reason)
    return Message(Code.REASON_OTHER, text=str(reason) or type(reason).__name__)


def _local(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "::1"}
