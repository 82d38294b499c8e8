"""Sentences and times of the reports, as a reader of the language writes them."""

from datetime import UTC, datetime

from edge.messages.catalogue import Catalogue
from edge.parasitaemia.estimate import Parasitaemia


def estimate_sentences(parasitaemia: Parasitaemia, words: Catalogue) -> list[str]:
    """Write the estimate, the answer first."""
    return [words.message(sentence) for sentence in parasitaemia.words]


def capitalised(sentence: str) -> str:
    """Begin a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def moment(at: datetime, words: Catalogue) -> str:
    """Write a time in UTC with the local time of this computer beside it.

    Args:
        at: with its time zone.
        words: the catalogue.
    """
    utc, local = at.astimezone(UTC), at.astimezone()
    day = "" if utc.date() == local.date() else f"{local:%Y-%m-%d} "
    zone = f"{local:%z}"
    return words.text(
        "report.moment",
        utc=f"{utc:%Y-%m-%d %H:%M}",
        local=f"{day}{local:%H:%M}",
        zone=f"{zone[:3]}:{zone[3:5]}",
    )
