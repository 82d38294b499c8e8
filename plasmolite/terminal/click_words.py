"""What click says by itself, in the language of the command line.

click takes its sentences from `gettext`, whose catalogues are binary files that follow the system's language. Ours are
in `edge.messages` with all others: the keys that begin with `click.`, whose English text is click's own.
"""

from functools import cache

from click import core, decorators, exceptions, formatting, parser, termui, types

from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from plasmolite.terminal.language import spoken

_PREFIX = "click."


@cache
def _keys() -> dict[str, str]:
    """The key of each of click's sentences."""
    english = catalogue(Language.ENGLISH)
    return {english.template(key): key for key in english.keys if key.startswith(_PREFIX)}


def translate(sentence: str) -> str:
    """Return a sentence of click in the user's language, its places unfilled; as it is where it is not known."""
    words, key = spoken(), _keys().get(sentence)
    return sentence if key is None else words.template(key)


def translate_number(one: str, several: str, number: int) -> str:
    """Return the sentence that fits the number, in the user's language."""
    return translate(one if number == 1 else several)


def speak_the_users_language() -> None:
    """Let click look its sentences up here from now on."""
    for module in (core, decorators, exceptions, formatting, parser, termui, types):
        for name, own in (("_", translate), ("ngettext", translate_number)):
            if hasattr(module, name):
                setattr(module, name, own)
