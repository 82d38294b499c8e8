"""The language that a browser asks for, before any script of the page has run."""

from flask import request

from edge.messages.language import Language


def asked_language() -> Language:
    """The best of the languages that the request names (RFC 9110, section 12.5.4); English where none is known."""
    return Language(request.accept_languages.best_match(list(Language)) or Language.ENGLISH)
