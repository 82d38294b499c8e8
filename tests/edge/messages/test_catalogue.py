"""The catalogues: a sentence for each code in each language, with the same places."""

import json
import pickle
import re
from collections import Counter
from importlib.resources import files

import pytest

from edge.errors import ImageError
from edge.fields.quality import CheckName
from edge.live.states import LiveState
from edge.messages.catalogue import catalogue
from edge.messages.codes import ALL_CODES, Code
from edge.messages.language import Language, language_of_environment
from edge.messages.message import Message, system_reason
from edge.messages.numbers import formatted

TOO_LARGE = Message(Code.PICTURE_TOO_LARGE, width=9000, height=8000, megapixels=64.0)
NOT_OPENED = Message(Code.PICTURE_NOT_OPENED, reason=Message(Code.SYSTEM_NOT_FOUND))


@pytest.mark.parametrize("language", Language)
def test_every_code_has_a_sentence(language: Language) -> None:
    assert ALL_CODES.keys() <= catalogue(language).keys


@pytest.mark.parametrize("language", Language)
def test_no_key_stands_twice(language: Language) -> None:
    # The later one would stand in for the other without a word.
    text = (files("edge.messages") / f"{language}.json").read_text(encoding="utf-8")
    keys = [key for key, _ in json.loads(text, object_pairs_hook=list)]
    assert [key for key, times in Counter(keys).items() if times > 1] == []


def test_languages_have_the_same_keys_with_the_same_places() -> None:
    english, french = catalogue(Language.ENGLISH), catalogue(Language.FRENCH)
    assert french.keys == english.keys
    for key in english.keys:
        assert french.places(key) == english.places(key), key


@pytest.mark.parametrize("language", Language)
def test_every_state_and_check_has_a_name(language: Language) -> None:
    keys = catalogue(language).keys
    assert {f"state.{state}" for state in LiveState} == {key for key in keys if key.startswith("state.")}
    named = {key for key in keys if key.startswith("check.name.")}
    assert {f"check.name.{name}" for name in CheckName} == named


def test_an_error_reads_in_english_and_in_french() -> None:
    error = ImageError(Code.PICTURE_TOO_LARGE, width=9000, height=8000, megapixels=64.0)
    assert error.message == TOO_LARGE
    assert error.code is Code.PICTURE_TOO_LARGE
    assert str(error).startswith("The picture is too large: 9000 x 8000 pixels.")
    assert error.message.text(Language.FRENCH).startswith("L'image est trop grande : 9000 x 8000 pixels.")


def test_a_message_within_a_message_reads_in_the_same_language() -> None:
    assert str(NOT_OPENED) == "The file cannot be opened: no such file or folder."
    french = "Le fichier ne peut pas être ouvert : aucun fichier ni dossier de ce nom."
    assert NOT_OPENED.text(Language.FRENCH) == french


def test_an_error_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(ImageError(TOO_LARGE)))  # noqa: S301 - made in this line
    assert again.message == TOO_LARGE


@pytest.mark.parametrize("message", [TOO_LARGE, NOT_OPENED])
def test_a_message_is_read_back_from_json(message: Message) -> None:
    assert Message.from_json(message.to_json()) == message


def test_a_value_without_a_place_for_it_is_an_error() -> None:
    with pytest.raises(KeyError):
        str(Message(Code.PICTURE_TRUNCATED))


def test_a_refusal_of_the_system_that_no_catalogue_has_keeps_its_number() -> None:
    assert (
        str(system_reason(OSError(84, "Illegal byte sequence"))) == "system error 84: Illegal byte sequence"
    )


@pytest.mark.parametrize(
    ("wish", "language"), [("fr", "fr"), ("fr_CH.UTF-8", "fr"), ("", "en"), ("tlh", "en")]
)
def test_the_environment_names_the_language(wish: str, language: str) -> None:
    assert language_of_environment({"PLASMOLITE_LANGUAGE": wish}) == language
    assert language_of_environment({}) is Language.ENGLISH


@pytest.mark.parametrize("language", Language)
def test_every_format_of_a_place_can_be_written(language: Language) -> None:
    sentences = catalogue(language)
    for key in sentences.keys:
        for form in re.findall(r"\{[a-z_]+:([^{}]+)\}", sentences.template(key)):
            assert formatted(0.5 if form != "," else 5, form, language), key
