"""The sentences and labels of one language, read from ``en.json`` or ``fr.json``.

A place such as ``{seconds:.0f}`` names a value and the format of a number (see ``edge.messages.numbers.formatted``).
A place such as ``{cells|cell|cells}`` takes the word that fits the number: the first for one, the second for several.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Protocol

from edge.messages.language import Language
from edge.messages.numbers import count, density, formatted, is_one, percent

_PLACE = re.compile(r"\{(\w+)(?::([^{}|]+))?(?:\|([^{}|]+)\|([^{}|]+))?\}")


class Renderable(Protocol):
    """What has a text in every language, such as a message."""

    def text(self, language: Language) -> str:
        """Write it in a language."""


class Coded(Renderable, Protocol):
    """What has a code and values."""

    @property
    def code(self) -> str:
        """Key of its sentence."""

    @property
    def values(self) -> Mapping[str, "Value"]:
        """What fills the places of the sentence."""


Value = str | int | float | PurePath | Renderable | Sequence[str | Renderable]
"""What may fill a place of a sentence; a message within a message is written in the same language."""


class Catalogue:
    """All sentences and labels of one language, and its way to write numbers.

    Templates of reports receive one and call its methods: ``{{ words.text("report.fields", count=12) }}``.

    Attributes:
        language: the language of all that it returns.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        text = (files("edge.messages") / f"{language}.json").read_text(encoding="utf-8")
        self._texts: dict[str, str] = json.loads(text)

    @property
    def keys(self) -> frozenset[str]:
        """All keys: codes, and the keys of labels."""
        return frozenset(self._texts)

    def template(self, key: str) -> str:
        """The sentence with its places unfilled."""
        return self._texts[key]

    def places(self, key: str) -> frozenset[str]:
        """Name the values that a sentence has a place for."""
        return frozenset(match[1] for match in _PLACE.finditer(self._texts[key]))

    def text(self, key: str, /, **values: Value) -> str:
        """Fill a sentence or a label.

        Args:
            key: a code, or the key of a label such as ``label.Parasitized``.
            **values: what fills its places; a number is written in the format that its place names.

        Raises:
            KeyError: the catalogue has no such key, or a place has no value.
        """

        def fill(match: re.Match[str]) -> str:
            name, form, one, several = match.groups()
            if several is None:
                return self.value(values[name], form or "")
            return one if is_one(values[name], self.language) else several

        return _PLACE.sub(fill, self._texts[key])

    def message(self, message: Renderable) -> str:
        """Write a message in this language."""
        return message.text(self.language)

    def on_page(self, message: Coded) -> str:
        """Write a message as the page does: without options and paths, where the catalogue has a sentence for it."""
        key = f"page.{message.code}"
        return self.text(key if key in self.keys else message.code, **message.values)

    def value(self, value: Value, form: str = "") -> str:
        """Write one value as a sentence shows it; several are separated by commas."""
        if isinstance(value, int | float):
            return formatted(value, form, self.language)
        if isinstance(value, str | PurePath):
            return str(value)
        if isinstance(value, Sequence):
            return ", ".join(map(self.value, value))
        return value.text(self.language)

    def count(self, number: float) -> str:
        """Write a whole number with its thousands separated."""
        return count(number, self.language)

    def percent(self, share: float) -> str:
        """Write a share in [0, 1] as percent with three significant digits, without the sign."""
        return percent(share, self.language)

    def density(self, per_ul: float, digits: int = 2) -> str:
        """Write cells per µL with so many significant digits."""
        return density(per_ul, digits, self.language)


@cache
def catalogue(language: Language) -> Catalogue:
    """Read the catalogue of a language; each is read once."""
    return Catalogue(language)
