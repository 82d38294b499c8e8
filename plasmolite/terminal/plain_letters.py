"""Output to terminals and files that cannot show every letter, as those of services and containers: "uL" for "µL"."""

import codecs
import sys
import unicodedata
from typing import TextIO

_HANDLER = "plasmolite.plain"
_INSTEAD = {
    "\N{MICRO SIGN}": "u",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "-",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
}


def write_what_can_be_shown() -> None:
    """Let standard output and error write another letter where theirs has no code for one, and not fail."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        _relax(stream)


def _relax(stream: TextIO) -> None:
    encoding = (getattr(stream, "encoding", None) or "utf-8").replace("-", "").lower()
    if encoding != "utf8" and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_instead_of, error.object[error.start : error.end])), error.end


def _instead_of(letter: str) -> str:
    if letter in _INSTEAD:
        return _INSTEAD[letter]
    base = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return base or "?"
