"""Phrases that models and slides hold in English, read in French."""

import pytest

from edge.inference.model_file import load_model, shipped_models
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.messages.message import Message
from edge.messages.stored import known_phrase

FRENCH = catalogue(Language.FRENCH)


@pytest.mark.parametrize(
    ("stored", "french"),
    [
        ("by convention", "par convention"),
        ("from a haematocrit of 38 %", "d'après un hématocrite de 38 %"),
        ("the site profile Kisumu", "le profil de site Kisumu"),
        ("the site profile 007", "le profil de site 007"),
        ("from a haematocrit of 38.5 %", "d'après un hématocrite de 38,5 %"),
        ("what a person wrote", "what a person wrote"),
    ],
)
def test_a_known_phrase_is_translated_and_any_other_stays(stored: str, french: str) -> None:
    assert FRENCH.value(known_phrase(stored)) == french
    assert str(known_phrase(stored)) == stored


@pytest.mark.parametrize("name", shipped_models())
def test_what_a_shipped_model_says_of_itself_is_known(name: str) -> None:
    manifest = load_model(shipped_models()[name]).manifest
    stated = [point["chosen"] for point in manifest["operating_points"].values()]
    for phrase in (*stated, manifest["measured_on"]):
        assert isinstance(known_phrase(phrase), Message)
