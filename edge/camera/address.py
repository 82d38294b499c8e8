"""Addresses of network cameras as they may be shown, stored and exported: without what lets others in."""

import re

HIDDEN = "***"
_HARMLESS = re.compile(
    "action|cam|camera|ch|channel|fps|format|height|profile|quality|res|resolution|size|stream|subtype|video|width",
    re.IGNORECASE,
)
"""Names in a query whose short values name a picture, not a person: everything else is hidden."""
_SHORT = re.compile(r"[\w.:-]{1,16}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/*")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)


def shown_address(address: str) -> str:
    """Hide the secrets of an address: user, password, and what its path and query assign.

    Hidden is all that is not known to be harmless. Where a password holds a stroke, a question mark or a hash, what
    is host and what is password cannot be told apart, and all is hidden.

    Args:
        address: such as ``http://user:password@host:8080/video?token=abc&channel=1``.

    Returns:
        Such as ``http://host:8080/video?token=***&channel=1``. A text that is no address comes back as it is.
    """
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address
    rest = address[scheme.end() :]
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    shown = f"{scheme[1]}://"
    if "@" in rest[len(host) :]:
        return shown + HIDDEN
    path, _, query = rest[len(host) :].partition("#")[0].partition("?")
    shown += host.rpartition("@")[2]
    shown += "/".join(_without_value(part) for part in path.split("/"))
    return shown + ("?" + "&".join(map(_harmless, re.split("[&;]", query))) if query else "")


def without_secrets(text: str) -> str:
    """Hide the secrets of an address that ends a text, such as "device (x86_64), http://user:password@host/"."""
    return _ADDRESS.sub(lambda found: shown_address(found[0]), text)


def _without_value(part: str) -> str:
    name, assigned, _ = part.partition("=")
    return f"{name}={HIDDEN}" if assigned else part


def _harmless(assignment: str) -> str:
    name, assigned, value = assignment.partition("=")
    if _HARMLESS.fullmatch(name) and _SHORT.fullmatch(value):
        return assignment
    # Without a value, the name is one: "?c2VjcmV0" and "?c2VjcmV0==" are secrets.
    return f"{name}={HIDDEN}" if assigned and value.strip("=") and len(name) <= 16 else HIDDEN
