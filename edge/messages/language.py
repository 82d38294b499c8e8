"""The languages that sentences are written in, and which one the user chose."""

import os
from collections.abc import Mapping
from enum import StrEnum

ENVIRONMENT_VARIABLE = "PLASMOLITE_LANGUAGE"
"""The language of the command line and of reports, where no option names one: ``en`` or ``fr``."""


class Language(StrEnum):
    """A language with a catalogue of its own, by its ISO 639-1 code."""

    ENGLISH = "en"
    FRENCH = "fr"

    @property
    def own_name(self) -> str:
        """The language's name in itself, for a list to choose from."""
        return _OWN_NAMES[self]


_OWN_NAMES = {Language.ENGLISH: "English", Language.FRENCH: "Français"}


def language_of_environment(environment: Mapping[str, str] = os.environ) -> Language:
    """Read the language from PLASMOLITE_LANGUAGE; English where it is unset or names no known language."""
    wish = environment.get(ENVIRONMENT_VARIABLE, "")[:2].lower()
    return Language(wish) if wish in set(Language) else Language.ENGLISH
