"""Phrases in the files of models, site profiles and slides: in English, with code and values beside them or without."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.messages.message import Message

_FAMILIES = ("blood.", "chosen.", "measured.", "rates.", "sources.")
"""Beginnings of the codes of such phrases."""


def phrase_to_json(name: str, phrase: Message | str) -> dict[str, Any]:
    """Store a phrase in English under its name, and its code and values beside it.

    Args:
        name: of the value, such as `source`.
        phrase: a message, or a text of an earlier version that has no code.
    """
    coded = {f"{name}_message": phrase.to_json()} if isinstance(phrase, Message) else {}
    return {name: str(phrase), **coded}


def phrase_from_json(name: str, content: Mapping[str, Any]) -> Message | str:
    """Read what `phrase_to_json` wrote, and what a version without codes wrote."""
    try:
        return Message.from_json(content[f"{name}_message"])
    except (KeyError, ValueError):
        return known_phrase(str(content.get(name, "")))


def known_phrase(stored: str) -> Message | str:
    """Find the message of a phrase that is stored in English.

    Args:
        stored: as this or an earlier version wrote it, or anything that a person wrote.

    Returns:
        The message; the phrase as it is stored where the catalogue has no such sentence.
    """
    for phrase in _phrases():
        if not phrase.place:
            if stored == phrase.before:
                return Message(phrase.code)
        elif stored.startswith(phrase.before) and stored.endswith(phrase.behind):
            inside = stored[len(phrase.before) : len(stored) - len(phrase.behind)]
            return Message(phrase.code, **{phrase.place: _value(inside)})
    return stored


def _value(stored: str) -> Message | str | float:
    """A number as such, so that another language can write it in its own way; else the phrase that it is."""
    if stored[:1].isdigit() and stored.replace(".", "", 1).isdecimal() and f"{float(stored):g}" == stored:
        return float(stored)
    return known_phrase(stored)


class _Phrase(NamedTuple):
    """An English phrase of the catalogue with at most one place: its name, and what is before and behind it."""

    code: Code
    before: str
    behind: str
    place: str


@cache
def _phrases() -> tuple[_Phrase, ...]:
    english = catalogue(Language.ENGLISH)
    found = []
    for code in Code:
        if code.startswith(_FAMILIES):
            places = english.places(code)
            place = next(iter(places), "")
            before, _, behind = english.text(code, **dict.fromkeys(places, "\0")).partition("\0")
            found.append(_Phrase(code, before, behind, place))
    return tuple(found)
