"""The names of sections, tables, rows and columns in a language.

Results are kept and compared by their English names, so they are put into words only where they are shown: by the
catalogues' names under ``bench.name.`` (and those of the checks of a field), whose English is the kept one. A name that
no catalogue has, such as a file's or a runtime's, stays as it is.
"""

import re
from collections.abc import Sequence
from functools import cache

from benchmarks.harness.measurement import Told
from edge.messages.catalogue import Catalogue, Value, catalogue
from edge.messages.language import Language
from edge.messages.message import Message

_FAMILIES = ("bench.name.", "check.name.")
_NUMBER = re.compile(r"[1-9]\d{0,2}(,\d{3})*|\d+(\.\d+)?")
_OF_NAMES = frozenset({"change", "check", "step", "worse"})
"""Places of sentences in which names stand that results are kept by."""
_OF_OTHERS = frozenset({"folder", "laboratory", "model", "name", "other"})
"""Places of names in which a name stands that is not ours: a laboratory may be called "cells"."""
_PLACE = re.compile(r"\{(\w+)\}")


def named(name: str, words: Catalogue) -> str:
    """Put a name into words, and the names and numbers in its places."""
    if words.language is not Language.ENGLISH:
        for key, pattern in _patterns():
            if match := pattern.fullmatch(name):
                places = match.groupdict().items()
                return words.text(key, **{place: _in(place, text, words) for place, text in places})
    return name


def _in(place: str, text: str, words: Catalogue) -> str | int | float:
    """Read what stands in a place of a name: a number, or again a name."""
    if place in _OF_OTHERS:
        return text
    if _NUMBER.fullmatch(text) is None:
        return named(text, words)
    return float(text) if "." in text else int(text.replace(",", ""))


def told(sentence: Told, words: Catalogue) -> str:
    """Write a sentence with the names in it put into words; a text alone is a name, or of an earlier version."""
    if isinstance(sentence, str):
        return named(sentence, words)
    values = {place: _value(value, place in _OF_NAMES, words) for place, value in sentence.values.items()}
    return words.message(sentence.replaced(**values))


def _value(value: Value, names: bool, words: Catalogue) -> Value:
    if isinstance(value, Message):
        return told(value, words)
    if isinstance(value, str):
        return named(value, words) if names else value
    if isinstance(value, Sequence):
        return [_value(one, names, words) for one in value]  # type: ignore[misc]
    return value


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The keys of names with the pattern of their English text; that with the most text of its own comes first."""
    english = catalogue(Language.ENGLISH)
    found = []
    for key in english.keys:
        if key.startswith(_FAMILIES):
            # Text and names of places take turns.
            parts = _PLACE.split(english.template(key))
            pattern = "".join(
                f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(parts)
            )
            found.append((sum(map(len, parts[::2])), key, re.compile(pattern)))
    found.sort(key=lambda one: (-one[0], one[1]))
    return tuple((key, pattern) for _, key, pattern in found)
