"""What a person reads of a page: its text without marks, styles and pictures."""

import re
from html.parser import HTMLParser

_SHOWN_ATTRIBUTES = ("alt", "title", "aria-label")
# Words that English sentences and labels hold and French ones do not.
_ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|not|no|by|with|from|cells?|fields?|called|measured|threshold|reading|seen|red|"
    r"white|blood|slide|settings|none|files?|given|made|at (?:least|most)|region|between)\b",
    re.IGNORECASE,
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._inside_style = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inside_style = tag == "style"
        for name, value in attributes:
            if name in _SHOWN_ATTRIBUTES and value:
                self.handle_data(value)

    def handle_endtag(self, _tag: str) -> None:
        self._inside_style = False

    def handle_data(self, data: str) -> None:
        if not self._inside_style and data.strip():
            self.parts.append(" ".join(data.split()))


def page_text(page: str) -> list[str]:
    """Pieces of text in their order, texts for those who do not see the pictures among them; any space is plain."""
    reader = _Text()
    reader.feed(page)
    return reader.parts


def english_pieces(page: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """Pieces of a page that hold an English word; `without`: names that a person gave, which stay as they are."""
    pieces = page_text(page)
    for name in without:
        pieces = [piece.replace(name, "") for piece in pieces]
    return [piece for piece in pieces if _ENGLISH.search(piece)]
