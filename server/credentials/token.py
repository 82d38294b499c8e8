"""The token that clients off loopback need: made once, shown once, kept as a hash."""

import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import NamedTuple

from edge.atomic_file import write_atomically
from edge.errors import PlasmoliteError
from edge.messages.message import system_reason
from edge.messages.request_codes import RequestCode

FORMAT = "plasmolite-token/1"


class TokenFileError(PlasmoliteError):
    """The token file cannot be read or written, or is none."""


class TokenRecord(NamedTuple):
    """What the token file holds. The token itself is in nobody's hands but the user's."""

    token_sha256: str
    """Of a random token of 256 bits: such a one needs no salt and no slow hash."""
    session_key: str
    """Signs the session cookies, so that they outlive a restart of the server."""

    def matches(self, token: str) -> bool:
        """Compare in a time that tells nothing."""
        return hmac.compare_digest(_hash(token), self.token_sha256)


def make_token() -> tuple[str, TokenRecord]:
    """Draw a new token.

    Returns:
        The token, to be shown once, and the record to be stored.
    """
    token = secrets.token_urlsafe(32)
    return token, TokenRecord(_hash(token), secrets.token_hex(32))


def write_record(path: Path, record: TokenRecord) -> None:
    """Store a record so that only its owner can read it.

    Raises:
        TokenFileError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"format": FORMAT, **record._asdict()}), mode=0o600)
    except OSError as error:
        raise TokenFileError(RequestCode.TOKEN_NOT_WRITTEN, path=path, reason=system_reason(error)) from error


def read_record(path: Path) -> TokenRecord:
    """Read a stored record.

    Raises:
        TokenFileError: the file cannot be read, or is no token file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TokenFileError(
            RequestCode.TOKEN_NOT_READABLE, path=path, reason=system_reason(error)
        ) from error
    except ValueError as error:
        raise TokenFileError(RequestCode.TOKEN_NOT_ONE, path=path) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise TokenFileError(RequestCode.TOKEN_NOT_ONE, path=path)
    record = TokenRecord(str(content.get("token_sha256", "")), str(content.get("session_key", "")))
    if len(record.token_sha256) != 64 or len(record.session_key) < 32:
        raise TokenFileError(RequestCode.TOKEN_NOT_ONE, path=path)
    return record


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
