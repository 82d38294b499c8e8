"""What may name a slide, and who writes in its record: one line that reads as it is stored."""

import unicodedata

_TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Explicit directional formatting (Unicode UAX 9), with which one id can pose as another."""


def reads_as_stored(text: str) -> bool:
    """Tell whether a name is one line of whole characters, without marks that turn its direction."""
    return not any(
        unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(letter) in _TURNS
        for letter in text
    )
