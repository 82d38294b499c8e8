"""Sentences and times of the reports, as a reader of the language writes them."""

from datetime import UTC, datetime

from edge.messages.catalogue import Catalogue, Value
from edge.parasitaemia.estimate import Parasitaemia
from edge.slides.review import SlideEstimates


def estimate_sentences(parasitaemia: Parasitaemia, words: Catalogue) -> list[str]:
    """Write the estimate, the answer first."""
    return [words.message(sentence) for sentence in parasitaemia.words]


def reading_sentences(estimates: SlideEstimates, words: Catalogue) -> list[str]:
    """Say whose reading stands, and how far two readings agree; nothing before a person read."""
    if not estimates.readers:
        return []
    found = estimates.agreement
    readers = ", ".join(estimates.readers)
    if found is None:
        return [words.text("reading.stands", readers=readers)]
    sentences = [words.text("reading.stands", readers=readers)]
    if found.third:
        sentences = [words.text("reading.stands.decided", readers=readers, third=", ".join(found.third))]
    facts: dict[str, Value] = {
        "cells": found.cells,
        "first": ", ".join(found.first),
        "second": ", ".join(found.second),
        "agreed": found.table[0] + found.table[3],
    }
    if found.kappa is None:
        sentences.append(words.text("reading.agreement.none", **facts))
    else:
        sentences.append(words.text("reading.agreement", **facts, **found.kappa._asdict()))
    if found.undecided:
        differing = len(found.disagreements)
        sentences.append(words.text("reading.undecided", undecided=found.undecided, differing=differing))
    return sentences


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
