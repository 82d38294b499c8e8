"""Sentences with a count read rightly for one: "1 file was", not "1 files were"."""

import re

import pytest

from edge.messages.catalogue import catalogue
from edge.messages.language import Language

# What counts nothing, or is never one: names, sizes in pixels, limits of the program.
_NO_COUNT = re.compile(
    r".*(width|height)|(least|most|wanted|aim|shown|size|rbc_per_ul|to|from|per_ul_\w+|megapixels)(_\w+)?"
    r"|cell|colours|field|first|folder|key|largest|looks|model|nargs|package|part|path|picture|place|policy|readers|row|scale|scheduler|share|slide|source|suffix|tried|version"
    r"|worker|x|y|w|h"
)
# Said only of several; or their files are named, not counted.
_OF_SEVERAL = {
    "benchmark.note-passes",
    "doctor.packages",
    "send.no-certificate",
    "picture.several",
    "picture.stack",
    "models.several-of-hash",
    "folds.title",
    "estimate.not-a-count",
    "estimate.sensitivity-not-measured",
    "estimate.specificity-not-measured",
}
_PLACE = re.compile(r"\{(\w+)(?::([^{}|]+))?")

# Behind "1", at most two words later and in the same clause: a noun or verb in the plural.
_PLURAL = {
    Language.ENGLISH: re.compile(
        r"\b1 (?:(?!of|to|and|in|at|or|is|was|has|with)[a-z-]+ ){0,2}?"
        r"(?:(?!is\b|was\b|has\b|as\b|its\b|this\b|less\b|counts\b|tells\b)[a-z]+s|were|are|have)\b(?!/)"
        r"|\b1 of (?:1|them)\b[^.,;:(]*\b(?:were|are|have)\b"
    ),
    Language.FRENCH: re.compile(
        r"\b1 (?:(?:non|autre|seul) )?(?!depuis\b|dans\b|sans\b|des\b|les\b|pas\b|plus\b|mais\b|fois\b|ses\b|vis\b)"
        r"[a-zà-ÿœ]+(?:s|x)\b(?!/)"
        r"|\b1 (?:sur 1 )?[^.,;:()]*\b(?:ont|sont)\b"
    ),
}


@pytest.mark.parametrize("language", Language)
def test_a_sentence_that_counts_one_speaks_of_one(language: Language) -> None:
    words = catalogue(language)
    wrong = {}
    for key in sorted(words.keys - _OF_SEVERAL):
        sentence = words.text(key, **_ones(words.template(key)))
        if found := _PLURAL[language].search(sentence):
            wrong[key] = found[0]
    assert not wrong


def _ones(template: str) -> dict[str, int | float | str]:
    """One for each count of a sentence, and something that is no count for all else."""
    values: dict[str, int | float | str] = {}
    for name, form in _PLACE.findall(template):
        if form not in {"", ",", ".0f"}:
            values[name] = 0.5
        elif values.get(name) != 0.5:
            values[name] = 5 if _NO_COUNT.fullmatch(name) else 1
    return values


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "0 fields were not analysed."),
        ("en", 1, "1 field was not analysed."),
        ("en", 2, "2 fields were not analysed."),
        ("fr", 0, "0 champ n'a pas été analysé."),
        ("fr", 1, "1 champ n'a pas été analysé."),
        ("fr", 2, "2 champs n'ont pas été analysés."),
    ],
)
def test_words_follow_the_number(language: str, count: int, said: str) -> None:
    assert catalogue(Language(language)).text("field.failed", count=count) == said
